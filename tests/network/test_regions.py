"""Which cells are regions, who their neighbours are, and moving pixels in and out of them."""

import math
import time

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from matting.evaluation.benchmark import ring_trimap
from matting.network import crop_regions, nearest_regions, replace_regions, select_regions

LARGE = (288, 432)  # cells of a 4K image; 15% unknown is 18,662 regions


def random_cells(seed: int, count: int, rows: int, columns: int, image: int = 0) -> Tensor:
    """(count, 3) different cells of one image, in row-major order."""
    flat = torch.randperm(rows * columns, generator=torch.Generator().manual_seed(seed))[:count].sort().values
    return torch.stack([torch.full_like(flat, image), flat // columns, flat % columns], dim=1)


def brute_force(cells: Tensor, k: int = 8) -> Tensor:
    """The definition: sort all regions of the image by distance, lowest index first; few regions repeat, own one last."""
    rows = []
    for own, (image, row, column) in enumerate(cells.tolist()):
        others = [index for index, cell in enumerate(cells.tolist()) if cell[0] == image and index != own]
        others.sort(key=lambda index: ((cells[index, 1] - row) ** 2 + (cells[index, 2] - column) ** 2).item())
        rows.append(others[:k] if len(others) >= k else ((others + [own]) * k)[:k])
    return torch.tensor(rows, dtype=torch.int64).view(-1, k)


@pytest.mark.parametrize("count", range(13))
def test_neighbours_of_few_regions(count):
    for seed, (rows, columns) in enumerate([(4, 4), (1, 40), (90, 70)]):
        cells = random_cells(seed, count, rows, columns)
        assert torch.equal(nearest_regions(cells), brute_force(cells))


@pytest.mark.parametrize(
    ("count", "rows", "columns"), [(110, 11, 10), (60, 11, 10), (90, 60, 150), (40, 300, 300), (12, 700, 3)]
)
def test_neighbours_on_dense_and_scattered_masks(count, rows, columns):
    cells = random_cells(count, count, rows, columns)
    assert torch.equal(nearest_regions(cells), brute_force(cells))


def test_neighbours_of_a_lonely_region_far_from_the_rest():
    cells = torch.cat([random_cells(0, 20, 5, 5), torch.tensor([[0, 200, 150]])])
    assert torch.equal(nearest_regions(cells), brute_force(cells))


def test_neighbours_stay_within_their_image():
    """Images with no, few, exactly 8, 9 and many regions in one batch."""
    counts = (0, 3, 8, 0, 9, 70, 1)
    cells = torch.cat([random_cells(image, count, 12, 14, image) for image, count in enumerate(counts)])
    neighbours = nearest_regions(cells)
    assert torch.equal(neighbours, brute_force(cells))
    assert torch.equal(cells[neighbours][..., 0], cells[:, :1].expand(-1, 8))


def test_ties_go_to_the_lowest_index():
    """In a full 3x5 grid the centre has four neighbours at distance 1 and four at the square root of 2."""
    cells = torch.cartesian_prod(torch.tensor([0]), torch.arange(3), torch.arange(5))
    assert nearest_regions(cells)[7].tolist() == [2, 6, 8, 12, 1, 3, 11, 13]
    assert nearest_regions(cells, k=3)[7].tolist() == [2, 6, 8]


def test_few_regions_repeat_with_the_own_one_last():
    cells = torch.tensor([[0, 0, 0], [0, 0, 1], [0, 0, 5]])
    assert nearest_regions(cells).tolist() == [[1, 2, 0, 1, 2, 0, 1, 2], [0, 2, 1, 0, 2, 1, 0, 2], [1, 0, 2, 1, 0, 2, 1, 0]]


def test_neighbours_of_a_4k_image_come_quickly():
    """Below 0.3 s on one free core; the bound leaves room for a slower machine."""
    cells = select_regions(ring_trimap(*LARGE, 0.15))
    assert len(cells) == 18662
    seconds = []
    for _ in range(3):
        start = time.process_time()
        nearest_regions(cells)
        seconds.append(time.process_time() - start)
    assert min(seconds) < 0.6


class LargestTensor(TorchDispatchMode):
    """Remember the number of entries of the largest tensor that an operation returned."""

    entries = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        sizes = [leaf.numel() for leaf in tree_leaves(result) if isinstance(leaf, Tensor)]
        self.entries = max([self.entries, *sizes])
        return result


@pytest.mark.slow
def test_no_array_of_all_pairs():
    cells = random_cells(0, 7000, 300, 300)
    with LargestTensor() as largest:
        nearest_regions(cells)
    assert largest.entries < 5e6  # all pairs would be 49e6


def test_cells_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"cells must be \(N, 3\), got \(5, 2\)"):
        nearest_regions(torch.zeros(5, 2, dtype=torch.int64))


def test_unknown_cells_are_selected_in_row_major_order():
    trimap = torch.zeros(2, 3, 2, 3)
    trimap[:, 0] = 1.0
    for cell in ((1, 0, 2), (0, 1, 0), (1, 1, 1), (0, 0, 1)):
        trimap[cell[0], :, cell[1], cell[2]] = torch.tensor([0.1, 0.8, 0.1])
    cells = select_regions(trimap)
    assert cells.dtype == torch.int64
    assert cells.tolist() == [[0, 0, 1], [0, 1, 0], [1, 0, 2], [1, 1, 1]]


def test_on_a_tie_the_lower_class_wins():
    trimap = torch.tensor([[0.4, 0.4, 0.2], [0.2, 0.4, 0.4], [1 / 3, 1 / 3, 1 / 3], [0.3, 0.4, 0.3]])  # one row a cell
    assert select_regions(trimap.T.view(1, 3, 1, 4))[:, 2].tolist() == [1, 3]


def test_unknown_bias_is_added_to_the_logit():
    logits = torch.randn(1, 3, 20, 20, generator=torch.Generator().manual_seed(0))
    logits[:, 1] += 0.7
    raised = logits + torch.tensor([0.0, 0.4, 0.0]).view(1, 3, 1, 1)
    expected = (raised.argmax(1) == 1).nonzero()
    assert torch.equal(select_regions(logits.softmax(1), unknown_bias=0.4), expected)
    assert len(select_regions(logits.softmax(1))) < len(expected)


def test_trimap_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"trimap must be \(B, 3, h, w\), got \(1, 2, 4, 4\)"):
        select_regions(torch.zeros(1, 2, 4, 4))


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_crops_are_the_pixels_of_the_cells(memory_format):
    x = torch.rand(2, 3, 24, 40).contiguous(memory_format=memory_format)
    cells = torch.tensor([[0, 0, 4], [1, 2, 0]])
    crops = crop_regions(x, cells)
    assert torch.equal(crops[0], x[0, :, 0:8, 32:40]) and torch.equal(crops[1], x[1, :, 16:24, 0:8])
    assert crop_regions(x, cells[:0]).shape == (0, 3, 8, 8)


def test_patches_replace_their_cells_and_nothing_else():
    coarse = torch.rand(2, 1, 3, 5)
    cells = torch.tensor([[0, 0, 4], [1, 2, 0]])
    patches = torch.rand(2, 1, 8, 8)
    expected = coarse.repeat_interleave(8, 2).repeat_interleave(8, 3)
    assert torch.equal(replace_regions(coarse, patches[:0], cells[:0]), expected)
    expected[0, :, 0:8, 32:40], expected[1, :, 16:24, 0:8] = patches[0], patches[1]
    assert torch.equal(replace_regions(coarse, patches, cells), expected)


def test_gradients_flow_through_replacing():
    coarse, patches = torch.rand(1, 1, 2, 2, requires_grad=True), torch.rand(1, 1, 8, 8, requires_grad=True)
    replace_regions(coarse, patches, torch.tensor([[0, 1, 0]])).sum().backward()
    assert torch.equal(patches.grad, torch.ones(1, 1, 8, 8))
    assert coarse.grad.flatten().tolist() == [64.0, 64.0, 0.0, 64.0]


def test_ring_has_the_wanted_share_of_unknown_cells():
    trimap = ring_trimap(128, 128, 0.05)
    assert len(select_regions(trimap)) == math.floor(0.05 * 128 * 128 + 0.5)
    assert trimap.shape == (1, 3, 128, 128) and torch.equal(trimap.sum(1), torch.ones(1, 128, 128))
    assert trimap[0, 2, 64, 64] == 1 and trimap[0, 0, 0, 0] == 1
