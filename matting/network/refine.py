"""The second stage: alpha of every unknown region from its own pixels and its 8 nearest regions (section 3.3)."""

from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from matting.network.batch_norm import BatchNorm
from matting.network.regions import REGION_SIZE, crop_regions

_TOKEN_CHANNELS = 128
_HEADS = 8
_REGIONS_AT_ONCE = 384  # in eval mode; more no longer fit the CPU's cache
_BIAS_REACH = 3
_BIAS_ROWS = 50  # 7 x 7 offsets and one row for everything farther away

_Conv = nn.Conv2d | nn.ConvTranspose2d


class Refinement(NamedTuple):
    """Output of the second stage.

    Attributes:
        patches: (N, 1, 8, 8) in [0, 1].
        attention: (N, heads, 9) weights of each region over itself and its neighbours, from the last layer; zeros if
            cross-region attention is off.
    """

    patches: Tensor
    attention: Tensor


class ConvNorm(nn.Sequential):
    """Convolution without padding (transposed in the decoder), BatchNorm, LeakyReLU."""

    def __init__(self, c_in: int, c_out: int, kernel: int, transposed: bool = False):
        conv = nn.ConvTranspose2d if transposed else nn.Conv2d
        norm = BatchNorm(c_out, eps=1e-3, momentum=0.05)
        super().__init__(conv(c_in, c_out, kernel), norm, nn.LeakyReLU(0.1, inplace=True))

    def forward(self, x: Tensor) -> Tensor:
        conv, norm, activation = cast(tuple[_Conv, BatchNorm, nn.LeakyReLU], tuple(self))  # a Sequential holds any modules
        return super().forward(x) if norm.training else activation(_folded(conv, norm, x))


def _folded(conv: _Conv, norm: BatchNorm, x: Tensor) -> Tensor:
    """Convolution with the fixed BatchNorm statistics folded into it: the same result with one pass over memory."""
    scale = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
    bias = (cast(Tensor, conv.bias) - norm.running_mean) * scale + norm.bias
    if isinstance(conv, nn.ConvTranspose2d):
        return F.conv_transpose2d(x, conv.weight * scale[:, None, None], bias)
    return F.conv2d(x, conv.weight * scale[:, None, None, None], bias)


class RegionEncoder(nn.Module):
    """(N, 4, 8, 8) RGB and coarse alpha -> feature maps (N, 32, 8, 8), (N, 64, 4, 4) and (N, 64, 2, 2)."""

    def __init__(self) -> None:
        super().__init__()
        self.block8 = nn.Sequential(ConvNorm(4, 32, 1), ConvNorm(32, 32, 1))
        self.block4 = nn.Sequential(ConvNorm(32, 64, 3), ConvNorm(64, 64, 3))
        self.block2 = nn.Sequential(ConvNorm(64, 64, 3), ConvNorm(64, 64, 1))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        at8 = self.block8(x)
        at4 = self.block4(at8)
        return at8, at4, self.block2(at4)


class RegionDecoder(nn.Module):
    """Feature maps of the encoder -> (N, 1, 8, 8) alpha, not yet clamped to [0, 1]."""

    def __init__(self) -> None:
        super().__init__()
        self.block2 = nn.Sequential(ConvNorm(64, 32, 1, transposed=True), ConvNorm(32, 32, 3, transposed=True))
        self.block4 = nn.Sequential(ConvNorm(96, 32, 3, transposed=True), ConvNorm(32, 32, 3, transposed=True))
        self.block8 = nn.Sequential(ConvNorm(64, 16, 1, transposed=True), ConvNorm(16, 16, 1, transposed=True))
        self.alpha = nn.Conv2d(16, 1, 1)

    def forward(self, at8: Tensor, at4: Tensor, at2: Tensor) -> Tensor:
        x = self.block2(at2)
        x = self.block4(torch.cat([x, at4], dim=1))
        x = self.block8(torch.cat([x, at8], dim=1))
        return self.alpha(x)


class AttentionLayer(nn.Module):
    """Pre-norm transformer layer in which the first `queries` tokens attend to all 9.

    Shapes: tokens (N, 9, 128), bias (N, heads, 9, 9) -> tokens (N, queries, 128), and if `need_weights` attention
    (N, heads, queries, 9), else None.
    """

    def __init__(self, queries: int):
        super().__init__()
        c = _TOKEN_CHANNELS
        self.queries = queries
        self.norm1 = nn.LayerNorm(c)
        self.query = nn.Linear(c, c, bias=False)
        self.key_value = nn.Linear(c, 2 * c, bias=False)
        self.project = nn.Linear(c, c)
        self.norm2 = nn.LayerNorm(c)
        self.mlp = nn.Sequential(nn.Linear(c, c), nn.GELU(), nn.Linear(c, c))

    def forward(self, tokens: Tensor, bias: Tensor, need_weights: bool = False) -> tuple[Tensor, Tensor | None]:
        n, t, c = tokens.shape
        size = c // _HEADS
        normed = self.norm1(tokens)
        q = self.query(normed[:, : self.queries])
        q = q.view(n, self.queries, _HEADS, size).transpose(1, 2)  # (N, heads, Q, 16)
        k, v = self.key_value(normed).view(n, t, 2, _HEADS, size).permute(2, 0, 3, 1, 4)  # (N, heads, 9, 16)
        bias = bias[:, :, : self.queries]
        if need_weights:
            attention = (q @ k.transpose(-2, -1) * size**-0.5 + bias).softmax(-1)
            attended = attention @ v
        else:  # the same without keeping the weights
            attention = None
            attended = F.scaled_dot_product_attention(q, k, v, attn_mask=bias)
        attended = attended.transpose(1, 2).reshape(n, self.queries, c)  # (N, heads, Q, 16) -> (N, Q, 128)
        tokens = self.project(attended).add_(tokens[:, : self.queries])  # in place: allocation costs more
        return self.mlp(self.norm2(tokens)).add_(tokens), attention


class CrossRegionAttention(nn.Module):
    """Each region's token attends to its 8 nearest regions'; the result is added to the region's coarsest feature map.

    Shapes, for M of the N regions at a time: features (M, 64, 2, 2), tokens (N, 128), cells (N, 3) and members (M, 9), the
    indices of each region and its neighbours -> features (M, 64, 2, 2), attention (M, heads, 9).
    """

    def __init__(self) -> None:
        super().__init__()
        self.to_token = nn.Linear(64, _TOKEN_CHANNELS)
        self.layer1 = AttentionLayer(queries=9)
        self.layer2 = AttentionLayer(queries=1)
        self.from_token = nn.Linear(_TOKEN_CHANNELS, 64)
        self.position_bias = nn.Parameter(torch.zeros(_BIAS_ROWS, _HEADS))

    def tokens(self, features: Tensor) -> Tensor:
        """(N, 64, 2, 2) -> (N, 128)."""
        return self.to_token(features.mean((2, 3)))

    def forward(self, features: Tensor, tokens: Tensor, cells: Tensor, members: Tensor) -> tuple[Tensor, Tensor]:
        bias = self._bias(cells[members][..., 1:])
        joined, _ = self.layer1(F.embedding(members, tokens), bias)  # (M, 9, 128)
        joined, attention = self.layer2(joined, bias, need_weights=True)  # (M, 1, 128), (M, heads, 1, 9)
        return features + self.from_token(joined[:, 0])[:, :, None, None], attention[:, :, 0]

    def _bias(self, positions: Tensor) -> Tensor:
        """(N, 9, 2) row and column -> (N, heads, 9, 9) relative position bias.

        As in the original network only the flattened index is range-checked, not each offset: (0, 4) shares its bias with
        (1, -3).
        """
        side = 2 * _BIAS_REACH + 1
        delta = positions[:, None] - positions[:, :, None] + _BIAS_REACH  # (N, i, j, 2), from i to j
        flat = delta[..., 0] * side + delta[..., 1]
        row = flat.where((flat >= 0) & (flat < side * side), side * side)
        return F.embedding(row, self.position_bias).permute(0, 3, 1, 2)  # (N, 9, 9, heads) -> (N, heads, 9, 9)


class RefinementNetwork(nn.Module):
    """Region encoder, cross-region attention and region decoder.

    Shapes: image (B, 3, H, W) RGB in [0, 1], coarse_alpha (B, 1, H/8, W/8), cells (N, 3), neighbours (N, 8) -> `Refinement`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.encoder = RegionEncoder()
        self.attention = CrossRegionAttention()
        self.decoder = RegionDecoder()

    def draw_alone(self, regions: Tensor) -> Tensor:
        """Regions redrawn without a look at each other: (N, 4, 8, 8) from `region_input` -> (N, 1, 8, 8)."""
        return limit(self.decoder(*self.encoder(regions)))

    def forward(
        self, image: Tensor, coarse_alpha: Tensor, cells: Tensor, neighbours: Tensor, cross_region: bool = True
    ) -> Refinement:
        return self.redraw(region_input(image, coarse_alpha, cells), cells, neighbours, cross_region)

    def redraw(self, regions: Tensor, cells: Tensor, neighbours: Tensor, cross_region: bool = True) -> Refinement:
        """The same for regions (N, 4, 8, 8) from `region_input`.

        They are processed in groups that fit the CPU's cache, in training all at once for the batch statistics.
        """
        size = None if self.training or torch.compiler.is_exporting() else _REGIONS_AT_ONCE
        maps = [self.encoder(group) for group in _groups(regions, size)]
        own = torch.arange(cells.shape[0], device=cells.device)[:, None]
        members = torch.cat([own, neighbours], dim=1)  # (N, 9)
        tokens = torch.cat([self.attention.tokens(at2) for _, _, at2 in maps]) if cross_region else None
        patches, attentions = [], []
        for (at8, at4, at2), around in zip(maps, _groups(members, size), strict=True):
            attention = at2.new_zeros(at2.shape[0], _HEADS, members.shape[1])
            if cross_region:
                at2, attention = self.attention(at2, tokens, cells, around)
            patches.append(limit(self.decoder(at8, at4, at2)))
            attentions.append(attention)
        return Refinement(torch.cat(patches), torch.cat(attentions))


def _groups(x: Tensor, size: int | None) -> tuple[Tensor, ...]:
    return (x,) if size is None else x.split(size)


def region_input(image: Tensor, coarse_alpha: Tensor, cells: Tensor) -> Tensor:
    """The second stage's input: RGB and bilinearly enlarged coarse alpha of each region, (N, 4, 8, 8)."""
    enlarged = F.interpolate(coarse_alpha, scale_factor=REGION_SIZE, mode="bilinear", align_corners=False)
    regions = torch.cat([crop_regions(image, cells), crop_regions(enlarged, cells)], dim=1)
    return regions.contiguous(memory_format=torch.channels_last)  # several times faster on the CPU


def limit(x: Tensor) -> Tensor:
    """Clamp to [0, 1] with a straight-through gradient, so that pixels outside still learn."""
    return x + (x.clamp(0, 1) - x).detach() if x.requires_grad else x.clamp(0, 1)
