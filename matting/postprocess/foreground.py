"""Colours of the foreground at its soft edge without the old background, and the background without the foreground."""

import cv2
import numpy as np
from numpy.typing import NDArray
from pymatting import estimate_foreground_ml

_MARGIN = 24
_LARGEST = 4_000_000  # pixels on which colours are estimated; beyond, at this size and then fitted to every pixel
_BLUR_SIDE = 512  # the blurred background is made at this size; it has no finer detail


def estimate_foreground(image: NDArray[np.uint8], alpha: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Replace the colours of soft pixels by an estimate of the foreground alone (multi-level method, Germer et al. 2020).

    Pixels with alpha 0 or 1 keep the photo's colours exactly. Only the box around the soft pixels is worked on; needs at most
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
    if not soft.any() or alpha.size == 1:  # a single pixel says nothing of what is behind it
        return foreground
    box = _box(soft, _MARGIN)
    estimate = _estimate if soft[box].size <= _LARGEST else _estimate_smaller
    foreground[box][soft[box]] = np.rint(255 * estimate(image[box], alpha[box], soft[box]).clip(0, 1))
    return foreground


def _estimate(image: NDArray[np.uint8], alpha: NDArray[np.float32], soft: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Foreground colours (M, 3) in [0, 1] of the M soft pixels."""
    return estimate_foreground_ml(image / np.float32(255), alpha.astype(np.float32))[soft]


def _estimate_smaller(image: NDArray[np.uint8], alpha: NDArray[np.float32], soft: NDArray[np.bool_]) -> NDArray[np.float32]:
    """As `_estimate`, for large pictures: estimated at a smaller size, then fitted to the pixels.

    Of all pairs of foreground and background that composite to the photo's pixel, the one nearest to the estimates is taken.
    """
    height, width = alpha.shape
    scale = (_LARGEST / alpha.size) ** 0.5
    size = max(1, round(width * scale)), max(1, round(height * scale))
    image_small, alpha_small = (cv2.resize(one, size, interpolation=cv2.INTER_AREA) for one in (image, alpha))
    pair = estimate_foreground_ml(image_small / np.float32(255), alpha_small, return_background=True)
    enlarged = (cv2.resize(one, (width, height), interpolation=cv2.INTER_LINEAR) for one in map(_to_bytes, pair))
    foreground, background = (one[soft] / np.float32(255) for one in enlarged)
    share = alpha[soft][:, None]
    missing = image[soft] / np.float32(255) - share * foreground - (1 - share) * background
    return foreground + missing * share / (share**2 + (1 - share) ** 2)


def _to_bytes(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.rint(255 * values.clip(0, 1)).astype(np.uint8)


def _box(mask: NDArray[np.bool_], margin: int) -> tuple[slice, slice]:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    top, left = max(0, rows[0] - margin), max(0, columns[0] - margin)
    return slice(top, rows[-1] + margin + 1), slice(left, columns[-1] + margin + 1)


def blur_background(image: NDArray[np.uint8], alpha: NDArray[np.float32], strength: float = 0.03) -> NDArray[np.uint8]:
    """The photo's background out of focus, with the person taken out first so that no glow of them stays.

    The person's place is filled from what lies around it, then everything is blurred.

    Args:
        image: (H, W, 3) uint8.
        alpha: (H, W) in [0, 1].
        strength: standard deviation of the blur as a share of the longer side.

    Returns:
        (H, W, 3) uint8.
    """
    height, width = alpha.shape
    scale = min(1.0, _BLUR_SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    colour = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    cover = cv2.dilate(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA), np.ones((5, 5), np.uint8))
    weight = np.maximum(1 - cover, 0.01)[..., None] ** 8  # a pixel with a little of the person counts very little
    filled = _fill(colour, weight)
    blurred = cv2.GaussianBlur(filled, (0, 0), max(0.5, strength * max(size)))
    return cv2.resize(_to_bytes(blurred / 255), (width, height), interpolation=cv2.INTER_LINEAR)


def _fill(colour: NDArray[np.float32], weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """Fill (h, w, 3) where the weights (h, w, 1) are low: as far as they are, a pixel takes the next coarser level's colour."""
    height, width = weight.shape[:2]
    if height == width == 1:
        return colour
    half = (width + 1) // 2, (height + 1) // 2
    weight_below = cv2.resize(weight, half, interpolation=cv2.INTER_AREA).reshape(half[1], half[0], 1)
    colour_below = cv2.resize(colour * weight, half, interpolation=cv2.INTER_AREA) / weight_below
    below = cv2.resize(_fill(colour_below, weight_below), (width, height), interpolation=cv2.INTER_LINEAR)
    return below + weight * (colour - below)
