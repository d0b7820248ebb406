"""Make the example clip and its true alpha: one cut-out portrait that moves in front of a photo.

    python examples/make_clip.py

The portrait drifts, comes slightly nearer, sways, and its hair swings a little; the scene behind pans slowly. Camera
noise lies over everything, so that no two frames are alike. The same seed gives the same frames.
"""

import argparse
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

FOLDER = Path(__file__).parent
PARTS = FOLDER / "clip"
NOISE = 2.0  # standard deviation, of 255
BT709 = LIMITED_RANGE = 1


def make_frames(
    portrait: NDArray[np.uint8], background: NDArray[np.uint8], side: int, frames: int, seed: int
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    """Yield (image (side, side, 3) uint8, alpha (side, side) uint8) of every frame.

    Args:
        portrait: (H, W, 4) uint8 RGBA, its colours free of any background.
        background: (H, W, 3) uint8.
        side: pixels of the square frames.
        frames: how many.
        seed: of the noise.
    """
    random = np.random.default_rng(seed)
    alpha = portrait[..., 3:].astype(np.float32) / 255
    layer = np.dstack([portrait[..., :3] * alpha, alpha])  # premultiplied, so that moving it mixes no colour in
    for time in np.linspace(0, 1, frames):
        moved = move_portrait(layer, side, time)
        behind = pan(background, side, time)
        clean = behind * (1 - moved[..., 3:]) + moved[..., :3]
        noise = cv2.GaussianBlur(random.normal(0, 2 * NOISE, clean.shape).astype(np.float32), (0, 0), 0.6)
        yield to_bytes(clean + noise), to_bytes(moved[..., 3] * 255)


def move_portrait(layer: NDArray[np.float32], side: int, time: float) -> NDArray[np.float32]:
    """The portrait in the frame at `time` from 0 to 1: (side, side, 4), premultiplied.

    Its shoulders reach over the lower edge throughout, because the portrait itself is cut there.
    """
    height, width = layer.shape[:2]
    turn = 2 * np.pi * time
    scale = 1.15 * side / width * (1 + 0.05 * np.sin(turn - np.pi / 2))
    angle = 1.6 * np.sin(2 * turn)  # degrees, about the chest
    matrix = cv2.getRotationMatrix2D((width / 2, height * 0.6), angle, scale)
    matrix[:, 2] += (
        0.51 * side - width / 2 + 0.05 * side * np.sin(turn),
        0.83 * side - height * 0.6 + 0.01 * side * np.sin(2 * turn + 1),
    )
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    aside = np.abs(columns / width - 0.5) * 2  # 0 in the middle, 1 at the sides: the face stays, the hair swings
    swing = 1.5 * aside**2 * np.sin(3 * turn + rows / height * 5)
    from_column = (columns + swing).astype(np.float32)
    swung = cv2.remap(layer, from_column, rows, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    moved = cv2.warpAffine(swung, matrix, (side, side), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    moved[..., 3] = moved[..., 3].clip(0, 1)
    return moved.clip(0, 255)


def pan(background: NDArray[np.uint8], side: int, time: float) -> NDArray[np.float32]:
    """(side, side, 3): a window that wanders from the left to the right of the background."""
    scale = 1.05 * side / background.shape[0]
    spare = background.shape[1] * scale - side
    matrix = np.array([[scale, 0, -spare * (0.35 + 0.3 * time)], [0, scale, -0.02 * side]])
    window = cv2.warpAffine(background, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return window.astype(np.float32)


def to_bytes(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.rint(values.clip(0, 255)).astype(np.uint8)


class Writer:
    """A silent H.264 clip: `with Writer(path, side, rate, crf) as writer: writer.write(pixels)`."""

    def __init__(self, path: Path, side: int, rate: int, crf: int):
        self.container = av.open(str(path), "w", options={"movflags": "+faststart"})
        self.stream = self.container.add_stream("libx264", rate=Fraction(rate), options={"crf": str(crf)})
        self.stream.width, self.stream.height, self.stream.pix_fmt = side, side, "yuv420p"
        context = self.stream.codec_context
        context.color_range = LIMITED_RANGE
        context.colorspace = context.color_primaries = context.color_trc = BT709

    def __enter__(self) -> "Writer":
        return self

    def write(self, pixels: NDArray[np.uint8]) -> None:
        """Add (side, side, 3) or grey (side, side) uint8."""
        colours = pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)
        frame = av.VideoFrame.from_ndarray(colours, format="rgb24")
        frame = frame.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG")
        self.container.mux(self.stream.encode(frame))

    def __exit__(self, *exception) -> None:
        self.container.mux(self.stream.encode(None))
        self.container.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--portrait", type=Path, default=PARTS / "portrait.png", help="RGBA picture (%(default)s)")
    parser.add_argument("--background", type=Path, default=PARTS / "background.jpg", help="picture (%(default)s)")
    parser.add_argument("-o", "--output", type=Path, default=FOLDER, help="folder for clip.mp4 and clip_alpha.mp4")
    parser.add_argument("--side", type=int, default=400, help="pixels of the square frames, even (%(default)s)")
    parser.add_argument("--seconds", type=float, default=5, help="length (%(default)s)")
    parser.add_argument("--rate", type=int, default=25, help="frames per second (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the noise (%(default)s)")
    options = parser.parse_args()
    portrait = np.array(Image.open(options.portrait).convert("RGBA"))
    background = np.array(Image.open(options.background).convert("RGB"))
    frames = make_frames(portrait, background, options.side, round(options.seconds * options.rate), options.seed)
    options.output.mkdir(parents=True, exist_ok=True)
    with (
        Writer(options.output / "clip.mp4", options.side, options.rate, crf=19) as image_writer,
        Writer(options.output / "clip_alpha.mp4", options.side, options.rate, crf=16) as alpha_writer,
    ):
        for image, alpha in frames:
            image_writer.write(image)
            alpha_writer.write(alpha)


if __name__ == "__main__":
    main()
