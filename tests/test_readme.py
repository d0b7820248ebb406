"""The README: its front matter is a Space's, its code runs, and every command in it is one that exists."""

import re
import runpy
import shlex
import sys
import warnings
from pathlib import Path

import pytest
import yaml
from PIL import Image

from matting.__main__ import main

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
COLOURS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
PHOTO_COMMANDS = re.compile(r"python -m matting examples/\w+\.jpg ")
RUN_ELSEWHERE = {  # by .ci/run, or by the fixture that starts the app
    "pip install": ".ci/run",
    "python app.py": "tests/space/conftest.py",
    "python -m pytest": ".ci/run",
    ".ci/run": ".ci/run",
    "python tests/hostile.py": "tests/test_hostile.py",
    "python tests/load.py": "tests/load.py",
    "docker ": "Dockerfile",
}


def commands() -> list[str]:
    """Every command of the shell blocks, without comments."""
    shell = "".join(text for language, text in BLOCKS if language in ("sh", "bash", "shell"))
    lines = shell.replace("\\\n", " ").splitlines()
    return [part.strip() for line in lines for part in re.split(r"\s#\s.*|&&", line) if part and part.strip()]


def test_front_matter_is_that_of_a_space():
    front = yaml.safe_load(TEXT.split("---\n")[1])
    pins = dict(re.findall(r"^([\w-]+)==(\S+)$", (ROOT / "requirements.txt").read_text(), re.MULTILINE))
    assert TEXT.startswith("---\n") and front["sdk"] == "gradio" and front["sdk_version"] == pins["gradio"]
    assert front["title"] and front["emoji"] and {front["colorFrom"], front["colorTo"]} <= COLOURS
    assert (ROOT / front["app_file"]).is_file() and front["license"] == "apache-2.0"
    assert front["python_version"] in ("3.10", "3.11", "3.12", "3.13")
    assert len(front["short_description"]) <= 60
    assert all(re.fullmatch(r"[\w-]+", tag) for tag in front["tags"])


@pytest.mark.parametrize("command", [command for command in commands() if not PHOTO_COMMANDS.match(command)])
def test_every_command_exists(command, monkeypatch, capsys):
    """Modules are asked for their help, which has to name every option that the README uses."""
    command = re.sub(r"^torchrun .*? -m ", "python -m ", command)
    where = next((place for start, place in RUN_ELSEWHERE.items() if command.startswith(start)), None)
    if where:
        assert (ROOT / where).is_file()
        return
    words = shlex.split(command)
    if words[0] == "matting":
        words[:1] = ["python", "-m", "matting"]
    assert words[:2] == ["python", "-m"], command
    takes_command = words[2] == "matting.weights"
    monkeypatch.setattr(sys, "argv", [words[2], *(words[3:4] if takes_command else []), "--help"])
    with pytest.raises(SystemExit) as end, warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # the module has been imported before
        runpy.run_module(words[2], run_name="__main__")
    assert not end.value.code
    shown = capsys.readouterr().out
    for option in (word for word in words[3:] if word.startswith("-")):
        assert re.search(rf"(^|[\s\[|]){re.escape(option)}\b", shown), f"{option} of: {command}"


@pytest.mark.parametrize("command", [command for command in commands() if PHOTO_COMMANDS.match(command)])
def test_photo_commands_run(command, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    words = shlex.split(command)[3:]
    place = words.index("-o") + 1
    words[place] = str(tmp_path / words[place])
    assert main(words) == 0
    with Image.open(words[place]) as made, Image.open(words[0]) as photo:
        assert made.size == photo.size


def test_the_python_example_runs(tmp_path, monkeypatch):
    (code,) = (text for language, text in BLOCKS if language == "python")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    exec(compile(code, "README.md", "exec"), {})
    assert Image.open(tmp_path / "cutout.png").mode == "RGBA"


def test_every_file_it_names_exists():
    for link in re.findall(r"\]\((?!https?:)([^)#]+)\)", TEXT):
        assert (ROOT / link).exists(), link
    for name in set(re.findall(r"`((?:examples|matting|tests)/[\w./-]+\.\w+)`", TEXT)):
        assert (ROOT / name).exists(), name
