"""The exported graph says what the network says, at any size, and programs without PyTorch can use it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import onnx_ir
import onnxruntime
import pytest
import torch
from PIL import Image

from matting import load_image, load_model
from matting.cli.weights import main
from matting.network import PRESETS, MattingNetwork, swin
from matting.postprocess.upsample import to_tensor
from matting.weights.onnx_export import export_onnx, store_half

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
CPU = torch.device("cpu")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def model() -> MattingNetwork:
    return load_model("bundled", "cpu")


def open_graph(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def scenes() -> dict[str, torch.Tensor]:
    """Inputs of three sizes and more, with no, few and many regions."""
    curls = load_image(EXAMPLES / "curls.jpg")
    return {
        "none": torch.zeros(1, 3, 256, 128),
        "few": to_tensor(curls[640:768, 300:428], (128, 128), CPU),
        "many": to_tensor(curls, (384, 512), CPU),
        "most": to_tensor(curls, (896, 640), CPU),
    }


def test_the_graph_agrees_with_the_network_for_any_size_and_number_of_regions(exported: Path, model: MattingNetwork):
    session, counts = open_graph(exported), {}
    for name, image in scenes().items():
        with torch.inference_mode():
            expected = model(image)
        counts[name] = len(expected.cells)
        alpha, coarse_alpha, trimap = session.run(["alpha", "coarse_alpha", "trimap"], {"image": image.numpy()})
        assert np.abs(alpha - expected.alpha.numpy()).max() < 1e-4, name
        assert np.abs(coarse_alpha - expected.coarse_alpha.numpy()).max() < 1e-4, name
        assert np.abs(trimap - expected.trimap.numpy()).max() < 1e-4, name
    assert counts["none"] == 0 < counts["few"] <= 8 < 100 < counts["many"] < counts["most"]


def test_the_graph_has_standard_operators_and_says_what_it_takes(exported: Path):
    graph = onnx.load(exported)
    onnx.checker.check_model(graph, full_check=True)
    assert [(entry.domain, entry.version >= 17) for entry in graph.opset_import] == [("", True)]
    assert {node.domain for node in graph.graph.node} == {""} and not graph.functions
    session = open_graph(exported)
    assert [(value.name, value.type, value.shape) for value in session.get_inputs()] == [
        ("image", "tensor(float)", [1, 3, "height", "width"])
    ]
    assert [(value.name, value.type, value.shape) for value in session.get_outputs()] == [
        ("alpha", "tensor(float)", [1, 1, "height", "width"]),
        ("coarse_alpha", "tensor(float)", [1, 1, "height/8", "width/8"]),
        ("trimap", "tensor(float)", [1, 3, "height/8", "width/8"]),
    ]
    facts = session.get_modelmeta().custom_metadata_map
    assert facts["preset"] == "lite" and facts["side_multiple"] == "128"


def test_the_first_stage_alone_with_weights_of_half_the_size(tmp_path: Path, exported: Path, model: MattingNetwork):
    path = tmp_path / "coarse.onnx"
    assert main(["export", "bundled", str(path), "--coarse-only", "--half"]) == 0
    assert path.stat().st_size < 0.6 * exported.stat().st_size
    image = scenes()["many"]
    with torch.inference_mode():
        expected = model.coarse(image)
    session = open_graph(path)
    assert [value.name for value in session.get_outputs()] == ["coarse_alpha", "trimap"]
    coarse_alpha, trimap = session.run(None, {"image": image.numpy()})
    assert np.abs(coarse_alpha - expected.alpha.numpy()).max() < 1e-2
    assert np.abs(trimap - expected.trimap.numpy()).max() < 1e-2


def test_the_example_needs_neither_torch_nor_this_package(tmp_path: Path, exported: Path, model: MattingNetwork):
    script, target = EXAMPLES / "onnx_cutout.py", tmp_path / "cutout.png"
    hide = "import runpy, sys; sys.modules.update(torch=None, matting=None, cv2=None, scipy=None)"
    arguments = [script.name, str(exported), str(EXAMPLES / "brick.jpg"), str(target)]
    run = f"{hide}; sys.argv = {arguments}; runpy.run_path({str(script)!r}, run_name='__main__')"
    home = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    environment = {name: text for name, text in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"} | home
    subprocess.run([sys.executable, "-c", run], check=True, cwd=tmp_path, env=environment)
    assert list(tmp_path.iterdir()) == [target]  # no number of this machine for onnxruntime's makers
    photo, cutout = load_image(EXAMPLES / "brick.jpg"), Image.open(target)
    assert cutout.mode == "RGBA" and cutout.size == photo.shape[1::-1]
    with torch.inference_mode():
        alpha = model(to_tensor(photo, (896, 896), CPU)).alpha[0, 0].numpy()
    drawn = np.asarray(cutout.getchannel("A").resize((896, 896), Image.Resampling.BICUBIC), np.float32) / 255
    assert np.abs(drawn - alpha).mean() < 0.01


@pytest.mark.parametrize(
    ("target", "message"), [("out.pt", "ends in .onnx, got 'out.pt'"), ("none/out.onnx", "there is no folder")]
)
def test_a_target_that_cannot_be_written_is_refused_before_the_work(
    tmp_path: Path, target: str, message: str, capsys: pytest.CaptureFixture[str]
):
    with pytest.raises(SystemExit, match="2"):
        main(["export", "bundled", str(tmp_path / target)])
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def paper() -> Iterator[MattingNetwork]:
    """The design of the paper with random weights, and fewer blocks, which take less long to trace."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(swin, "DEPTHS", (2, 2, 1, 1))
        torch.manual_seed(1)
        model = MattingNetwork(PRESETS["paper"]).eval().requires_grad_(False)
        for module in model.modules():
            if isinstance(module, swin.WindowAttention):
                module.position_bias.normal_()
        model.coarse.head8.trimap.bias[4:8] -= 0.2  # of unknown: not everywhere
        yield model


def noise(height: int, width: int) -> torch.Tensor:
    pixels = torch.rand(1, 3, height // 16, width // 16, generator=torch.Generator().manual_seed(0))
    return torch.nn.functional.interpolate(pixels, scale_factor=16, mode="bilinear")


def test_windows_are_padded_and_shifted_in_the_graph_as_the_size_demands(tmp_path: Path, paper: MattingNetwork):
    path, counts = tmp_path / "paper.onnx", []
    export_onnx(paper, path)
    session = open_graph(path)
    for image in (torch.zeros(1, 3, 256, 128), noise(128, 128), noise(384, 640), noise(896, 512)):
        with torch.inference_mode():
            expected = paper(image)
        counts.append(len(expected.cells))
        alpha, coarse_alpha, trimap = session.run(["alpha", "coarse_alpha", "trimap"], {"image": image.numpy()})
        assert np.abs(alpha - expected.alpha.numpy()).max() < 1e-4
        assert np.abs(coarse_alpha - expected.coarse_alpha.numpy()).max() < 1e-4
        assert np.abs(trimap - expected.trimap.numpy()).max() < 1e-4
    assert counts[0] == 0 < counts[1] < 20 < 100 < counts[2] < counts[3]
    graph = onnx_ir.load(path)
    store_half(graph)
    onnx_ir.save(graph, half := tmp_path / "half.onnx")
    assert half.stat().st_size < 0.6 * path.stat().st_size
    given = open_graph(half).run(["coarse_alpha", "trimap"], {"image": image.numpy()})
    for values, wanted in zip(given, (expected.coarse_alpha, expected.trimap), strict=True):
        assert np.abs(values - wanted.numpy()).max() < 1e-2
