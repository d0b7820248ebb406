"""How a result is framed: crop, place of the person, shadow, changes of the edge. All of it is off at first."""

import json
import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from matting.app.results.background import COLOUR, TRANSPARENT, BackgroundChoice, parse_colour, render_background
from matting.app.results.parts import drop_parts
from matting.app.results.result import Result
from matting.postprocess.compositing import BLUR_STRENGTH, cover
from matting.postprocess.edges import change_edge, continue_colours
from matting.postprocess.foreground import estimate_foreground
from matting.postprocess.framing import Frame, fit_frame, frame_head, take_frame
from matting.postprocess.shadow import Shadow, contact_shadow


class Shape(NamedTuple):
    """A kind of frame.

    Attributes:
        aspect: width over height; None for the person's own.
        size: (width, height) in pixels, where it is fixed.
        head: where crown and chin belong, as shares of the height from the top; None to show the whole person.
        dpi: pixels per inch, where it is for print.
    """

    aspect: float | None = None
    size: tuple[int, int] | None = None
    head: tuple[float, float] | None = None
    dpi: int | None = None


AS_IT_CAME = "photo"
# The face in a passport photo is 32 to 36 of 45 mm high (ICAO Doc 9303), 1 to 1 3/8 of 2 inches (US), 31 to 36 of 70 mm (CA)
SHAPES = {
    AS_IT_CAME: Shape(),
    "person": Shape(),
    "square": Shape(1.0),
    "4x5": Shape(4 / 5),
    "3x4": Shape(3 / 4),
    "16x9": Shape(16 / 9),
    "35x45mm": Shape(413 / 531, (413, 531), (0.11, 0.86), 300),
    "2x2in": Shape(1.0, (600, 600), (0.12, 0.72), 300),
    "50x70mm": Shape(591 / 827, (591, 827), (0.2, 0.68), 300),
    "profile": Shape(1.0, (400, 400), (0.14, 0.64)),
}
_LIMITS = {
    "x": (-2, 2),
    "y": (-2, 2),
    "zoom": (0.2, 5),
    "shadow": (0, 1),
    "blur": (0.005, 0.15),
    "shift": (-3, 3),
    "feather": (0, 5),
}


@dataclass(frozen=True)
class Framing:
    """The visitor's choice.

    Attributes:
        shape: a key of `SHAPES`.
        x, y: how far the person was moved right and down, in widths and heights of the frame.
        zoom: how much larger the person was made.
        shadow: strength of a contact shadow, in [0, 1].
        blur: strength of a blurred background, see `blur_background`.
        shift, feather: changes of the edge in pixels of the photo, see `change_edge`.
    """

    shape: str = AS_IT_CAME
    x: float = 0.0
    y: float = 0.0
    zoom: float = 1.0
    shadow: float = 0.0
    blur: float = BLUR_STRENGTH
    shift: float = 0.0
    feather: float = 0.0

    @property
    def ending(self) -> str:
        """What names of files have behind their stem."""
        return "" if self.shape == AS_IT_CAME else f"-{self.shape}"

    @property
    def dpi(self) -> int | None:
        return SHAPES[self.shape].dpi

    @property
    def changes_edge(self) -> bool:
        return bool(self.shift or self.feather)

    @property
    def changes_nothing(self) -> bool:
        return self.shape == AS_IT_CAME and not self.shadow and not self.changes_edge

    def place(self, base: Frame) -> Frame:
        """Where a frame lies after the person was moved."""
        return base if self.shape == AS_IT_CAME else base.moved(self.x, self.y, self.zoom)


AS_IT_IS = Framing()


class Look(NamedTuple):
    """How a result is seen and saved: what the person is put on, and how it is framed."""

    background: BackgroundChoice = BackgroundChoice()
    framing: Framing = AS_IT_IS


def read_framing(sent: str) -> Framing:
    """A choice from the JSON that a page sends; empty for none.

    Raises:
        ValueError: if it is anything else.
    """
    if not sent:
        return Framing()
    try:
        values: dict[str, Any] = json.loads(sent)
        shape = values["shape"]
        numbers = {name: float(values.get(name, getattr(Framing, name))) for name in _LIMITS}
    except (TypeError, KeyError, ValueError, AttributeError, OverflowError, RecursionError) as error:
        raise ValueError(f"expected shape, {', '.join(_LIMITS)} of a frame") from error
    if not isinstance(shape, str) or shape not in SHAPES:
        raise ValueError(f"the shape of a frame must be one of {', '.join(SHAPES)}, got {str(shape)[:20]!r}")
    for name, (low, high) in _LIMITS.items():
        if not (math.isfinite(numbers[name]) and low <= numbers[name] <= high):
            raise ValueError(f"{name} must be between {low} and {high}, got {numbers[name]}")
    return Framing(shape, **numbers)


def base_frame(result: Result, shape: str) -> Frame:
    """Where a frame lies at first, in the photo's pixels."""
    height, width = result.matte.size
    if shape == AS_IT_CAME:
        return Frame(0, 0, width, height)
    alpha, kind = drop_parts(result.preview.alpha, result.parts), SHAPES[shape]
    small = frame_head(alpha, kind.aspect, *kind.head) if kind.aspect and kind.head else fit_frame(alpha, kind.aspect)
    across, down = width / alpha.shape[1], height / alpha.shape[0]
    return Frame(small.left * across, small.top * down, small.width * across, small.height * down)


def size_in_pixels(result: Result, framing: Framing) -> tuple[int, int]:
    """(height, width) of what is saved: as fixed by the shape, or the photo's own pixels, but never longer than the photo."""
    fixed = SHAPES[framing.shape].size
    if fixed:
        return fixed[1], fixed[0]
    frame = framing.place(base_frame(result, framing.shape))
    scale = min(1.0, max(result.matte.size) / max(frame.width, frame.height))
    return max(1, math.floor(frame.height * scale + 0.5)), max(1, math.floor(frame.width * scale + 0.5))


def edged(
    foreground: NDArray[np.uint8], alpha: NDArray[np.float32], framing: Framing, scale: float = 1.0
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Colours (H, W, 3) and alpha (H, W) with the edge changed.

    Args:
        foreground: (H, W, 3) uint8, right for the alpha.
        alpha: (H, W) in [0, 1].
        framing: the choice.
        scale: size of these pictures as a share of the photo's.
    """
    if not framing.changes_edge:
        return foreground, alpha
    changed = change_edge(alpha, framing.shift * scale, framing.feather * scale)
    reach = scale * (max(0.0, framing.shift) + 2 * framing.feather)
    return continue_colours(foreground, alpha, changed, reach), changed


def framed_alpha(result: Result, framing: Framing) -> NDArray[np.float32]:
    """(h, w) in [0, 1]: the alpha as it is framed."""
    return _cut(change_edge(result.alpha, framing.shift, framing.feather), result, framing)


def framed_picture(result: Result, framing: Framing, background: BackgroundChoice) -> Image.Image:
    """What is seen on the stage at its full size: RGBA where the background is transparent, else RGB."""
    model_alpha = result.alpha
    foreground = estimate_foreground(result.matte.image, model_alpha, result.matte.input_alpha)
    foreground, whole = edged(foreground, model_alpha, framing)
    alpha = _cut(whole, result, framing)
    below = 1 - (1 - alpha) * (1 - _shadow(result, framing)) if framing.shadow else alpha  # of person and shadow
    behind = None if background.kind == TRANSPARENT else behind_frame(background, result, size_in_pixels(result, framing))
    planes = []
    for channel in range(3):  # one at a time: memory
        person = _cut(foreground[..., channel] * whole, result, framing, 255)
        if behind is None:
            person = np.divide(person, below, out=np.zeros_like(person), where=below > 0.5 / 255)
        else:
            person += (1 - below) * behind[..., channel]
        planes.append(np.rint(person.clip(0, 255)).astype(np.uint8))
    if behind is None:
        planes.append(np.rint(255 * below).astype(np.uint8))
        for plane in planes[:3]:
            plane[planes[3] == 0] = 0
    return Image.fromarray(np.dstack(planes))


def shadow_of(result: Result, framing: Framing) -> Shadow | None:
    """The shadow around the whole photo; None without any."""
    return contact_shadow(drop_parts(result.preview.alpha, result.parts), framing.shadow) if framing.shadow else None


def behind_frame(background: BackgroundChoice, result: Result, size: tuple[int, int]) -> NDArray[np.uint8]:
    """(h, w, 3): a background that covers the frame, and stays where it is when the person is moved."""
    if background.kind == COLOUR:
        return np.broadcast_to(np.array(parse_colour(background.colour), np.uint8), (*size, 3))
    if background.picture is not None:
        return cover(background.picture, *size)
    alpha = drop_parts(result.preview.alpha, result.parts)
    return cover(render_background(background, result.preview.image, alpha), *size)


def _cut(plane: NDArray[np.float32], result: Result, framing: Framing, most: float = 1.0) -> NDArray[np.float32]:
    """A plane (H, W) of values from 0 to `most`, in the frame."""
    if framing.shape == AS_IT_CAME:
        return plane
    frame = framing.place(base_frame(result, framing.shape))
    return take_frame(plane, frame, size_in_pixels(result, framing)).clip(0, most)


def _shadow(result: Result, framing: Framing) -> NDArray[np.float32]:
    """(h, w) darkness in the frame."""
    shadow = contact_shadow(drop_parts(result.preview.alpha, result.parts), framing.shadow)
    height, width = result.matte.size
    frame, (down, across) = framing.place(base_frame(result, framing.shape)), shadow.margin
    tall, wide = shadow.darkness.shape
    by_row, by_column = tall / (1 + 2 * down) / height, wide / (1 + 2 * across) / width  # its pixels per pixel of the photo
    inside = Frame(
        (frame.left + across * width) * by_column,
        (frame.top + down * height) * by_row,
        frame.width * by_column,
        frame.height * by_row,
    )
    return take_frame(shadow.darkness, inside, size_in_pixels(result, framing)).clip(0, 1)
