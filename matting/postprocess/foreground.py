"""Foreground colours where alpha is between 0 and 1, without the old background's."""

import cv2
import numpy as np
from numpy.typing import NDArray

from matting.postprocess.bit_depth import to_8_bit
from matting.postprocess.box import bounding_box
from matting.postprocess.multilevel import estimate_colours

_MARGIN = 24  # pixels around the soft ones on which colours are estimated as well
_MAX_SOFT = 1_500_000  # soft pixels; above, colours are estimated at a smaller size and then fitted to the photo: memory


def estimate_foreground(
    image: NDArray[np.uint8], alpha: NDArray[np.float32], input_alpha: NDArray[np.float32] | None = None
) -> NDArray[np.uint8]:
    """Estimate the foreground colours of pixels with 0 < alpha < 1 (multi-level method, Germer et al. 2020).

    Pixels with alpha 0 or 1 keep the photo's colours exactly. Only the bounding box of the others is processed; needs at most
    0.4 GB and about 12 bytes per pixel of the photo.

    Args:
        image: (H, W, 3) uint8.
        alpha: (H, W) in [0, 1].
        input_alpha: (H, W) that the image came with, as a factor of alpha. The image's colours are straight, so there is
            nothing to be estimated where only this is soft.

    Returns:
        (H, W, 3) uint8.

    Raises:
        ValueError: if the sizes differ.
    """
    if image.shape[:2] != alpha.shape:
        raise ValueError(f"image and alpha must have the same size, got {image.shape[:2]} and {alpha.shape}")
    if input_alpha is not None:
        alpha = own_alpha(alpha, input_alpha)
    foreground = image.copy()
    soft = (alpha > 0) & (alpha < 1)
    if not soft.any() or alpha.size == 1:  # the estimator needs at least two pixels
        return foreground
    box = bounding_box(soft, _MARGIN)
    parts, places = (image[box], alpha[box], soft[box]), np.flatnonzero(soft)
    colours = estimate_colours(*parts)[0] if len(places) <= _MAX_SOFT else _estimate_smaller(*parts)
    foreground.reshape(-1, 3)[places] = to_8_bit(colours)
    return foreground


def own_alpha(alpha: NDArray[np.float32], input_alpha: NDArray[np.float32]) -> NDArray[np.float32]:
    """(H, W): the other factor of a product with the alpha that the image came with; 0 where that is 0."""
    return np.divide(alpha, input_alpha, out=np.zeros_like(alpha), where=input_alpha > 0).clip(0, 1)


def _estimate_smaller(image: NDArray[np.uint8], alpha: NDArray[np.float32], soft: NDArray[np.bool_]) -> NDArray[np.float32]:
    """For photos with many soft pixels: foreground F and background B are estimated at a smaller size, then enlarged.

    Of all pairs that composite exactly to the photo's pixel, alpha F + (1 - alpha) B = I, the one nearest to the enlarged
    estimates (in the sum of squares) is taken.
    """
    height, width = alpha.shape
    scale = (_MAX_SOFT / np.count_nonzero(soft)) ** 0.5
    size = max(1, round(width * scale)), max(1, round(height * scale))
    image_small, alpha_small = (cv2.resize(one, size, interpolation=cv2.INTER_AREA) for one in (image, alpha))
    kernel = np.ones((3, 3), np.uint8)
    touched = cv2.resize(cv2.dilate(soft.astype(np.uint8), kernel) * 255, size, interpolation=cv2.INTER_AREA)
    near = cv2.dilate(touched, kernel) > 0  # all that bilinear enlargement reads at soft pixels
    enlarged = []
    for colours in estimate_colours(image_small, alpha_small, near):
        small = np.zeros_like(image_small)
        small[near] = to_8_bit(colours)
        enlarged.append(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)[soft] / np.float32(255))
    foreground, background = enlarged
    opacity = alpha[soft][:, None]
    residual = image[soft] / np.float32(255) - opacity * foreground - (1 - opacity) * background
    return foreground + residual * opacity / (opacity**2 + (1 - opacity) ** 2)
