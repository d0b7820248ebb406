"""Known foreground and background of the predicted trimap, per cell of 8x8 pixels, and the trimap as a picture."""

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor, where

from matting.network import CoarsePrediction

BACKGROUND, UNKNOWN, FOREGROUND = 0, 128, 255  # values of a trimap as a picture
_VALUES = np.array([BACKGROUND, UNKNOWN, FOREGROUND], np.uint8)


def apply_trimap(coarse: CoarsePrediction, cells: Tensor) -> Tensor:
    """The coarse alpha, set to exactly 0 or 1 in known cells.

    Not in the paper: a sigmoid never reaches 0 or 1, and the old background would shine through faintly everywhere. A cell is
    known if the trimap's most likely class is background or foreground, the coarse alpha is on the same side of 0.5, and the
    cell is not refined.

    Args:
        coarse: output of the coarse stage.
        cells: (N, 3), the regions that are refined.

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
    """The alpha of `apply_trimap` with 0.5 in the refined cells, so that values of 0 and 1 mark known cells alone.

    Args:
        known_alpha: (B, 1, H/8, W/8), from `apply_trimap`.
        cells: (N, 3), the regions that are refined.

    Returns:
        (B, 1, H/8, W/8): 0 for known background, 1 for known foreground, in between elsewhere.
    """
    known = known_alpha.clone()
    known[cells[:, 0], 0, cells[:, 1], cells[:, 2]] = 0.5
    return known


def draw_trimap(coarse: CoarsePrediction, cells: Tensor, height: int, width: int) -> NDArray[np.uint8]:
    """The predicted trimap of one photo at its size; unknown are exactly the selected cells.

    Args:
        coarse: output of the coarse stage for one image, B = 1.
        cells: (N, 3), the unknown regions, from `select_regions` with its bias.
        height: of the photo, in pixels.
        width: of the photo, in pixels.

    Returns:
        (height, width) uint8 of 0 (background), 128 (unknown), 255 (foreground).
    """
    background, _, foreground = coarse.trimap[0]
    classes = 2 * (foreground > background).byte()
    classes[cells[:, 1], cells[:, 2]] = 1
    return cv2.resize(_VALUES[classes.cpu().numpy()], (width, height), interpolation=cv2.INTER_NEAREST)
