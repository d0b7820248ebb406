"""Validation of a run on photos that are not trained on."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from matting.evaluation.datasets import Example, Item
from matting.evaluation.metrics import conn, grad, mse, sad, sad_t
from matting.network import SIDE_MULTIPLE, MattingNetwork
from matting.training.pairs import find_pairs, is_set, read_sets


class Scores(NamedTuple):
    """Means over photos, in the units of `matting.evaluation.metrics`; lower is better."""

    sad: float
    sad_t: float
    mse: float
    grad: float
    conn: float


class SetScores(NamedTuple):
    """Scores of the coarse alpha, upsampled bilinearly, and of the refined one."""

    coarse: Scores
    refined: Scores


def find_validation(folders: Sequence[Path], photos: int) -> dict[str, list[Item]]:
    """Up to `photos` photos of each validation set in some folders, evenly spread over it.

    Each folder is a set (`image` and `alpha`, or the layout of P3M-500-NP and P3M-500-P with `mask` and `trimap`), holds some
    (such as P3M-10k's `validation`), or is a root of `SET/val`. Sets without backgrounds are left to `matting.evaluation`.

    Raises:
        ValueError: if a folder has no set, or a set's photos and alphas do not belong together; names the files.
    """
    return {name: _spread(folder, photos) for folder in folders for name, folder in _sets(Path(folder)).items()}


def default_folders(data: Path) -> list[Path]:
    """Where the validation photos of a training set are: in its sets' `val`, or in P3M-10k's `validation`; maybe nowhere."""
    places = (data, data / "validation", data.parent / "validation")
    return [next(place for place in places if _try_sets(place))] if any(map(_try_sets, places)) else []


def _try_sets(folder: Path) -> dict[str, Path]:
    inside = sorted(part for part in folder.iterdir() if part.is_dir()) if folder.is_dir() else []
    without = {name for name, one in read_sets().items() if one.foreground_only}
    roots = {part.name: part / "val" for part in inside if is_set(part / "val") and part.name not in without}
    return roots or {part.name: part for part in inside if is_set(part) and part.name not in ("train", "val")}


def _sets(folder: Path) -> dict[str, Path]:
    if is_set(folder):
        return {folder.parent.name if folder.name == "val" else folder.name: folder}
    found = _try_sets(folder) or _try_sets(folder / "validation")
    if not found:
        raise ValueError(f"expected image and alpha (or P3M-10k's folders) in {folder} or a folder of it, found none")
    return found


def _spread(folder: Path, photos: int) -> list[Item]:
    pairs = find_pairs(folder)
    chosen = [pairs[len(pairs) * i // photos] for i in range(photos)] if len(pairs) > photos else pairs
    trimaps = {path.stem: path for path in (folder / "trimap").iterdir()} if (folder / "trimap").is_dir() else {}
    return [Item("", pair.image.stem, pair.image, pair.alpha, trimaps.get(pair.image.stem)) for pair in chosen]


@torch.inference_mode()
def validate(model: MattingNetwork, sets: dict[str, list[Item]], side: int, device: torch.device) -> dict[str, SetScores]:
    """Scores of a network on each set, against the ground truth at its own size.

    Args:
        model: on the device; left in eval mode.
        sets: see `find_validation`.
        side: longer side of what the network gets, in pixels; both are rounded to multiples of 128.
        device: of the network.
    """
    model.eval()
    return {name: _mean([_score(model, item.load(), side, device) for item in items]) for name, items in sets.items()}


def _score(model: MattingNetwork, example: Example, side: int, device: torch.device) -> SetScores:
    size = example.image.shape[1::-1]
    scale = side / max(size)
    small = [max(1, round(one * scale / SIDE_MULTIPLE)) * SIDE_MULTIPLE for one in size]
    resized = cv2.resize(example.image, small, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    image = torch.from_numpy(resized).to(device).permute(2, 0, 1)[None].float().div(255).contiguous()
    prediction = model(image)
    alphas = (_enlarge(alpha, size) for alpha in (prediction.coarse_alpha, prediction.alpha))
    return SetScores(*(_scores(alpha, example) for alpha in alphas))


def _enlarge(alpha: Tensor, size: tuple[int, int]) -> NDArray[np.float32]:
    pixels = alpha[0, 0].float().cpu().numpy()
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR)).clip(0, 1)


def _scores(alpha: NDArray[np.float32], example: Example) -> Scores:
    truth = example.ground_truth
    differences = sad(alpha, truth), sad_t(alpha, truth, example.trimap), mse(alpha, truth)
    return Scores(*differences, grad(alpha, truth), conn(alpha, truth))


def _mean(scores: list[SetScores]) -> SetScores:
    means = np.array(scores).mean(0)  # (2, 5)
    return SetScores(*(Scores(*map(float, row)) for row in means))


def log_validation(path: Path, step: int, scores: dict[str, SetScores]) -> None:
    """Append a row for each set and stage."""
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.writer(file)
        if new:
            writer.writerow(["step", "set", "stage", *Scores._fields])
        for name, both in scores.items():
            writer.writerows([step, name, stage, *one] for stage, one in both._asdict().items())


def overall(scores: dict[str, SetScores], coarse_only: bool) -> float:
    """What the best checkpoint is chosen by: the mean of the sets' SAD, refined if the refinement is trained."""
    return float(np.mean([(both.coarse if coarse_only else both.refined).sad for both in scores.values()]))
