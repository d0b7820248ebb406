"""Dark photos are brightened before the network sees them; what it draws is the alpha of the photo as it is."""

from torch import Tensor

_TOP = 0.9
_BRIGHTEST_SHARE = 0.002
_STRONGEST = 8.0
_STEP = 4  # every fourth pixel tells enough


def brightening(images: Tensor) -> Tensor:
    """What to multiply each picture with so that its brightest 0.2% reach 0.9: 1 for well-lit ones, 8 at most.

    In a photo taken in the dark, people lie in the lowest few of 256 steps; the network has learnt from daylight for the most
    part. So small a share, because somebody far away under a lamp shall not be washed out.

    Args:
        images: (B, 3, H, W) in [0, 1].

    Returns:
        (B,) gains of 1 to 8.
    """
    brightest = images[:, :, ::_STEP, ::_STEP].amax(1).flatten(1).float().quantile(1 - _BRIGHTEST_SHARE, dim=1)
    return (_TOP / brightest.clamp(min=_TOP / _STRONGEST)).clamp(min=1)


def brighten(images: Tensor) -> Tensor:
    """The pictures (B, 3, H, W) in [0, 1], each multiplied by its `brightening` and cut off at 1."""
    return (images * brightening(images)[:, None, None, None].to(images)).clamp(0, 1)
