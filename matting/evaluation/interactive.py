"""Interactive evaluation: the error after simulated clicks with the correction brush.

    python -m matting.evaluation.interactive --root DATA

As in interactive segmentation, each click goes to the innermost point of the largest connected component with an absolute error
above 0.5. It paints a disc with the app's brush, or a smaller one that fits into the component; components without room for the
smallest brush are skipped. For comparison, a literal brush that changes only the pixels it covers makes its own clicks.
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

LARGEST_BRUSH, SMALLEST_BRUSH = 0.018, 0.006  # radius, as a share of the longer side
CLICKS = 3

Brush = Callable[[NDArray[np.float32], "Click"], NDArray[np.float32]]


class Click(NamedTuple):
    """A disc painted with the brush: centre and radius in pixels, and whether its label is foreground (keep) or background."""

    row: int
    column: int
    radius: int
    keep: bool

    def paint(self, plane: NDArray, foreground: float, background: float) -> None:
        """Fill the disc in a plane (H, W) with the value of its label, in place."""
        cv2.circle(plane, (self.column, self.row), self.radius, foreground if self.keep else background, -1)


class ClickErrors(NamedTuple):
    """Mean absolute errors of one photo before and after each click, with this project's brush and with a literal one."""

    ours: tuple[float, ...]
    literal: tuple[float, ...]


def next_click(alpha: NDArray[np.float32], ground_truth: NDArray[np.float32]) -> Click | None:
    """A click into the largest component with an absolute error above 0.5; None if there is none or no room for a brush."""
    wrong = (np.abs(alpha - ground_truth) > 0.5).astype(np.uint8)
    _, components, statistics, _ = cv2.connectedComponentsWithStats(wrong, connectivity=4)
    if len(statistics) < 2:
        return None
    largest = (components == 1 + statistics[1:, cv2.CC_STAT_AREA].argmax()).astype(np.uint8)
    room = cv2.distanceTransform(np.pad(largest, 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    row, column = (int(index) for index in np.unravel_index(int(room.argmax()), room.shape))
    side = max(alpha.shape)
    if room[row, column] < SMALLEST_BRUSH * side:
        return None
    return Click(
        row, column, round(min(LARGEST_BRUSH * side, room[row, column])), bool(ground_truth[row, column] > alpha[row, column])
    )


def evaluate_photo(example: Example, model: MattingNetwork) -> ClickErrors:
    """Correct a photo's largest errors one after the other, with either brush."""
    scribbles = np.zeros(example.ground_truth.shape, np.int8)

    def ours(alpha: NDArray[np.float32], click: Click) -> NDArray[np.float32]:
        click.paint(scribbles, 1, -1)
        return matte_image(example.image, model, scribbles=scribbles).alpha

    def literal(alpha: NDArray[np.float32], click: Click) -> NDArray[np.float32]:
        changed = alpha.copy()
        click.paint(changed, 1, 0)
        return changed

    alpha = matte_image(example.image, model).alpha
    return ClickErrors(
        errors_per_click(ours, alpha, example.ground_truth), errors_per_click(literal, alpha, example.ground_truth)
    )


def errors_per_click(brush: Brush, alpha: NDArray[np.float32], ground_truth: NDArray[np.float32]) -> tuple[float, ...]:
    """Mean absolute error of an alpha, and after each click of a brush."""
    errors = [mad(alpha, ground_truth)]
    for _ in range(CLICKS):
        click = next_click(alpha, ground_truth)
        if click is not None:
            alpha = brush(alpha, click)
        errors.append(mad(alpha, ground_truth))
    return tuple(errors)


def evaluate_all(root: Path, model: MattingNetwork, limit: int | None) -> Iterator[tuple[str, list[ClickErrors]]]:
    """Name and photos of every portrait set, evaluated on its validation split."""
    items = find_items("portraits", root)
    for name in PORTRAIT_SETS:
        chosen = [item for item in items if item.subset == name][:limit]
        yield name, [evaluate_photo(item.load(), model) for item in tqdm(chosen, desc=name, mininterval=2)]


def rows(name: str, photos: list[ClickErrors]) -> Iterator[str]:
    """Two rows of the table: mean errors with either brush, over the photos with at least one click."""
    clicked = [photo for photo in photos if photo.literal[-1] != photo.literal[0]]
    for title, errors in (("ours", [photo.ours for photo in clicked]), ("literal", [photo.literal for photo in clicked])):
        values = np.array(errors).reshape(-1, CLICKS + 1)
        numbers = " | ".join(f"{value:.4f}" for value in values.mean(0)) if len(values) else " | ".join("-" * (CLICKS + 1))
        yield f"| {name}, {len(clicked)} of {len(photos)} | {title} | {numbers} | {(values[:, -1] > values[:, 0]).sum()} |"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m matting.evaluation.interactive", description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="folder of the portrait sets")
    parser.add_argument("--weights", default="bundled")
    parser.add_argument("--limit", type=int, help="photos per set")
    arguments = parser.parse_args()
    model = load_model(arguments.weights)
    titles = ["photos", "brush", "no click", *(f"{count} click{'s' * (count > 1)}" for count in range(1, CLICKS + 1))]
    print(f"| {' | '.join(titles)} | worse |\n|{'---|' * (len(titles) + 1)}")
    for name, photos in evaluate_all(arguments.root, model, arguments.limit):
        print(*rows(name, photos), sep="\n", flush=True)


if __name__ == "__main__":
    main()
