"""What the trimap knows for certain, on the grid of cells of 8x8 pixels and at the size of a photo."""

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor, where

from matting.network import CoarsePrediction

BACKGROUND, UNKNOWN, FOREGROUND = 0, 128, 255  # of a trimap as a picture
_VALUES = np.array([BACKGROUND, UNKNOWN, FOREGROUND], np.uint8)


def apply_trimap(coarse: CoarsePrediction, cells: Tensor) -> Tensor:
    """The coarse alpha, exactly 0 or 1 where the trimap knows for certain.

    Not in the paper: a sigmoid never reaches its ends, and over a whole picture that faint veil would show. A cell is known
    if the trimap calls it background or foreground, the coarse alpha agrees, and it is not redrawn.

    Args:
        coarse: output of the first stage.
        cells: (N, 3), the regions that are redrawn.

    Returns:
        (B, 1, H/8, W/8) in [0, 1].
    """
    known = coarse.trimap.argmax(1, keepdim=True)
    alpha = where((known == 0) & (coarse.alpha < 0.5), 0.0, coarse.alpha)
    alpha = where((known == 2) & (coarse.alpha > 0.5), 1.0, alpha)
    image, row, column = cells.unbind(1)
    alpha[image, 0, row, column] = coarse.alpha[image, 0, row, column]
    return alpha


def mark_unknown(known_alpha: Tensor, cells: Tensor) -> Tensor:
    """The alpha of `apply_trimap` with the redrawn cells marked as not known, whatever the coarse alpha says of them.

    Args:
        known_alpha: (B, 1, H/8, W/8), from `apply_trimap`.
        cells: (N, 3), the regions that are redrawn.

    Returns:
        (B, 1, H/8, W/8): 0 for known background, 1 for known foreground, in between elsewhere.
    """
    known = known_alpha.clone()
    known[cells[:, 0], 0, cells[:, 1], cells[:, 2]] = 0.5
    return known


def draw_trimap(coarse: CoarsePrediction, cells: Tensor, height: int, width: int) -> NDArray[np.uint8]:
    """The trimap of one photo at its size; unknown are exactly the selected cells, so that a bias shows.

    Args:
        coarse: output of the first stage for one image, B = 1.
        cells: (N, 3), the regions that are unknown.
        height: of the photo.
        width: of the photo.

    Returns:
        (height, width) uint8 of 0 (background), 128 (unknown), 255 (foreground).
    """
    background, _, foreground = coarse.trimap[0]
    classes = 2 * (foreground > background).byte()
    classes[cells[:, 1], cells[:, 2]] = 1
    return cv2.resize(_VALUES[classes.cpu().numpy()], (width, height), interpolation=cv2.INTER_NEAREST)
