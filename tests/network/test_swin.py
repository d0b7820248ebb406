"""The Swin encoder against its definition: windows, padding, shifts, masks, merging."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.testing import assert_close

from matting.network import swin


@pytest.fixture(scope="module")
def encoder() -> swin.SwinEncoder:
    torch.manual_seed(0)
    encoder = swin.SwinEncoder().eval().requires_grad_(False)
    for module in encoder.modules():
        if isinstance(module, swin.WindowAttention):
            module.position_bias.normal_()
    return encoder


def into_windows(x: torch.Tensor, layout: swin.WindowLayout) -> torch.Tensor:
    """(B, H, W, C) -> (B, windows, 49, C)."""
    return F.pad(x.flatten(1, 2), (0, 0, 0, 1))[:, layout.cut]


@pytest.mark.parametrize(("side", "before", "after"), [(7, 0, 0), (8, 3, 3), (12, 1, 1), (13, 0, 1), (4, 1, 2), (1, 3, 3)])
def test_padding_is_split_evenly_with_the_odd_one_after(side, before, after):
    windows = into_windows(torch.ones(1, side, 14, 2), swin.window_layout(side, 14))
    assert windows.shape == (1, (before + side + after) // 7 * 2, 49, 2)
    rows = windows[0, ::2].reshape(-1, 7, 2)[:, 0, 0].tolist()  # the left one of two windows beside each other
    assert rows == [0.0] * before + [1.0] * side + [0.0] * after


def test_windows_are_cut_row_by_row():
    x = torch.rand(2, 14, 21, 5)
    windows = into_windows(x, swin.window_layout(14, 21))
    assert windows.shape == (2, 6, 49, 5)
    assert torch.equal(windows[1, 4].view(7, 7, 5), x[1, 7:14, 7:14])


@pytest.mark.parametrize("shifts", [False, True])
@pytest.mark.parametrize(("height", "width"), [(7, 7), (8, 13), (1, 20), (14, 21)])
def test_joining_undoes_cutting(height, width, shifts):
    x, layout = torch.rand(2, height, width, 3), swin.window_layout(height, width, shifts)
    windows = into_windows(x, layout)
    assert torch.equal(windows.flatten(1, 2)[:, layout.join], x.flatten(1, 2))


def test_the_grid_is_rolled_before_it_is_padded():
    x = torch.rand(1, 9, 14, 3)
    padded = F.pad(x.roll((-3, -3), (1, 2)), (0, 0, 0, 0, 2, 3))
    windows = into_windows(x, swin.window_layout(9, 14, shifts=True))
    assert torch.equal(windows[0, 2].view(7, 7, 3), padded[0, 7:14, :7])
    assert torch.equal(windows, into_windows(padded, swin.window_layout(14, 14)))


def test_relative_positions():
    index = swin.relative_position_index()
    assert index.shape == (49, 49)
    assert index.diagonal().tolist() == [84] * 49  # no offset: the middle of the 13 x 13 table
    assert index[0, 48] == 0 and index[48, 0] == 168
    assert index[8, 1] == 84 + 13 and index[8, 7] == 84 + 1  # one row below, one column to the right


def test_shift_mask_separates_the_areas_that_meet_in_a_window():
    mask = swin.window_layout(14, 14, shifts=True).mask
    assert mask is not None
    assert mask.shape == (4, 1, 49, 49)
    late = torch.arange(7) >= 4  # the last three rows or columns come from the other end of the grid
    in_column, in_row = late.repeat(7), late.repeat_interleave(7)
    assert not mask[0].any()
    assert torch.equal(mask[1, 0] == -100, in_column[:, None] != in_column)
    assert torch.equal(mask[2, 0] == -100, in_row[:, None] != in_row)
    assert torch.equal(mask[3, 0] == 0, (in_column[:, None] == in_column) & (in_row[:, None] == in_row))


def test_padding_is_labelled_like_the_first_area():
    """9 rows are 2 of the first area, 4 of the second and 3 of the last; with 7 columns there are only the last two."""
    mask = swin.window_layout(9, 14, shifts=True).mask
    assert mask is not None
    first_column = torch.arange(7) * 7
    labels = [0, 0, 0, 0, 1, 1, 1] + [1, 2, 2, 2, 0, 0, 0]  # 2 padded rows, 2 + 4 + 3 rows, 3 padded rows
    for window, rows in ((0, labels[:7]), (2, labels[7:])):
        rows = torch.tensor(rows)
        visible = mask[window, 0][first_column][:, first_column] == 0
        assert torch.equal(visible, rows[:, None] == rows)


def test_attention_by_its_formula(encoder):
    attention = encoder.stages[0].blocks[0].attention
    windows, mask = torch.randn(2, 4, 49, 96), swin.window_layout(14, 14, shifts=True).mask
    assert mask is not None
    q, k, v = F.linear(windows, attention.qkv.weight, attention.qkv.bias).split(96, dim=-1)
    bias = attention.position_bias[swin.relative_position_index()]  # (49, 49, heads)
    heads = []
    for head in range(3):
        channels = slice(32 * head, 32 * head + 32)
        logits = q[..., channels] @ k[..., channels].transpose(2, 3) * 32**-0.5 + bias[..., head] + mask[:, 0]
        heads.append(logits.softmax(-1) @ v[..., channels])
    expected = F.linear(torch.cat(heads, dim=-1), attention.projection.weight, attention.projection.bias)
    assert_close(attention(windows, mask), expected, rtol=0, atol=1e-5)


def test_the_position_bias_learns():
    """Fused attention must not swallow the gradient of the bias."""
    attention = swin.WindowAttention(96).double()
    windows, weight = torch.randn(2, 1, 4, 49, 96, dtype=torch.float64)
    mask = swin.window_layout(14, 14, shifts=True).mask
    assert mask is not None
    mask = mask.double()

    def output(step: float) -> torch.Tensor:
        with torch.no_grad():
            attention.position_bias[84, 1] += step
        value = (attention(windows, mask) * weight).sum()
        with torch.no_grad():
            attention.position_bias[84, 1] -= step
        return value

    (attention(windows, mask) * weight).sum().backward()
    numeric = (output(1e-5) - output(-1e-5)) / 2e-5
    assert_close(attention.position_bias.grad[84, 1], numeric.detach(), rtol=1e-5, atol=1e-8)
    assert numeric.abs() > 1e-4


def test_padding_acts_through_the_biases_and_is_not_masked(encoder):
    """A 1x1 grid sits in a window of 48 zero tokens, which all have the keys and values of the bias."""
    block = encoder.stages[3].blocks[0]
    x = torch.randn(1, 1, 1, 768)
    tokens = torch.zeros(1, 1, 49, 768)
    tokens[:, :, 24] = x.view(1, 768)
    attended = block.attend(x, swin.window_layout(1, 1))
    assert_close(attended.view(768), block.attention(tokens, None)[0, 0, 24], rtol=0, atol=1e-5)


def blocks_without_shift(stage: swin.SwinStage, x: torch.Tensor) -> torch.Tensor:
    for block in stage.blocks:
        x = block(x, swin.window_layout(*x.shape[1:3]))
    return x


@pytest.mark.parametrize(("stage", "height", "width", "shifts"), [
    (0, 8, 8, True), (0, 7, 21, False), (1, 14, 4, False), (2, 8, 9, True), (3, 7, 7, False), (3, 14, 14, False),
])  # fmt: skip
def test_which_stages_shift(encoder, stage, height, width, shifts):
    """Not where the shorter side is one window, and the last stage never."""
    x = torch.randn(1, height, width, swin.CHANNELS[stage])
    difference = (encoder.stages[stage](x) - blocks_without_shift(encoder.stages[stage], x)).abs().max()
    assert difference > 1e-3 if shifts else difference == 0


def test_merging_joins_four_tokens_column_by_column():
    merging = swin.PatchMerging(1)
    merging.norm = merging.reduction = nn.Identity()
    x = torch.arange(8.0).view(1, 2, 4, 1)
    assert merging(x).flatten(0, 2).tolist() == [[0.0, 4.0, 1.0, 5.0], [2.0, 6.0, 3.0, 7.0]]


def test_the_image_is_normalised_before_embedding(encoder):
    image = torch.rand(2, 3, 32, 48)
    expected = encoder.embedding((image - torch.tensor(swin.IMAGENET_MEAN).view(3, 1, 1)) / encoder.std)
    assert_close(encoder._embed(image), expected, rtol=0, atol=1e-5)


def test_maps_are_taken_before_merging_without_norm(encoder):
    image = torch.rand(2, 3, 128, 256)
    maps = encoder(image)
    assert [tuple(x.shape) for x in maps] == [(2, 96, 8, 16), (2, 192, 4, 8), (2, 384, 2, 4), (2, 768, 1, 2)]
    x = encoder.stages[1](encoder.merges[0](maps[0].permute(0, 2, 3, 1)))
    assert_close(maps[1], x.permute(0, 3, 1, 2))


def test_number_of_parameters(encoder):
    assert sum(parameter.numel() for parameter in encoder.parameters()) == 27_586_938
