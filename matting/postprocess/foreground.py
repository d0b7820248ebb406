"""Foreground colours where alpha is between 0 and 1, without the old background's."""

import cv2
import numpy as np
from numpy.typing import NDArray
from pymatting import estimate_foreground_ml

from matting.postprocess.bit_depth import to_8_bit
from matting.postprocess.box import bounding_box

_MARGIN = 24  # pixels around the soft ones on which colours are estimated as well
_MAX_PIXELS = 4_000_000  # above, colours are estimated at this size and then fitted to the full-size photo: memory


def estimate_foreground(image: NDArray[np.uint8], alpha: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Estimate the foreground colours of pixels with 0 < alpha < 1 (multi-level method, Germer et al. 2020).

    Pixels with alpha 0 or 1 keep the photo's colours exactly. Only the bounding box of the others is processed; needs at most
    0.4 GB and about 12 bytes per pixel of the photo.

    Args:
        image: (H, W, 3) uint8.
        alpha: (H, W) in [0, 1].

    Returns:
        (H, W, 3) uint8.

    Raises:
        ValueError: if the sizes differ.
    """
    if image.shape[:2] != alpha.shape:
        raise ValueError(f"image and alpha must have the same size, got {image.shape[:2]} and {alpha.shape}")
    foreground = image.copy()
    soft = (alpha > 0) & (alpha < 1)
    if not soft.any() or alpha.size == 1:  # the estimator needs at least two pixels
        return foreground
    box = bounding_box(soft, _MARGIN)
    estimate = _estimate if soft[box].size <= _MAX_PIXELS else _estimate_smaller
    foreground[box][soft[box]] = np.rint(255 * estimate(image[box], alpha[box], soft[box]).clip(0, 1))
    return foreground


def _estimate(image: NDArray[np.uint8], alpha: NDArray[np.float32], soft: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Foreground colours (M, 3) in [0, 1] of the M soft pixels."""
    return estimate_foreground_ml(image / np.float32(255), alpha.astype(np.float32))[soft]


def _estimate_smaller(image: NDArray[np.uint8], alpha: NDArray[np.float32], soft: NDArray[np.bool_]) -> NDArray[np.float32]:
    """As `_estimate`, for large photos: foreground F and background B are estimated at a smaller size, then enlarged.

    Of all pairs that composite exactly to the photo's pixel, alpha F + (1 - alpha) B = I, the one nearest to the enlarged
    estimates (in the sum of squares) is taken.
    """
    height, width = alpha.shape
    scale = (_MAX_PIXELS / alpha.size) ** 0.5
    size = max(1, round(width * scale)), max(1, round(height * scale))
    image_small, alpha_small = (cv2.resize(one, size, interpolation=cv2.INTER_AREA) for one in (image, alpha))
    pair = estimate_foreground_ml(image_small / np.float32(255), alpha_small, return_background=True)
    enlarged = (cv2.resize(one, (width, height), interpolation=cv2.INTER_LINEAR) for one in map(to_8_bit, pair))
    foreground, background = (one[soft] / np.float32(255) for one in enlarged)
    opacity = alpha[soft][:, None]
    residual = image[soft] / np.float32(255) - opacity * foreground - (1 - opacity) * background
    return foreground + residual * opacity / (opacity**2 + (1 - opacity) ** 2)
