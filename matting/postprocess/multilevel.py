"""Foreground and background colours of soft pixels by the multi-level method (Germer, Uelwer, Conrad, Harmeling 2020).

At every pixel, alpha * F + (1 - alpha) * B = I is solved for F and B that are like those of the four pixels around it, the
more so the more alpha changes between them (Eq. 6). From one pixel to the whole picture, each level starts from the colours
of the coarser one. Only soft pixels and those around them take part: elsewhere the picture itself tells the colours.
"""

from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Colours = NDArray[np.float32]  # (3, N) in [0, 1]

_AROUND = 2  # pixels around soft ones that take part
_REGULARISATION = np.float32(1e-5)
_SMALL_SIDE = 32  # up to this size a level has more sweeps
_SWEEPS_SMALL, _SWEEPS = 10, 2
_CERTAIN = 0.1  # an alpha this near to 0 or 1 counts in the mean colours that the first level starts from


class _Level(NamedTuple):
    """One size of the picture.

    Attributes:
        size: (height, width).
        pixels: (N,) indices into the flattened level, of the pixels that take part.
    """

    size: tuple[int, int]
    pixels: NDArray[np.intp]


def estimate_colours(
    image: NDArray[np.uint8], alpha: NDArray[np.float32], wanted: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Foreground and background colours, (M, 3) in [0, 1] each, of the M wanted pixels.

    Args:
        image: (H, W, 3) uint8.
        alpha: (H, W) in [0, 1].
        wanted: (H, W).
    """
    levels = _plan_levels(wanted)
    foreground, background = (_mean_colour(image, mask) for mask in (alpha > 1 - _CERTAIN, alpha < _CERTAIN))
    coarser, pixels = _Level((1, 1), np.zeros(1, np.intp)), levels[-1].pixels
    for level in levels:
        parents = _number(coarser)[_scale_indices(level.pixels, level.size, coarser.size)]
        foreground, background = foreground[:, parents], background[:, parents]
        source = _scale_indices(level.pixels, level.size, alpha.shape)
        colours = np.ascontiguousarray(image.reshape(-1, 3)[source].T) / np.float32(255)
        _sweep(level, colours, alpha.ravel()[source], foreground, background)
        coarser = level
    inside = wanted.ravel()[pixels]
    return foreground[:, inside].T, background[:, inside].T


def _plan_levels(wanted: NDArray[np.bool_]) -> list[_Level]:
    """From one pixel to all: the sizes, and at each the pixels whose colours the next one starts from, and their neighbours."""
    height, width = wanted.shape
    steps = max(1, int(np.ceil(np.log2(max(height, width)))))
    levels: list[_Level] = []
    for step in range(steps, -1, -1):
        size = round(height ** (step / steps)), round(width ** (step / steps))
        if levels:
            mask = np.zeros(size, bool)
            mask.ravel()[_scale_indices(levels[-1].pixels, levels[-1].size, size)] = True
        else:
            mask = wanted
        side = 2 * _AROUND + 1 if mask is wanted else 3
        near = cv2.dilate(mask.astype(np.uint8), np.ones((side, side), np.uint8))
        levels.append(_Level(size, np.flatnonzero(near)))
    return levels[::-1]


def _scale_indices(pixels: NDArray[np.intp], size: tuple[int, int], other: tuple[int, int]) -> NDArray[np.intp]:
    """The nearest pixels of another size."""
    if size == other:
        return pixels
    row, column = np.divmod(pixels, size[1])
    return row * other[0] // size[0] * other[1] + column * other[1] // size[1]


def _number(level: _Level) -> NDArray[np.int32]:
    """(height * width,) the place of each pixel among those that take part; -1 for others."""
    number = np.full(level.size[0] * level.size[1], -1, np.int32)
    number[level.pixels] = np.arange(len(level.pixels), dtype=np.int32)
    return number


def _mean_colour(image: NDArray[np.uint8], mask: NDArray[np.bool_]) -> Colours:
    return np.array(cv2.mean(image, mask.astype(np.uint8))[:3], np.float32)[:, None] / np.float32(255)


def _sweep(level: _Level, image: Colours, alpha: NDArray[np.float32], foreground: Colours, background: Colours) -> None:
    """Improve the colours of a level in place: pixels in turn as the black and the white squares of a chessboard."""
    squares = list(_squares(level, image, alpha))
    small = max(level.size) <= _SMALL_SIDE
    for _ in range(_SWEEPS_SMALL if small else _SWEEPS):
        for square in squares:
            square.solve(foreground, background)


class _Square(NamedTuple):
    """The pixels of one colour of the chessboard, n of them, with all of their equations that stays the same.

    Attributes:
        own: (n,) their places.
        around: (4, n) places of their neighbours; their own where there is none.
        weights: (4, n) of the neighbours.
        inverse: (n,) each, of the 2 x 2 matrix: its corner of the foreground, of both, of the background.
        data: (3, n) each, what the photo adds to the right side for foreground and background.
    """

    own: NDArray[np.intp]
    around: NDArray[np.int32]
    weights: NDArray[np.float32]
    inverse: tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]
    data: tuple[Colours, Colours]

    def solve(self, foreground: Colours, background: Colours) -> None:
        ff, fb, bb = self.inverse
        front, back = (
            data + sum(weight * colours.take(around, axis=1) for weight, around in zip(self.weights, self.around, strict=True))
            for data, colours in zip(self.data, (foreground, background), strict=True)
        )
        foreground[:, self.own] = (ff * front + fb * back).clip(0, 1)
        background[:, self.own] = (fb * front + bb * back).clip(0, 1)


def _squares(level: _Level, image: Colours, alpha: NDArray[np.float32]) -> Iterator[_Square]:
    height, width = level.size
    number = _number(level)
    row, column = np.divmod(level.pixels, width)
    places = np.arange(len(level.pixels), dtype=np.int32)
    around = np.empty((4, len(places)), np.int32)
    for direction, (dy, dx) in enumerate(((-1, 0), (1, 0), (0, -1), (0, 1))):
        beside = (row + dy).clip(0, height - 1) * width + (column + dx).clip(0, width - 1)
        around[direction] = number[beside]
    around = np.where(around < 0, places, around)
    for colour in (0, 1):
        own = np.flatnonzero((row + column) % 2 == colour)
        front, beside = alpha[own], around[:, own]
        back = 1 - front
        weights = _REGULARISATION + np.abs(front - alpha[beside])
        total = weights.sum(0)
        ff, fb, bb = front * front + total, front * back, back * back + total
        scale = 1 / (ff * bb - fb * fb)
        colours = image[:, own]
        inverse = bb * scale, -fb * scale, ff * scale
        yield _Square(own, beside, weights, inverse, (front * colours, back * colours))
