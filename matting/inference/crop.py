"""The part of a photo that the network looks at: where it finds small people, it looks again at the part that holds them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_MARGIN = 0.2  # around everybody, as a share of the longer side of the box that holds them
_WORTH_IT = 0.75  # of the photo's longer side; a larger part is not worth a second look
_LOST = 0.5  # of the area of everybody; a closer look that finds less has lost somebody
_SMALLEST = 192  # pixels of the photo; what is smaller has no detail to find


class Crop(NamedTuple):
    """A part of a photo; its edges in pixels, `bottom` and `right` are the first row and column outside."""

    top: int
    left: int
    bottom: int
    right: int

    def cut(self, picture: NDArray) -> NDArray:
        """The part of a picture (H, W, ...)."""
        return picture[self.top : self.bottom, self.left : self.right]

    def fill(self, part: NDArray, height: int, width: int) -> NDArray:
        """A picture (height, width) that is 0 everywhere but in the crop; the part itself if the crop is all of it."""
        if part.shape == (height, width):
            return part
        picture = np.zeros((height, width), part.dtype)
        self.cut(picture)[:] = part
        return picture


def whole(height: int, width: int) -> Crop:
    """All of a photo."""
    return Crop(0, 0, height, width)


def closer_crop(coarse_alpha: NDArray[np.float32], height: int, width: int) -> Crop | None:
    """The part of a photo that holds everybody in it with some room around them, if that is a small part.

    Args:
        coarse_alpha: (h, w), of the whole photo.
        height: of the photo.
        width: of the photo.

    Returns:
        A crop, or None if nobody is there or it would not be much smaller than the photo.
    """
    rows, columns = (np.flatnonzero((coarse_alpha > 0.5).any(axis)) for axis in (1, 0))
    if len(rows) == 0:
        return None
    down, across = height / coarse_alpha.shape[0], width / coarse_alpha.shape[1]
    top, bottom, left, right = rows[0] * down, (rows[-1] + 1) * down, columns[0] * across, (columns[-1] + 1) * across
    longest = max(bottom - top, right - left)
    room = max(_MARGIN * longest, (_SMALLEST - longest) / 2)
    if longest + 2 * room > _WORTH_IT * max(height, width):
        return None
    top, left = max(0, round(top - room)), max(0, round(left - room))
    return Crop(top, left, min(height, round(bottom + room)), min(width, round(right + room)))


def cuts_somebody(coarse_alpha: NDArray[np.float32], crop: Crop, height: int, width: int) -> bool:
    """Whether somebody reaches a side of the crop that is not a side of the photo.

    Args:
        coarse_alpha: (h, w), of the crop.
        crop: in a photo of height x width.
        height: of the photo.
        width: of the photo.
    """
    sides = (coarse_alpha[0], coarse_alpha[:, 0], coarse_alpha[-1], coarse_alpha[:, -1])
    inside = (own != photo for own, photo in zip(crop, whole(height, width), strict=True))
    return any(inner and float(side.max()) > 0.5 for side, inner in zip(sides, inside, strict=True))


def loses_somebody(
    coarse_alpha: NDArray[np.float32], closer_alpha: NDArray[np.float32], crop: Crop, height: int, width: int
) -> bool:
    """Whether a closer look finds less than half of what the look at the whole photo found.

    Args:
        coarse_alpha: (h, w), of the whole photo.
        closer_alpha: (h, w), of the crop.
        crop: in a photo of height x width.
        height: of the photo.
        width: of the photo.
    """
    seen = float((coarse_alpha > 0.5).mean()) * height * width
    inside = float((closer_alpha > 0.5).mean()) * (crop.bottom - crop.top) * (crop.right - crop.left)
    return inside < _LOST * seen
