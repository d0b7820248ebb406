"""Foreground and background colours of soft pixels by the multi-level method (Germer, Uelwer, Conrad, Harmeling 2020).

At every pixel, alpha * F + (1 - alpha) * B = I is solved for F and B that are like those of the four pixels around it, the
more so the more alpha changes between them (Eq. 6). From one pixel to the whole picture, each level starts from the colours
of the coarser one. Only soft pixels and those around them take part: elsewhere the picture itself tells the colours.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy import sparse

# (N, 8) in [0, 1]: red, green, blue, red of the foreground, then of the background. Pixels of 32 bytes are read at once.
Colours = NDArray[np.float32]
Size = tuple[int, int]  # height, width

_AROUND = 2  # pixels around soft ones that take part
_REGULARISATION = np.float32(1e-5)
_SMALL_SIDE = 32  # up to this size a level has more sweeps
_SWEEPS_SMALL, _SWEEPS = 10, 2
_TWICE, _OTHER = (0, 1, 2, 0) * 2, (4, 5, 6, 7, 0, 1, 2, 3)  # a colour for both; foreground and background swapped
_PART = 8192  # pixels
_MEAN_SIDE = 1000  # pixels of the longer side that are enough for a mean colour
_CERTAIN = 0.1  # an alpha this near to 0 or 1 counts in the mean colours that the first level starts from


class _Level(NamedTuple):
    """One size of the picture, and the N pixels of it that take part: first the black squares of a chessboard, then the white.

    Attributes:
        size: (height, width).
        row, column: (N,) each.
        black: how many are black.
    """

    size: Size
    row: NDArray[np.int32]
    column: NDArray[np.int32]
    black: int

    def scaled(self, size: Size) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Rows and columns of the nearest pixels of another size, (N,) each."""
        lines = (np.arange(own) * other // own for own, other in zip(self.size, size, strict=True))
        row, column = (line.take(place) for line, place in zip(lines, (self.row, self.column), strict=True))
        return row, column

    def number(self) -> NDArray[np.int32]:
        """(height + 2, width + 2), with a border: the places of the pixels that take part, counted from 1; 0 for others."""
        number = np.zeros((self.size[0] + 2, self.size[1] + 2), np.int32)
        number[1:-1, 1:-1][self.row, self.column] = np.arange(1, len(self.row) + 1, dtype=np.int32)
        return number


def estimate_colours(
    image: NDArray[np.uint8], alpha: NDArray[np.float32], wanted: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Foreground and background colours, (M, 3) in [0, 1] each, of the M wanted pixels.

    Args:
        image: (H, W, 3) uint8.
        alpha: (H, W) in [0, 1].
        wanted: (H, W).
    """
    coarser, colours = _Level((1, 1), np.zeros(1, np.int32), np.zeros(1, np.int32), 1), _mean_colours(image, alpha)
    number = coarser.number()
    for level in _plan_levels(wanted):
        row, column = level.scaled(coarser.size)
        colours = colours.take(number[row + 1, column + 1] - 1, axis=0)
        source = level.scaled(alpha.shape)
        number = level.number()
        _sweep(level, number, image[source], alpha[source], colours)
        coarser = level
    found = colours.take(number[1:-1, 1:-1][wanted] - 1, axis=0)
    return found[:, :3], found[:, 4:7]


def _mean_colours(image: NDArray[np.uint8], alpha: NDArray[np.float32]) -> Colours:
    """(1, 8), of the pixels that are foreground or background for certain; of every third, say, in a large picture."""
    step = max(1, max(alpha.shape) // _MEAN_SIDE)
    pixels, alpha = np.ascontiguousarray(image[::step, ::step]), alpha[::step, ::step]
    means = [cv2.mean(pixels, mask.view(np.uint8))[:3] for mask in (alpha > 1 - _CERTAIN, alpha < _CERTAIN)]
    return (np.array(means, np.float32) / np.float32(255)).take(_TWICE[:4], axis=1).reshape(1, 8)


def _plan_levels(wanted: NDArray[np.bool_]) -> list[_Level]:
    """From one pixel to all: the sizes, and at each the pixels whose colours the next one starts from, and their neighbours."""
    height, width = wanted.shape
    steps = max(1, int(np.ceil(np.log2(max(height, width)))))
    levels: list[_Level] = []
    for step in range(steps, -1, -1):
        size = round(height ** (step / steps)), round(width ** (step / steps))
        if levels:
            mask = np.zeros(size, bool)
            mask[levels[-1].scaled(size)] = True
        else:
            mask = wanted
        side = 2 * _AROUND + 1 if mask is wanted else 3
        levels.append(_level(cv2.dilate(mask.view(np.uint8), np.ones((side, side), np.uint8))))
    return levels[::-1]


def _level(mask: NDArray[np.uint8]) -> _Level:
    places = np.flatnonzero(mask.view(bool)).astype(np.int32)
    row = places // np.int32(mask.shape[1])
    column = places - row * np.int32(mask.shape[1])
    white = (row + column) % np.int32(2)
    order = np.concatenate([np.flatnonzero(white == 0), np.flatnonzero(white)])
    return _Level(mask.shape, row.take(order), column.take(order), len(row) - np.count_nonzero(white))


class _Square(NamedTuple):
    """The pixels of one colour of the chessboard, n of them, with all of their equations that stays the same.

    Attributes:
        own: which of a level's pixels they are.
        around: (n, N), the weights of their neighbours; on the diagonal where there is no neighbour.
        inverse: (n, 8) each, of the 2 x 2 matrix: what the own and what the other colour is multiplied with.
        data: (n, 8), what the photo adds to the right side.
    """

    own: slice
    around: "sparse.csr_array"
    inverse: tuple[Colours, Colours]
    data: Colours

    def solve(self, colours: Colours) -> None:
        """Set the foreground and background colours of these pixels to the solution, all others being given."""
        right = self.around @ colours
        right += self.data
        other = right.take(_OTHER, axis=1)
        right *= self.inverse[0]
        other *= self.inverse[1]
        right += other
        right.clip(0, 1, out=colours[self.own])


def _sweep(
    level: _Level, number: NDArray[np.int32], image: NDArray[np.uint8], alpha: NDArray[np.float32], colours: Colours
) -> None:
    """Improve the colours of a level in place: pixels in turn as the black and the white squares of a chessboard."""
    for _ in range(_SWEEPS_SMALL if max(level.size) <= _SMALL_SIDE else _SWEEPS):
        for square in _squares(level, number, image, alpha):
            square.solve(colours)


def _squares(
    level: _Level, number: NDArray[np.int32], image: NDArray[np.uint8], alpha: NDArray[np.float32]
) -> Iterator[_Square]:
    """The black and then the white squares of a level, whose pixels have these colours (N, 3) and alphas (N,).

    Some at a time, so that all about them stays in the processor's cache.
    """
    from scipy import sparse  # the command line answers mistakes before that is loaded

    count, stride = len(alpha), number.shape[1]
    beside = np.array([[-stride], [stride], [-1], [1]])
    cuts = *range(0, level.black, _PART), *range(level.black, count, _PART), count
    for own in map(slice, cuts, cuts[1:]):
        places = (level.row[own] + np.intp(1)) * stride + level.column[own] + 1
        front, around = alpha[own], number.ravel().take(places + beside) - 1  # (n,), (4, n)
        alone = np.flatnonzero(around < 0)
        around.ravel()[alone] = alone % len(front) + own.start
        weights = _REGULARISATION + np.abs(front - alpha.take(around))
        starts = np.arange(0, 4 * len(front) + 1, 4, dtype=np.int32)
        entries, columns = (cv2.transpose(one).ravel() for one in (weights, around))
        mean = sparse.csr_array((entries, columns, starts), (len(front), count))
        yield _Square(own, mean, *_right_side(image[own], front, weights.sum(0)))


def _right_side(
    image: NDArray[np.uint8], front: NDArray[np.float32], total: NDArray[np.float32]
) -> tuple[tuple[Colours, Colours], Colours]:
    """The inverse and the data of a square whose pixels have these colours (n, 3), alphas (n,) and sums of weights (n,)."""
    back = np.float32(1) - front
    ff, fb, bb = front * front + total, front * back, back * back + total
    scale = np.reciprocal(ff * bb - fb * fb)
    inverse = np.stack([bb * scale, ff * scale], 1).repeat(4, axis=1), (-fb * scale)[:, None].repeat(8, axis=1)
    return inverse, image.take(_TWICE, axis=1) * np.stack([front, back], 1).repeat(4, axis=1) / np.float32(255)
