"""What `pip install .` installs, and what the files about the project say of it."""

import importlib
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml

tomllib = pytest.importorskip("tomllib")  # of Python 3.11
ROOT = Path(__file__).parents[1]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = SETTINGS["project"]


def tracked(folder: str) -> list[Path]:
    listed = subprocess.run(["git", "ls-files", folder], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git repository")
    return [Path(line) for line in listed.stdout.splitlines()]


def test_every_file_of_the_package_is_installed():
    packages = {".".join(path.parent.parts) for path in tracked("matting") if path.name == "__init__.py"}
    pages = {path for path in tracked("matting") if path.name in ("README.md", "ARCHITECTURE.md", "RESULTS.md", "LEARNT.md")}
    data = [path for path in tracked("matting") if path.suffix != ".py" and path not in pages]
    assert Path("matting/weights/bundled/lite.safetensors") in data
    for path in data:
        owner = next(parent for parent in path.parents if ".".join(parent.parts) in packages)
        patterns = SETTINGS["tool"]["setuptools"]["package-data"][".".join(owner.parts)]
        assert any(fnmatch(str(path.relative_to(owner)), pattern) for pattern in patterns), path
    for path in tracked("matting"):
        assert path.suffix != ".py" or ".".join(path.parent.parts) in packages, path


def test_the_command_exists():
    module, _, function = PROJECT["scripts"]["matting"].partition(":")
    assert callable(getattr(importlib.import_module(module), function))


def test_extras():
    extras = PROJECT["optional-dependencies"]
    space, tests = ((ROOT / name).read_text().split() for name in ("requirements.txt", "tests/requirements.txt"))
    assert set(extras) == {"app", "train", "evaluate", "export", "onnx", "ray", "video"}
    assert {*PROJECT["dependencies"], *extras["app"]} == set(space)
    assert {*extras["export"]} < {*extras["onnx"]} and {*extras["video"]} <= {*extras["app"]} & {*extras["evaluate"]}
    assert {*extras["train"], *extras["evaluate"], *extras["onnx"]} <= {*space, *tests}  # what the tests run with


CORE = """
import sys
sys.modules.update(dict.fromkeys(
    ["av", "gradio", "matplotlib", "pymatting", "numba", "onnx", "onnxscript", "onnxruntime", "ray"]
))
import matting, matting.cli.run, matting.cli.watch, matting.cli.weights
from matting.cli.photo import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.slow
def test_the_core_needs_none_of_the_extras(tmp_path: Path):
    command = [sys.executable, "-c", CORE, "examples/silver.jpg", "-o", str(tmp_path / "out.png"), "--max-side", "128"]
    subprocess.run(command, check=True, cwd=ROOT)
    assert (tmp_path / "out.png").is_file()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["examples/clip.mp4", "-o", "OUT.webm"],
            "clip.mp4 is a clip, and clips need PyAV: pip install 'portrait-matting[video]'",
        ),
        (
            ["examples/silver.jpg", "-o", "OUT.png", "--backend", "onnx"],
            "backend 'onnx' needs onnx, onnxruntime, onnxscript: pip install 'portrait-matting[onnx]'",
        ),
    ],
)
def test_what_needs_an_extra_says_so(tmp_path: Path, arguments: list[str], message: str):
    arguments = [text.replace("OUT", str(tmp_path / "out")) for text in arguments]
    run = subprocess.run([sys.executable, "-c", CORE, *arguments], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 1 and message in run.stderr and "Traceback" not in run.stderr
    assert list(tmp_path.iterdir()) == []


def test_version_and_licence_are_the_same_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == PROJECT["version"] and citation["license"] == PROJECT["license"]
    assert f"## {PROJECT['version']}\n" in (ROOT / "CHANGELOG.md").read_text()
    assert "Apache License" in (ROOT / "LICENSE").read_text()


def test_the_container_runs_the_app_as_another_user():
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    assert lines.index("USER user") < lines.index('CMD ["python", "app.py"]')
    copied = [name for line in lines if line.startswith("COPY") for name in line.split()[1:-1]]
    assert all((ROOT / name).exists() for name in copied)
    assert {"app.py", "matting", "examples", "requirements.txt"} <= set(copied)


def test_a_commit_is_checked_by_the_commands_of_the_checks():
    (source,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert source["repo"] == "local"  # nothing is fetched
    commands = [hook["entry"].removeprefix("bash -c ").strip("'") for hook in source["hooks"]]
    lines = [line.split("  #")[0] for line in (ROOT / ".ci/run").read_text().splitlines()]
    begin = lines.index(commands[0])
    assert lines[begin : begin + len(commands)] == commands
    assert "-m pytest" in lines[begin + len(commands)]
