"""A small dose of `tests/hostile.py`: whatever a file holds, it ends in a result or in one of our errors, soon."""

import warnings

import pytest
from hostile import classics, judge, mutants, valid_files

CLASSICS = classics()


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return valid_files()


def verdict(name: str, data: bytes, folder) -> str:
    (folder / name).write_bytes(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        judged = judge(folder / name)
    assert [path.name for path in folder.iterdir()] == [name]
    return judged


@pytest.mark.parametrize("name", [name for name in CLASSICS if name != "endless.clip.gif"])
def test_known_hostile_files(name, tmp_path):
    harmless = ("thin.png", "wide.png", "exif_loop.jpg", "nan.tif", "polyglot.jpg", "script.png")
    assert verdict(name, CLASSICS[name], tmp_path) == ("result" if name in harmless else "refused")


@pytest.mark.slow
def test_valid_files_are_read(files, tmp_path):
    for kind, data in files.items():
        (tmp_path / kind).mkdir()
        assert verdict(f"good.{kind}", data, tmp_path / kind) == "result", kind


@pytest.mark.slow
def test_files_changed_at_random(files, tmp_path):
    for number, (name, data) in enumerate(mutants(60, 7, files)):
        (tmp_path / str(number)).mkdir()
        assert verdict(name, data, tmp_path / str(number)) in ("result", "refused"), name
