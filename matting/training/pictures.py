"""Pictures without people, to stand in front of."""

from pathlib import Path

import numpy as np
from PIL import Image

_SIDE = 1024  # pixels of the longer side at most


def read_picture(path: Path) -> np.ndarray:
    """A background (h, w, 3) uint8, at most 1024 px.

    Raises:
        ValueError: if it cannot be decoded; names the file.
    """
    try:
        with Image.open(path) as file:
            file.thumbnail((_SIDE, _SIDE))
            return np.array(file.convert("RGB"))
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
