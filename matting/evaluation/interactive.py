"""How much a dab of the brush mends: somebody who touches up the largest mistake of a matte, and then the next one.

    python -m matting.evaluation.interactive --root DATA

The hand is a simple one: a dab on the innermost point of the largest piece that is wrong by more than a half, with the app's
brush, or a smaller one that the piece has room for; pieces with no room for the smallest brush are left. A literal brush would
change what it covers and nothing else; it dabs at its own largest mistakes for comparison.
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from matting.evaluation.datasets import PORTRAIT_SETS, Example, find_items
from matting.evaluation.metrics import mad
from matting.inference.photo import matte_image
from matting.network import MattingNetwork
from matting.weights import load_model

LARGEST_BRUSH, SMALLEST_BRUSH = 0.018, 0.006  # radius, of the longer side
DABS = 3

Brush = Callable[[NDArray[np.float32], "Dab"], NDArray[np.float32]]


class Dab(NamedTuple):
    """Where the brush is put down, in pixels, and whether it keeps or removes."""

    row: int
    column: int
    radius: int
    keep: bool

    def on(self, picture: NDArray, kept: float, removed: float) -> None:
        """Paint it."""
        cv2.circle(picture, (self.column, self.row), self.radius, kept if self.keep else removed, -1)


class Mended(NamedTuple):
    """Mean absolute errors of one photo, before and after each dab, with our brush and with a literal one."""

    ours: tuple[float, ...]
    literal: tuple[float, ...]


def largest_mistake(alpha: NDArray[np.float32], truth: NDArray[np.float32]) -> Dab | None:
    """A dab on the largest piece that is wrong by more than a half; None if there is none with room for a brush."""
    wrong = (np.abs(alpha - truth) > 0.5).astype(np.uint8)
    _, pieces, numbers, _ = cv2.connectedComponentsWithStats(wrong, connectivity=4)
    if len(numbers) < 2:
        return None
    piece = (pieces == 1 + numbers[1:, cv2.CC_STAT_AREA].argmax()).astype(np.uint8)
    room = cv2.distanceTransform(np.pad(piece, 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    row, column = (int(index) for index in np.unravel_index(int(room.argmax()), room.shape))
    side = max(alpha.shape)
    if room[row, column] < SMALLEST_BRUSH * side:
        return None
    return Dab(row, column, round(min(LARGEST_BRUSH * side, room[row, column])), bool(truth[row, column] > alpha[row, column]))


def mend(example: Example, model: MattingNetwork) -> Mended:
    """Touch up a photo's largest mistakes, one after the other, with both brushes."""
    scribbles = np.zeros(example.truth.shape, np.int8)

    def ours(alpha: NDArray[np.float32], dab: Dab) -> NDArray[np.float32]:
        dab.on(scribbles, 1, -1)
        return matte_image(example.image, model, scribbles=scribbles).alpha

    def literal(alpha: NDArray[np.float32], dab: Dab) -> NDArray[np.float32]:
        changed = alpha.copy()
        dab.on(changed, 1, 0)
        return changed

    alpha = matte_image(example.image, model).alpha
    return Mended(errors_of(ours, alpha, example.truth), errors_of(literal, alpha, example.truth))


def errors_of(brush: Brush, alpha: NDArray[np.float32], truth: NDArray[np.float32]) -> tuple[float, ...]:
    """Mean absolute error of an alpha, and after each dab of a brush."""
    errors = [mad(alpha, truth)]
    for _ in range(DABS):
        dab = largest_mistake(alpha, truth)
        if dab is not None:
            alpha = brush(alpha, dab)
        errors.append(mad(alpha, truth))
    return tuple(errors)


def mend_all(root: Path, model: MattingNetwork, limit: int | None) -> Iterator[tuple[str, list[Mended]]]:
    """Every validation photo of every set, touched up."""
    items = find_items("portraits", root)
    for name in PORTRAIT_SETS:
        chosen = [item for item in items if item.subset == name][:limit]
        yield name, [mend(item.load(), model) for item in tqdm(chosen, desc=name, mininterval=2)]


def rows(name: str, photos: list[Mended]) -> Iterator[str]:
    """Two rows of the table: of the photos with a mistake to touch up, the mean errors with either brush."""
    touched = [photo for photo in photos if photo.literal[-1] != photo.literal[0]]
    for title, errors in (("ours", [photo.ours for photo in touched]), ("literal", [photo.literal for photo in touched])):
        values = np.array(errors).reshape(-1, DABS + 1)
        numbers = " | ".join(f"{value:.4f}" for value in values.mean(0)) if len(values) else " | ".join("-" * (DABS + 1))
        yield f"| {name}, {len(touched)} of {len(photos)} | {title} | {numbers} | {(values[:, -1] > values[:, 0]).sum()} |"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m matting.evaluation.interactive", description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="folder of the portrait sets")
    parser.add_argument("--weights", default="bundled")
    parser.add_argument("--limit", type=int, help="photos per set")
    arguments = parser.parse_args()
    model = load_model(arguments.weights)
    titles = ["photos", "brush", "no dab", *(f"{count} dab{'s' * (count > 1)}" for count in range(1, DABS + 1))]
    print(f"| {' | '.join(titles)} | worse |\n|{'---|' * (len(titles) + 1)}")
    for name, photos in mend_all(arguments.root, model, arguments.limit):
        print(*rows(name, photos), sep="\n", flush=True)


if __name__ == "__main__":
    main()
