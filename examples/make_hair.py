"""Draw hair as two mattes have it, at full size, on a bright and on a dark background.

python examples/make_hair.py PHOTOS BEFORE AFTER --out hair.jpg, where BEFORE and AFTER hold the alphas of the photos as
`python -m matting PHOTOS -o BEFORE --only-mask` writes them.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from matting.postprocess.compositing import compose
from matting.postprocess.foreground import estimate_foreground

SIDE = 300  # pixels of a part
GAP = 6
BRIGHT, DARK = (232, 236, 240), (24, 26, 32)


def place(alphas: list[NDArray[np.float32]]) -> tuple[slice, slice]:
    """The part of a photo that is softest in all alphas together."""
    softness = sum(4 * alpha * (1 - alpha) for alpha in alphas)
    mean = cv2.boxFilter(softness, -1, (SIDE, SIDE))
    half = SIDE // 2
    inner = mean[half : mean.shape[0] - half, half : mean.shape[1] - half]
    top, left = np.unravel_index(int(inner.argmax()), inner.shape)
    return slice(int(top), int(top) + SIDE), slice(int(left), int(left) + SIDE)


def draw_row(photo: Path, folders: list[Path]) -> NDArray[np.uint8]:
    """The photo, then before and after on bright, then both on dark."""
    with Image.open(photo) as file:
        image = np.asarray(file.convert("RGB"))
    alphas = []
    for folder in folders:
        with Image.open(folder / f"{photo.stem}.png") as file:
            alphas.append(np.asarray(file.convert("L")) / np.float32(255))
    part = place(alphas)
    colours = [estimate_foreground(image, alpha) for alpha in alphas]
    panels = [image[part]]
    for background in (BRIGHT, DARK):
        panels += [compose(colour, alpha, background)[part] for colour, alpha in zip(colours, alphas, strict=True)]
    return np.hstack([np.pad(panel, ((0, GAP), (0, GAP), (0, 0)), constant_values=255) for panel in panels])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--names", nargs="+", help="stems of the photos to show; default: all")
    options = parser.parse_args()
    photos = [path for path in sorted(options.photos.iterdir()) if not options.names or path.stem in options.names]
    sheet = np.vstack([draw_row(photo, [options.before, options.after]) for photo in photos])
    Image.fromarray(sheet[:-GAP, :-GAP]).save(options.out, quality=88)


if __name__ == "__main__":
    main()
