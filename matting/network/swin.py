"""Swin-T with 16x16 patches, the encoder of the `paper` preset.

Liu et al., "Swin Transformer" (ICCV 2021), with coarser patches and a last stage that never shifts, as in
Zhong & Zharkov (WACV 2024). Tokens are kept as (B, H, W, C) between the blocks.
"""

from typing import cast

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


def pad_to_windows(x: Tensor) -> Tensor:
    """Zero-pad (B, H, W, C) to multiples of the window size, evenly at both ends."""
    rows, columns = -x.shape[1] % WINDOW, -x.shape[2] % WINDOW
    return F.pad(x, (0, 0, columns // 2, columns - columns // 2, rows // 2, rows - rows // 2))


def crop_to_grid(x: Tensor, height: int, width: int) -> Tensor:
    """Undo `pad_to_windows`: (B, H', W', C) -> (B, height, width, C)."""
    top, left = (x.shape[1] - height) // 2, (x.shape[2] - width) // 2
    return x[:, top : top + height, left : left + width]


def split_windows(x: Tensor) -> Tensor:
    """Cut (B, H, W, C) into windows, (B * windows, 49, C), row-major."""
    b, h, w, c = x.shape
    x = x.reshape(b, h // WINDOW, WINDOW, w // WINDOW, WINDOW, c)
    return x.transpose(2, 3).reshape(-1, WINDOW * WINDOW, c)  # (B, H/7, W/7, 7, 7, C) -> (B * windows, 49, C)


def join_windows(windows: Tensor, height: int, width: int) -> Tensor:
    """Undo `split_windows` for a grid of height x width: (B * windows, 49, C) -> (B, height, width, C)."""
    c = windows.shape[-1]
    x = windows.reshape(-1, height // WINDOW, width // WINDOW, WINDOW, WINDOW, c)
    return x.transpose(2, 3).reshape(-1, height, width, c)  # (B, H/7, 7, W/7, 7, C) -> (B, H, W, C)


def relative_position_index() -> Tensor:
    """(49, 49) int64: the row of the (169, heads) bias table for each pair of tokens of a window."""
    y, x = torch.meshgrid(torch.arange(WINDOW), torch.arange(WINDOW), indexing="ij")
    y, x = y.flatten(), x.flatten()
    dy, dx = y[:, None] - y[None, :], x[:, None] - x[None, :]
    return (dy + WINDOW - 1) * (2 * WINDOW - 1) + dx + WINDOW - 1


def shift_mask(height: int, width: int, device: torch.device | None = None) -> Tensor:
    """Attention mask of shifted windows, added to the logits, so that opposite ends of the grid do not attend to each other.

    Padding has label 0, so the tokens of the first area attend to it, as in the original network.

    Returns:
        (windows, 1, 49, 49), 0 where two tokens may attend to each other and -100 elsewhere.
    """

    def thirds(side: int) -> Tensor:
        positions = torch.arange(side, device=device)
        return (positions >= side - WINDOW).float() + (positions >= side - SHIFT).float()

    labels = 3 * thirds(height)[:, None] + thirds(width)[None, :]
    labels = split_windows(pad_to_windows(labels[None, :, :, None]))[:, :, 0]  # (windows, 49)
    return MASKED * (labels[:, None, :, None] != labels[:, None, None, :]).float()


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
        """(B * windows, 49, C) and an optional mask (windows, 1, 49, 49) -> (B * windows, 49, C)."""
        n, tokens, c = windows.shape
        qkv = self.qkv(windows).reshape(n, tokens, 3, self.heads, HEAD_CHANNELS)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # each (B * windows, heads, 49, 32)
        bias = self.position_bias[self.position_index].permute(2, 0, 1)[None]  # (1, heads, 49, 49)
        if mask is not None:
            bias = bias + mask  # (windows, heads, 49, 49)
            bias = bias.expand(n // len(mask), *bias.shape).flatten(0, 1)  # (B * windows, heads, 49, 49)
        x = F.scaled_dot_product_attention(q, k, v, attn_mask=bias)
        return self.projection(x.transpose(1, 2).reshape(n, tokens, c))


class SwinBlock(nn.Module):
    """Pre-norm transformer block: window attention, then a two-layer perceptron."""

    def __init__(self, channels: int):
        super().__init__()
        self.norm1 = nn.LayerNorm(channels)
        self.attention = WindowAttention(channels)
        self.norm2 = nn.LayerNorm(channels)
        self.mlp = nn.Sequential(nn.Linear(channels, 4 * channels), nn.GELU(), nn.Linear(4 * channels, channels))

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(B, H, W, C) -> (B, H, W, C); the grid is shifted if a mask is given."""
        x = x + self.attend(self.norm1(x), mask)
        return x + self.mlp(self.norm2(x))

    def attend(self, x: Tensor, mask: Tensor | None) -> Tensor:
        height, width = x.shape[1:3]
        if mask is not None:
            x = x.roll((-SHIFT, -SHIFT), dims=(1, 2))
        padded = pad_to_windows(x)
        windows = self.attention(split_windows(padded), mask)
        x = crop_to_grid(join_windows(windows, *padded.shape[1:3]), height, width)
        return x if mask is None else x.roll((SHIFT, SHIFT), dims=(1, 2))


class SwinStage(nn.Module):
    """Blocks at one resolution; every second one works on a shifted grid, if the stage shifts at all."""

    def __init__(self, channels: int, depth: int, shifts: bool):
        super().__init__()
        self.blocks = nn.ModuleList(SwinBlock(channels) for _ in range(depth))
        self.shifts = shifts

    def forward(self, x: Tensor) -> Tensor:
        """(B, H, W, C) -> (B, H, W, C)."""
        height, width = x.shape[1:3]
        shifts = self.shifts and min(height, width) > WINDOW
        mask = shift_mask(height, width, x.device) if shifts else None
        for index, block in enumerate(self.blocks):
            x = block(x, mask if index % 2 else None)
        return x


class PatchMerging(nn.Module):
    """Halve the resolution: four neighbouring tokens -> LayerNorm -> one token of twice the channels."""

    def __init__(self, channels: int):
        super().__init__()
        self.norm = nn.LayerNorm(4 * channels)
        self.reduction = nn.Linear(4 * channels, 2 * channels, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, H, W, C) -> (B, H/2, W/2, 2C)."""
        offsets = ((0, 0), (1, 0), (0, 1), (1, 1))  # (row, column)
        x = torch.cat([x[:, row::2, column::2] for row, column in offsets], dim=-1)  # (B, H/2, W/2, 4C)
        return self.reduction(self.norm(x))


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
