"""The page in examples/browser mattes a photo in Chromium by WebAssembly, and sends nothing anywhere."""

import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from matting import load_image, load_model
from matting.postprocess.upsample import to_tensor

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

EXAMPLES = Path(__file__).parents[1] / "examples"
RUNTIME = "onnxruntime-web@1.30.0"
SIZE = (896, 640)  # of the photo; the page works at 896 pixels, so nothing is resampled
pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def page_folder(tmp_path: Path, exported: Path) -> Path:
    """The page with the network and the runtime beside it."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no npm on this machine")
    folder = tmp_path / "site"
    shutil.copytree(EXAMPLES / "browser", folder, ignore=shutil.ignore_patterns("vendor", "*.onnx"))
    command = [npm, "install", "--ignore-scripts", "--no-audit", "--prefix", str(tmp_path / "npm"), RUNTIME]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    (tmp_path / "npm/node_modules/onnxruntime-web/dist").rename(folder / "vendor")
    shutil.copyfile(exported, folder / "matting.onnx")
    return folder


@pytest.fixture
def address(page_folder: Path) -> Iterator[str]:
    class Handler(SimpleHTTPRequestHandler):
        extensions_map = {**SimpleHTTPRequestHandler.extensions_map, ".mjs": "text/javascript"}  # noqa: RUF012

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(page_folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_the_page_draws_the_alpha_that_the_network_draws(browser: "Browser", address: str, tmp_path: Path):
    photo = cv2.resize(load_image(EXAMPLES / "curls.jpg"), SIZE[::-1], interpolation=cv2.INTER_AREA)
    model, asked = load_model("bundled", "cpu"), []
    with closing(browser.new_page()) as page:
        page.on("request", lambda request: asked.append((request.method, request.url)))
        page.add_init_script("delete Navigator.prototype.gpu")  # a browser without WebGPU
        page.goto(address)
        page.get_by_text("Ready. Runs on WebAssembly.").wait_for(timeout=300_000)
        for name, pixels in (("somebody", photo), ("nobody", np.zeros_like(photo))):
            Image.fromarray(pixels).save(tmp_path / f"{name}.png")
            page.set_input_files("#file", tmp_path / f"{name}.png")
            page.get_by_text(", on WebAssembly.").wait_for(timeout=300_000)
            alpha, cutout = (saved(page, kind, tmp_path) for kind in ("alpha", "cutout"))
            with torch.inference_mode():
                expected = model(to_tensor(pixels, SIZE, torch.device("cpu"))).alpha[0, 0].numpy()
            for channel in (alpha.getchannel("R"), cutout.getchannel("A")):
                assert np.abs(np.asarray(channel, np.float32) / 255 - expected).max() < 2e-2, name
    assert all(method == "GET" and url.startswith((address, "blob:")) for method, url in asked)


def saved(page: "Page", kind: str, folder: Path) -> Image.Image:
    """The picture that a click on its link saves."""
    with page.expect_download() as download:
        page.click(f"#{kind}")
    download.value.save_as(folder / f"{kind}.png")
    with Image.open(folder / f"{kind}.png") as picture:
        return picture.copy()
