"""Weights for what is thin: strands, straps and fingers, and the background seen through narrow gaps between them."""

import torch
from torch import Tensor
from torch.nn import functional as F

_HALF = 2  # the alpha is looked at at half its size
_SIDE = 13  # of the square that a part must hold not to be thin, in pixels of that size; odd


def thin_weights(alpha: Tensor, emphasis: float) -> Tensor:
    """1 everywhere, and 1 + `emphasis` where foreground or background is narrower than 26 pixels.

    What a closing adds are gaps, what an opening removes are thin parts of the foreground (Serra 1982).

    Args:
        alpha: (B, 1, H, W) in [0, 1], sides even.
        emphasis: at least 0.

    Returns:
        (B, 1, H, W) in [1, 1 + emphasis].
    """
    if emphasis == 0:
        return torch.ones_like(alpha)
    small = F.avg_pool2d(alpha, _HALF)
    closed = _shrink(_grow(small))
    opened = _grow(_shrink(small))
    thin = F.interpolate((closed - opened).clamp(0, 1), scale_factor=_HALF, mode="nearest")
    return 1 + emphasis * thin


def _grow(alpha: Tensor) -> Tensor:
    """Maximum over a square, one axis after the other; beyond the border lies nothing."""
    reach = _SIDE // 2
    return F.max_pool2d(F.max_pool2d(alpha, (_SIDE, 1), 1, (reach, 0)), (1, _SIDE), 1, (0, reach))


def _shrink(alpha: Tensor) -> Tensor:
    return -_grow(-alpha)
