"""Clips whose sound is unusual, made on the spot."""

import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

QUICKTIME_7_1, QUICKTIME_6_1, MPEG_5_1 = (128 << 16) | 8, (125 << 16) | 7, (122 << 16) | 6
RIGHT_LEFT = (2, 1)  # channel labels of QuickTime


def tones(rate: int, seconds: float, pitches: Sequence[float], at: float = 0.0) -> np.ndarray:
    """(channels, n) int16: a sine of another pitch in every channel, 0 for silence; phases are those of time `at` and on."""
    time = at + np.arange(round(rate * seconds)) / rate
    return np.stack([8000 * np.sin(2 * np.pi * pitch * time) for pitch in pitches]).astype(np.int16)


def write_clip(
    path: Path,
    tracks: Sequence[tuple[str, int, str, np.ndarray]],
    *,
    seconds: float = 1.0,
    start: float = 0.0,
    codec: str = "libx264",
) -> Path:
    """Small grey pictures, 10 a second, and sound tracks: (codec, rate, layout, samples (channels, n) int16)."""
    options = {"avoid_negative_ts": "disabled"} if start else {}
    with av.open(str(path), "w", container_options=options) as container:
        video = container.add_stream(codec, rate=10)
        video.width, video.height, video.pix_fmt = 48, 32, "yuv420p"
        if codec == "libx264":
            video.options = {"bf": "0"}
        streams = [container.add_stream(name, rate=rate, layout=layout) for name, rate, layout, _ in tracks]
        packets = []
        for number in range(round(10 * seconds)):
            frame = av.VideoFrame.from_ndarray(np.full((32, 48, 3), 90 + 5 * number, np.uint8), format="rgb24")
            frame.pts, frame.time_base = number + round(10 * start), Fraction(1, 10)
            packets += video.encode(frame)
        packets += video.encode(None)
        for stream, (_, rate, layout, samples) in zip(streams, tracks, strict=True):
            sound = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples.T.reshape(1, -1)), format="s16", layout=layout)
            sound.sample_rate, sound.pts, sound.time_base = rate, round(start * rate), Fraction(1, rate)
            packets += stream.encode(sound) + stream.encode(None)
        container.mux(sorted(packets, key=lambda packet: float((packet.dts or 0) * packet.time_base)))
    return path


def relabel(path: Path, tag: int = 0, labels: Sequence[int] = ()) -> Path:
    """Give the channels of a QuickTime file another order: by one of its layout tags, or by a label for each channel."""
    data = bytearray(path.read_bytes())
    at = data.index(b"chan")
    size = struct.unpack_from(">I", data, at - 4)[0]
    described = b"".join(struct.pack(">II12x", label, 0) for label in labels)
    body = struct.pack(">IIII", 0, tag, 0, len(labels)) + described
    data[at + 4 : at - 4 + size] = body
    _grow(data, at, len(body) + 8 - size)
    path.write_bytes(data)
    return path


def _grow(data: bytearray, place: int, by: int) -> None:
    """Correct the size of every box that holds a place, after bytes were put in there; the samples lie before it."""
    start, end = 0, len(data)
    inner = {b"moov": 8, b"trak": 8, b"mdia": 8, b"minf": 8, b"stbl": 8, b"stsd": 16, b"sowt": 36, b"twos": 36}
    while start < end:
        size, name = struct.unpack_from(">I4s", data, start)
        holds = start <= place < start + max(size, 8) + max(by, 0)
        if name == b"wide" or not holds:
            start += size
            continue
        struct.pack_into(">I", data, start, size + by)
        if name == b"chan":
            return
        start += inner[name] if start + 8 < place else 8


def rename_codec(path: Path, number: int, name: bytes = b"apac") -> Path:
    """Give a track of PCM in a QuickTime file a codec that nobody knows, as that of a telephone's spatial audio."""
    data, at = bytearray(path.read_bytes()), -1
    for _ in range(number + 1):
        at = data.index(b"sowt", at + 1)
    data[at : at + 4] = name
    path.write_bytes(data)
    return path


def heard(path: Path, at: float, channel: int = 0) -> float:
    """The pitch in Hz that is loudest in a channel in the 0.1 s around a time; 0 if it is silent."""
    with av.open(str(path)) as container:
        pieces = [
            (float(frame.time), frame.sample_rate, frame.to_ndarray(), frame.format.is_planar)
            for frame in container.decode(audio=0)
        ]
    rate = pieces[0][1]
    line = np.zeros(round(rate * (pieces[-1][0] + 1)))
    for time, _, piece, planar in pieces:
        samples = piece[min(channel, len(piece) - 1)] if planar else piece.reshape(-1)
        first = max(0, round(time * rate))
        line[first : first + len(samples)] = samples
    window = line[round((at - 0.05) * rate) : round((at + 0.05) * rate)]
    spectrum = np.abs(np.fft.rfft(window * np.hanning(len(window))))
    return 0.0 if np.abs(window).max() < 0.01 else float(spectrum.argmax() * rate / len(window))
