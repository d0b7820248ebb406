"""Frames of a clip as 8-bit RGB: which matrix, range, tone curve and primaries its numbers were made with."""

from dataclasses import dataclass
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from matting.media.colour import SRGB, ColourSpace, convert, from_cicp

_UNSPECIFIED, _RGB = 2, 0
_MATRICES = {1: "ITU709", 4: "FCC", 5: "ITU601", 6: "ITU601", 7: "SMPTE240M", 9: "BT2020", 10: "BT2020"}  # of H.273
_WIDE = (
    9,
    11,
    12,
)  # primaries whose colours are off on a common screen; those of old television are near enough, as players have it


@dataclass(frozen=True)
class ClipColour:
    """What the numbers of a clip mean; from its first frame, for all.

    Attributes:
        matrix: from Y'CbCr to R'G'B', as PyAV calls it.
        space: what those are.
    """

    matrix: str
    space: ColourSpace

    @classmethod
    def of(cls, frame: av.VideoFrame) -> "ClipColour":
        """Of a decoded frame; where it does not say, large frames are BT.709 and small ones BT.601, as players have it."""
        hd = frame.width >= 1280 or frame.height > 576
        matrix = _MATRICES.get(int(frame.colorspace), "ITU709" if hd else "ITU601")
        space = from_cicp(int(frame.color_primaries), int(frame.color_trc))
        known = space.is_hdr or (space.curve == "srgb" and int(frame.color_primaries) in _WIDE)
        return cls(matrix, space if known else SRGB)

    def rgb(self, frame: av.VideoFrame, width: int, height: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None]:
        """Colours (height, width, 3) and alpha (height, width), which is None if the frame is opaque."""
        deep, transparent = self.space != SRGB, _may_be_transparent(frame)
        layout = ("rgba64le" if transparent else "rgb48le") if deep else ("rgba" if transparent else "rgb24")
        pixels: NDArray[Any] = frame.to_ndarray(format=layout, width=width, height=height, src_colorspace=self.matrix)
        colours = convert(pixels[..., :3], self.space) if deep else pixels[..., :3]
        if not transparent:
            return colours, None
        alpha = (pixels[..., 3] >> 8).astype(np.uint8) if deep else pixels[..., 3]
        return (colours, None) if alpha.min() == 255 else (colours, alpha)


def _may_be_transparent(frame: av.VideoFrame) -> bool:
    return frame.format.has_palette or any(component.is_alpha for component in frame.format.components)
