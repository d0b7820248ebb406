"""Every shell command of the README and of the pages beside the code is run as it stands there, on little data."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hub_server import TOKEN, Behaviour, hub_server
from PIL import Image

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "matting").glob("*/README.md"))]
FOUND = [block for page in PAGES for block in re.findall(r"^```sh\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)]
BLOCKS = list(dict.fromkeys(FOUND))  # one that stands on two pages is run once
SHORTER = {  # options that make a command short; they stand behind its own
    "python tests/hostile.py": "--files 20",
    "python tests/load.py users": "--users 2 --seconds 5",
    "python -m matting examples": "--max-side 128",
    "python -m matting.evaluation.benchmark": "--sizes 128x128 --repeats 1 --megapixels 1",
    "python -m matting.evaluation.clips": "--frames 12 --max-side 128 --sides 128 --timed-frames 1 --memory-seconds 0.2 0.4",
    "python -m matting.evaluation.evaluate --dataset portraits": "--limit 1",
    "python -m matting.training.train": "--steps 1 --size 128 --batch 2 --max-regions 16 --device cpu",
}
INSTALLS = {  # what .ci/run does before and around the tests
    "pip install -r requirements.txt": "pip install --quiet --no-compile -r requirements.txt",
    "pip install -r requirements.txt -r tests/requirements.txt": "-r requirements.txt -r tests/requirements.txt",
    "python -m pytest": "python -m pytest",
}
RUN_BY_OTHERS = (
    "python tests/check_space.py",  # by tests/app/test_check.py, which asks for a matte
    "python app.py",
    "python -m matting.training.recipe --config tiny",  # by tests/training/test_recipe.py
)
IN_CONTAINERS = "docker "
PHOTO_COMMAND = re.compile(r"python -m matting (?P<photo>examples/\w+\.jpg) -o (?P<made>\S+)")


def commands(block: str) -> list[str]:
    """The commands of a block in their order, without comments."""
    lines = block.replace("\\\n", " ").splitlines()
    return [part.strip() for line in lines for part in re.split(r"\s#\s.*|&&", line) if part.strip()]


EVERYTHING = [command for block in BLOCKS for command in commands(block)]


def shortened(command: str) -> str:
    fitting = [options for start, options in SHORTER.items() if command.startswith(start)]
    return " ".join([command.replace("OWNER/REPO", "somebody/matting"), *fitting])


def is_run_here(command: str) -> bool:
    elsewhere = "pip install ", IN_CONTAINERS, "python -m pytest", *RUN_BY_OTHERS
    return not command.startswith(elsewhere)


def put_people(folder: Path, image: str = "image", alpha: str = "alpha") -> None:
    """Two of the examples with their alphas, at most 128 px."""
    for name in ("curls", "silver"):
        for source, target in ((f"{name}.jpg", image), (f"alpha/{name}.png", alpha)):
            with Image.open(ROOT / "examples" / source) as picture:
                picture.thumbnail((128, 128))
                (folder / target).mkdir(parents=True, exist_ok=True)
                picture.save(folder / target / f"{name}.png")


@pytest.fixture(scope="module")
def project(tmp_path_factory, checkpoint) -> Path:
    """A copy of the project, with everything beside it that the README's commands name."""
    project = tmp_path_factory.mktemp("readme") / "project"
    for folder in ("matting", "examples", "tests"):
        shutil.copytree(ROOT / folder, project / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "app.py", project)
    for root in (project.parent / "shared" / "data", project / "DATA"):
        for subset in ("keyed", "cc0_portraits", "web_portraits", "street"):
            for split in ("train", "val"):
                put_people(root / subset / split)
        put_people(root, "backgrounds", "masks_of_nobody")
    put_people(project / "P3M-10k" / "train", "blurred_image", "mask")
    put_people(project / "BG-20k", "train", "masks_of_nobody")
    shutil.copy(checkpoint, project / "authors.pth")
    programs = project.parent / "bin"
    programs.mkdir()
    (programs / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (programs / "python").chmod(0o755)
    return project


@pytest.fixture(scope="module")
def environment(project, tmp_path_factory):
    """Variables of a shell in the project's folder, with a Hub on this machine and no other."""
    with hub_server(Behaviour(repos=set())) as address:
        names = {
            "PATH": f"{project.parent / 'bin'}:{os.environ['PATH']}",
            "HF_ENDPOINT": address,
            "HF_TOKEN": TOKEN,
            "HF_HOME": str(tmp_path_factory.mktemp("hub")),
            "HF_HUB_DISABLE_XET": "1",
        }
        yield {key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | names


@pytest.mark.slow
@pytest.mark.parametrize("block", [block for block in BLOCKS if any(map(is_run_here, commands(block)))])
def test_the_commands_of_a_block_run_one_after_the_other(block, project, environment):
    for command in filter(is_run_here, commands(block)):
        run = subprocess.run(
            ["bash", "-c", shortened(command)], cwd=project, env=environment, capture_output=True, text=True, timeout=240
        )
        assert run.returncode == 0, f"{shortened(command)}\n{run.stdout[-2000:]}\n{run.stderr[-4000:]}"
        if photo := PHOTO_COMMAND.match(command):
            with Image.open(project / photo["made"]) as made, Image.open(project / photo["photo"]) as sent:
                assert made.size == sent.size
    shutil.rmtree(project / "runs", ignore_errors=True)  # no block needs the weights of another, and they are large


def test_installing_and_testing_is_what_the_check_of_the_project_does():
    script = (ROOT / ".ci" / "run").read_text()
    packages = (ROOT / "tests" / "requirements.txt").read_text()
    for command in (command for command in EVERYTHING if command.startswith(("pip install", "python -m pytest"))):
        *_, last = command.split()
        assert INSTALLS.get(command, "nothing") in script or last in packages, command


def test_containers_are_built_and_started_by_the_workflow():
    workflow = (ROOT / ".github" / "workflows" / "check.yml").read_text()
    for command in (command for command in EVERYTHING if command.startswith(IN_CONTAINERS)):
        assert command.replace("docker run ", "docker run --detach ") in workflow, command
