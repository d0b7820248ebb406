"""Separate parts of an alpha, usually people, each of which can be kept or dropped."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

MAP_SIDE = 512  # pixels
MOST_PARTS = 9
_SMALLEST_SHARE = 0.004  # of the crop's area; smaller components are added to the nearest part


@dataclass(frozen=True)
class Parts:
    """A label map of the parts of an alpha.

    Attributes:
        labels: (h, w) uint8, at most `MAP_SIDE` long: number of the nearest part, from 0, largest first.
        solid: (h, w) bool, alpha of at least 0.5.
        count: number of parts.
        dropped: numbers of the parts that are left out.
    """

    labels: NDArray[np.uint8]
    solid: NDArray[np.bool_]
    count: int
    dropped: frozenset[int] = frozenset()

    def toggled(self, number: int) -> "Parts":
        """Drop a part, or restore it; raises ValueError if there is none of that number."""
        if not 0 <= number < self.count:
            raise ValueError(f"expected the number of one of {self.count} parts, got {number}")
        return replace(self, dropped=self.dropped ^ {number})

    def brought_back(self, points: Iterable[tuple[float, float]]) -> "Parts":
        """Restore the parts that contain one of the points, (x, y) as shares of width and height."""
        places = [self._place(x, y) for x, y in points]
        return replace(self, dropped=self.dropped - {int(self.labels[place]) for place in places if self.solid[place]})

    def _place(self, x: float, y: float) -> tuple[int, int]:
        height, width = self.labels.shape
        return min(max(int(y * height), 0), height - 1), min(max(int(x * width), 0), width - 1)

    def like(self, other: "Parts") -> "Parts":
        """Drop the parts more than half of which is covered by dropped parts of another matte of the photo."""
        gone = other.solid & np.isin(other.labels, list(other.dropped))
        masks = (self.solid & (self.labels == number) for number in range(self.count))
        return replace(self, dropped=frozenset(number for number, mask in enumerate(masks) if gone[mask].mean() > 0.5))


def find_parts(alpha: NDArray[np.float32], crop_share: float = 1.0) -> Parts:
    """Split an alpha into its large 8-connected components.

    Args:
        alpha: (H, W) in [0, 1].
        crop_share: share of the photo's area that was matted, see `Matte.crop_share`.
    """
    height, width = alpha.shape
    scale = min(1.0, MAP_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = np.asarray(Image.fromarray(alpha).resize(size, Image.Resampling.BOX))
    solid = small >= 0.5
    small_components, _ = ndimage.label(solid, structure=np.ones((3, 3)))
    areas = np.bincount(small_components.ravel())[1:]
    large = np.flatnonzero(areas >= _SMALLEST_SHARE * crop_share * small.size)
    large = large[np.argsort(-areas[large], kind="stable")][:MOST_PARTS]
    if len(large) == 0:
        return Parts(np.zeros(solid.shape, np.uint8), solid, 0)
    number = np.full(len(areas) + 1, 255, np.uint8)
    number[large + 1] = np.arange(len(large))
    numbered = number[small_components]
    _, nearest = ndimage.distance_transform_edt(numbered == 255, return_indices=True)
    return Parts(numbered[tuple(nearest)], solid, len(large))


def drop_parts(alpha: NDArray[np.float32], parts: Parts) -> NDArray[np.float32]:
    """The alpha (H, W) with the dropped parts set to 0; the same array if there are none."""
    if not parts.dropped:
        return alpha
    kept = ~np.isin(parts.labels, list(parts.dropped))
    mask = Image.fromarray(kept).resize(alpha.shape[::-1], Image.Resampling.NEAREST)
    return np.where(np.asarray(mask), alpha, np.float32(0))
