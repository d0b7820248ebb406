"""Robustness: errors under hard conditions (`matting.evaluation.conditions`), far from any edge, and in narrow gaps.

    python -m matting.evaluation.robustness --root DATA

The test images are composites of the keyed validation portraits, whose colours and alphas are exact; small people are full
bodies from street photos, whose masks are exact enough at that size. Random numbers are seeded by file names: every run uses
the same images.
"""

import argparse
import zlib
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from matting.evaluation.conditions import CONDITIONS, FULL_BODY, SIDE, Floats, Portrait, Shot
from matting.evaluation.datasets import FLICKR, KEYED, PORTRAIT_SETS, STREET, Item, evaluation_backgrounds, find_items
from matting.evaluation.metrics import GAP_PX, enclosed_background, far_errors, iou, mad
from matting.inference.photo import matte_image
from matting.network import MattingNetwork
from matting.postprocess.bit_depth import to_8_bit
from matting.weights import load_model

SCENES = 16
_SETS_WITH_GAPS = (STREET, FLICKR)
FOUND_IOU = 0.5  # from which on a person counts as found


class ConditionScores(NamedTuple):
    """Means over the images of one condition: MAD, IoU, and the share of images with an IoU of at least 0.5.

    MAD is a mean over the whole image, so a small person who is not found hardly changes it; the other two show that.
    """

    mad: float
    iou: float
    found: float


def shots(items: Sequence[Item], whole: Sequence[Portrait], scenes: Sequence[Floats]) -> Iterator[tuple[str, Shot]]:
    """Every keyed portrait under every condition, with the condition's name.

    Args:
        items: the keyed portraits; the next one in the list is the second person where a condition needs one.
        whole: full bodies, at least one, for the conditions in `FULL_BODY`.
        scenes: backgrounds without people, (SIDE, SIDE, 3) in [0, 1].
    """
    portraits = [load_portrait(item) for item in items]
    for index, (item, who) in enumerate(zip(items, portraits, strict=True)):
        other = portraits[(index + 1) % len(portraits)]
        for name, condition in CONDITIONS.items():
            rng = np.random.default_rng(zlib.crc32(f"{item.name} {name}".encode()))
            start = zlib.crc32(item.name.encode()) % len(scenes)
            person = whole[index % len(whole)] if name in FULL_BODY else who
            image, alpha = condition(person, other, [*scenes[start:], *scenes[:start]], rng)
            yield name, Shot(image, alpha)


def load_portrait(item: Item) -> Portrait:
    """Read a portrait at the size of its files; raises ValueError if its alpha has no file of its own."""
    if item.alpha is None:
        raise ValueError(f"expected a portrait with a file of its alpha, {item.name} has none")
    with Image.open(item.image) as image, Image.open(item.alpha) as alpha:
        planes = np.dstack([np.asarray(image.convert("RGB")), np.asarray(alpha.convert("L"))])
    planes = planes.astype(np.float32) / np.float32(255)
    return Portrait(planes[..., :3], planes[..., 3])


def load_whole_people(items: Sequence[Item], most: int) -> list[Portrait]:
    """The first `most` portraits that are complete (see `Portrait.is_whole`), cropped to the person.

    Raises:
        ValueError: if there is none.
    """
    people = list(islice((portrait.trim() for portrait in map(load_portrait, items) if portrait.is_whole()), most))
    if not people:
        raise ValueError(f"expected a photo of a whole person, got none among {len(items)}")
    return people


def load_scenes(paths: Sequence[Path]) -> list[Floats]:
    """`SCENES` backgrounds at even steps through a list, the central square of each, (SIDE, SIDE, 3) in [0, 1]."""
    scenes = []
    for path in paths[:: max(1, len(paths) // SCENES)][:SCENES]:
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB"), np.float32) / 255
        side = min(pixels.shape[:2])
        top, left = (pixels.shape[0] - side) // 2, (pixels.shape[1] - side) // 2
        square = pixels[top : top + side, left : left + side]
        scenes.append(cv2.resize(square, (SIDE, SIDE), interpolation=cv2.INTER_AREA))
    return scenes


def measure_conditions(root: Path, model: MattingNetwork, limit: int | None) -> dict[str, ConditionScores]:
    """Scores of the refined alpha under every condition."""
    portraits = find_items("portraits", root)
    items = [item for item in portraits if item.subset == KEYED][:limit]
    whole = load_whole_people([item for item in portraits if item.subset == STREET], len(items))
    measured: dict[str, list[tuple[float, float]]] = {name: [] for name in CONDITIONS}
    pictures = shots(items, whole, load_scenes(evaluation_backgrounds(root)))
    for name, shot in tqdm(pictures, total=len(items) * len(CONDITIONS), desc="conditions", mininterval=2):
        alpha = matte_image(to_8_bit(shot.image), model).alpha
        measured[name].append((mad(alpha, shot.alpha), iou(alpha, shot.alpha)))
    return {name: _scores(np.array(values)) for name, values in measured.items()}


def _scores(values: NDArray[np.float64]) -> ConditionScores:
    errors, overlaps = values.T
    return ConditionScores(float(errors.mean()), float(overlaps.mean()), float((overlaps >= FOUND_IOU).mean()))


def measure_far_errors(root: Path, model: MattingNetwork, limit: int | None) -> dict[str, list[float]]:
    """`far_errors` of the coarse alpha, one per validation photo, by set."""
    shares: dict[str, list[float]] = {name: [] for name in PORTRAIT_SETS}
    items = find_items("portraits", root)
    for name in PORTRAIT_SETS:
        for item in tqdm([item for item in items if item.subset == name][:limit], desc=name, mininterval=2):
            example = item.load()
            matte = matte_image(example.image, model, refine=False)
            shares[name].append(far_errors(matte.alpha, example.ground_truth))
    return shares


class Gaps(NamedTuple):
    """Pixels of narrow gaps through people, and how many of them are kept as foreground."""

    pixels: int
    kept: int


def measure_gaps(root: Path, model: MattingNetwork, limit: int | None) -> dict[str, Gaps]:
    """`enclosed_background` of the sets whose masks have gaps cut out by hand."""
    items = find_items("portraits", root)
    gaps = {}
    for name in _SETS_WITH_GAPS:
        pixels = kept = 0
        for item in tqdm([item for item in items if item.subset == name][:limit], desc=f"{name} gaps", mininterval=2):
            example = item.load()
            enclosed = enclosed_background(example.ground_truth)
            if enclosed.any():
                alpha = matte_image(example.image, model).alpha
                pixels, kept = pixels + int(enclosed.sum()), kept + int((alpha[enclosed] > 0.5).sum())
        gaps[name] = Gaps(pixels, kept)
    return gaps


def report(conditions: dict[str, ConditionScores], far: dict[str, list[float]], gaps: dict[str, Gaps]) -> str:
    """All tables as Markdown."""
    return "\n\n".join([_condition_table(conditions), _far_table(far), _gap_table(gaps)])


def _condition_table(conditions: dict[str, ConditionScores]) -> str:
    clean = conditions["clean"].mad
    lines = ["| condition | MAD | of clean | IoU | found |", "|---|---|---|---|---|"]
    for name, (error, overlap, found) in conditions.items():
        lines += [f"| {name} | {error:.4f} | {error / clean:.2f}x | {overlap:.4f} | {found:.0%} |"]
    return "\n".join(lines)


def _far_table(far: dict[str, list[float]]) -> str:
    lines = ["| photos | far errors, mean | worst |", "|---|---|---|"]
    lines += [f"| {name} | {np.mean(v):.2%} | {np.max(v):.2%} |" for name, v in far.items() if v]
    everything = np.concatenate(list(far.values()))
    lines += [f"| all | {everything.mean():.2%} | {everything.max():.2%} |", ""]
    lines += ["Far errors: share of the picture where the coarse alpha is wrong by more than 0.5, farther than 24 px from"]
    return "\n".join([*lines, "the true edge."])


def _gap_table(gaps: dict[str, Gaps]) -> str:
    lines = ["| photos | pixels in narrow gaps | kept |", "|---|---|---|"]
    lines += [f"| {name} | {pixels} | {kept / max(1, pixels):.1%} |" for name, (pixels, kept) in gaps.items()]
    return "\n".join([*lines, "", f"Narrow gaps: background between parts of somebody that are less than {GAP_PX} px apart."])


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m matting.evaluation.robustness", description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, required=True, metavar="DIR", help="folder of the portrait sets")
    parser.add_argument("--weights", default="bundled", help="bundled, a file, or hub:OWNER/REPO (default: %(default)s)")
    parser.add_argument("--device", default="auto", help="(default: %(default)s)")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N photos of each set")
    options = parser.parse_args(arguments)
    try:
        model = load_model(options.weights, options.device)
        conditions = measure_conditions(options.root, model, options.limit)
        far = measure_far_errors(options.root, model, options.limit)
        gaps = measure_gaps(options.root, model, options.limit)
    except ValueError as error:
        parser.error(str(error))
    print(report(conditions, far, gaps))


if __name__ == "__main__":
    main()
