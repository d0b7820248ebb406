"""One real result, stand-ins for requests, the real app in a process of its own, and its pages."""

import os
import pickle
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from check_space import wait_for
from coverage import Coverage
from gradio_client import Client

from matting import Matte, matte_image
from matting.app.results.result import Result, make_result
from matting.app.sessions import Sessions
from matting.inference.crop import whole

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT = Path(__file__).parents[2]
PAGE_LIMIT_S = 180


@pytest.fixture(scope="session")
def result(lite_model) -> Result:
    """A random photo under random weights: enough regions to look into, no sense in them."""
    image = np.random.default_rng(1).integers(0, 256, (150, 200, 3), dtype=np.uint8)
    matte = matte_image(image, lite_model, 256, unknown_bias=5.0)
    assert len(matte.regions.cells) > 20
    return make_result("noise", matte)


@pytest.fixture
def matte_of(result) -> Callable[..., Matte]:
    """Mattes of a photo by a given alpha (H, W), with the regions of `result`."""

    def matte(alpha: np.ndarray, coarse: np.ndarray | None = None, came: np.ndarray | None = None) -> Matte:
        image = np.random.default_rng(4).integers(0, 256, (*alpha.shape, 3), dtype=np.uint8)
        unknown, sizes = np.full(alpha.shape, 128, np.uint8), ((128, 128), ((128, 128),), 1.0)
        coarse = alpha if coarse is None else coarse
        return Matte(image, alpha, coarse, unknown, result.matte.regions, {}, whole(*alpha.shape), *sizes, came)

    return matte


@pytest.fixture
def request_of():
    """Requests of pages as the handlers get them."""

    def request(session: str | None, address: str = "198.51.100.1", **headers: str) -> SimpleNamespace:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return SimpleNamespace(session_hash=session, request=SimpleNamespace(scope={"visitor": address}, headers=named))

    return request


@pytest.fixture
def sessions(tmp_path) -> Sessions:
    return Sessions(tmp_path)


@dataclass(frozen=True)
class App:
    """The real app in a process of its own."""

    url: str
    folder: Path  # where it keeps files


@pytest.fixture(scope="session")
def app(tmp_path_factory) -> Iterator[App]:
    """`python app.py` with the bundled weights, one process for all tests that need it; its coverage counts as well."""
    folder = tmp_path_factory.mktemp("app")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {"GRADIO_SERVER_PORT": str(port), "GRADIO_TEMP_DIR": str(folder), "GRADIO_HEARTBEAT_INTERVAL": "1"}
    settings |= {"MATTING_LIMITS": "off"}  # all tests come from one address
    settings |= {"MATTING_MCP": "1"} if find_spec("mcp") else {}
    settings |= {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HUB_CACHE": str(tmp_path_factory.mktemp("hub"))}  # nobody listens
    measured = ["-m", "coverage", "run", "--parallel-mode"] if Coverage.current() else []
    command = [sys.executable, *measured, "app.py"]
    log = folder / "log.txt"
    with log.open("w") as output:
        process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **settings}, stdout=output, stderr=output)
    try:
        wait_for(f"http://127.0.0.1:{port}", process, log)
        yield App(f"http://127.0.0.1:{port}", folder)
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture
def connect(app, tmp_path):
    """Opens clients that are visitors of their own; each downloads to a folder of its own."""
    clients = []

    def open_client() -> Client:
        clients.append(Client(app.url, verbose=False, download_files=str(tmp_path / str(len(clients)))))
        return clients[-1]

    yield open_client
    for client in clients:
        client.close()


_MATTE = """
import pickle, sys
from concurrent.futures import ThreadPoolExecutor
from matting import Matte, load_model, matte_image

photo, side, target = sys.argv[1:]
with ThreadPoolExecutor(1) as thread:
    matte = thread.submit(matte_image, photo, load_model("bundled", "cpu"), int(side) or None).result()
with open(target, "wb") as file:
    pickle.dump(matte, file)
"""


@pytest.fixture
def matte_elsewhere(tmp_path) -> Callable[[Path, int], Matte]:
    """What `matte_image` gives in a process of its own, in a thread, as the app calls it.

    Sums, and the last bits of an alpha with them, depend on the number of threads, which tests may have changed here.
    """

    def matte(photo: Path, max_side: int = 0) -> Matte:
        target = tmp_path / "matte.pickle"
        subprocess.run([sys.executable, "-c", _MATTE, str(photo), str(max_side), str(target)], cwd=ROOT, check=True)
        return pickle.loads(target.read_bytes())

    return matte


@pytest.fixture
def open_page(browser, app) -> Iterator[Callable[..., "Page"]]:
    """Opens the app in a fresh window and waits for the first example; no page may ask any other host for anything."""
    windows, foreign = [], []

    def open_window(width: int = 1280, height: int = 900, theme: str = "light") -> "Page":
        window = browser.new_context(viewport={"width": width, "height": height}, accept_downloads=True)
        windows.append(window)
        page = window.new_page()
        page.set_default_timeout(PAGE_LIMIT_S * 1000)
        page.on("request", lambda request: foreign.append(request.url) if _is_foreign(request.url, app.url) else None)
        page.goto(f"{app.url}/?__theme={theme}")
        page.wait_for_selector("#panels img")
        return page

    yield open_window
    for window in windows:
        window.close()
    assert foreign == []


def _is_foreign(url: str, own: str) -> bool:
    return not url.startswith((own, "data:", "blob:"))
