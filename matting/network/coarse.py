"""The first stage: a coarse alpha and a trimap at 1/8 of the image (section 3.1 of the paper)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from matting.network.efficientnet import EfficientNetEncoder
from matting.network.swin import SwinEncoder

Encoder = SwinEncoder | EfficientNetEncoder


class ScaleLogits(NamedTuple):
    """Raw predictions of one scale: alpha (B, 1, h, w) before the sigmoid, trimap (B, 3, h, w) before the softmax."""

    alpha: Tensor
    trimap: Tensor


@dataclass(frozen=True)
class CoarsePrediction:
    """Output of the first stage. R8 means 1/8 of the image's resolution, and so on.

    Attributes:
        alpha: (B, 1, H/8, W/8) in [0, 1].
        trimap: (B, 3, H/8, W/8) probabilities of background, unknown, foreground.
        logits: predictions at R8, and in training at R16 and R32 too.
    """

    alpha: Tensor
    trimap: Tensor
    logits: tuple[ScaleLogits, ...]


class UpBlock(nn.Module):
    """Bilinear upsampling by 2, concatenation of the skip map, 3x3 convolution, LeakyReLU: (B, C, h, w) -> (B, C', 2h, 2w)."""

    def __init__(self, c_in: int, c_skip: int, c_out: int):
        super().__init__()
        self.conv = nn.Conv2d(c_in + c_skip, c_out, 3, padding=1)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
        return F.leaky_relu(self.conv(torch.cat([x, skip], dim=1)), 0.1, inplace=True)


class Head(nn.Module):
    """1x1 convolutions and pixel shuffle: feature map (B, C, h, w) -> ScaleLogits at (2h, 2w)."""

    def __init__(self, channels: int):
        super().__init__()
        self.alpha = nn.Conv2d(channels, 4, 1)
        self.trimap = nn.Conv2d(channels, 12, 1)

    def forward(self, x: Tensor) -> ScaleLogits:
        return ScaleLogits(F.pixel_shuffle(self.alpha(x), 2), F.pixel_shuffle(self.trimap(x), 2))


class FineStep(nn.Module):
    """A decoder step at R8: the encoder's own map at that size corrects what the head above guessed from R16.

    Shapes: decoder map (B, `c_in`, h, w), skip map (B, `c_skip`, 2h, 2w) -> ScaleLogits to add to the head's; they are 0 before
    training.
    """

    def __init__(self, c_in: int, c_skip: int, c_out: int):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in + c_skip, c_out, 3, padding=1)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1)
        self.alpha = nn.Conv2d(c_out, 1, 1)
        self.trimap = nn.Conv2d(c_out, 3, 1)
        for parameter in (*self.alpha.parameters(), *self.trimap.parameters()):
            nn.init.zeros_(parameter)

    def forward(self, x: Tensor, skip: Tensor) -> ScaleLogits:
        x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
        x = F.leaky_relu(self.conv1(torch.cat([x, skip], dim=1)), 0.1, inplace=True)
        x = F.leaky_relu(self.conv2(x), 0.1, inplace=True)
        return ScaleLogits(self.alpha(x), self.trimap(x))


class CoarseNetwork(nn.Module):
    """Encoder, decoder of three `UpBlock`s, and a head after each; those at R16 and R32 are for deep supervision only.

    Shapes: image (B, 3, H, W) RGB in [0, 1], sides multiples of 128 -> `CoarsePrediction`.

    Args:
        encoder: image -> maps at R16, R32, R64 and R128, or at R8 as well.
        decoder_channels: width of the decoder at R64, R32, R16.
        r8_channels: width of a fourth step, at R8 (see `FineStep`); 0, as in the paper, has none.
    """

    def __init__(self, encoder: Encoder, decoder_channels: tuple[int, int, int], r8_channels: int = 0):
        super().__init__()
        *finer, r16, r32, r64, r128 = encoder.channels
        if r8_channels and not finer:
            raise ValueError(
                f"a decoder step at R8 needs an encoder with a map at R8, got one with channels {encoder.channels}"
            )
        c64, c32, c16 = decoder_channels
        self.encoder = encoder
        self.up64 = UpBlock(r128, r64, c64)
        self.up32 = UpBlock(c64, r32, c32)
        self.up16 = UpBlock(c32, r16, c16)
        self.head32 = Head(c64)
        self.head16 = Head(c32)
        self.head8 = Head(c16)
        self.fine8 = FineStep(c16, finer[0], r8_channels) if r8_channels else None

    def forward(self, image: Tensor) -> CoarsePrediction:
        return self.decode(self.encoder(image))

    def decode(self, maps: Sequence[Tensor]) -> CoarsePrediction:
        """The prediction from the maps of the encoder, finest first."""
        *finer, r16, r32, r64, r128 = maps
        d64 = self.up64(r128, r64)
        d32 = self.up32(d64, r32)
        d16 = self.up16(d32, r16)
        at8 = self.head8(d16)
        if self.fine8 is not None:
            correction = self.fine8(d16, finer[0])
            at8 = ScaleLogits(at8.alpha + correction.alpha, at8.trimap + correction.trimap)
        logits: tuple[ScaleLogits, ...] = (at8,)
        if self.training:
            logits += (self.head16(d32), self.head32(d64))
        return CoarsePrediction(at8.alpha.sigmoid(), at8.trimap.softmax(1), logits)
