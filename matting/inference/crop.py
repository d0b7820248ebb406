"""Crops of a photo: where the coarse stage finds people who are small, it runs again on the crop that contains them.

Not in the paper. Measured in training/LEARNT.md, "A closer look" and "The first stage had found them".
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_MARGIN = 0.2  # around the people's bounding box, as a share of its longer side; 0.1, 0.2 and 0.35 were tried
_MAX_SHARE = 0.75  # of the photo's longer side; a larger crop gains too little
_MIN_FOUND = 0.5  # of the foreground's area in the whole photo; a crop with less has lost people
_MIN_SIDE = 192  # pixels of the photo


class Crop(NamedTuple):
    """A rectangle of a photo, in pixels; `bottom` and `right` are exclusive."""

    top: int
    left: int
    bottom: int
    right: int

    def cut(self, picture: NDArray) -> NDArray:
        """The rectangle of a picture (H, W, ...), a view."""
        return picture[self.top : self.bottom, self.left : self.right]

    def fill(self, part: NDArray, height: int, width: int) -> NDArray:
        """Paste a plane of the crop's size into zeros of (height, width); returned as it is if it has that size already."""
        if part.shape == (height, width):
            return part
        picture = np.zeros((height, width), part.dtype)
        self.cut(picture)[:] = part
        return picture


def whole(height: int, width: int) -> Crop:
    """The crop that is the whole photo of height x width pixels."""
    return Crop(0, 0, height, width)


def closer_crop(coarse_alpha: NDArray[np.float32], height: int, width: int) -> Crop | None:
    """The bounding box of all people with a margin, if it is much smaller than the photo.

    The margin is 20% of the box's longer side, or as much as makes that side 192 pixels.

    Args:
        coarse_alpha: (h, w) in [0, 1], of the whole photo; above 0.5 is a person.
        height: of the photo, in pixels.
        width: of the photo, in pixels.

    Returns:
        A crop, or None if there are no people or its longer side would exceed 75% of the photo's.
    """
    rows, columns = (np.flatnonzero((coarse_alpha > 0.5).any(axis)) for axis in (1, 0))
    if len(rows) == 0:
        return None
    down, across = height / coarse_alpha.shape[0], width / coarse_alpha.shape[1]
    top, bottom, left, right = rows[0] * down, (rows[-1] + 1) * down, columns[0] * across, (columns[-1] + 1) * across
    longest = max(bottom - top, right - left)
    margin = max(_MARGIN * longest, (_MIN_SIDE - longest) / 2)
    if longest + 2 * margin > _MAX_SHARE * max(height, width):
        return None
    top, left = max(0, round(top - margin)), max(0, round(left - margin))
    return Crop(top, left, min(height, round(bottom + margin)), min(width, round(right + margin)))


def cuts_people(crop_alpha: NDArray[np.float32], crop: Crop, height: int, width: int) -> bool:
    """Whether foreground touches a side of the crop that is not a side of the photo.

    Args:
        crop_alpha: (h, w) in [0, 1], coarse alpha of the crop; above 0.5 is foreground.
        crop: in a photo of height x width pixels.
        height: of the photo, in pixels.
        width: of the photo, in pixels.
    """
    borders = (crop_alpha[0], crop_alpha[:, 0], crop_alpha[-1], crop_alpha[:, -1])
    is_inner = (own != photo for own, photo in zip(crop, whole(height, width), strict=True))
    return any(inner and float(border.max()) > 0.5 for border, inner in zip(borders, is_inner, strict=True))


def loses_people(
    coarse_alpha: NDArray[np.float32], crop_alpha: NDArray[np.float32], crop: Crop, height: int, width: int
) -> bool:
    """Whether the foreground found in the crop has less than half of the area of that found in the whole photo.

    Args:
        coarse_alpha: (h, w) in [0, 1], of the whole photo; above 0.5 is foreground.
        crop_alpha: (h, w) in [0, 1], of the crop.
        crop: in a photo of height x width pixels.
        height: of the photo, in pixels.
        width: of the photo, in pixels.
    """
    area = float((coarse_alpha > 0.5).mean()) * height * width
    crop_area = float((crop_alpha > 0.5).mean()) * (crop.bottom - crop.top) * (crop.right - crop.left)
    return crop_area < _MIN_FOUND * area
