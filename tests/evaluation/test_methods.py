import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from hub_server import REVISION
from onnx_files import red_network
from PIL import Image

from matting.evaluation import classic
from matting.evaluation.cost import network_gmac
from matting.evaluation.methods import (
    METHODS,
    OFFLINE,
    Estimate,
    Resources,
    choose,
    hub_method,
    onnx_method,
    run,
)
from matting.evaluation.metrics import mad, trimap_from_alpha
from matting.evaluation.onnx_network import Preprocessing
from matting.evaluation.ours import paper_size
from matting.network import PRESETS
from matting.weights import load_model
from matting.weights.hub import DownloadError, HubFile

EXAMPLES = Path(__file__).parents[2] / "examples"
PLAIN = Preprocessing(64, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))


@pytest.fixture(scope="module")
def portrait():
    """A small copy of an example: image, true alpha, trimap."""
    image = Image.open(EXAMPLES / "silver.jpg").convert("RGB")
    truth = Image.open(EXAMPLES / "alpha" / "silver.png").convert("L")
    image.thumbnail((224, 224))
    truth = np.asarray(truth.resize(image.size)) / np.float32(255)
    trimap = trimap_from_alpha(truth)
    return np.asarray(image), truth, trimap


@pytest.fixture(scope="module")
def bundled():
    return Resources(load_model("bundled", "cpu"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "bound"),
    [
        ("ours", 0.03), ("coarse", 0.04), ("no-cra", 0.04), ("no-closed-form", 0.03), ("no-guided-filter", 0.03),
        ("closed-form", 0.04), ("knn", 0.04), ("grabcut", 0.04),
        ("closed-form-given", 0.05), ("knn-given", 0.07),  # the evaluation's trimap is wide for so small a picture
    ],
)  # fmt: skip
def test_every_offline_method_cuts_out_an_example(name, bound, portrait, bundled):
    image, truth, trimap = portrait
    method = METHODS[name]
    timed = run(method.load(bundled), image, trimap if method.uses_trimap else None)
    assert timed.estimate.alpha.dtype == np.float32
    assert timed.seconds > 0
    assert mad(timed.estimate.alpha, truth) < bound


def test_the_table_test_leaves_no_offline_method_out():
    (mark,) = (mark for mark in test_every_offline_method_cuts_out_an_example.pytestmark if mark.name == "parametrize")
    assert {name for name, _ in mark.args[1]} == set(OFFLINE)


def test_methods_with_a_download_say_its_size_and_marks_are_set():
    assert [name for name, method in METHODS.items() if method.download] == ["modnet", "birefnet-lite"]
    assert "25.9 MB" in METHODS["modnet"].needs and "114.5 MB" in METHODS["birefnet-lite"].needs
    assert METHODS["birefnet-lite"].trained_on == ("p3m-500-p", "p3m-500-np")
    assert all(len(method.download.revision) == 40 for method in METHODS.values() if method.download)
    with pytest.raises(ValueError, match=r"method must be one of ours, coarse, .*, got 'magic'"):
        choose(["ours", "magic"])


@pytest.mark.slow
@pytest.mark.parametrize("resize", ["auto", "paper"])
def test_our_variants_differ_and_count_their_cost(bundled, portrait, resize):
    image, _, _ = portrait
    resources = Resources(bundled.model, resize)
    refined, coarse, alone = (run(METHODS[name].load(resources), image).estimate for name in ("ours", "coarse", "no-cra"))
    assert (refined.alpha != coarse.alpha).any() and (refined.alpha != alone.alpha).any()
    assert refined.gmac > alone.gmac > coarse.gmac > 0


@pytest.mark.slow
def test_the_guided_filter_is_what_the_app_adds_and_the_paper_does_not(bundled, portrait):
    image, _, _ = portrait
    app, paper = ([run(METHODS[name].load(Resources(bundled.model, resize)), image).estimate 
                   for name in ("ours", "no-guided-filter")] for resize in ("auto", "paper"))  # fmt: skip
    assert (app[0].alpha != app[1].alpha).any() and app[0].gmac == app[1].gmac
    assert np.array_equal(paper[0].alpha, paper[1].alpha)


@pytest.mark.slow
def test_the_paper_protocol_is_the_network_itself(lite_model):
    image = np.random.default_rng(0).integers(0, 256, (128, 256, 3), dtype=np.uint8)
    alpha = run(METHODS["ours"].load(Resources(lite_model, "paper")), image).estimate.alpha
    with torch.inference_mode():
        expected = lite_model(torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255).alpha[0, 0].numpy()
    assert np.abs(alpha - expected).max() < 0.5 / 255 + 1e-5  # faint values are cut off when the alpha is resized


def test_paper_size_floors():
    assert paper_size(1080, 1350) == (1024, 1280)
    assert paper_size(40, 128) == (128, 128)


def test_resize_modes_are_checked(lite_model):
    with pytest.raises(ValueError, match="resize must be one of auto, paper, got 'big'"):
        Resources(lite_model, "big")


def test_gmac_agrees_with_the_convolutions_of_the_paper():
    config = PRESETS["paper"]
    per_region = network_gmac(config, (128, 128), 1001) - network_gmac(config, (128, 128), 1)
    assert per_region == pytest.approx(3.72, rel=0.02)  # 1000 regions in 10^9, so one in 10^6
    regions = round(0.05 * 128 * 128)
    assert network_gmac(config, (1024, 1024), regions) == pytest.approx(12.5, rel=0.02)


def test_run_refuses_what_is_no_alpha():
    image = np.zeros((4, 5, 3), np.uint8)
    with pytest.raises(ValueError, match=r"alpha must be \(4, 5\) in \[0, 1\], got \(5, 4\)"):
        run(lambda image, trimap: Estimate(np.zeros((5, 4), np.float32)), image)
    with pytest.raises(ValueError, match=r"in 0.0 to nan|in nan to nan"):
        run(lambda image, trimap: Estimate(np.full((4, 5), np.nan, np.float32)), image)


def test_solvers_keep_what_is_known_and_name_what_is_missing():
    image = np.zeros((40, 60, 3), np.uint8)
    image[:, 30:] = 200
    trimap = np.zeros((40, 60), np.uint8)
    trimap[:, 20:40], trimap[:, 40:] = 128, 255
    alpha = classic.closed_form(image, trimap)
    assert (alpha[:, :20] == 0).all() and (alpha[:, 40:] == 1).all()
    assert np.abs(alpha - (image[..., 0] > 100)).mean() < 0.02
    assert (classic.closed_form(image, np.where(trimap == 128, 0, trimap)) == (trimap == 255)).all()
    with pytest.raises(ValueError, match="no foreground"):
        classic.closed_form(image, np.minimum(trimap, 128))
    with pytest.raises(ValueError, match="no background"):
        classic.knn(image, np.maximum(trimap, 128))
    with pytest.raises(ValueError, match="same size"):
        classic.closed_form(image, trimap[:-1])
    with pytest.raises(ValueError, match="must be given a trimap"):
        METHODS["knn-given"].load(None)(image)


def test_large_pictures_are_solved_small():
    image = np.zeros((40, 2000, 3), np.uint8)
    image[:, 1000:] = 200
    trimap = np.full((40, 2000), 128, np.uint8)
    trimap[:, :900], trimap[:, 1100:] = 0, 255
    seen = []

    def solve(pixels, small):
        seen.append(pixels.shape[:2])
        return small

    assert classic.from_trimap(image, trimap, solve).shape == (40, 2000)
    assert seen == [(10, 512)]


def test_grabcut_finds_what_stands_out_in_its_box():
    image = np.full((60, 80, 3), 40, np.uint8)
    image[20:, 30:50] = 220
    coarse = np.zeros((60, 80), np.float32)
    coarse[15:, 25:55] = 1  # a loose box that reaches the lower edge
    assert (classic.grabcut(image, coarse) == (image[..., 0] > 100)).mean() > 0.99


def test_grabcut_without_anything_and_with_everything():
    image = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    assert (classic.grabcut(image, np.zeros((30, 40), np.float32)) == 0).all()
    assert (classic.grabcut(image, np.ones((30, 40), np.float32)) == 1).all()


def test_a_network_of_the_hub(hub, tmp_path, lite_model):
    content = red_network(tmp_path / "red.onnx").read_bytes()
    hub.files["onnx/model.onnx"] = content
    file = HubFile("someone/red", "onnx/model.onnx", REVISION, len(content), hashlib.sha256(content).hexdigest())
    method = hub_method("red", "Red", "MIT", file, PLAIN)
    resources = Resources(lite_model, cache_dir=tmp_path / "cache")
    image = np.full((20, 30, 3), (255, 0, 0), np.uint8)
    assert (run(method.load(resources), image).estimate.alpha == 1).all()
    hub.status = 401
    with pytest.raises(DownloadError, match="refuses access"):
        method.load(Resources(lite_model, cache_dir=tmp_path / "empty"))


def test_a_network_of_the_user(tmp_path, lite_model):
    method = onnx_method(red_network(tmp_path / "mine.onnx"), PLAIN)
    assert method.name == "mine"
    image = np.full((20, 30, 3), (255, 0, 0), np.uint8)
    assert (run(method.load(Resources(lite_model)), image).estimate.alpha == 1).all()
