"""Small clips made on the spot, with a flash and a click at the same moment, and a network that takes red for alpha."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from matting.media.reader import ClipReader
from matting.network import CoarsePrediction, Refinement, crop_regions

FLASH_FRAME = 10
FRAME_RATE = 25
SOUND_RATE = 48000


def moving_square(frame: int, width: int, height: int) -> np.ndarray:
    """(H, W, 3) uint8: an orange square on blue that moves 2 pixels a frame, all white at the flash."""
    if frame == FLASH_FRAME:
        return np.full((height, width, 3), 255, np.uint8)
    image = np.full((height, width, 3), (20, 40, 160), np.uint8)
    side = min(width, height) // 2
    left = 2 * frame % max(1, width - side)
    image[height // 4 : height // 4 + side, left : left + side] = (220, 120, 30)
    return image


def make_clip(
    path: Path,
    *,
    width: int = 64,
    height: int = 48,
    frames: int = 20,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    sound: str | None = "aac",
    times_ms: list[float] | None = None,
    time_base: Fraction = Fraction(1, 1000),
    picture=moving_square,
) -> Path:
    """Write a clip; `times_ms` are the time stamps of the frames, 25 frames a second if not given."""
    times_ms = times_ms or [1000 * i // FRAME_RATE for i in range(frames)]
    with av.open(str(path), "w") as container:
        video = container.add_stream(codec, rate=FRAME_RATE, options={"bf": "0", "crf": "12"} if codec == "libx264" else {})
        video.width, video.height, video.pix_fmt = width, height, pixel_format
        video.codec_context.time_base = time_base
        video.codec_context.color_range = 2 if codec == "gif" else 1
        if sound:
            container.mux(_sound_packets(container, sound, times_ms[-1] / 1000 + 0.04))
        for i, time_ms in enumerate(times_ms):
            frame = av.VideoFrame.from_ndarray(picture(i, width, height), format="rgb24")
            frame.pts, frame.time_base = round(time_ms / 1000 / time_base), time_base
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
    return path


def _sound_packets(container, codec: str, seconds: float) -> list[av.Packet]:
    stream = container.add_stream(codec, rate=SOUND_RATE, layout="mono")
    samples = np.zeros(round(seconds * SOUND_RATE), np.int16)
    start = FLASH_FRAME * SOUND_RATE // FRAME_RATE
    click = samples[start : start + 480]
    click[:] = 30000 * np.sin(np.arange(len(click)) * 2 * np.pi * 1000 / SOUND_RATE)
    packets = []
    for at in range(0, len(samples), 960):
        frame = av.AudioFrame.from_ndarray(samples[None, at : at + 960], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = SOUND_RATE, at, Fraction(1, SOUND_RATE)
        packets += stream.encode(frame)
    return packets + stream.encode(None)


def click_time(path: Path) -> float:
    """Seconds at which the sound of a clip first becomes loud."""
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            sound = frame.to_ndarray().reshape(-1)[:: 1 if frame.format.is_planar else len(frame.layout.channels)]
            scale = 1.0 if np.issubdtype(sound.dtype, np.floating) else np.iinfo(sound.dtype).max
            loud = np.abs(sound.astype(np.float64)) > 0.3 * scale
            if loud.any():
                return frame.time + loud.argmax() / frame.sample_rate
    raise AssertionError(f"no click in {path}")


class Brightness(nn.Module):
    """Alpha is the red channel; whatever is neither black nor white is unknown."""

    def __init__(self):
        super().__init__()
        self.anything = nn.Parameter(torch.zeros(1))
        self.batches: list[int] = []

    def coarse(self, image):
        self.batches.append(len(image))
        alpha = F.avg_pool2d(image[:, :1], 8)
        unknown = ((alpha > 0.02) & (alpha < 0.98)).float()
        return CoarsePrediction(alpha, torch.cat([(1 - unknown) * (1 - alpha), unknown, (1 - unknown) * alpha], 1), ())

    def refine(self, image, coarse_alpha, cells, neighbours, cross_region=True, context=None):
        return Refinement(crop_regions(image[:, :1], cells), torch.zeros(len(cells), 8, 9))


def read(path):
    with ClipReader(path) as reader:
        return reader.info, list(reader)


def times_ms(info, frames):
    return [round(float(frame.pts * info.time_base) * 1000) for frame in frames]


def read_alpha(path: Path, decoder: str) -> np.ndarray:
    """(frames, H, W) uint8; FFmpeg's own VP9 decoder drops alpha, so the decoder is named."""
    context = av.CodecContext.create(decoder, "r")
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        context.extradata = stream.codec_context.extradata
        context.width, context.height = stream.width, stream.height
        context.codec_tag = stream.codec_context.codec_tag
        frames = [frame for packet in container.demux(stream) if packet.size for frame in context.decode(packet)]
    return np.stack([frame.to_ndarray(format="rgba")[..., 3] for frame in frames + context.decode(None)])
