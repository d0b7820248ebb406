"""Read the frames of a clip one by one, upright and with time stamps; memory use does not depend on the clip's length."""

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np

CLIP_SUFFIXES = frozenset({".mp4", ".mov", ".m4v", ".webm", ".mkv", ".gif", ".avi", ".mpg", ".mpeg", ".ts", ".3gp"})

# Containers that include their media. Playlists and other text formats are excluded, since they can refer to other files.
_CONTAINERS = "mov,matroska,webm,gif,avi,mpegts,mpeg,mp3,wav,flac,aac,ogg"
_OPEN_OPTIONS = {"format_whitelist": _CONTAINERS, "protocol_whitelist": "file"}
_UNSPECIFIED = 2
_HD_HEIGHT = 720


@dataclass(frozen=True)
class ClipInfo:
    """Properties of a clip.

    Attributes:
        width, height: pixels of a frame as displayed, after rotation.
        frames: number of frames in the file.
        duration: seconds from the first frame to the end of the last.
        frame_rate: average frames per second.
        time_base: seconds of one tick of the time stamps.
        pixel_aspect: width of a pixel over its height; 1 unless the clip is anamorphic.
        rotation: degrees counter-clockwise that were applied to the stored frames, 0, 90, 180 or 270.
        codec: name of the video codec.
        audio_codec: name of the first audio track's codec, None if there is none.
    """

    width: int
    height: int
    frames: int
    duration: float
    frame_rate: Fraction
    time_base: Fraction
    pixel_aspect: Fraction
    rotation: int
    codec: str
    audio_codec: str | None


class Frame(NamedTuple):
    """One decoded frame.

    Attributes:
        image: (H, W, 3) uint8 RGB, upright.
        pts: presentation time from the start of the clip, in ticks of its time base; strictly increasing.
        duration: in ticks of the clip's time base.
    """

    image: np.ndarray
    pts: int
    duration: int


class ClipReader:
    """Iterate over the frames of a clip: `with ClipReader(path) as reader: for frame in reader: ...`.

    The file is read through once when opened, without decoding, so that the number of frames is known and a file that
    was cut off is refused before any work is done. Transparency of the clip itself is ignored; HDR is not tone-mapped.

    Args:
        path: a video file: mp4, mov, webm, mkv, gif and others.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not a video, has no frames, or ends before its header says; while iterating, if a frame
            cannot be decoded.
    """

    def __init__(self, path: str | os.PathLike):
        self.path = Path(path)
        if not self.path.is_file():
            raise FileNotFoundError(f"there is no file {self.path}")
        with self._reading():
            frames, duration = self._measure()
            self._container = open_source(self.path)
        try:
            with self._reading():
                self._stream = _video_stream(self._container)
                self._stream.thread_type = "AUTO"
                self._decoded = self._container.decode(self._stream)
                self._first = next(self._decoded, None)
            if self._first is None:
                raise ValueError(f"{self.path.name} has no frames that can be decoded")
            self.info = self._describe(self._first, frames, duration)
        except BaseException:
            self._container.close()
            raise

    def __enter__(self) -> "ClipReader":
        return self

    def __exit__(self, *exception: object) -> None:
        self._container.close()

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames in order; a reader can be iterated once."""
        last = None
        usual = max(1, round(1 / (self.info.frame_rate * self.info.time_base)))
        start = round(start_of(self._container) / self.info.time_base)
        frame, self._first = self._first, None
        while frame is not None:
            pts = frame.pts - start if frame.pts is not None else (0 if last is None else last + usual)
            last = pts if last is None else max(pts, last + 1)  # of two frames with the same time, the second is a tick late
            yield Frame(self._upright_rgb(frame), last, frame.duration or usual)
            with self._reading():
                frame = next(self._decoded, None)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except av.FFmpegError as error:
            raise ValueError(f"{self.path.name} is not a video, or it is damaged ({reason_of(error)})") from error

    def _measure(self) -> tuple[int, float]:
        """Number of frames and seconds of the video stream. Raises ValueError if the file is truncated or has no frames."""
        with open_source(self.path) as container:
            video = _video_stream(container)
            frames, first, video_end, end = 0, math.inf, 0.0, 0.0
            for packet in container.demux():
                if packet.size and packet.pts is not None:
                    start = float(packet.pts * packet.time_base)
                    stop = start + float((packet.duration or 0) * packet.time_base)
                    end = max(end, stop)
                    if packet.stream is video:
                        frames, first, video_end = frames + 1, min(first, start), max(video_end, stop)
            if container.format.name == "gif" and not _ends_like_a_gif(self.path):
                raise ValueError(f"{self.path.name} is cut off: the end of the GIF is missing")
            seen = end - min(0, container.start_time or 0) / av.time_base  # some formats count a late start as length
            stated = (container.duration or 0) / av.time_base
        if not frames:
            raise ValueError(f"{self.path.name} has no frames")
        if stated - seen > max(0.2, 0.05 * stated):
            raise ValueError(f"{self.path.name} is cut off: its header says {stated:.1f} s, the file ends after {seen:.1f} s")
        return frames, video_end - first

    def _describe(self, frame: av.VideoFrame, frames: int, duration: float) -> ClipInfo:
        stream = self._stream
        rotation = round(frame.rotation / 90) * 90 % 360
        sideways = rotation in (90, 270)
        aspect = stream.sample_aspect_ratio or Fraction(1)
        rate = stream.average_rate or stream.guessed_rate or Fraction(25)
        size = (frame.height, frame.width) if sideways else (frame.width, frame.height)
        audio = self._container.streams.audio
        if stream.time_base is None:
            raise ValueError(f"{self.path.name} does not say how it counts time")
        return ClipInfo(
            *size,
            frames=frames,
            duration=duration or frames / float(rate),
            frame_rate=rate,
            time_base=stream.time_base,
            pixel_aspect=1 / aspect if sideways else aspect,
            rotation=rotation,
            codec=stream.codec_context.codec.canonical_name,
            audio_codec=audio[0].codec_context.codec.canonical_name if audio else None,
        )

    def _upright_rgb(self, frame: av.VideoFrame) -> np.ndarray:
        """Decoded frame -> (H, W, 3) uint8 RGB, upright; scaled to the first frame's size if the stream changes its size."""
        sideways = self.info.rotation in (90, 270)
        width, height = (self.info.height, self.info.width) if sideways else (self.info.width, self.info.height)
        untagged_hd = frame.colorspace == _UNSPECIFIED and min(frame.width, frame.height) >= _HD_HEIGHT
        rgb = frame.to_ndarray(format="rgb24", width=width, height=height, src_colorspace="ITU709" if untagged_hd else None)
        return np.ascontiguousarray(np.rot90(rgb, self.info.rotation // 90))


def open_source(path: str | os.PathLike) -> "av.container.InputContainer":
    """Open a file for reading, without formats that can refer to other files or the network."""
    return av.open(str(path), container_options=_OPEN_OPTIONS)


def reason_of(error: av.FFmpegError) -> str:
    """FFmpeg's message for an error, in lower case to stand within a sentence."""
    return (error.strerror or str(error)).lower()


def start_of(container: "av.container.InputContainer") -> Fraction:
    """Start time of a clip in seconds, to be subtracted; clips cut from a longer recording keep its time stamps."""
    return Fraction(max(0, container.start_time or 0), av.time_base)


def _video_stream(container: "av.container.InputContainer") -> "av.video.stream.VideoStream":
    """The first video stream that is not the cover image of an audio file."""
    for stream in container.streams.video:
        if not stream.disposition & av.stream.Disposition.attached_pic:
            return stream
    raise ValueError(f"{Path(container.name).name} has no pictures{', only sound' if container.streams.audio else ''}")


def _ends_like_a_gif(path: Path) -> bool:
    """Whether a file ends with the GIF trailer, a semicolon; a GIF's header states no length."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 16))
        return file.read().rstrip(b"\0\r\n").endswith(b";")
