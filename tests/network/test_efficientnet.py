"""The encoder of the small network: its "same" padding, folded norms, and a view of the whole image."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.testing import assert_close

from matting.network.efficientnet import ContextBlock, ConvNormAct, EfficientNetEncoder


@pytest.fixture(scope="module")
def encoder() -> EfficientNetEncoder:
    torch.manual_seed(0)
    return EfficientNetEncoder(64, 1).eval().requires_grad_(False)


@pytest.mark.parametrize(("kernel", "before", "after"), [(3, 0, 1), (5, 1, 2)])
@pytest.mark.parametrize("training", [False, True])
def test_strided_convolutions_pad_one_more_pixel_after(kernel, before, after, training):
    torch.manual_seed(0)
    block = ConvNormAct(4, 4, kernel, stride=2, groups=4).train(training)
    block.norm.running_mean.normal_()
    block.norm.running_var.uniform_(0.5, 2)
    x = torch.randn(3, 4, 12, 8)
    padded = F.pad(x, (before, after, before, after))
    expected = F.relu6(block.norm(F.conv2d(padded, block.conv.weight, stride=2, groups=4)))
    assert block(x).shape == (3, 4, 6, 4)
    assert_close(block(x), expected, rtol=1e-4, atol=1e-5)


def test_maps(encoder):
    maps = encoder(torch.rand(2, 3, 128, 256))
    assert encoder.channels == (40, 112, 320, 64, 64)
    assert [tuple(x.shape) for x in maps] == [(2, 40, 16, 32), (2, 112, 8, 16), (2, 320, 4, 8), (2, 64, 2, 4), (2, 64, 1, 2)]


def test_context_reaches_every_position():
    torch.manual_seed(0)
    block = ContextBlock(32).eval()
    x = torch.randn(1, 32, 6, 9)
    changed = x.clone()
    changed[0, :, 0, 0] += 1
    assert ((block(changed) - block(x)).abs().amax(1) > 0).all()


def test_statistics_can_be_frozen():
    encoder = EfficientNetEncoder(32, 1).train()
    encoder.freeze_statistics()
    before = {name: value.clone() for name, value in encoder.named_buffers()}
    encoder(torch.rand(2, 3, 128, 128))
    assert all(torch.equal(value, before[name]) for name, value in encoder.named_buffers())
    norms = [module for module in encoder.modules() if isinstance(module, nn.BatchNorm2d)]
    assert norms and not any(norm.training for norm in norms)


def test_folded_norms_still_learn():
    block = ConvNormAct(3, 4, 3, stride=2).eval()
    block(torch.rand(1, 3, 8, 8)).sum().backward()
    assert all(parameter.grad is not None for parameter in block.parameters())


def test_frozen_filters_are_the_large_maps_and_the_depthwise_ones():
    encoder = EfficientNetEncoder(32, 1)
    encoder.freeze_filters()
    frozen = {name for name, parameter in encoder.named_parameters() if not parameter.requires_grad}
    large = ("stem.", "stages.0.", "stages.1.", "stages.2.0.expand.")
    assert frozen == {name for name, _ in encoder.named_parameters() if name.startswith(large) or ".depthwise." in name}
    encoder.freeze_statistics()
    sum(x.sum() for x in encoder(torch.rand(1, 3, 128, 128))).backward()
    assert {name for name, parameter in encoder.named_parameters() if parameter.grad is None} == frozen


def test_the_lower_part_can_be_frozen():
    encoder = EfficientNetEncoder(32, 1)
    encoder.freeze_lower()
    r8, r16 = encoder.lower(torch.rand(1, 3, 128, 128))
    assert not r8.requires_grad and not r16.requires_grad
    assert all(x.requires_grad for x in encoder.upper(r16))
