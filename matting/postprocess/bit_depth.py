"""Conversion of alphas and colours in [0, 1] to integers of 8 or 16 bits."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def to_8_bit(values: NDArray[Any]) -> NDArray[np.uint8]:
    """[0, 1] -> 0 to 255, rounded to nearest; values outside are clipped. Any shape."""
    return np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)


def to_16_bit(values: NDArray[Any]) -> NDArray[np.uint16]:
    """[0, 1] -> 0 to 65535, rounded to nearest; values outside are clipped. Any shape."""
    return np.rint(np.clip(values, 0, 1) * 65535).astype(np.uint16)
