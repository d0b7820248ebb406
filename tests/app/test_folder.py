"""The app's folder: private, gone with its process, and left alone as long as that lives, in whatever container."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

START = """
import os
{before}
from matting.app.folder import private_temp_folder
print(private_temp_folder(), flush=True)
{after}
"""
KILLED = "os.kill(os.getpid(), 9)"
# As in a container of its own, where every app has the number 1 and no process of another container can be seen.
CONTAINER = "os.getpid = lambda: 1\ndef nobody(*_): raise ProcessLookupError\nos.kill = nobody"


def start(parent: Path, before: str = "", after: str = "input()") -> tuple[subprocess.Popen[str], Path]:
    environment = {name: value for name, value in os.environ.items() if name != "GRADIO_TEMP_DIR"} | {"TMPDIR": str(parent)}
    program = START.format(before=before, after=after)
    process = subprocess.Popen(
        [sys.executable, "-c", program], env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    return process, Path(process.stdout.readline().strip())


def end(process: subprocess.Popen[str]) -> None:
    process.communicate("\n", timeout=30)


def test_it_is_private_and_goes_with_its_process(tmp_path):
    process, folder = start(tmp_path)
    assert folder.parent == tmp_path and folder.stat().st_mode & 0o777 == 0o700
    end(process)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("before", ["", CONTAINER])
def test_the_next_process_removes_what_a_killed_one_has_left(tmp_path, before):
    process, orphan = start(tmp_path, after=KILLED)
    process.communicate()
    (orphan / "photo.png").touch()
    process, folder = start(tmp_path, before)
    assert not orphan.exists() and folder.exists()
    end(process)


@pytest.mark.parametrize("before", ["", CONTAINER])
def test_the_folder_of_a_process_that_lives_is_left_alone(tmp_path, before):
    first, folder = start(tmp_path, before)
    second, other = start(tmp_path, before)
    assert folder.exists() and other.exists() and folder != other
    end(second)
    assert folder.exists() and not other.exists()
    end(first)


def test_folders_of_others_are_left_alone(tmp_path):
    (tmp_path / "matting-space-notes").mkdir()
    end(start(tmp_path)[0])
    assert [path.name for path in tmp_path.iterdir()] == ["matting-space-notes"]


def test_the_environment_takes_precedence(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "mine"))
    from matting.app.folder import private_temp_folder

    assert private_temp_folder() == str(tmp_path / "mine") and not (tmp_path / "mine").exists()
