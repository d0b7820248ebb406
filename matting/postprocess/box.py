"""The box around something, so that only that part of a picture is worked on."""

import numpy as np
from numpy.typing import NDArray


def bounding_box(mask: NDArray[np.bool_], margin: int = 0) -> tuple[slice, slice]:
    """The smallest part of a mask (H, W) with something True that holds all of it, and a margin in pixels."""
    rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    top, left = (slice(max(0, side[0] - margin), side[-1] + 1 + margin) for side in (rows, columns))
    return top, left
