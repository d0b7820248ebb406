"""The second stage: what a region sees, how regions look at each other, and that the fast paths change nothing."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.testing import assert_close

from matting.network import crop_regions, nearest_regions, refine, region_input
from matting.network.refine import ConvNorm, CrossRegionAttention, RefinementNetwork

CELLS = torch.tensor([[0, 0, 0], [0, 0, 1], [0, 3, 2], [0, 9, 15], [1, 1, 1], [1, 2, 7], [1, 15, 0]])


@pytest.fixture
def network() -> RefinementNetwork:
    """Random weights, with norms whose statistics are not those of a new network."""
    torch.manual_seed(0)
    network = RefinementNetwork()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.2)
            module.running_var.uniform_(0.5, 2.0)
    nn.init.normal_(network.attention.position_bias)
    return network.eval()


@pytest.fixture
def inputs() -> tuple[torch.Tensor, ...]:
    """image (2, 3, 128, 128), coarse alpha (2, 1, 16, 16), cells (7, 3), neighbours (7, 8)."""
    generator = torch.Generator().manual_seed(0)
    image, coarse = (torch.rand(2, c, side, side, generator=generator) for c, side in ((3, 128), (1, 16)))
    return image, coarse, CELLS, nearest_regions(CELLS)


def test_a_region_sees_its_colours_and_the_bilinear_alpha(inputs):
    image, coarse, cells, _ = inputs
    seen = region_input(image, coarse, cells)
    assert seen.shape == (7, 4, 8, 8)
    assert torch.equal(seen[:, :3], crop_regions(image, cells))
    enlarged = F.interpolate(coarse, size=(128, 128), mode="bilinear", align_corners=False)
    assert_close(seen[2, 3], enlarged[0, 0, 24:32, 16:24])


@pytest.mark.parametrize("transposed", [False, True])
def test_fixed_norms_are_folded_without_changing_the_result(transposed):
    torch.manual_seed(0)
    block = ConvNorm(6, 5, 3, transposed=transposed).eval()
    conv, norm, _ = block
    norm.running_mean.normal_()
    norm.running_var.uniform_(0.5, 2)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    x = torch.randn(4, 6, 8, 8)
    assert_close(block(x), F.leaky_relu(norm(conv(x)), 0.1), rtol=1e-4, atol=1e-5)
    assert block(x).shape == ((4, 5, 10, 10) if transposed else (4, 5, 6, 6))


def test_groups_of_regions_do_not_change_the_result(network, inputs, monkeypatch):
    whole = network(*inputs)
    monkeypatch.setattr(refine, "_REGIONS_AT_ONCE", 3)
    parts = network(*inputs)
    assert_close(parts.patches, whole.patches, rtol=0, atol=1e-5)
    assert_close(parts.attention, whole.attention, rtol=0, atol=1e-5)


def test_training_normalises_over_all_regions_at_once(network, inputs, monkeypatch):
    monkeypatch.setattr(refine, "_REGIONS_AT_ONCE", 3)
    network.train()(*inputs)
    counters = {int(module.num_batches_tracked) for module in network.modules() if isinstance(module, nn.BatchNorm2d)}
    assert counters == {1}


def test_patches_and_attention(network, inputs):
    patches, attention = network(*inputs)
    assert patches.shape == (7, 1, 8, 8) and patches.min() >= 0 and patches.max() <= 1
    assert attention.shape == (7, 8, 9)
    assert_close(attention.sum(-1), torch.ones(7, 8))


def test_without_attention_a_region_stands_alone(network, inputs):
    image, coarse, cells, _neighbours = inputs
    together = network(*inputs, cross_region=False)
    alone = network(image, coarse, cells[2:3], nearest_regions(cells[2:3]), cross_region=False)
    assert_close(together.patches[2], alone.patches[0], rtol=0, atol=1e-5)
    assert not together.attention.any()
    assert (network(*inputs).patches - together.patches).abs().max() > 1e-3


def test_with_attention_a_neighbour_matters_and_another_image_does_not(network, inputs):
    image, coarse, cells, neighbours = inputs
    before = network(*inputs).patches
    image[0, :, :8, 8:16] = 1 - image[0, :, :8, 8:16]  # the second region
    change = (network(image, coarse, cells, neighbours).patches - before).abs().flatten(1).amax(1)
    assert (change[:4] > 1e-6).all() and (change[4:] == 0).all()


def test_no_region_at_all(network, inputs):
    image, coarse, cells, _ = inputs
    patches, attention = network(image, coarse, cells[:0], nearest_regions(cells[:0]))
    assert patches.shape == (0, 1, 8, 8) and attention.shape == (0, 8, 9)


@pytest.mark.parametrize(("offset", "row"), [
    ((0, 0), 24), ((-3, -3), 0), ((3, 3), 48), ((1, -3), 28), ((0, 4), 28), ((0, -4), 20), ((-3, -4), 49), ((3, 4), 49),
    ((4, 0), 49), ((2, 10), 48), ((2, 11), 49), ((-40, 60), 49),
])  # fmt: skip
def test_row_of_the_position_bias(offset, row):
    """(dy + 3) * 7 + dx + 3, and only this sum is limited to the table: (0, 4) falls on the row of (1, -3)."""
    attention = CrossRegionAttention()
    attention.position_bias.data = torch.arange(50.0)[:, None].expand(50, 8)
    positions = torch.full((1, 9, 2), 50)
    positions[0, 4] += torch.tensor(offset)
    assert (attention._bias(positions)[0, :, 0, 4] == row).all()  # from token 0 to token 4


def test_every_parameter_learns(network, inputs):
    patches = network.train()(*inputs).patches
    (patches * torch.rand_like(patches)).sum().backward()
    still = [name for name, parameter in network.named_parameters() if parameter.grad is None or not parameter.grad.any()]
    biases_before_norms = [name for name in still if name.endswith(".0.bias")]  # a norm takes any constant away
    assert still == biases_before_norms


def test_pixels_outside_of_the_range_keep_their_gradient(network, inputs):
    nn.init.constant_(network.decoder.alpha.bias, 30.0)
    patches = network(*inputs).patches
    assert patches.min() == 1
    patches.sum().backward()
    assert network.decoder.alpha.bias.grad == patches.numel()


def test_number_of_parameters(network):
    attention = sum(parameter.numel() for parameter in network.attention.parameters())
    assert attention == 215_376
    assert sum(parameter.numel() for parameter in network.parameters()) - attention == 148_273
