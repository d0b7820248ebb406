"""A soft shadow where a person meets what they are put on."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

_SIDE = 512  # pixels of the longer side at which a shadow is drawn; it has no finer detail
_SOFTNESS, _DROP, _LEAST = 0.025, 0.015, 0.15  # deviation and fall as shares of the longer side; darkness at the top
_MARGIN = 0.08  # as a share of the longer side


class Shadow(NamedTuple):
    """How dark a background becomes.

    Attributes:
        darkness: (h, w) float32 in [0, 1], small, of the photo and a margin around it.
        margin: on each side, as a share of the photo's (height, width).
    """

    darkness: NDArray[np.float32]
    margin: tuple[float, float]


def contact_shadow(alpha: NDArray[np.float32], strength: float = 0.5) -> Shadow:
    """The blurred shape of a person, fallen a little, that fades upwards from where the person ends.

    Args:
        alpha: (H, W) in [0, 1].
        strength: darkness at the bottom, in [0, 1].
    """
    height, width = alpha.shape
    longest = max(height, width)
    scale = min(1.0, _SIDE / longest)
    small = cv2.resize(alpha, (max(1, round(width * scale)), max(1, round(height * scale))), interpolation=cv2.INTER_AREA)
    pad = max(1, round(_MARGIN * max(small.shape)))
    shape = np.pad(small, pad)
    fallen = np.roll(shape, round(_DROP * max(small.shape)), axis=0)
    soft = cv2.GaussianBlur(fallen, (0, 0), max(0.5, _SOFTNESS * max(small.shape)))
    rows = np.flatnonzero((shape > 0.5).any(1))
    top, bottom = (rows[0], rows[-1]) if len(rows) else (0, len(shape) - 1)
    along = np.clip((np.arange(len(shape)) - top) / max(1, bottom - top), 0, 1).astype(np.float32)
    fade = _LEAST + (1 - _LEAST) * along**2
    darkness = np.float32(strength) * fade[:, None] * soft
    return Shadow(darkness.clip(0, 1), (pad / small.shape[0], pad / small.shape[1]))
