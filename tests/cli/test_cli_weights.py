"""python -m matting.weights: what it prints and what it refuses; and the weights the app starts with."""

import hashlib
import os
import runpy
from pathlib import Path

import pytest
import torch

from matting.cli.weights import main
from matting.weights import load_model, locate, read_metadata
from matting.weights.card import model_card
from matting.weights.original import from_original
from matting.weights.sources import BUNDLED, bundled_entry

APP = Path(__file__).parents[2] / "app.py"


def refusal(capsys, *arguments: str) -> str:
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2
    return capsys.readouterr().err


def test_info_tells_what_a_source_holds(capsys):
    assert main(["info", "bundled"]) == 0
    printed = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    data = locate("bundled").read_bytes()
    assert printed["bytes"] == f"{len(data):,}" and printed["sha256"] == hashlib.sha256(data).hexdigest()
    assert printed["preset"] == "lite" and printed["licence"] == "Apache-2.0" and printed["format"] == "safetensors"
    assert printed["weights"].endswith("parameters, 489 tensors, all finite")


@pytest.mark.slow
def test_a_checkpoint_of_the_authors_is_converted(checkpoint, tmp_path, capsys):
    target = tmp_path / "paper.safetensors"
    assert main(["convert", str(checkpoint), str(target)]) == 0
    assert f"{target}: preset paper, " in capsys.readouterr().out
    expected = from_original(torch.load(checkpoint, weights_only=True)["mat_model"])
    loaded = load_model(target, "cpu").state_dict()
    assert loaded.keys() == expected.keys()
    assert all(torch.equal(loaded[key], value.to(loaded[key].dtype)) for key, value in expected.items())
    assert read_metadata(target)["converted_from"] == "their.pth"
    main(["info", str(checkpoint)])
    assert "checkpoint of the authors\npreset   paper" in capsys.readouterr().out


def test_what_is_not_converted(checkpoint, tmp_path, capsys):
    assert "ends in .pth or .pt" in refusal(capsys, "convert", str(locate("bundled")), str(tmp_path / "a.safetensors"))
    assert "ends in .safetensors" in refusal(capsys, "convert", str(checkpoint), str(tmp_path / "a.pth"))
    (tmp_path / "cut.pth").write_bytes(checkpoint.read_bytes()[:100_000])
    cut = refusal(capsys, "convert", str(tmp_path / "cut.pth"), str(tmp_path / "a.safetensors"))
    assert "cut.pth is not a checkpoint that can be read safely (100000 bytes)" in cut
    assert "there is no file 'gone'" in refusal(capsys, "info", "gone")
    assert [path.name for path in tmp_path.iterdir()] == ["cut.pth"]


def test_the_bundled_card_says_what_the_manifest_says():
    entry = bundled_entry("bundled")
    assert (BUNDLED / entry["file"]).with_suffix(".md").read_text() == model_card(entry)


@pytest.mark.parametrize("chosen", [None, "hub:owner/portraits"])
def test_the_app_starts_with_the_weights_that_a_variable_names(chosen, monkeypatch):
    monkeypatch.delenv("MATTING_WEIGHTS", raising=False)
    if chosen:
        monkeypatch.setitem(os.environ, "MATTING_WEIGHTS", chosen)
    assert runpy.run_path(str(APP))["WEIGHTS"] == (chosen or "bundled")
