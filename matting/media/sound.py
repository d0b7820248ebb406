"""Decode a sound track whatever it does on the way: to one rate and layout, in sync, gaps filled and errors passed over.

This runs in helper processes. PyAV 18 frees the memory of a channel layout in custom order (7.1 of QuickTime, right before
left, and others) twice: in `AudioCodecContext.layout` and `channels`, and for every decoded frame. So such layouts are looked
up in FFmpeg's description of the file, and replaced by a mere number of channels before anything is decoded.
"""

import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.logging
import numpy as np
from numpy.typing import NDArray

from matting.media.decoder import open_source
from matting.media.sound_plan import SoundTrack

_JUMP_S = 0.1  # time stamps that are off by more are meant
_MOST_CHANNELS = 64
_CENTRE = 0.7071


class DecodedTrack:
    """The frames of one sound track, in order; packets that cannot be decoded are passed over.

    Args:
        container: the clip, opened for this alone.
        index: of the stream.

    Raises:
        ValueError: if the codec is not known, or the order of the channels cannot be.
    """

    def __init__(self, container: Any, index: int):
        self._container, self._stream = container, container.streams[index]
        if self._stream.codec_context is None:
            raise ValueError("its codec is not known")
        self.codec = str(self._stream.codec_context.codec.canonical_name)
        self.channels = _custom_channels(container, index)
        if self.channels:
            if not self.codec.startswith("pcm_") or len(self.channels) > _MOST_CHANNELS:
                raise ValueError("its channels lie in an order that cannot be read")
            self._stream.codec_context.options = {"ch_layout": f"{len(self.channels)}C"}

    def __iter__(self) -> Iterator[av.AudioFrame]:
        for packet in self._container.demux(self._stream):
            try:
                yield from packet.decode()
            except av.FFmpegError:
                continue


def examine_track(path: Path, index: int) -> SoundTrack:
    """Decode a track to its end; raises ValueError if nothing comes of it."""
    with open_source(path) as container:
        track = DecodedTrack(container, index)
        forms = {}
        for frame in track:
            forms[frame.sample_rate, frame.layout.name, frame.format.name] = frame.layout.nb_channels
        if not forms:
            raise ValueError("nothing of it can be decoded")
        (rate, _, _), channels = next(iter(forms.items()))
        return SoundTrack(index, track.codec, rate, channels, steady=len(forms) == 1)


def steady_sound(track: DecodedTrack, rate: int, layout: str, start: Fraction, longest: float) -> Iterator[av.AudioFrame]:
    """The track as frames of one rate and layout that follow each other without a gap, from time 0.

    Args:
        track: to decode.
        rate: samples per second wanted.
        layout: "mono" or "stereo".
        start: seconds of the track's clock that are time 0; earlier samples are dropped.
        longest: seconds after which it ends, whatever the time stamps say.
    """
    position, ends = 0, round(longest * rate)
    for begin, pieces in _segments(track, rate, layout):
        missing = round((begin - start) * rate) - position
        for piece in (*_silence(min(missing, ends - position), rate, layout), *pieces):
            skipped = min(max(0, -missing), piece.shape[1])
            missing += skipped
            samples = piece[:, skipped:]
            if position + samples.shape[1] > ends:
                return
            if samples.shape[1]:
                yield _frame(samples, position, rate, layout)
                position += samples.shape[1]


Piece = NDArray[np.float32]


def _segments(track: DecodedTrack, rate: int, layout: str) -> Iterator[tuple[Fraction, Iterator[Piece]]]:
    """Stretches of unbroken time and form: when each begins, and its samples (channels, n) at the new rate."""
    frames = iter(track)
    waiting = [next(frames, None)]

    def stretch(first: av.AudioFrame) -> Iterator[Piece]:
        resampler = av.AudioResampler(format="fltp", layout=layout, rate=rate)
        form, due = _form(first), _time(first, Fraction(0))
        while (frame := waiting[0]) is not None and _form(frame) == form and abs(_time(frame, due) - due) < _JUMP_S:
            due = _time(frame, due) + Fraction(frame.samples, frame.sample_rate)
            yield from _resample(resampler, _known_layout(frame, track.channels, layout))
            waiting[0] = next(frames, None)
        yield from _resample(resampler, None)

    while waiting[0] is not None:
        yield _time(waiting[0], Fraction(0)), stretch(waiting[0])


def _resample(resampler: Any, frame: av.AudioFrame | None) -> Iterator[Piece]:
    for made in resampler.resample(frame):
        yield made.to_ndarray()


def _form(frame: av.AudioFrame) -> tuple[int, str, str]:
    return frame.sample_rate, frame.layout.name, frame.format.name


def _time(frame: av.AudioFrame, due: Fraction) -> Fraction:
    return due if frame.pts is None or frame.time_base is None else Fraction(frame.pts * frame.time_base)


def _known_layout(frame: av.AudioFrame, names: list[str], layout: str) -> av.AudioFrame:
    """A frame that is only a number of channels, mixed down by their names to what the resampler knows."""
    if not names and not frame.layout.name.endswith(" channels"):
        return frame
    samples = _samples(frame)
    left, right = np.transpose([_gains(name) for name in names] or [(1.0, 1.0)] * len(samples))
    mixed = np.stack([gains @ samples / max(1.0, gains.sum()) for gains in (left, right)]).astype(np.float32)
    made = av.AudioFrame.from_ndarray(np.ascontiguousarray(mixed), format="fltp", layout="stereo")
    made.sample_rate, made.pts, made.time_base = frame.sample_rate, frame.pts, frame.time_base
    return made


def _gains(channel: str) -> tuple[float, float]:
    """How much of a channel goes to the left and to the right."""
    if channel.startswith("LFE"):
        return 0.0, 0.0
    sides = "L" in channel, "R" in channel
    return (1.0, 0.0) if sides == (True, False) else (0.0, 1.0) if sides == (False, True) else (_CENTRE, _CENTRE)


def _samples(frame: av.AudioFrame) -> NDArray[np.float32]:
    """(channels, n) in [-1, 1]."""
    values: NDArray[Any] = frame.to_ndarray()
    if not frame.format.is_planar:
        values = values.reshape(-1, frame.layout.nb_channels).T
    if np.issubdtype(values.dtype, np.floating):
        return values.astype(np.float32)
    middle = 128.0 if values.dtype == np.uint8 else 0.0
    return ((values - middle) / (np.iinfo(values.dtype).max + 1 - middle)).astype(np.float32)


def _silence(samples: int, rate: int, layout: str) -> Iterator[Piece]:
    while samples > 0:
        length = min(samples, rate)
        yield np.zeros((1 if layout == "mono" else 2, length), np.float32)
        samples -= length


def _frame(samples: Piece, position: int, rate: int, layout: str) -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout=layout)
    frame.sample_rate, frame.pts, frame.time_base = rate, position, Fraction(1, rate)
    return frame


def _custom_channels(container: Any, index: int) -> list[str]:
    """Names of the channels if they lie in custom order, from FFmpeg's description of the file, so that none is touched."""
    level = av.logging.get_level()
    av.logging.set_level(av.logging.INFO)
    try:
        description = container.dumps_format()
    finally:
        av.logging.set_level(level)
    line = re.search(rf"^  Stream #0:{index}\b[^\n]*?: Audio: [^\n]*", description, re.MULTILINE)
    found = re.search(r" Hz, \d+ channels \(([^)\s]+)\)", line[0]) if line else None
    return found[1].split("+") if found else []
