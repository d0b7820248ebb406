"""A start for encoders without pretrained weights: they learn the features of an encoder that has some."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from matting.network import MattingNetwork


class FeatureTeacher(nn.Module):
    """How far a learner's four maps are from those of a trained network's encoder, which stays as it is.

    A 1x1 convolution, trained along and thrown away, leads from each map of the learner to the teacher's. The teacher's maps
    are normalised per position, so that every scale counts the same.

    Args:
        teacher: a trained network; only its encoder is kept.
        channels: of the learner's maps at R16, R32, R64 and R128.
    """

    def __init__(self, teacher: MattingNetwork, channels: Sequence[int]):
        super().__init__()
        self.encoder = teacher.coarse.encoder.requires_grad_(False)
        pairs = zip(channels, self.encoder.channels, strict=True)
        self.projections = nn.ModuleList(nn.Conv2d(ours, theirs, 1) for ours, theirs in pairs)

    def train(self, mode: bool = True) -> "FeatureTeacher":
        """The encoder's norms never learn."""
        super().train(mode)
        self.encoder.eval()
        return self

    def forward(self, image: Tensor, maps: Sequence[Tensor]) -> Tensor:
        """Mean squared distance over all maps, a scalar; image (B, 3, H, W) in [0, 1], maps the learner's for it."""
        with torch.no_grad():
            wanted = [normalise(x.float()) for x in self.encoder(image)]
        given = [project(x).float() for project, x in zip(self.projections, maps, strict=True)]
        return torch.stack([F.mse_loss(x, y) for x, y in zip(given, wanted, strict=True)]).mean()


def normalise(x: Tensor) -> Tensor:
    """Mean 0 and variance 1 over the channels of every position: (B, C, H, W) -> (B, C, H, W)."""
    variance, mean = torch.var_mean(x, dim=1, keepdim=True, unbiased=False)
    return (x - mean) * torch.rsqrt(variance + 1e-5)
