"""What the person is put on: nothing (shown as a checkerboard), a colour, the blurred surroundings or the visitor's picture."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import ImageColor

from matting.postprocess.compositing import BLUR_STRENGTH, blur_background, paint_background

TRANSPARENT, COLOUR, BLUR, PICTURE = KINDS = ("transparent", "colour", "blur", "picture")
_CHECKS = 42  # squares along the longer side
_CHECK_LEVELS = (214, 240)


@dataclass(frozen=True)
class BackgroundChoice:
    """A choice of background.

    Attributes:
        kind: one of `KINDS`.
        colour: CSS colour, used by kind "colour".
        picture: (H, W, 3) uint8 of any size, used by kind "picture".
        blur: standard deviation as a share of the longer side, used by kind "blur".
    """

    kind: str = TRANSPARENT
    colour: str = "#3f5f5a"
    picture: NDArray[np.uint8] | None = None
    blur: float = BLUR_STRENGTH


def render_background(background: BackgroundChoice, image: NDArray[np.uint8], alpha: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The background at the size of the image.

    Args:
        background: what to draw.
        image: (H, W, 3) the photo, for "blur".
        alpha: (H, W) in [0, 1], for "blur".

    Returns:
        (H, W, 3) uint8.

    Raises:
        ValueError: if the colour cannot be read or the picture is missing.
    """
    if background.kind == TRANSPARENT:
        return checkerboard(*alpha.shape)
    if background.kind == COLOUR:
        return paint_background(parse_colour(background.colour), image, alpha)
    if background.kind == BLUR:
        return blur_background(image, alpha, background.blur)
    if background.kind == PICTURE and background.picture is not None:
        return paint_background(background.picture, image, alpha)
    raise ValueError(f"background must be one of {', '.join(KINDS)} (the last with a picture), got {background.kind!r}")


def checkerboard(height: int, width: int) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 grey squares, the usual display of transparency."""
    size = max(1, round(max(height, width) / _CHECKS))
    odd = (np.arange(height)[:, None] // size + np.arange(width)[None] // size) % 2
    return np.repeat(np.where(odd, *_CHECK_LEVELS).astype(np.uint8)[..., None], 3, axis=2)


def read_choice(choice: str, picture: NDArray[np.uint8] | None = None, blur: float = BLUR_STRENGTH) -> BackgroundChoice:
    """A choice from what a page sends: a kind, or a colour.

    Raises:
        ValueError: if it is neither.
    """
    if choice in (TRANSPARENT, BLUR, PICTURE):
        return BackgroundChoice(choice, picture=picture, blur=blur)
    parse_colour(choice)
    return BackgroundChoice(COLOUR, choice)


def parse_colour(colour: str) -> tuple[int, int, int]:
    """(R, G, B) of a CSS colour.

    Raises:
        ValueError: if it is no colour.
    """
    return ImageColor.getrgb(colour)[:3]
