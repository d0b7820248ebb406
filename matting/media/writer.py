"""Write encoded clips with the time stamps and the sound of the clip they come from, in a process of its own."""

import os
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from matting.media.atomic import AtomicFile
from matting.media.child import Child
from matting.media.encoding import EncoderSpec, Encoding
from matting.media.reader import ClipReader


class ClipWriter:
    """Encode frames into a file that exists under its name only when complete.

    `with ClipWriter(path, encoding, width, height, reader) as writer: writer.write(pixels, pts, duration)`.
    Frame rate, time base and sound come from the clip being read; see `matting.media.encoder.ClipEncoder`.

    Args:
        path: the file to make; replaced if it exists.
        encoding: container and codec.
        width, height: pixels of the frames that will be written.
        reader: the open source clip.
        pixel_aspect: width of a pixel over its height.

    Attributes:
        notes: what has to be said about the sound, once the file is complete.

    Raises:
        OSError: if the file cannot be written, for instance because the disk is full.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        encoding: Encoding,
        width: int,
        height: int,
        reader: ClipReader,
        pixel_aspect: Fraction = Fraction(1),
    ):
        self.path, self.encoding, self.notes = Path(path), encoding, tuple[str, ...]()
        self._sound = reader.sound
        self._shape = (height, width, 4 if encoding.has_alpha else 3)
        self._part = AtomicFile(self.path)
        spec = EncoderSpec(
            path=str(self._part.path.absolute()),
            name=self.path.name,
            encoding=encoding,
            width=width,
            height=height,
            pixel_aspect=str(pixel_aspect),
            time_base=str(reader.info.time_base),
            frame_rate=str(reader.info.frame_rate),
            source=str(reader.path.absolute()),
            sound=self._sound.track,
            duration=reader.info.duration,
        )
        try:
            self._child = Child("write", self.path.name, spec=spec.plain())
        except BaseException:
            self._part.discard()
            raise

    def __enter__(self) -> "ClipWriter":
        return self

    def __exit__(self, exception_type: type[BaseException] | None, *exception: object) -> None:
        """Finish the file and give it its name, or remove it if the block ended with an error."""
        try:
            if exception_type is None:
                self._child.send({"end": True})
                self.notes = (*self._sound.notes, *self._child.receive().header["notes"])
                self._part.keep()
        finally:
            self._child.close()
            self._part.discard()

    def write(self, pixels: NDArray[np.uint8], pts: int, duration: int) -> None:
        """Add a frame.

        Args:
            pixels: (H, W, 3) uint8 RGB, or (H, W, 4) RGBA with straight alpha for an encoding with alpha.
            pts, duration: ticks of the source's time base.

        Raises:
            ValueError: if the pixels do not fit the clip.
        """
        if pixels.shape != self._shape or pixels.dtype != np.uint8:
            raise ValueError(f"expected {self._shape} uint8 pixels, got {pixels.shape} {pixels.dtype}")
        self._child.send({"pts": pts, "duration": duration}, pixels)
