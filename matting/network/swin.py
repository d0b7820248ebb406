"""Swin-T with 16x16 patches, the encoder of the `paper` preset.

Liu et al., "Swin Transformer" (ICCV 2021), with coarser patches and a last stage that never shifts, as in
Zhong & Zharkov (WACV 2024). Tokens are kept as (B, H, W, C) between the blocks.
"""

from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WINDOW = 7
SHIFT = 3
HEAD_CHANNELS = 32
DEPTHS = (2, 2, 6, 2)
CHANNELS = (96, 192, 384, 768)
PATCH = 16
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
MASKED = -100.0  # attention logit between tokens that are neighbours only because of the cyclic shift


class WindowLayout(NamedTuple):
    """Where the tokens of a grid lie in its windows. The grid is rolled, zero-padded evenly at both ends, and cut, row-major.

    Attributes:
        cut: (windows, 49) int64, the token of each place in the flattened grid; height * width where there is padding.
        join: (height * width,) int64, the place of each token in the flattened windows.
        mask: (windows, 1, 49, 49) added to the logits of rolled windows: -100 between tokens that are neighbours only because
            of it, so that opposite ends of the grid do not attend to each other, 0 elsewhere; None if the grid is never rolled.
    """

    cut: Tensor
    join: Tensor
    mask: Tensor | None


def window_layout(height: int, width: int, shifts: bool = False, device: torch.device | None = None) -> WindowLayout:
    """The layout of a grid of tokens, without control flow that depends on its size, so that a graph can hold it for any.

    Args:
        height: of the grid.
        width: of the grid.
        shifts: roll it by `SHIFT`, unless its shorter side is one window.
        device: of the result.
    """
    h, w = (torch.full((1,), side, dtype=torch.int64, device=device) for side in (height, width))
    y, x = _places(height, device), _places(width, device)
    rolls = (h > WINDOW) & (w > WINDOW) & shifts
    inside = ((y >= 0) & (y < h))[:, None] & ((x >= 0) & (x < w))
    token = _rolled(y, h, rolls)[:, None] * w + _rolled(x, w, rolls)
    cut = split_windows(torch.where(inside, token, h * w))
    join = torch.zeros(height * width + 1, dtype=torch.int64, device=device)
    join = join.scatter(0, cut.flatten(), torch.arange(cut.numel(), device=device))[:-1]
    if not shifts:
        return WindowLayout(cut, join, None)
    # padding has label 0, so the tokens of the first area attend to it, as in the original network
    labels = split_windows(torch.where(inside, 3 * _thirds(y, h)[:, None] + _thirds(x, w), 0))
    apart = labels[:, None, :, None] != labels[:, None, None, :]
    return WindowLayout(cut, join, MASKED * (apart & rolls).float())


def _places(side: int, device: torch.device | None) -> Tensor:
    """For each row or column of the windows, that of the grid; below 0 and from `side` on is padding."""
    count = (side + WINDOW - 1) // WINDOW
    return torch.arange(count * WINDOW, device=device) - (count * WINDOW - side) // 2


def _rolled(places: Tensor, side: Tensor, rolls: Tensor) -> Tensor:
    """What lies at each place of a side once it is rolled."""
    places = places + SHIFT * rolls
    return places - side * (places >= side)


def _thirds(places: Tensor, side: Tensor) -> Tensor:
    """0, 1 or 2 for the three areas of a rolled side."""
    return (places >= side - WINDOW).long() + (places >= side - SHIFT).long()


def split_windows(x: Tensor) -> Tensor:
    """Cut a map (H, W) of whole windows into them: (windows, 49), row-major."""
    h, w = x.shape
    return x.view(h // WINDOW, WINDOW, w // WINDOW, WINDOW).transpose(1, 2).reshape(-1, WINDOW * WINDOW)


def relative_position_index() -> Tensor:
    """(49, 49) int64: the row of the (169, heads) bias table for each pair of tokens of a window."""
    y, x = torch.meshgrid(torch.arange(WINDOW), torch.arange(WINDOW), indexing="ij")
    y, x = y.flatten(), x.flatten()
    dy, dx = y[:, None] - y[None, :], x[:, None] - x[None, :]
    return (dy + WINDOW - 1) * (2 * WINDOW - 1) + dx + WINDOW - 1


class WindowAttention(nn.Module):
    """Multi-head self-attention inside windows, with a learned bias for relative positions."""

    position_index: Tensor

    def __init__(self, channels: int):
        super().__init__()
        self.heads = channels // HEAD_CHANNELS
        self.qkv = nn.Linear(channels, 3 * channels)
        self.projection = nn.Linear(channels, channels)
        self.position_bias = nn.Parameter(torch.zeros((2 * WINDOW - 1) ** 2, self.heads))
        self.register_buffer("position_index", relative_position_index(), persistent=False)

    def forward(self, windows: Tensor, mask: Tensor | None) -> Tensor:
        """(B, windows, 49, C) and an optional mask (windows, 1, 49, 49) -> (B, windows, 49, C)."""
        b, count, tokens, c = windows.shape
        qkv = self.qkv(windows).view(b * count, tokens, 3, self.heads, HEAD_CHANNELS)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # each (B * windows, heads, 49, 32)
        bias = self.position_bias[self.position_index].permute(2, 0, 1)[None]  # (1, heads, 49, 49)
        if mask is not None:
            bias = (bias + mask).expand(b, count, self.heads, tokens, tokens).flatten(0, 1)  # (B * windows, heads, 49, 49)
        x = F.scaled_dot_product_attention(q, k, v, attn_mask=bias)
        return self.projection(x.transpose(1, 2).reshape(b, count, tokens, c))


class SwinBlock(nn.Module):
    """Pre-norm transformer block: window attention, then a two-layer perceptron."""

    def __init__(self, channels: int):
        super().__init__()
        self.norm1 = nn.LayerNorm(channels)
        self.attention = WindowAttention(channels)
        self.norm2 = nn.LayerNorm(channels)
        self.mlp = nn.Sequential(nn.Linear(channels, 4 * channels), nn.GELU(), nn.Linear(4 * channels, channels))

    def forward(self, x: Tensor, layout: WindowLayout) -> Tensor:
        """(B, H, W, C) -> (B, H, W, C), in the windows of a layout of H x W."""
        x = x + self.attend(self.norm1(x), layout)
        return x + self.mlp(self.norm2(x))

    def attend(self, x: Tensor, layout: WindowLayout) -> Tensor:
        b, height, width, c = x.shape
        tokens = F.pad(x.reshape(b, height * width, c), (0, 0, 0, 1))  # the last one is the padding
        windows = tokens.index_select(1, layout.cut.flatten()).view(b, -1, WINDOW * WINDOW, c)
        attended = self.attention(windows, layout.mask).flatten(1, 2)
        return attended.index_select(1, layout.join).view(b, height, width, c)


class SwinStage(nn.Module):
    """Blocks at one resolution; every second one works on a shifted grid, if the stage shifts at all."""

    def __init__(self, channels: int, depth: int, shifts: bool):
        super().__init__()
        self.blocks = nn.ModuleList(SwinBlock(channels) for _ in range(depth))
        self.shifts = shifts

    def forward(self, x: Tensor) -> Tensor:
        """(B, H, W, C) -> (B, H, W, C)."""
        height, width = x.shape[1:3]
        layouts = [window_layout(height, width, shifts, x.device) for shifts in (False, self.shifts)]
        for index, block in enumerate(self.blocks):
            x = block(x, layouts[index % 2])
        return x


class PatchMerging(nn.Module):
    """Halve the resolution: four neighbouring tokens -> LayerNorm -> one token of twice the channels."""

    def __init__(self, channels: int):
        super().__init__()
        self.norm = nn.LayerNorm(4 * channels)
        self.reduction = nn.Linear(4 * channels, 2 * channels, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, H, W, C) -> (B, H/2, W/2, 2C)."""
        b, height, width, c = x.shape
        x = x.view(b, height // 2, 2, width // 2, 2, c).permute(0, 1, 3, 4, 2, 5)  # (B, H/2, W/2, column, row, C)
        return self.reduction(self.norm(x.reshape(b, height // 2, width // 2, 4 * c)))


class SwinEncoder(nn.Module):
    """Image -> four feature maps, at 1/16, 1/32, 1/64 and 1/128 of its size."""

    channels = CHANNELS
    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(1, 3, 1, 1))
        self.embedding = nn.Conv2d(3, CHANNELS[0], PATCH, stride=PATCH)
        self.norm = nn.LayerNorm(CHANNELS[0])
        last = len(DEPTHS) - 1
        self.stages = nn.ModuleList(
            SwinStage(c, depth, shifts=index != last) for index, (c, depth) in enumerate(zip(CHANNELS, DEPTHS, strict=True))
        )
        self.merges = nn.ModuleList(PatchMerging(c) for c in CHANNELS[:-1])
        self.apply(initialise)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Encode an image.

        Args:
            image: (B, 3, H, W) RGB in [0, 1], sides multiples of 128.

        Returns:
            (B, 96, H/16, W/16), (B, 192, H/32, W/32), (B, 384, H/64, W/64) and (B, 768, H/128, W/128).
        """
        x = self._embed(image).permute(0, 2, 3, 1)  # (B, 96, H/16, W/16) -> (B, H/16, W/16, 96)
        x = self.stages[0](self.norm(x))
        maps = [x]
        for merge, stage in zip(self.merges, self.stages[1:], strict=True):
            x = stage(merge(x))
            maps.append(x)
        return tuple(x.permute(0, 3, 1, 2) for x in maps)

    def _embed(self, image: Tensor) -> Tensor:
        """Normalise and embed the patches; the normalisation is folded into the weights, which are smaller than the image."""
        weight = self.embedding.weight / self.std
        bias = cast(Tensor, self.embedding.bias) - (weight * self.mean).sum((1, 2, 3))
        return F.conv2d(image, weight, bias, stride=PATCH)


def initialise(module: nn.Module) -> None:
    """Truncated normal weights of standard deviation 0.02 and zero biases, as in Swin Transformer."""
    if isinstance(module, nn.Linear | nn.Conv2d):
        nn.init.trunc_normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, WindowAttention):
        nn.init.trunc_normal_(module.position_bias, std=0.02)
