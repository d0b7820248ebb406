"""What all tests share: which of them are slow, a small network with random weights, its file, and a browser."""

import json
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import huggingface_hub
import pytest
import torch
from filelock import FileLock
from hub_server import Behaviour, hub_server
from parity import recipe

from matting.cli.weights import main as weights_command
from matting.network import PRESETS, MattingNetwork
from matting.weights import save_weights

if TYPE_CHECKING:
    from playwright.sync_api import Browser

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before any test module imports onnxruntime, which would report to its makers
LONG_FILES = {"test_readme_commands.py", "test_train.py", "test_onnx_export.py", "test_pages.py", "test_recipe.py"}
CHROMIUM_OPTIONS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def pytest_configure(config: pytest.Config) -> None:
    """What the tests, their libraries and the processes they start leave in the temporary folder goes with the run.

    Also if the run is told to end, as `timeout` does.
    """
    own = os.getpid()

    def end(*_: object) -> None:
        if os.getpid() != own:  # a copy of this process
            os._exit(128 + signal.SIGTERM)
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)
    folder = tempfile.mkdtemp(prefix="mt-")
    os.environ["TMPDIR"] = tempfile.tempdir = folder
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


@pytest.hookimpl(tryfirst=True)  # before `-m` picks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whoever asks for the browser is marked `browser`; that, and whatever asks for a started app, is `slow` too.

    Files that take minutes come first, so that of two processes none waits for the other at the end.
    """
    items.sort(key=lambda item: item.path.name not in LONG_FILES)
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        if "browser" in fixtures:
            item.add_marker("browser")
        if "app" in fixtures or item.get_closest_marker("browser"):
            item.add_marker("slow")


@pytest.fixture(scope="session")
def lite_model() -> MattingNetwork:
    """The lite network with seeded random weights, in eval mode and without gradients. Do not change it."""
    torch.manual_seed(0)
    return MattingNetwork(PRESETS["lite"]).eval().requires_grad_(False)


@pytest.fixture(scope="session")
def saved(lite_model, tmp_path_factory) -> Path:
    """File of `lite_model`, in half precision. Do not change it."""
    path = tmp_path_factory.mktemp("weights") / "lite.safetensors"
    save_weights(lite_model, path, {"step": "7"}, torch.float16)
    return path


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory) -> Path:
    """An authors' checkpoint of random numbers, with one of the entries that follow from the rest. Do not change it."""
    torch.manual_seed(0)
    shapes = json.loads((recipe.HERE / "keys.json").read_text())
    state = {
        key: torch.tensor(3) if key.endswith("num_batches_tracked") else torch.rand(shape).half()
        for key, (shape, _) in shapes.items()
    }
    path = tmp_path_factory.mktemp("authors") / "their.pth"
    torch.save({"mat_model": {**state, "any.relative_position_index": torch.zeros(4, dtype=torch.int64)}, "step": 5}, path)
    return path


@pytest.fixture(scope="session")
def exported(tmp_path_factory) -> Path:
    """The bundled network as an ONNX graph, exported once for all processes that run tests. Do not change it."""
    folder = tmp_path_factory.getbasetemp()
    path = (folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "bundled.onnx"
    with FileLock(f"{path}.lock"):
        if not path.exists():
            assert weights_command(["export", "bundled", str(path)]) == 0
    return path


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """Chromium without a window, one for all tests: there can be one Playwright in a thread. Skipped where there is none."""
    playwright = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium on this machine")
    with playwright.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=CHROMIUM_OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def hub(monkeypatch, tmp_path) -> Iterator[Behaviour]:
    """A local Hub that HF_ENDPOINT points to, with an empty cache."""
    behaviour = Behaviour()
    with hub_server(behaviour) as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
        yield behaviour
