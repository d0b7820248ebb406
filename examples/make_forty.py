"""Draw forty pictures that are in no split, with their cut-outs on green, to be looked at.

    PYTHONPATH=. python examples/make_forty.py --root DATA --out mattes --seed 1

They are made of validation people and parts of validation photos: portraits, groups, dark ones, crops, people far away and
turned photos. Another seed makes forty others.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from matting import load_model, matte_image
from matting.evaluation.conditions import SIDE, Floats, Portrait, Scene, dark, place
from matting.evaluation.datasets import KEYED, STREET, find_items
from matting.evaluation.figures import Panel, sheet
from matting.evaluation.robustness import load_portrait, load_scenes, load_whole_people

GREEN = (0, 177, 64)
CELL = 320
_COUNTS = {"portrait": 8, "group": 6, "dark": 6, "crop": 8, "far": 6, "turned": 6}
_TURN_DEGREES = 20


def draw_pictures(root: Path, seed: int) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Kind and picture, forty times."""
    rng = np.random.default_rng(seed)
    items = find_items("portraits", root)
    keyed = [load_portrait(item) for item in items if item.subset == KEYED]
    whole = load_whole_people([item for item in items if item.subset == STREET], 30)
    photos = [item for item in items if item.subset != KEYED]
    scenes = load_scenes(root / "backgrounds")
    for kind, count in _COUNTS.items():
        for _ in range(count):
            scene = scenes[rng.integers(len(scenes))]
            who, other = (keyed[i] for i in rng.choice(len(keyed), 2, replace=False))
            if kind == "portrait":
                yield kind(_frame(who, place(who, scene, rng.uniform(0.6, 1.1), rng.uniform(0.35, 0.65))))
            elif kind == "group":
                yield kind(_group(whole, scene, rng))
            elif kind == "dark":
                yield kind(dark(who, other, [scene], rng).image)
            elif kind == "far":
                person = whole[rng.integers(len(whole))]
                yield kind(place(person, scene, rng.uniform(0.1, 0.3), rng.uniform(0.2, 0.8)).shot().image)
            else:
                image = photos[rng.integers(len(photos))].load().image
                yield kind, _crop(image, rng) if kind == "crop" else _turn(image, rng)


def _frame(who: Portrait, scene: Scene) -> Floats:
    """The picture of a scene, cut where the portrait's own sides cut the shoulders off."""
    columns = np.flatnonzero((scene.alpha > 0.5).any(0))
    left = columns[0] if who.alpha[:, 0].max() > 0.5 else 0
    right = columns[-1] + 1 if who.alpha[:, -1].max() > 0.5 else SIDE
    return scene.shot().image[:, left:right]


def _group(people: list[Portrait], scene: Floats, rng: np.random.Generator) -> Floats:
    """Three people from head to foot beside each other, each a little in front of the one before."""
    for centre, index in zip((0.3, 0.7, 0.5), rng.choice(len(people), 3, replace=False), strict=True):
        scene = place(people[index], scene, rng.uniform(0.7, 0.95), centre + rng.uniform(-0.05, 0.05)).shot().image
    return scene


def _crop(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Half to three quarters of each side, from the upper part of the photo."""
    height, width = (round(side * rng.uniform(0.5, 0.75)) for side in image.shape[:2])
    top, left = round(rng.uniform(0, 0.3) * (image.shape[0] - height)), rng.integers(0, image.shape[1] - width)
    return image[top : top + height, left : left + width]


def _turn(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), rng.uniform(-_TURN_DEGREES, _TURN_DEGREES), 1.0)
    return cv2.warpAffine(image, turn, (width, height), borderMode=cv2.BORDER_REFLECT)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, required=True, metavar="DIR")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="gets one sheet per kind")
    parser.add_argument("--weights", default="bundled", help="bundled, a file, or hub:OWNER/REPO (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    model = load_model(options.weights)
    sheets: dict[str, list[list[Panel]]] = {kind: [] for kind in _COUNTS}
    for kind, image in draw_pictures(options.root, options.seed):
        on_green = matte_image(image, model).composite(GREEN)
        sheets[kind].append([Panel(image, f"{kind} {len(sheets[kind]) + 1}"), Panel(on_green, "cut out")])
    options.out.mkdir(parents=True, exist_ok=True)
    for kind, rows in sheets.items():
        Image.fromarray(sheet(rows, CELL)).save(options.out / f"{kind}.jpg", quality=92)


if __name__ == "__main__":
    main()
