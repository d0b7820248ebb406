"""Bounding boxes of masks, so that only that part of an image is processed."""

import numpy as np
from numpy.typing import NDArray


def bounding_box(mask: NDArray[np.bool_], margin: int = 0) -> tuple[slice, slice]:
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
