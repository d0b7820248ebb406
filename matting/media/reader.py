"""Read the frames of a clip, decoded in a process of its own."""

import os
from collections.abc import Iterator
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

from matting.media.child import Child
from matting.media.clip_info import CLIP_SUFFIXES, ClipInfo, Frame
from matting.media.orientation import Orientation
from matting.media.sound_plan import Sound, find_sound

__all__ = ["CLIP_SUFFIXES", "ClipInfo", "ClipReader", "Frame"]


class ClipReader:
    """Iterate over the frames of a clip: `with ClipReader(path) as reader: for frame in reader: ...`.

    What `matting.media.decoder.ClipDecoder` says of colours, orientation and alpha, in a helper process: a clip that breaks a
    decoder, or needs more memory than a clip is given, ends in a ValueError.

    Args:
        path: a video file: mp4, mov, webm, mkv, gif and others.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not a video, has no frames, or ends before its header says; while iterating, if a frame
            cannot be decoded.
    """

    def __init__(self, path: str | os.PathLike[str]):
        self.path = Path(path)
        if not self.path.is_file():
            raise FileNotFoundError(f"there is no file {self.path}")
        self._child = Child("pictures", self.path.name, path=str(self.path.absolute()))
        try:
            self.info = _info_of(self._child.receive().header)
        except BaseException:
            self._child.close()
            raise

    def __enter__(self) -> "ClipReader":
        return self

    def __exit__(self, *exception: object) -> None:
        self._child.close()

    def __iter__(self) -> Iterator[Frame]:
        """Frames in order, from the first; a reader can be iterated once."""
        while True:
            header, pixels = self._child.receive()
            if pixels is None:
                return
            alpha = pixels[..., 3].copy() if pixels.shape[2] == 4 else None
            image = pixels if alpha is None else pixels[..., :3].copy()
            yield Frame(image, header["pts"], header["duration"], alpha)

    @cached_property
    def sound(self) -> Sound:
        """The sound that can be carried into other files, found on first use."""
        return find_sound(self.path, self.info.sound_tracks)


def _info_of(header: dict[str, Any]) -> ClipInfo:
    fractions = {key: Fraction(header[key]) for key in ("frame_rate", "time_base", "pixel_aspect")}
    tracks = tuple(header["sound_tracks"])
    return ClipInfo(**{**header, **fractions, "orientation": Orientation(*header["orientation"]), "sound_tracks": tracks})
