"""Changes of an alpha's edge by hand: it is moved, or made softer. They leave what the network found."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from matting.postprocess.bit_depth import to_8_bit


def change_edge(alpha: NDArray[np.float32], shift: float = 0.0, feather: float = 0.0) -> NDArray[np.float32]:
    """Move an alpha's edge, then soften it.

    Args:
        alpha: (H, W) in [0, 1].
        shift: pixels outwards, or inwards if negative; parts of a pixel count.
        feather: standard deviation of a Gaussian blur in pixels.

    Returns:
        (H, W) in [0, 1]; the same array if nothing is to be changed.
    """
    changed = alpha
    if shift:
        below = math.floor(abs(shift))
        share = np.float32(abs(shift) - below)
        changed = _moved(alpha, below, outwards=shift > 0)
        if share:
            changed = (1 - share) * changed + share * _moved(alpha, below + 1, outwards=shift > 0)
    return cv2.GaussianBlur(changed, (0, 0), feather).clip(0, 1) if feather else changed


def _moved(alpha: NDArray[np.float32], pixels: int, *, outwards: bool) -> NDArray[np.float32]:
    """By whole pixels: the largest or smallest alpha within this distance."""
    if pixels == 0:
        return alpha
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * pixels + 1, 2 * pixels + 1))
    return cv2.dilate(alpha, disc) if outwards else cv2.erode(alpha, disc, borderType=cv2.BORDER_REPLICATE)


def continue_colours(
    foreground: NDArray[np.uint8], alpha: NDArray[np.float32], changed: NDArray[np.float32], reach: float
) -> NDArray[np.uint8]:
    """Foreground colours where a changed alpha has grown beyond the foreground: those of the nearest, not the old background's.

    Args:
        foreground: (H, W, 3) uint8.
        alpha: (H, W) in [0, 1], for which the colours are right.
        changed: (H, W) in [0, 1].
        reach: pixels by which it has grown.

    Returns:
        (H, W, 3) uint8: a weighted mean of the colours around, by alpha and distance, where only `changed` is above 0.
    """
    grown = (changed > 0) & (alpha < 1 / 255)
    if not grown.any():
        return foreground
    deviation = max(1.0, reach)
    weight = cv2.GaussianBlur(alpha, (0, 0), deviation)
    result = foreground.copy()
    for channel in range(3):  # one at a time: memory
        mixed = cv2.GaussianBlur(alpha * foreground[..., channel], (0, 0), deviation)
        near = grown & (weight > 1e-6)
        result[..., channel][near] = to_8_bit(mixed[near] / weight[near] / 255)
    return result
