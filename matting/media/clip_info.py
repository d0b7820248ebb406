"""What a clip is, and one frame of it, as its reader hands them over."""

from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from matting.media.orientation import Orientation

CLIP_SUFFIXES = frozenset({".mp4", ".mov", ".m4v", ".webm", ".mkv", ".gif", ".avi", ".mpg", ".mpeg", ".ts", ".3gp"})


@dataclass(frozen=True)
class ClipInfo:
    """What a clip is, known before any frame but the first is decoded.

    Attributes:
        width, height: pixels of a frame as it is shown, rotation applied.
        frames: number of frames in the file.
        duration: seconds from the first frame to the end of the last.
        frame_rate: average frames per second.
        time_base: seconds of one tick of the time stamps.
        pixel_aspect: width of a pixel over its height; 1 unless the clip is anamorphic.
        orientation: how the stored frames were turned and mirrored.
        codec: name of the video codec.
        audio_codec: name of the first sound track's codec that is known, None if there is none.
        sound_tracks: indices of the streams that are sound, those with an unknown codec included.
    """

    width: int
    height: int
    frames: int
    duration: float
    frame_rate: Fraction
    time_base: Fraction
    pixel_aspect: Fraction
    orientation: Orientation
    codec: str
    audio_codec: str | None
    sound_tracks: tuple[int, ...] = ()


class Frame(NamedTuple):
    """One frame, upright.

    Attributes:
        image: (H, W, 3) uint8 RGB, straight colours; white where alpha is 0.
        pts: ticks of the clip's time base from the start of the clip; always increases.
        duration: in the same ticks.
        alpha: (H, W) uint8, or None if the frame is opaque.
    """

    image: NDArray[np.uint8]
    pts: int
    duration: int
    alpha: NDArray[np.uint8] | None = None
