"""The compositing equation, and the backgrounds to composite onto: a blur of the photo's own, a colour, a picture."""

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor, ImageOps

from matting.postprocess.bit_depth import to_8_bit
from matting.postprocess.foreground import estimate_foreground

# "blur" for the photo's own background out of focus, a colour as (R, G, B) or CSS text, or a picture (h, w, 3) uint8 of any
# size, which is scaled and cropped to cover the photo.
Background = str | tuple[int, int, int] | NDArray[np.uint8]
BLUR_STRENGTH = 0.03  # standard deviation as a share of the longer side
_BLUR_SIDE = 512  # pixels of the longer side at which the background is blurred; the blur leaves no finer detail


def composite(foreground: NDArray[np.uint8], alpha: NDArray[np.float32], background: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The compositing equation: alpha * foreground + (1 - alpha) * background.

    Args:
        foreground: (..., 3) uint8.
        alpha: (...) in [0, 1].
        background: (..., 3) uint8.

    Returns:
        (..., 3) uint8, rounded to nearest.
    """
    below = background.astype(np.float32)
    return np.rint(below + alpha[..., None] * (foreground - below)).astype(np.uint8)


def compose(
    image: NDArray[np.uint8],
    alpha: NDArray[np.float32],
    background: Background,
    input_alpha: NDArray[np.float32] | None = None,
) -> NDArray[np.uint8]:
    """Composite a photo's foreground onto another background, with estimated foreground colours at soft edges.

    Args:
        image: (H, W, 3) uint8, the photo.
        alpha: (H, W) in [0, 1].
        background: see `Background`.
        input_alpha: see `estimate_foreground`.

    Returns:
        (H, W, 3) uint8.

    Raises:
        ValueError: if the background is a text or tuple that is no colour.
    """
    result = np.array(paint_background(background, image, alpha))
    foreground = estimate_foreground(image, alpha, input_alpha)
    visible = alpha > 0
    result[visible] = composite(foreground[visible], alpha[visible], result[visible])
    return result


def paint_background(background: Background, image: NDArray[np.uint8], alpha: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The background (H, W, 3) uint8 at the photo's size; arguments and errors as for `compose`."""
    if isinstance(background, str) and background == "blur":
        return blur_background(image, alpha)
    if isinstance(background, str | tuple):
        return np.broadcast_to(_read_colour(background), image.shape)
    return cover(background, *alpha.shape)


def _read_colour(colour: str | tuple[int, int, int]) -> NDArray[np.uint8]:
    try:
        parts = ImageColor.getrgb(colour) if isinstance(colour, str) else colour
        if len(parts) == 3 and all(0 <= part <= 255 for part in parts):
            return np.array(parts, np.uint8)
    except (ValueError, TypeError):
        pass
    raise ValueError(f"background must be 'blur', a colour such as (48, 160, 96) or '#30a060', or a picture, got {colour!r}")


def cover(picture: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Crop a picture (h, w, 3) centrally to an aspect ratio, then scale it to (height, width, 3).

    Cropped first, so that a long thin picture is not enlarged as a whole.
    """
    return np.asarray(ImageOps.fit(Image.fromarray(picture), (width, height), Image.Resampling.BICUBIC))


def blur_background(image: NDArray[np.uint8], alpha: NDArray[np.float32], strength: float = BLUR_STRENGTH) -> NDArray[np.uint8]:
    """The photo's background out of focus, without a halo of the foreground's colours.

    The foreground is filled from the background around it (an image pyramid, as in push-pull interpolation) and the result is
    blurred.

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
    weight = np.maximum(1 - cover, 0.01)[..., None] ** 8  # a pixel with some foreground in it counts very little
    filled = _fill(colour, weight)
    blurred = cv2.GaussianBlur(filled, (0, 0), max(0.5, strength * max(size)))
    return cv2.resize(to_8_bit(blurred / 255), (width, height), interpolation=cv2.INTER_LINEAR)


def _fill(colour: NDArray[np.float32], weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """Fill colours (h, w, 3) where their weights (h, w, 1) are low from the next coarser pyramid level, recursively.

    filled = weight * colour + (1 - weight) * coarser level.
    """
    height, width = weight.shape[:2]
    if height == width == 1:
        return colour
    half = (width + 1) // 2, (height + 1) // 2
    weight_below = cv2.resize(weight, half, interpolation=cv2.INTER_AREA).reshape(half[1], half[0], 1)
    colour_below = cv2.resize(colour * weight, half, interpolation=cv2.INTER_AREA) / weight_below
    below = cv2.resize(_fill(colour_below, weight_below), (width, height), interpolation=cv2.INTER_LINEAR)
    return below + weight * (colour - below)
