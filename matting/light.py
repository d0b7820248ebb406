"""How much a dark photo is brightened before the network sees it."""

import torch
from torch import Tensor

_TOP = 0.9
_STRONGEST = 8.0
_STEP = 4  # every fourth pixel tells enough


def brightening_gain(image: Tensor) -> float:
    """What to multiply a photo with so that its brightest hundredth reaches 0.9; at least 1, at most 8.

    A photo taken in the dark has its people in the lowest few of 256 steps; networks are trained on daylight.

    Args:
        image: (3, H, W) in [0, 1].
    """
    brightest = torch.quantile(image[:, ::_STEP, ::_STEP].amax(0).flatten().float(), 0.99)
    return float((_TOP / brightest.clamp(min=_TOP / _STRONGEST)).clamp(min=1))
