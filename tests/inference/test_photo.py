"""From photo to matte."""

from copy import deepcopy

import numpy as np
import pytest
import torch
from pictures import draw_person, encode, quarters
from PIL import Image
from torch import nn

from matting.inference.photo import matte_image
from matting.inference.trimap import apply_trimap, mark_unknown
from matting.inference.working_size import AUTO_MAX_SIDE, LARGEST_SIDE, working_size
from matting.network import CoarsePrediction, Refinement, nearest_regions, refine_regions, replace_regions
from matting.postprocess.closed_form import solve_closed_form
from matting.postprocess.guided_filter import guided_filter
from matting.postprocess.upsample import to_tensor

STEPS = {"resize", "coarse", "regions", "refine", "guided_filter", "closed_form", "upsample", "collect"}


class Columns(nn.Module):
    """A network that sees the same in every picture: columns of cells, by class and coarse alpha, and grey patches."""

    CLASSES = (0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 0, 2)
    ALPHAS = (0.1, 0.1, 0.1, 0.1, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.9, 0.9, 0.9, 0.9, 0.8, 0.2)  # the last two disagree

    def __init__(self):
        super().__init__()
        self.anything = nn.Parameter(torch.zeros(1))

    def coarse(self, image):
        shape = image.shape[0], 1, image.shape[2] // 8, image.shape[3] // 8
        classes = torch.tensor(self.CLASSES).expand(shape)
        trimap = nn.functional.one_hot(classes[:, 0], 3).permute(0, 3, 1, 2) * 0.8 + 0.1
        return CoarsePrediction(torch.tensor(self.ALPHAS).expand(shape), trimap, ())

    def refine(self, image, coarse_alpha, cells, neighbours, cross_region=True, context=None):
        return Refinement(torch.full((len(cells), 1, 8, 8), 0.6), torch.zeros(len(cells), 8, 9))


@pytest.fixture(scope="module")
def network(lite_model):
    """The random network with its refined alpha in the middle of [0, 1], where it is not cut off."""
    network = deepcopy(lite_model)
    network.refine.decoder.alpha.bias.fill_(0.5)
    return network


@pytest.mark.parametrize(
    ("photo", "max_side", "expected"),
    [
        ((1000, 1000), None, (AUTO_MAX_SIDE, AUTO_MAX_SIDE)),
        ((100, 75), 768, (768, 640)),
        ((1000, 1000), 512, (512, 512)),
        ((1500, 1000), 1500, (1536, 1024)),
        ((3000, 2000), 1024, (1024, 640)),
        ((100, 100), 1, (128, 128)),
        ((1, 1), 128, (128, 128)),
        ((1, 60000), None, (128, LARGEST_SIDE)),
        ((12000, 8000), 12000, (LARGEST_SIDE, 2688)),
        ((500, 4000), None, (256, 2048)),
        ((500, 4000), 768, (128, 768)),
    ],
)
def test_working_size(photo, max_side, expected):
    assert working_size(*photo, max_side) == expected


def test_working_size_is_positive():
    with pytest.raises(ValueError, match="max_side must be at least 1 pixel, got 0"):
        working_size(10, 10, 0)


@pytest.mark.slow
@pytest.mark.parametrize("size", [(1, 1), (1, 300), (37, 53), (128, 128), (300, 200)])
def test_any_size_in_same_size_out(network, size):
    image, _ = draw_person(*size)
    before = image.copy()
    matte = matte_image(image, network, 128)
    for plane in (matte.alpha, matte.coarse_alpha):
        assert plane.shape == size and plane.dtype == np.float32
        assert plane.min() >= 0 and plane.max() <= 1
    assert matte.trimap.shape == size and set(np.unique(matte.trimap)) <= {0, 128, 255}
    assert matte.image.shape == (*size, 3) and np.array_equal(image, before)
    assert set(matte.seconds) == STEPS and all(seconds >= 0 for seconds in matte.seconds.values())


@pytest.mark.slow
def test_regions_belong_together(network):
    matte = matte_image(draw_person(200, 160)[0], network, 256)
    regions, n = matte.regions, len(matte.regions.cells)
    assert n > 8
    assert regions.cells.shape == (n, 2) and regions.neighbours.shape == (n, 8) and regions.attention.shape == (n, 8, 9)
    assert regions.patches.shape == regions.coarse_patches.shape == (n, 8, 8)
    assert regions.image_patches.shape == (n, 8, 8, 3) and regions.image_patches.dtype == np.uint8
    assert matte.working_size == (256, 256)
    assert regions.cells.max() < 32 and regions.neighbours.max() < n
    assert np.allclose(regions.attention.sum(-1), 1, atol=1e-5)


@pytest.mark.slow
def test_every_kind_of_source_gives_the_same(network, tmp_path):
    pixels = quarters()
    path = tmp_path / "photo.png"
    Image.fromarray(pixels).save(path)
    expected = matte_image(pixels, network, 128)
    mirrored_twice = np.ascontiguousarray(pixels[::-1])[::-1]  # rows with negative strides
    for source in (path, str(path), Image.fromarray(pixels), encode(pixels, "PNG"), mirrored_twice):
        matte = matte_image(source, network, 128)
        assert np.array_equal(matte.image, pixels)
        assert np.array_equal(matte.alpha, expected.alpha)


@pytest.mark.slow
def test_at_the_working_size_it_is_the_network_and_follows_the_colours_then_the_strands(network):
    image, _ = draw_person(256, 128)
    matte = matte_image(image, network, 256)
    prediction = network(to_tensor(image, (256, 128), torch.device("cpu")))
    assert np.array_equal(matte.regions.cells, prediction.cells[:, 1:].numpy())
    assert np.allclose(matte.regions.patches, prediction.patches[:, 0].numpy(), atol=1e-5)
    coarse, cells = CoarsePrediction(prediction.coarse_alpha, prediction.trimap, ()), prediction.cells
    known_alpha = apply_trimap(coarse, cells)
    drawn = replace_regions(known_alpha, prediction.patches, cells)
    expected = guided_filter(drawn[0, 0].numpy(), image / np.float32(255))
    assert np.allclose(matte_image(image, network, 256, closed_form=False).alpha, expected, atol=0.002)
    known = mark_unknown(known_alpha, cells)[0, 0].numpy().repeat(8, 0).repeat(8, 1)
    expected = solve_closed_form(expected, image / np.float32(255), (known > 0) & (known < 1))
    assert np.allclose(matte.alpha, expected, atol=0.002)


@pytest.mark.parametrize("size", [(128, 128), (128, 640), (70, 80)])
def test_known_pixels_are_exact(size):
    matte = matte_image(np.full((*size, 3), 100, np.uint8), Columns(), 128, closed_form=False)
    sixteenth = size[1] // 16
    background, redrawn, foreground = np.split(matte.alpha, [4 * sixteenth, 10 * sixteenth], axis=1)
    assert (background == 0).all() and (foreground[:, : 4 * sixteenth] == 1).all()
    assert ((redrawn > 0) & (redrawn < 1)).all() and np.allclose(redrawn[:, 2 * sixteenth], 0.6, atol=1e-3)
    assert np.allclose(matte.coarse_alpha[:, 0], 0.1, atol=1e-3)


def test_where_trimap_and_alpha_disagree_the_alpha_stays():
    coarse = Columns().coarse(torch.zeros(1, 3, 128, 128))
    cells = torch.tensor([[0, 2, 10]])  # a settled cell, if it were not redrawn
    known_alpha = apply_trimap(coarse, cells)
    assert known_alpha[0, 0, 0].tolist() == pytest.approx([0] * 4 + [0.3] * 6 + [1] * 4 + [0.8, 0.2])
    assert known_alpha[0, 0, 2, 10] == pytest.approx(0.9)
    alpha = replace_regions(known_alpha, torch.full((1, 1, 8, 8), 0.6), cells)
    assert mark_unknown(known_alpha, cells)[0, 0, 2, 10] == 0.5 != known_alpha[0, 0, 2, 10]
    assert alpha[0, 0, 16:24, 80:88].unique().tolist() == pytest.approx([0.6])


def test_without_refinement_the_alpha_is_the_coarse_one(network):
    image, _ = draw_person(150, 150)
    refined, coarse = matte_image(image, network, 128), matte_image(image, network, 128, refine=False)
    assert np.array_equal(coarse.alpha, refined.coarse_alpha) and not np.array_equal(refined.alpha, coarse.alpha)
    assert np.array_equal(coarse.trimap, refined.trimap)
    assert coarse.regions.cells.shape == (0, 2) and coarse.regions.attention.shape == (0, 8, 9)


def test_without_neighbours_there_is_no_attention(network):
    image, _ = draw_person(150, 150)
    together, alone = matte_image(image, network, 128), matte_image(image, network, 128, cross_region=False)
    assert (alone.regions.attention == 0).all() and not np.array_equal(alone.regions.patches, together.regions.patches)


@pytest.mark.slow
def test_unknown_bias_changes_what_is_redrawn(network):
    image, _ = draw_person(150, 150)
    counts = [len(matte_image(image, network, 128, unknown_bias=bias).regions.cells) for bias in (-50, 0, 50)]
    assert counts[0] == 0 < counts[1] < counts[2] == 16 * 16
    assert (matte_image(image, network, 128, unknown_bias=50).trimap == 128).all()
    assert (matte_image(image, network, 128, unknown_bias=-50).trimap != 128).all()


@pytest.mark.parametrize("source", ["missing.jpg", np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3), np.float32)])
def test_bad_images_are_refused(network, source):
    with pytest.raises(ValueError, match=r"there is no file|image must be"):
        matte_image(source, network)


@pytest.mark.parametrize("count", [0, 1, 40, 256])
def test_regions_are_refined_in_steps_of_fixed_size_with_the_same_result(network, count):
    torch.manual_seed(0)
    image = torch.rand(1, 3, 128, 128)
    coarse = CoarsePrediction(torch.rand(1, 1, 16, 16), torch.rand(1, 3, 16, 16), ())
    cells = torch.nonzero(torch.ones(1, 16, 16))[:count]
    neighbours = nearest_regions(cells)
    expected = network.refine(image, coarse.alpha, cells, neighbours)
    seen = []
    handle = network.refine.register_forward_pre_hook(lambda _, given: seen.append(len(given[2])))
    refined = refine_regions(network, image, coarse, cells, region_step=256)
    handle.remove()
    assert seen == [256 if count else 0]
    torch.testing.assert_close(refined.patches, expected.patches, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(refined.attention, expected.attention, atol=1e-5, rtol=1e-4)
