"""onnxruntime computes both stages: the results are PyTorch's, whatever is asked for."""

import os
import subprocess
import sys
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
import torch
from onnx import TensorProto, save
from onnx.helper import make_graph, make_model, make_node, make_opsetid, make_tensor_value_info
from PIL import Image

from matting import Matte, load_image, load_model, matte_image
from matting.cli.photo import main
from matting.network import MattingNetwork
from matting.weights import onnx_backend, save_weights

ROOT = Path(__file__).parents[2]
PHOTO = ROOT / "examples" / "curls.jpg"


@pytest.fixture(scope="module")
def source(lite_model: MattingNetwork, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network with random weights whose step at R8 says something."""
    model = deepcopy(lite_model)
    torch.manual_seed(4)
    assert model.coarse.fine8 is not None
    for layer in (model.coarse.fine8.alpha, model.coarse.fine8.trimap):
        layer.weight.normal_(std=0.05)
    path = tmp_path_factory.mktemp("weights") / "lite.safetensors"
    save_weights(model, path, {}, torch.float32)
    return path


@pytest.fixture(scope="module")
def onnx(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MattingNetwork]:
    """That network, whose graphs are traced once, into a folder of these tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield load_model(source, backend="onnx")


@pytest.fixture(scope="module")
def torch_model(source: Path) -> MattingNetwork:
    return load_model(source, "cpu")


def assert_same(given: Matte, expected: Matte) -> None:
    """Values of 0 or 1 in 8 bits are made exactly that, so at the limits of these a difference may become 1/510."""
    snapped = 0.5 / 254
    for name in ("alpha", "coarse_alpha"):
        planes = (getattr(matte, name).clip(snapped, 1 - snapped) for matte in (given, expected))
        assert np.abs(np.subtract(*planes)).max() < 1e-4, name
    for name in ("patches", "attention"):
        assert np.abs(getattr(given.regions, name) - getattr(expected.regions, name)).max(initial=0) < 1e-4, name
    assert np.array_equal(given.regions.cells, expected.regions.cells)
    assert np.array_equal(given.trimap, expected.trimap)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_option_gives_what_pytorch_gives(onnx: MattingNetwork, torch_model: MattingNetwork):
    photo = load_image(PHOTO)[200:520, 300:556]
    asked: list[dict] = [
        {}, {"cross_region": False}, {"unknown_bias": 1.0}, {"unknown_bias": -20.0}, {"refine": False},
        {"max_side": 128, "scribbles": np.eye(320, 256, dtype=np.int8)},
    ]  # fmt: skip
    counts = []
    for options in asked:
        options = {"max_side": 256, **options}
        expected = matte_image(photo, torch_model, **options)
        assert_same(matte_image(photo, onnx, **options), expected)
        counts.append(len(expected.regions.cells))
    assert counts[3] == counts[4] == 0 < counts[0] < counts[2]
    frames = torch.rand(2, 3, 128, 256)
    with torch.inference_mode():
        given, expected_frames = onnx(frames), torch_model(frames)
    assert (given.alpha - expected_frames.alpha).abs().max() < 1e-4
    assert (given.logits[0].trimap - expected_frames.logits[0].trimap).abs().max() < 1e-4


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_graphs_are_made_once_and_have_the_threads_of_pytorch(onnx: MattingNetwork, source: Path, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(onnx_backend, "trace_graph", None)  # whoever calls it fails
    target = tmp_path / "alpha.png"
    assert (
        main([str(PHOTO), "-o", str(target), "--alpha", "--max-side", "128", "--weights", str(source), "--backend", "onnx"])
        == 0
    )
    drawn = np.asarray(Image.open(target), np.float32) / 255
    assert np.abs(drawn - matte_image(PHOTO, onnx, 128).alpha).max() < 1 / 255
    graph, threads = onnx.coarse.graph, torch.get_num_threads()
    assert graph.threads == threads == graph.session.get_session_options().intra_op_num_threads
    try:
        torch.set_num_threads(threads + 1)
        matte_image(np.zeros((64, 64, 3), np.uint8), onnx, 128)
        assert graph.session.get_session_options().intra_op_num_threads == threads + 1
    finally:
        torch.set_num_threads(threads)


@pytest.mark.slow
def test_other_weights_have_graphs_of_their_own(torch_model: MattingNetwork, lite_model: MattingNetwork):
    names = {onnx_backend._identify(model) for model in (torch_model, torch_model, lite_model)}
    assert len(names) == 2


def test_what_is_missing_is_named_before_the_work(monkeypatch):
    monkeypatch.setattr(onnx_backend, "find_spec", lambda name: None if name == "onnxruntime" else name)
    with pytest.raises(ValueError, match=r"needs onnxruntime: pip install 'portrait-matting\[onnx\]'"):
        load_model("bundled", backend="onnx")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"backend": "caffe"}, "backend must be one of torch, onnx, got 'caffe'"),
        ({"backend": "onnx", "device": "cuda"}, "backend 'onnx' works on the CPU, got the device 'cuda'"),
    ],
)
def test_a_backend_that_does_not_go_is_refused(options: dict, message: str):
    with pytest.raises(ValueError, match=message):
        load_model("bundled", **options)


def test_a_cache_that_cannot_be_written_is_an_error(tmp_path: Path, lite_model: MattingNetwork, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(ValueError, match="the graphs for onnxruntime cannot be written to"):
        onnx_backend.use_onnx(lite_model)


@pytest.mark.slow
def test_onnxruntime_keeps_no_number_of_this_machine(tmp_path: Path):
    values = [make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("x", "y")]
    graph = make_graph([make_node("Identity", ["x"], ["y"])], "same", values[:1], values[1:])
    save(make_model(graph, opset_imports=[make_opsetid("", 18)], ir_version=10), tmp_path / "same.onnx")
    script = "from pathlib import Path; from matting.weights.onnx_session import open_session; open_session(Path('same.onnx'))"
    home = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    environment = {name: text for name, text in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"} | home
    subprocess.run([sys.executable, "-c", script], check=True, cwd=tmp_path, env=environment)
    assert list(tmp_path.iterdir()) == [tmp_path / "same.onnx"]
