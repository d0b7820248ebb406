"""Recipes from the first phase to the sheet, within their time, and data packed for another machine."""

import csv
import zipfile
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from matting.training import recipe
from matting.training import train as training
from matting.training.config_files import Phase
from matting.training.pairs import list_people
from matting.training.prepare import read_pair


@pytest.mark.slow
def test_the_tiny_recipe_runs_to_its_end(portraits: Path, tmp_path: Path):
    """The first command of matting/training/README.md, with packed data."""
    out = tmp_path / "run"
    archive = tmp_path / "people.zip"
    recipe.main(["--config", "tiny", "--data", str(portraits), "--pack", str(archive)])
    words = ["--config", "tiny", "--data", str(archive), "--out", str(out), "--device", "cpu"]
    recipe.main([*words, "--max-minutes", "2"])
    coarse, refined, mean = (load_file(out / name / "ema.safetensors") for name in ("coarse", "refined", "mean"))
    name = next(name for name in mean if name.startswith("refine") and name.endswith("weight"))
    assert torch.allclose(mean[name], coarse[name].lerp(refined[name], 0.7), atol=1e-6)
    assert (out / "weights.safetensors").read_bytes() == (out / "mean/ema.safetensors").read_bytes()
    with (out / "losses.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["phase"], row["step"]) for row in rows] == [(n, s) for n in ("coarse", "refined") for s in ("4", "8")]
    with Image.open(out / "sheet.jpg") as sheet:
        assert sheet.size == (5 * 512, 2 * 512)
    changed = (out / "coarse/ema.safetensors").stat().st_mtime_ns
    recipe.main(words)
    assert (out / "coarse/ema.safetensors").stat().st_mtime_ns == changed, "phases that are complete stay"


@pytest.mark.slow
def test_a_phase_ends_with_its_time_and_its_learning_rate(portraits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    ticks = count(0, 0.2)  # seconds, of a clock that goes on when somebody looks at it
    monkeypatch.setattr(training, "time", SimpleNamespace(monotonic=lambda: next(ticks)))
    options = {"size": 128, "batch": 1, "steps": 100_000, "max_regions": 0, "log_every": 1, "num_workers": 1, "device": "cpu"}
    recipe.train_recipe([Phase("one", {**options, "val_side": 128}, 1.0)], portraits, tmp_path, max_minutes=0.15)
    with (tmp_path / "losses.csv").open() as file:
        rates = [float(row["rate"]) for row in csv.DictReader(file)]
    assert 10 < len(rates) < 20 and rates[-1] < 0.2 * max(rates)


def test_minutes_are_shared_among_the_phases_that_are_left():
    phases = [Phase("a", {}, 1), Phase("mean", {"average": ["a", "a"]}, 1), Phase("b", {}, 3)]
    assert recipe._minutes(phases, 8) == 2 and recipe._minutes(phases[1:], 5) == 5 and recipe._minutes(phases, -1) == 0


def test_what_is_packed_is_read_again(portraits: Path, tmp_path: Path):
    said = recipe.pack(portraits, tmp_path / "people.zip", 1)
    assert "4 of 4 people, 2 validation photos, 1 backgrounds" in said
    with recipe.unpacked(tmp_path / "people.zip") as folder:
        pairs = list_people(folder).pairs
        assert [pair.image.parents[2].name for pair in pairs] == [
            pair.image.parents[2].name for pair in list_people(portraits).pairs
        ]
        image, alpha = read_pair(pairs[0])
        assert max(alpha.shape) < 96 and alpha.max() == 255
        assert np.abs(image[alpha == 255].mean(0) - [200, 150, 100]).max() < 6
        assert (folder / "backgrounds/wall.webp").exists()
    assert not folder.exists()


def test_an_archive_is_no_larger_than_it_may_be(portraits: Path, tmp_path: Path):
    archive = tmp_path / "people.zip"
    said = recipe.pack(portraits, archive, 6000 / 2**20)
    assert archive.stat().st_size <= 6000 and "4 of 4" not in said
    with zipfile.ZipFile(archive) as file:
        assert file.testzip() is None
    with pytest.raises(ValueError, match="room for people"):
        recipe.pack(portraits, tmp_path / "small.zip", 500 / 2**20)
    assert not (tmp_path / "small.zip").exists()


def test_data_that_is_neither_folder_nor_archive_is_refused(tmp_path: Path):
    (tmp_path / "x").write_text("no")
    with pytest.raises(ValueError, match="expected a folder or an archive"), recipe.unpacked(tmp_path / "x"):
        pass
