"""Where to cut a picture around a person, and the cutting: a frame may reach beyond the photo, as there is a new background."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

MARGIN = 0.08  # around a person, as a share of their longer side
_AT_BORDER = 0.01  # of the photo's side: a person that comes so close to it is cut off by it
_SHOULDERS = 2.35  # width of a person seen to the chest, in heights of their head
_HEAD_HEIGHT = 1.5  # of a head with its hair, in medians of its widths: hair that flies to a side does not count
_HEAD_AND_CHEST = 0.5  # of a person's width: how far below the crown those widths are taken
_HEAD_ROWS = 0.25  # of a person's height, in which the head is looked for


class Frame(NamedTuple):
    """A rectangle in a photo's pixels, which may lie partly outside of the photo."""

    left: float
    top: float
    width: float
    height: float

    def moved(self, x: float = 0.0, y: float = 0.0, zoom: float = 1.0) -> "Frame":
        """The frame in which the person is larger by `zoom`, and then further right and down by shares of the frame."""
        width, height = self.width / zoom, self.height / zoom
        left = self.left + (self.width - width) / 2 - x * width
        return Frame(left, self.top + (self.height - height) / 2 - y * height, width, height)


class _Person(NamedTuple):
    """Bounds of a person in pixels, and at which of them the photo ends."""

    left: float
    top: float
    right: float
    bottom: float
    cut: tuple[bool, bool, bool, bool]
    head: float  # middle of the head, across
    head_height: float


def fit_frame(alpha: NDArray[np.float32], aspect: float | None = None, margin: float = MARGIN) -> Frame:
    """The smallest frame of an aspect ratio that holds the person and a margin.

    Where the photo cuts the person off there is no margin, and beyond such a cut nothing in the frame, if that can be.

    Args:
        alpha: (H, W) in [0, 1].
        aspect: width over height; None for that of the person, within the photo.
        margin: as a share of the person's longer side.
    """
    height, width = alpha.shape
    person = _find(alpha)
    room = margin * max(person.right - person.left, person.bottom - person.top)
    left, top, right, bottom = (
        bound if cut else bound + sign * room for bound, cut, sign in zip(person[:4], person.cut, (-1, -1, 1, 1), strict=True)
    )
    if aspect is None:
        left, top, right, bottom = max(0.0, left), max(0.0, top), min(float(width), right), min(float(height), bottom)
        return Frame(left, top, right - left, bottom - top)
    wide, tall = max(right - left, aspect * (bottom - top)), max(bottom - top, (right - left) / aspect)
    left = _placed(left, right, wide, (person.cut[0], person.cut[2]), width)
    top = _placed(top, bottom, tall, (person.cut[1] and not person.cut[3], person.cut[3]), height)
    return Frame(left, top, wide, tall)


def frame_head(alpha: NDArray[np.float32], aspect: float, crown: float, chin: float) -> Frame:
    """A frame around head and shoulders, as passport photos have it: a guess, to be corrected by hand.

    The height of a head is guessed from the widths of person and head, the larger guess counts: rather air than a chin cut off.

    Args:
        alpha: (H, W) in [0, 1].
        aspect: width over height.
        crown: where the top of the head belongs, as a share of the frame's height from its top.
        chin: where the chin belongs.
    """
    person = _find(alpha)
    tall = person.head_height / (chin - crown)
    top = person.top - crown * tall
    if person.cut[3] and top + tall > person.bottom:  # nothing of the person is below: closer, with the same top
        tall = (person.bottom - person.top) / (1 - crown)
        top = person.bottom - tall
    return Frame(person.head - aspect * tall / 2, top, aspect * tall, tall)


def take_frame(plane: NDArray[np.float32], frame: Frame, size: tuple[int, int], outside: float = 0.0) -> NDArray[np.float32]:
    """Cut a frame out of a plane and scale it, without aliasing.

    Args:
        plane: (H, W).
        frame: in the plane's pixels.
        size: (height, width) of the result.
        outside: value where the frame is outside of the plane.

    Returns:
        (height, width).
    """
    rows, top, bottom = _overlap(frame.top, frame.height, size[0], plane.shape[0])
    columns, left, right = _overlap(frame.left, frame.width, size[1], plane.shape[1])
    result = np.full(size, outside, np.float32)
    if rows.stop > rows.start and columns.stop > columns.start:
        target = columns.stop - columns.start, rows.stop - rows.start
        scaled = Image.fromarray(plane).resize(target, Image.Resampling.LANCZOS, box=(left, top, right, bottom))
        result[rows, columns] = np.asarray(scaled)
    return result


def _overlap(start: float, length: float, count: int, side: int) -> tuple[slice, float, float]:
    """Along one axis: the result's whole pixels that lie in the picture, and where these begin and end in the picture."""
    step = length / count
    first = min(max(int(np.ceil(-start / step - 1e-6)), 0), count)
    last = max(min(int(np.floor((side - start) / step + 1e-6)), count), first)
    return slice(first, last), max(start + first * step, 0.0), min(start + last * step, float(side))


def _find(alpha: NDArray[np.float32]) -> _Person:
    """The whole picture if there is nobody."""
    height, width = alpha.shape
    solid = alpha > 0.5
    rows, columns = (np.flatnonzero(solid.any(axis)) for axis in (1, 0))
    if len(rows) == 0:
        return _Person(0, 0, width, height, (True,) * 4, width / 2, min(width / _SHOULDERS, height))
    left, top, right, bottom = float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)
    across, down = _AT_BORDER * width, _AT_BORDER * height
    cut = (left <= across, top <= down, right >= width - across, bottom >= height - down)
    head = solid[rows[0] : rows[0] + max(1, round(_HEAD_ROWS * len(rows)))].sum(0)
    middle = float((head * (np.arange(width) + 0.5)).sum() / head.sum())
    across_head = np.median(solid[rows[0] : rows[0] + max(1, round(_HEAD_AND_CHEST * (right - left)))].sum(1))
    return _Person(left, top, right, bottom, cut, middle, max((right - left) / _SHOULDERS, _HEAD_HEIGHT * float(across_head)))


def _placed(first: float, last: float, length: float, cut: tuple[bool, bool], side: int) -> float:
    """Where a stretch begins that holds another one: at the cut end of that, if one is, or around it and in the picture."""
    if cut[0] != cut[1]:
        return first if cut[0] else last - length
    start = (first + last - length) / 2
    return min(max(start, 0.0), side - length) if length <= side else start
