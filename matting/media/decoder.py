"""Decode the frames of a clip one by one, upright and with their time stamps; memory does not grow with the clip.

This is what runs in a process of its own; use `matting.media.reader.ClipReader`.
"""

import errno
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from matting.media.clip_colour import ClipColour
from matting.media.clip_info import ClipInfo, Frame
from matting.media.deinterlace import deinterlaced
from matting.media.orientation import orientation_of

# Containers that hold pictures themselves. Playlists and other text formats are left out: they can name other files.
_CONTAINERS = "mov,matroska,webm,gif,avi,mpegts,mpeg,mp3,wav,flac,aac,ogg"
_OPEN_OPTIONS = {"format_whitelist": _CONTAINERS, "protocol_whitelist": "file"}
_DECODERS_WITH_ALPHA = {"vp8": "libvpx", "vp9": "libvpx-vp9"}  # FFmpeg's own drop it


class ClipDecoder:
    """Iterate over the frames of a clip: `with ClipDecoder(path) as decoder: for frame in decoder: ...`.

    The file is read through once when opened, without decoding, so that the number of frames is known and a file that
    was cut off is refused before any work is done. Of several video tracks the one that players show is taken. Colours become
    BT.709, HDR is tone mapped, interlaced frames are deinterlaced, the display matrix is applied, alpha is kept.

    Args:
        path: a video file: mp4, mov, webm, mkv, gif and others.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not a video, has no frames, or ends before its header says; while iterating, if a frame
            cannot be decoded.
        MemoryError: if decoding needs more memory than this process may have.
    """

    def __init__(self, path: str | os.PathLike[str]):
        self.path = Path(path)
        if not self.path.is_file():
            raise FileNotFoundError(f"there is no file {self.path}")
        with self._reading():
            frames, duration = self._measure()
            self._container = open_source(self.path)
        try:
            with self._reading():
                self._stream = _shown_track(self._container)
                self._frames = deinterlaced(_decode(self._container, self._stream))
                first = next(self._frames, None)
            if first is None:
                raise ValueError(f"{self.path.name} has no frames that can be decoded")
            self._first: av.VideoFrame | None = first
            self._colour = ClipColour.of(first)
            self.info = self._describe(first, frames, duration)
        except BaseException:
            self._container.close()
            raise

    def __enter__(self) -> "ClipDecoder":
        return self

    def __exit__(self, *exception: object) -> None:
        self._container.close()

    def __iter__(self) -> Iterator[Frame]:
        """Frames in order, from the first; a decoder can be iterated once."""
        last = None
        usual = max(1, round(1 / (self.info.frame_rate * self.info.time_base)))
        start = round(start_of(self._container) / self.info.time_base)
        frame, self._first = self._first, None
        while frame is not None:
            tick = (frame.time_base or self.info.time_base) / self.info.time_base  # filters count in ticks of their own
            pts = round(frame.pts * tick) - start if frame.pts is not None else (0 if last is None else last + usual)
            last = pts if last is None else max(pts, last + 1)  # two frames at one time: the second is a tick late
            yield self._upright(frame, last, round((frame.duration or 0) * tick) or usual)
            with self._reading():
                frame = next(self._frames, None)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except av.FFmpegError as error:
            if error.errno in (errno.ENOMEM, errno.EAGAIN):  # the second where a decoder's threads found no memory
                raise MemoryError from error
            raise ValueError(f"{self.path.name} is not a video, or it is damaged ({reason_of(error)})") from error

    def _measure(self) -> tuple[int, float]:
        """Frames and seconds of the pictures. Raises ValueError if the file is cut off or has no frames."""
        with open_source(self.path) as container:
            video = _shown_track(container)
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
        stream, orientation = self._stream, orientation_of(frame)
        aspect = stream.sample_aspect_ratio or Fraction(1)
        rate = stream.average_rate or stream.guessed_rate or Fraction(25)
        if stream.time_base is None:
            raise ValueError(f"{self.path.name} does not say how it counts time")
        size = (frame.height, frame.width) if orientation.transposed else (frame.width, frame.height)
        sound = self._container.streams.audio
        known = [track.codec_context.codec.canonical_name for track in sound if track.codec_context is not None]
        return ClipInfo(
            *size,
            frames=frames,
            duration=duration or frames / float(rate),
            frame_rate=rate,
            time_base=stream.time_base,
            pixel_aspect=1 / aspect if orientation.transposed else aspect,
            orientation=orientation,
            codec=stream.codec_context.codec.canonical_name,
            audio_codec=known[0] if known else None,
            sound_tracks=tuple(track.index for track in sound),
        )

    def _upright(self, frame: av.VideoFrame, pts: int, duration: int) -> Frame:
        """A stream that changes its size goes on at the first frame's size."""
        info = self.info
        size = (info.height, info.width) if info.orientation.transposed else (info.width, info.height)
        with self._reading():
            colours, alpha = self._colour.rgb(frame, *size)
        image = info.orientation.apply(colours)
        if alpha is None:
            return Frame(image, pts, duration)
        alpha = info.orientation.apply(alpha)
        return Frame(np.where(alpha[..., None] == 0, np.uint8(255), image), pts, duration, alpha)


def open_source(path: str | os.PathLike[str]) -> "av.container.InputContainer":
    """Open a file for reading; formats that could point to other files or the network are not tried."""
    return av.open(str(path), container_options=_OPEN_OPTIONS)


def reason_of(error: av.FFmpegError) -> str:
    """FFmpeg's message for an error, in lower case to stand within a sentence."""
    return (error.strerror or str(error)).lower()


def start_of(container: "av.container.InputContainer") -> Fraction:
    """Seconds at which a clip begins: recordings cut from a longer one count on from there, and here time starts at 0."""
    return Fraction(max(0, container.start_time or 0), av.time_base)


def _shown_track(container: "av.container.InputContainer") -> "av.video.stream.VideoStream":
    """The track that players show; a cover picture in a sound file, or a thumbnail, is none."""
    flags = av.stream.Disposition
    hidden = flags.attached_pic | flags.timed_thumbnails | flags.still_image
    tracks = [stream for stream in container.streams.video if not stream.disposition & hidden]
    name = Path(container.name).name
    if not tracks:
        raise ValueError(f"{name} has no pictures{', only sound' if container.streams.audio else ''}")
    shown = container.streams.best("video")
    shown = shown if shown in tracks else tracks[0]
    if shown.codec_context is None:
        raise ValueError(f"{name} has pictures in a codec that cannot be read")
    return shown


def _decode(container: "av.container.InputContainer", stream: Any) -> Iterator[av.VideoFrame]:
    """Frames as they are stored; with alpha, where the codec's usual decoder would drop it."""
    name = _DECODERS_WITH_ALPHA.get(stream.codec_context.codec.canonical_name)
    if not name or stream.metadata.get("alpha_mode") != "1" or name not in av.codecs_available:
        stream.thread_type = "AUTO"
        yield from container.decode(stream)
        return
    decoder: Any = av.CodecContext.create(name, "r")
    decoder.extradata = stream.codec_context.extradata
    decoder.width, decoder.height = stream.width, stream.height
    for packet in container.demux(stream):
        if packet.size:
            for frame in decoder.decode(packet):
                frame.time_base = frame.time_base or stream.time_base
                yield frame
    yield from decoder.decode(None)


def _ends_like_a_gif(path: Path) -> bool:
    """A GIF states no length, but a complete one closes with a semicolon."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 16))
        return file.read().rstrip(b"\0\r\n").endswith(b";")
