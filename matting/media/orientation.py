"""How the stored frames of a clip are turned and mirrored to be shown upright."""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import av


class Orientation(NamedTuple):
    """Steps from stored to shown pixels, in this order: rows and columns swapped, left and right, top and bottom."""

    transposed: bool = False
    mirrored: bool = False
    flipped: bool = False

    def apply(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(H, W) or (H, W, C) stored -> shown."""
        shown = pixels.swapaxes(0, 1) if self.transposed else pixels
        shown = shown[:, ::-1] if self.mirrored else shown
        return np.ascontiguousarray(shown[::-1] if self.flipped else shown)


def orientation_of(frame: "av.VideoFrame") -> Orientation:
    """What the display matrix of a decoded frame asks for; an oblique one counts as the nearest of the eight.

    The matrix (a b u; c d v; x y w) takes stored x, y, counted right and down, to (a x + c y, b x + d y) (ISO 14496-12, 8.2.2).
    """
    from av.sidedata.sidedata import Type as SideDataType  # only where clips are read

    side_data: Any = frame.side_data
    for data in side_data:
        if data.type == SideDataType.DISPLAYMATRIX and len(bytes(data)) >= 36:
            a, b, _, c, d = (int(value) for value in np.frombuffer(bytes(data), np.int32)[:5])
            if abs(a) + abs(d) >= abs(b) + abs(c):
                return Orientation(False, a < 0, d < 0)
            return Orientation(True, c < 0, b < 0)
    return Orientation()
