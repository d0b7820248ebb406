"""Bounding boxes and tiles of masks, so that only those parts of an image are processed."""

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Box = tuple[slice, slice]  # rows and columns
_TILE = 256  # pixels a side: the planes of a guided filter then fit the processor's cache


class Tile(NamedTuple):
    """A part of an image.

    Attributes:
        own: the tile's own pixels.
        padded: those and the margin around them.
        inner: where the own pixels lie in the padded part.
    """

    own: Box
    padded: Box
    inner: Box


def bounding_box(mask: NDArray[np.bool_], margin: int = 0) -> Box:
    """The bounding box of a mask's True pixels, enlarged by a margin and clipped at the image's top and left.

    Args:
        mask: (H, W) with at least one True pixel.
        margin: pixels added on every side.

    Returns:
        Slices of the rows and of the columns; a slice may end beyond the mask, as slices may.
    """
    rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    top, left = (slice(max(0, side[0] - margin), side[-1] + 1 + margin) for side in (rows, columns))
    return top, left


def tiles_around(mask: NDArray[np.bool_], margin: int) -> Iterator[Tile]:
    """The tiles of an image in which a mask is True somewhere.

    Args:
        mask: (H, W).
        margin: pixels around each tile, clipped at the image's top and left.
    """
    height, width = mask.shape
    for top, left in product(range(0, height, _TILE), range(0, width, _TILE)):
        own = slice(top, min(top + _TILE, height)), slice(left, min(left + _TILE, width))
        if mask[own].any():
            first = max(0, top - margin), max(0, left - margin)
            padded = slice(first[0], own[0].stop + margin), slice(first[1], own[1].stop + margin)
            inner = slice(top - first[0], own[0].stop - first[0]), slice(left - first[1], own[1].stop - first[1])
            yield Tile(own, padded, inner)
