"""Strokes of the correction brush as the browser sends them, and their rasterisation to scribbles."""

import math
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

MOST_STROKES = 200
MOST_POINTS = 20_000
_LARGEST_RADIUS = 0.25


class Stroke(NamedTuple):
    """One movement of the brush.

    Attributes:
        keep: whether its label is foreground; background if not.
        radius: of the brush, as a share of the photo's longer side.
        points: (x, y) as shares of the photo's width and height.
    """

    keep: bool
    radius: float
    points: tuple[tuple[float, float], ...]


class Painting(NamedTuple):
    """All strokes painted on a photo.

    Attributes:
        photo: identifier of the displayed photo, so that strokes are not applied to another one.
        version: increases with every change.
        strokes: the last one on top.
    """

    photo: str = ""
    version: int = 0
    strokes: tuple[Stroke, ...] = ()


def read_painting(sent: Any) -> Painting:
    """A painting from JSON; its strokes are a list of {"keep": bool, "radius": number, "points": [[x, y], ...]}.

    Raises:
        ValueError: if it is anything else, or more than a hand paints.
    """
    try:
        strokes = tuple(_read_stroke(stroke["keep"], stroke["radius"], stroke["points"]) for stroke in sent["strokes"])
        painting = Painting(str(sent["photo"]), int(sent["version"]), strokes)
    except (TypeError, KeyError, ValueError, OverflowError) as error:
        raise ValueError("expected photo, version, and strokes with keep, radius and points") from error
    if len(strokes) > MOST_STROKES or sum(len(stroke.points) for stroke in strokes) > MOST_POINTS:
        raise ValueError(f"there can be {MOST_STROKES} strokes of {MOST_POINTS} points in all; clear them to paint more")
    return painting


def _read_stroke(keep: Any, radius: Any, points: Any) -> Stroke:
    read = tuple((float(x), float(y)) for x, y in points)
    numbers = [value for point in read for value in point]
    if not numbers or not all(math.isfinite(value) and abs(value) <= 2 for value in numbers):
        raise ValueError("points must be shares of width and height")
    if not 0 < float(radius) <= _LARGEST_RADIUS:
        raise ValueError(f"radius must be above 0 and at most {_LARGEST_RADIUS}, got {radius}")
    return Stroke(bool(keep), float(radius), read)


def draw_scribbles(strokes: tuple[Stroke, ...], height: int, width: int) -> NDArray[np.int8] | None:
    """Rasterise strokes to scribbles, (height, width) of -1, 0 and 1, the last stroke on top; None without any."""
    if not strokes:
        return None
    scribbles = np.zeros((height, width), np.int8)
    for stroke in strokes:
        points = np.rint(np.array([*stroke.points, stroke.points[-1]]) * (width, height) - 0.5).astype(np.int32)
        thick = max(1, round(2 * stroke.radius * max(height, width)))
        cv2.polylines(scribbles, [points], False, 1 if stroke.keep else -1, thick)
    return scribbles
