"""Files that appear whole or not at all, whatever their name and whoever else writes them."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from matting.media.atomic import AtomicFile, write_text


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_an_existing_file_is_replaced_only_by_a_complete_one(tmp_path):
    target = tmp_path / "out.txt"
    target.write_text("old")
    part = AtomicFile(target)
    part.path.write_text("new")
    assert target.read_text() == "old"
    part.keep()
    assert target.read_text() == "new"
    AtomicFile(target).discard()
    assert names(tmp_path) == ["out.txt"]


def test_an_error_leaves_what_was_there(tmp_path):
    write_text(tmp_path / "out.txt", "old")
    with pytest.raises(RuntimeError), AtomicFile(tmp_path / "out.txt") as part:
        part.write_text("ne")
        raise RuntimeError
    assert (tmp_path / "out.txt").read_text() == "old" and names(tmp_path) == ["out.txt"]


@pytest.mark.parametrize("letter", ["a", "é", "人", "🙂"])
def test_names_may_be_as_long_as_the_file_system_allows(tmp_path, letter):
    target = tmp_path / (letter * (251 // len(letter.encode())) + ".txt")
    write_text(target, "whole")
    assert target.read_text() == "whole" and names(tmp_path) == [target.name]


def test_of_several_that_write_one_file_every_reader_sees_one_whole(tmp_path):
    target, texts = tmp_path / "out.txt", [letter * 200_000 for letter in "abcdefgh"]
    write_text(target, texts[0])
    with ThreadPoolExecutor(4) as pool:
        writing = [pool.submit(write_text, target, text) for text in texts * 5]
        while not all(one.done() for one in writing):
            assert target.read_text() in texts
    assert [one.result() for one in writing] == [None] * 40 and names(tmp_path) == ["out.txt"]


def test_the_end_of_the_program_removes_it(tmp_path):
    program = f"from matting.media.atomic import AtomicFile\nopen_file = AtomicFile({str(tmp_path / 'out.txt')!r})"
    subprocess.run([sys.executable, "-c", program], check=True)
    assert names(tmp_path) == []


def test_it_loads_no_library_of_pictures_or_clips():
    program = "import sys, matting.media.atomic\nprint(sorted({'PIL', 'av', 'cv2', 'numpy', 'torch'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout == "[]\n"
