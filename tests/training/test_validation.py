"""Validation sets in all layouts, their scores, and the best checkpoint."""

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from matting.evaluation.datasets import Item
from matting.network import MattingNetwork
from matting.training import train as training
from matting.training.validation import Scores, SetScores, default_folders, find_validation, overall, validate


@pytest.fixture
def p3m(portraits: Path, tmp_path: Path) -> Path:
    """A P3M-10k of two people in `train`, P3M-500-NP and P3M-500-P."""
    source = portraits / "cc0_portraits/train"
    for part, photos in (
        ("train", "blurred_image"),
        ("validation/P3M-500-NP", "original_image"),
        ("validation/P3M-500-P", "blurred_image"),
    ):
        shutil.copytree(source / "image", tmp_path / "P3M-10k" / part / photos)
        shutil.copytree(source / "alpha", tmp_path / "P3M-10k" / part / "mask")
    trimaps = tmp_path / "P3M-10k/validation/P3M-500-NP/trimap"
    trimaps.mkdir()
    for path in (source / "alpha").iterdir():
        Image.new("L", (96, 96), 128).save(trimaps / path.name)
    return tmp_path / "P3M-10k"


def names(*folders: Path) -> dict[str, int]:
    return {name: len(items) for name, items in find_validation(folders, 9).items()}


def test_sets_are_found_in_every_layout(p3m: Path, portraits: Path):
    both = {"P3M-500-NP": 2, "P3M-500-P": 2}
    assert names(p3m) == names(p3m / "validation") == both
    assert names(p3m / "validation/P3M-500-P") == {"P3M-500-P": 2}
    assert names(portraits) == names(portraits / "cc0_portraits/val") == {"cc0_portraits": 2}
    assert names(*default_folders(p3m / "train")) == names(*default_folders(p3m)) == both
    assert names(*default_folders(portraits)) == {"cc0_portraits": 2}
    assert default_folders(p3m / "train/mask") == []
    with pytest.raises(ValueError, match="expected image and alpha"):
        find_validation([p3m / "train/mask"], 9)


def test_trimaps_that_a_set_has_are_used_and_photos_spread_over_it(p3m: Path):
    items = find_validation([p3m / "validation"], 1)
    assert [len(one) for one in items.values()] == [1, 1]
    assert items["P3M-500-NP"][0].trimap is not None and items["P3M-500-P"][0].trimap is None
    assert (items["P3M-500-NP"][0].load().trimap == 128).all()


@pytest.mark.slow
def test_scores_are_those_of_both_stages(lite_model: MattingNetwork, portraits: Path):
    item = find_validation([portraits / "cc0_portraits/val"], 1)["cc0_portraits"][0]
    (both,) = validate(lite_model, {"one": [item]}, 128, torch.device("cpu")).values()
    image = torch.from_numpy(np.array(Image.open(item.image).resize((128, 128), Image.Resampling.BICUBIC)))
    with torch.inference_mode():
        alpha = lite_model(image.permute(2, 0, 1)[None].float() / 255).alpha[0, 0].numpy()
    truth = np.asarray(Image.open(item.alpha).resize((128, 128))) / 255
    assert both.refined.sad == pytest.approx(np.abs(alpha - truth).sum() / 1000 * (96 / 128) ** 2, rel=0.05)
    assert both.coarse != both.refined and min(both.coarse) >= 0


def test_the_best_is_chosen_by_the_stage_that_is_trained():
    one, other = Scores(1, 0, 0, 0, 0), Scores(3, 0, 0, 0, 0)
    scores = {"a": SetScores(one, other), "b": SetScores(other, other)}
    assert overall(scores, coarse_only=True) == 2 and overall(scores, coarse_only=False) == 3


@pytest.mark.slow
def test_the_best_checkpoint_is_kept_beside_the_last(p3m: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    sads = iter([2.0, 1.0, 3.0, 2.5])

    def scored(model: MattingNetwork, sets: dict[str, list[Item]], side: int, device: torch.device) -> dict[str, SetScores]:
        scores = Scores(next(sads), 0, 0, 0, 0)
        return {"P3M-500-NP": SetScores(scores, scores)}

    monkeypatch.setattr(training, "validate", scored)
    words = ["--data", str(p3m / "train"), "--out", str(tmp_path / "run"), "--size", "128", "--batch", "1", "--device", "cpu"]
    more = ["--steps", "3", "--max-regions", "0", "--checkpoint-minutes", "0", "--num-workers", "1"]
    training.train(training.parse_arguments([*words, *more]))
    best, last = ((tmp_path / "run" / name).read_bytes() for name in ("best.safetensors", "ema.safetensors"))
    assert best != last
    assert torch.load(tmp_path / "run/state.pt", weights_only=True)["best"] == 1.0
    with (tmp_path / "run/validation.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["1", "1", "2", "2", "3", "3", "3", "3"]
    assert {row["stage"] for row in rows} == {"coarse", "refined"} and rows[2]["sad"] == "1.0"
