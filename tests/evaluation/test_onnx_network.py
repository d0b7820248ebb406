import numpy as np
import pytest
from onnx_files import red_network

from matting.evaluation.onnx_network import OnnxNetwork, Preprocessing

PLAIN = {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)}


@pytest.fixture
def image():
    rng = np.random.default_rng(0)
    return np.repeat(np.repeat(rng.integers(0, 256, (6, 9, 3), dtype=np.uint8), 8, 0), 8, 1)


@pytest.mark.parametrize("half", [False, True])
def test_the_red_channel_comes_back_at_the_image_size(tmp_path, image, half):
    network = OnnxNetwork(red_network(tmp_path / "red.onnx", half=half), Preprocessing(144, **PLAIN))
    alpha = network(image)
    assert alpha.shape == image.shape[:2] and alpha.dtype == np.float32
    assert np.abs(alpha[4::8, 4::8] - image[4::8, 4::8, 0] / 255).max() < 0.02


def test_mean_std_and_sigmoid_are_applied(tmp_path):
    image = np.full((32, 32, 3), 128, np.uint8)
    path = red_network(tmp_path / "red.onnx")
    logit = (128 / 255 - 0.5) / 0.25
    alpha = OnnxNetwork(path, Preprocessing(32, mean=(0.5,) * 3, std=(0.25,) * 3, sigmoid=True))(image)
    assert np.allclose(alpha, 1 / (1 + np.exp(-logit)), atol=1e-5)


def test_the_output_may_be_named(tmp_path, image):
    path = red_network(tmp_path / "red.onnx")
    assert OnnxNetwork(path, Preprocessing(32, output="zero", **PLAIN))(image).max() == 0
    with pytest.raises(ValueError, match=r"red.onnx has no output 'matte', it has alpha, zero"):
        OnnxNetwork(path, Preprocessing(32, output="matte"))


def test_input_sizes():
    assert Preprocessing(512).input_size(300, 900) == (512, 512)
    keep = Preprocessing(512, keep_aspect=True)
    assert keep.input_size(1024, 1500) == (512, 736)  # 750 floored to a multiple of 32
    assert keep.input_size(100, 100) == (512, 512)
    assert keep.input_size(2000, 10) == (102400, 512)


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (70, 45)])
def test_any_size_gives_that_size(tmp_path, size):
    network = OnnxNetwork(red_network(tmp_path / "red.onnx"), Preprocessing(64, **PLAIN))
    alpha = network(np.full((*size, 3), 255, np.uint8))
    assert alpha.shape == size and (alpha == 1).all()


def test_an_output_that_is_no_alpha_is_explained(tmp_path, image):
    network = OnnxNetwork(red_network(tmp_path / "red.onnx", bias=3.0), Preprocessing(32, **PLAIN))
    with pytest.raises(ValueError, match="expected \\[0, 1\\]; if it is a logit, declare a sigmoid"):
        network(image)


def test_files_that_are_no_networks_are_explained(tmp_path):
    with pytest.raises(ValueError, match="there is no file"):
        OnnxNetwork(tmp_path / "missing.onnx", Preprocessing(32))
    (tmp_path / "text.onnx").write_text("not a network")
    with pytest.raises(ValueError, match=r"text.onnx is not a network that onnxruntime can load"):
        OnnxNetwork(tmp_path / "text.onnx", Preprocessing(32))
