"""Encode clips with the time stamps and the sound of the clip they come from.

Time is counted in ticks of the source's own time base, so variable frame rates pass through unchanged. Colours are
8-bit RGB in arrays and BT.709 in the files. This is what runs in a process of its own; use `matting.media.writer.ClipWriter`.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from matting.media.audio import AudioCarrier
from matting.media.decoder import reason_of
from matting.media.encoding import EncoderSpec

_BT709, _LIMITED_RANGE = 1, 1


class ClipEncoder:
    """Encode frames into a file: `with ClipEncoder(spec) as encoder: encoder.write(...); encoder.finish()`.

    H.264 stores odd sizes as yuv444p, because 4:2:0 needs even ones.

    Args:
        spec: what is to be written.

    Raises:
        OSError: if the file cannot be written, for instance because the disk is full.
    """

    def __init__(self, spec: EncoderSpec):
        self._spec, encoding = spec, spec.encoding
        self._pixels = "rgba" if encoding.has_alpha else "rgb24"
        width, aspect = spec.width, Fraction(spec.pixel_aspect)
        if encoding.square_pixels:
            width, aspect = max(1, round(width * aspect)), Fraction(1)
        self._durations: dict[int | None, int] = {}  # by time stamp, which PyAV leaves open for packets in general
        self._time_base = Fraction(spec.time_base)
        with self._writing():
            self._container = av.open(spec.path, "w", format=encoding.container, container_options=encoding.container_options)
            try:
                self._stream = self._add_video(width, aspect)
                self._audio = AudioCarrier(spec.source, self._container, encoding, spec.sound, spec.duration)
            except BaseException:
                self._container.close()
                raise

    def __enter__(self) -> "ClipEncoder":
        return self

    def __exit__(self, *exception: object) -> None:
        self._audio.close()
        with suppress(av.FFmpegError):
            self._container.close()

    @property
    def notes(self) -> list[str]:
        """What has to be said about the sound."""
        return [self._audio.problem] if self._audio.problem else []

    def write(self, pixels: NDArray[np.uint8], pts: int, duration: int) -> None:
        """Add a frame.

        Args:
            pixels: (H, W, 3) uint8 RGB, or (H, W, 4) RGBA with straight alpha for an encoding with alpha.
            pts, duration: ticks of the source's time base.
        """
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format=self._pixels)
        stream = self._stream
        frame = frame.reformat(stream.width, stream.height, stream.pix_fmt, dst_colorspace="ITU709", dst_color_range="MPEG")
        frame.color_primaries = frame.color_trc = _BT709
        frame.pts, frame.time_base = pts, self._time_base
        self._durations[pts] = duration
        with self._writing():
            self._audio.carry_until(float(pts * self._time_base))
            self._mux(self._stream.encode(frame))

    def finish(self) -> None:
        """Write what is still to come: the file is complete."""
        with self._writing():
            self._mux(self._stream.encode(None))
            self._audio.carry_until(math.inf)
            self._container.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except av.FFmpegError as error:
            raise OSError(error.errno, f"cannot write {self._spec.name}: {reason_of(error)}") from error

    def _mux(self, packets: list["av.Packet"]) -> None:
        for packet in packets:
            packet.duration = self._durations.pop(packet.pts)
            self._container.mux(packet)

    def _add_video(self, width: int, aspect: Fraction) -> Any:
        encoding, height = self._spec.encoding, self._spec.height
        pixel_format = encoding.pixel_format
        if encoding.codec == "libx264" and (width % 2 or height % 2):
            pixel_format = "yuv444p"
        rate = Fraction(self._spec.frame_rate).limit_denominator(60000)
        stream: Any = self._container.add_stream(encoding.codec, rate=rate, options=dict(encoding.options))
        stream.width, stream.height, stream.pix_fmt = width, height, pixel_format
        context = stream.codec_context
        context.time_base = self._time_base
        context.color_range = _LIMITED_RANGE
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        context.sample_aspect_ratio = aspect
        return stream
