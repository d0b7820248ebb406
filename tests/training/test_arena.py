"""Pictures in a file: found again by the next run, told apart by their dates, never half there."""

from pathlib import Path

import pytest
import torch
from collections_of_tests import in_memory

from matting.training.arena import Arena


def test_pictures_are_found_again(tmp_path: Path):
    mips = [torch.arange(24, dtype=torch.uint8).view(2, 3, 4), torch.full((2, 1, 2), 7, dtype=torch.uint8)]
    first = Arena(tmp_path)
    first["a"] = mips
    first["none"] = []
    first.save()
    first["late"] = mips
    second = Arena(tmp_path)
    assert all(torch.equal(x, y) for x, y in zip(second["a"], mips, strict=True))
    assert second["none"] == [] and "late" not in second
    second["b"] = [mips[0] + 1]
    assert torch.equal(second["a"][0], mips[0]) and torch.equal(second["b"][0], mips[0] + 1)


def test_a_broken_index_is_named(tmp_path: Path):
    (tmp_path / "pictures.json").write_text("[1, 2")
    with pytest.raises(ValueError, match=r"pictures\.json is no index of pictures"):
        Arena(tmp_path)


@pytest.mark.slow
def test_a_collection_on_disk_is_the_one_in_memory(portraits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    backgrounds = portraits / "backgrounds"
    loaded = in_memory(portraits, backgrounds)
    in_memory(portraits, backgrounds, arena=Arena(tmp_path))
    monkeypatch.setattr("matting.training.collection.load_people", None)
    monkeypatch.setattr("matting.training.collection.read_picture", None)  # nothing is decoded a second time
    again = in_memory(portraits, backgrounds, arena=Arena(tmp_path))
    for one, other in zip(loaded.subjects, again.subjects, strict=True):
        assert one.box == other.box and one.foreground_only == other.foreground_only
        assert all(torch.equal(x, y) for x, y in zip(one.mips, other.mips, strict=True))
    for one, other in zip(loaded.scenes + loaded.pictures, again.scenes + again.pictures, strict=True):
        assert all(torch.equal(x, y) for x, y in zip(one, other, strict=True))
