"""Encode clips with the time stamps and the audio of their source clip.

Times are ticks of the source's time base, so variable frame rates are kept. Colours are 8-bit RGB in arrays and BT.709 in
files.
"""

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from matting.media.atomic import AtomicFile
from matting.media.audio import AudioCarrier
from matting.media.reader import ClipReader, open_source, reason_of

_BT709, _LIMITED_RANGE = 1, 1


@dataclass(frozen=True)
class Encoding:
    """Container, codec and settings of an encoded clip, in FFmpeg's names.

    Attributes:
        container: name of the file format.
        codec, options: encoder and its settings.
        pixel_format: of the encoder; those that begin with "yuva" have alpha.
        container_options: settings of the container.
        audio_kept: audio codecs that are copied without re-encoding.
        audio_codec: encoder for any other audio.
        square_pixels: whether anamorphic clips are scaled to square pixels, because the container cannot store the aspect.
    """

    container: str
    codec: str
    pixel_format: str
    options: dict[str, str]
    container_options: dict[str, str]
    audio_kept: tuple[str, ...]
    audio_codec: str
    square_pixels: bool = False

    @property
    def has_alpha(self) -> bool:
        return self.pixel_format.startswith("yuva")


# No B-frames, so that every packet has the duration of its own frame and the last frame is as long as in the source.
H264_MP4 = Encoding(
    container="mp4",
    codec="libx264",
    pixel_format="yuv420p",
    options={"preset": "veryfast", "crf": "18", "bf": "0"},
    container_options={"movflags": "+faststart"},
    audio_kept=("aac", "mp3", "ac3", "eac3", "opus", "flac", "alac"),
    audio_codec="aac",
)
VP9_ALPHA_WEBM = Encoding(
    container="webm",
    codec="libvpx-vp9",
    pixel_format="yuva420p",
    options={"crf": "20", "b": "0", "deadline": "good", "cpu-used": "5", "row-mt": "1", "auto-alt-ref": "0"},
    container_options={},
    audio_kept=("opus", "vorbis"),
    audio_codec="libopus",
    square_pixels=True,
)
PRORES_4444_MOV = Encoding(
    container="mov",
    codec="prores_ks",
    pixel_format="yuva444p10le",
    options={"profile": "4", "alpha_bits": "16"},
    container_options={},
    audio_kept=("aac", "mp3", "ac3", "eac3", "alac", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_f32le"),
    audio_codec="aac",
)


class ClipWriter:
    """Encode frames into a file that exists under its name only when complete.

    `with ClipWriter(path, encoding, width, height, reader) as writer: writer.write(pixels, pts, duration)`.
    Frame rate, time base and audio are those of the source clip. H.264 stores odd sizes as yuv444p, because 4:2:0 needs even
    ones.

    Args:
        path: the file to write; replaced if it exists.
        encoding: container and codec.
        width, height: pixels of the frames that will be written.
        reader: the open source clip.
        pixel_aspect: width of a pixel over its height.

    Raises:
        OSError: if the file cannot be written, for instance because the disk is full.
    """

    def __init__(
        self,
        path: str | os.PathLike,
        encoding: Encoding,
        width: int,
        height: int,
        reader: ClipReader,
        pixel_aspect: Fraction = Fraction(1),
    ):
        self.path, self.encoding = Path(path), encoding
        self._pixels = "rgba" if encoding.has_alpha else "rgb24"
        self._shape = (height, width, 4 if encoding.has_alpha else 3)
        if encoding.square_pixels:
            width, pixel_aspect = max(1, round(width * pixel_aspect)), Fraction(1)
        self._durations: dict[int | None, int] = {}  # by time stamp, which PyAV leaves open for packets in general
        self._time_base = reader.info.time_base
        self._part = AtomicFile(self.path)
        try:
            self._container = av.open(
                str(self._part.path), "w", format=encoding.container, container_options=encoding.container_options
            )
            self._stream = self._add_video(width, height, reader.info.frame_rate, pixel_aspect)
            self._audio = AudioCarrier(
                open_source(reader.path),
                self._container,
                encoding.audio_kept,
                encoding.audio_codec,
            )
        except BaseException:
            self._part.discard()
            raise

    def __enter__(self) -> "ClipWriter":
        return self

    def __exit__(self, exception_type: type[BaseException] | None, *exception: object) -> None:
        """Finish the file and give it its name, or remove it if the block ended with an error."""
        try:
            if exception_type is None:
                with self._writing():
                    self._mux(self._stream.encode(None))
                    self._audio.carry_until(math.inf)
                    self._container.close()
                self._part.keep()
        finally:
            self._abandon()

    def _abandon(self) -> None:
        """Close everything, and delete the file if it is not finished."""
        self._audio.close()
        with suppress(av.FFmpegError):
            self._container.close()
        self._part.discard()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except av.FFmpegError as error:
            raise OSError(error.errno, f"cannot write {self.path.name}: {reason_of(error)}") from error

    def write(self, pixels: np.ndarray, pts: int, duration: int) -> None:
        """Add a frame.

        Args:
            pixels: (H, W, 3) uint8 RGB, or (H, W, 4) RGBA with straight alpha for an encoding with alpha.
            pts, duration: ticks of the source's time base.

        Raises:
            ValueError: if the pixels do not fit the clip.
        """
        if pixels.shape != self._shape or pixels.dtype != np.uint8:
            raise ValueError(f"expected {self._shape} uint8 pixels, got {pixels.shape} {pixels.dtype}")
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format=self._pixels)
        stream = self._stream
        frame = frame.reformat(stream.width, stream.height, stream.pix_fmt, dst_colorspace="ITU709", dst_color_range="MPEG")
        frame.pts, frame.time_base = pts, self._time_base
        self._durations[pts] = duration
        with self._writing():
            self._audio.carry_until(float(pts * self._time_base))
            self._mux(self._stream.encode(frame))

    def _mux(self, packets: list[av.Packet]) -> None:
        for packet in packets:
            packet.duration = self._durations.pop(packet.pts)
            self._container.mux(packet)

    def _add_video(self, width: int, height: int, rate: Fraction, aspect: Fraction) -> "av.video.stream.VideoStream":
        pixel_format = self.encoding.pixel_format
        if self.encoding.codec == "libx264" and (width % 2 or height % 2):
            pixel_format = "yuv444p"
        stream = self._container.add_stream(
            self.encoding.codec, rate=rate.limit_denominator(60000), options=dict(self.encoding.options)
        )
        if not isinstance(stream, av.VideoStream):
            raise ValueError(f"expected an encoder for pictures, got {self.encoding.codec}")
        stream.width, stream.height, stream.pix_fmt = width, height, pixel_format
        context = stream.codec_context
        context.time_base = self._time_base
        context.color_range = _LIMITED_RANGE
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        context.sample_aspect_ratio = aspect
        return stream
