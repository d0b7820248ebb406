import json

import numpy as np
import pytest
import torch
from onnx_files import red_network
from PIL import Image

from matting.evaluation.evaluate import main
from matting.evaluation.published import measured_rows
from matting.evaluation.ray import map_on_ray
from matting.evaluation.records import read_records
from matting.weights import save_weights

NAMES = ("a", "b", "c")


@pytest.fixture(scope="session")
def weights(lite_model, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "random.safetensors"
    save_weights(lite_model, path, {}, torch.float32)
    return path


@pytest.fixture
def root(tmp_path):
    """Three pictures of 128x128 whose alpha is their red channel."""
    rng = np.random.default_rng(0)
    for name in NAMES:
        alpha = np.kron(rng.integers(0, 2, (4, 4)), np.ones((32, 32))).astype(np.uint8) * 255
        image = np.dstack([alpha, rng.integers(0, 256, (128, 128, 2), dtype=np.uint8)])
        for folder, array in (("image", image), ("alpha", alpha)):
            (tmp_path / "data" / folder).mkdir(parents=True, exist_ok=True)
            Image.fromarray(array).save(tmp_path / "data" / folder / f"{name}.png")
    return tmp_path / "data"


@pytest.fixture
def arguments(root, weights):
    words = ["--dataset", "folders", "--root", root, "--weights", weights, "--resize", "paper", "--device", "cpu"]
    return [str(word) for word in words]


@pytest.mark.slow
def test_a_run_prints_and_writes_its_results(arguments, tmp_path, capsys):
    out = tmp_path / "out"
    assert main([*arguments, "--out", str(out), "--worst"]) == 0
    printed = capsys.readouterr().out
    assert printed.count("folders ") >= 2 and "written:" in printed
    records = read_records(out / "folders.csv")
    assert [(record.image, record.method) for record in records] == [
        (name, method) for name in NAMES for method in ("coarse", "ours")
    ]
    assert all(record.seconds > 0 and record.gmac > 0 and record.metrics.sad > 0 for record in records)
    data = json.loads((out / "folders.json").read_text())
    assert data["weights_id"] == records[0].weights and data["resize"] == "paper"
    assert "This network, coarse only" in (out / "folders.md").read_text()
    sheet = Image.open(out / "folders-worst-ours.png")
    assert sheet.width == 1000 and sheet.height > 3 * 200
    rows = measured_rows(out)
    assert [(row.method, row.images) for row in rows] == [("ours", 3), ("coarse", 3)]
    assert data["weights"] == "random.safetensors" and "/" not in data["command"].replace("DATA", "")


@pytest.mark.slow
def test_an_interrupted_run_is_taken_up(arguments, tmp_path, capsys, monkeypatch):
    out = tmp_path / "out"
    main([*arguments, "--out", str(out)])
    path = out / "folders.csv"
    whole = path.read_text()
    lines = whole.splitlines(keepends=True)
    path.write_text("".join(lines[:4]) + lines[4][:30])  # a: both, b: one and a half
    kept = path.read_text().splitlines()[:4]
    assert main([*arguments, "--out", str(out)]) == 0
    assert path.read_text().splitlines()[:4] == kept
    assert sorted(record.key for record in read_records(path)) == sorted(
        ("", name, method) for name in NAMES for method in ("ours", "coarse")
    )


@pytest.mark.slow
def test_results_of_other_weights_stop_the_run(arguments, tmp_path, weights, lite_model):
    out = tmp_path / "out"
    main([*arguments, "--limit", "1", "--methods", "coarse", "--out", str(out)])
    other = tmp_path / "other.safetensors"
    save_weights(lite_model, other, {"step": "1"}, torch.float32)
    arguments[arguments.index(str(weights))] = str(other)
    with pytest.raises(SystemExit) as stop:
        main([*arguments, "--out", str(out)])
    assert stop.value.code == 2


@pytest.mark.slow
def test_limits_and_slow_limits(arguments, tmp_path):
    out = tmp_path / "out"
    main([*arguments, "--methods", "coarse,closed-form-given", "--limit", "2", "--slow-limit", "1", "--out", str(out)])
    done = [(record.image, record.method) for record in read_records(out / "folders.csv")]
    assert done == [("a", "closed-form-given"), ("a", "coarse"), ("b", "coarse")]
    data = json.loads((out / "folders.json").read_text())
    assert [entry["method"] for entry in data["results"]] == ["coarse"]
    assert [entry["method"] for entry in data["common"]] == ["coarse", "closed-form-given"]


@pytest.mark.slow
def test_the_users_own_network_is_compared(arguments, tmp_path):
    network = red_network(tmp_path / "red.onnx", bias=0.5)
    options = ["--methods", "coarse", "--onnx", str(network), "--onnx-size", "128"]
    assert main([*arguments, *options, "--limit", "1", "--out", str(tmp_path / "x")]) == 1  # (x-0.5)/0.5+0.5 is no alpha
    failed = read_records(tmp_path / "x" / "folders.csv")[-1]
    assert failed.method == "red" and "declare a sigmoid" in failed.error
    assert main([*arguments, *options, "--onnx-sigmoid", "--limit", "1", "--out", str(tmp_path / "y")]) == 0


def test_a_method_that_cannot_be_had_is_named_and_the_rest_goes_on(arguments, hub, tmp_path, capsys):
    hub.status = 401
    assert main([*arguments, "--methods", "modnet,coarse", "--limit", "1", "--out", str(tmp_path / "out")]) == 1
    assert "left out modnet: Xenova/modnet/onnx/model.onnx could not be downloaded" in capsys.readouterr().err
    assert [record.method for record in read_records(tmp_path / "out" / "folders.csv")] == ["coarse"]


@pytest.mark.slow
def test_a_failure_on_one_image_is_named_and_the_rest_goes_on(arguments, root, tmp_path, capsys):
    Image.fromarray(np.full((128, 128), 128, np.uint8)).save(root / "alpha" / "b.png")
    options = ["--methods", "closed-form-given,coarse", "--out", str(tmp_path / "out")]
    assert main([*arguments, *options]) == 1
    assert "failed: closed-form-given on  b: the trimap has no foreground" in capsys.readouterr().err
    assert len([record for record in read_records(tmp_path / "out" / "folders.csv") if not record.error]) >= 4


def test_wrong_arguments_are_explained(arguments, capsys, tmp_path):
    for extra, message in (
        (["--methods", "magic"], "method must be one of"),
        (["--limit", "0"], "whole number of at least 1"),
        (["--worst"], "--worst needs --out"),
        (["--root", str(tmp_path / "nowhere")], "is missing"),
        (["--weights", str(tmp_path / "no.safetensors")], "there is no file"),
    ):
        with pytest.raises(SystemExit) as stop:
            main([*arguments, *extra])
        assert stop.value.code == 2
        assert message in capsys.readouterr().err


@pytest.mark.slow
def test_several_workers_give_the_same_numbers(arguments, tmp_path):
    main([*arguments, "--methods", "coarse", "--out", str(tmp_path / "one")])
    main([*arguments, "--methods", "coarse", "--workers", "2", "--out", str(tmp_path / "two")])
    assert metrics_by_image(tmp_path / "one") == metrics_by_image(tmp_path / "two")


def test_a_ray_cluster_gives_the_same_numbers(arguments, tmp_path, monkeypatch):
    ray = pytest.importorskip("ray")
    monkeypatch.setenv("RAY_worker_niceness", "0")
    ray.init(
        num_cpus=2, object_store_memory=100_000_000, include_dashboard=False, log_to_driver=False, _node_ip_address="127.0.0.1"
    )
    try:
        main([*arguments, "--methods", "coarse", "--out", str(tmp_path / "one")])
        main([*arguments, "--methods", "coarse", "--workers", "2", "--ray", "auto", "--out", str(tmp_path / "ray")])
        assert metrics_by_image(tmp_path / "one") == metrics_by_image(tmp_path / "ray")
    finally:
        ray.shutdown()


def test_without_ray_one_is_told_how_to_get_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(ValueError, match=r"pip install 'ray\[data\]'"):
        list(map_on_ray([1], lambda: abs, "local", 1))


def metrics_by_image(folder):
    return {record.image: record.metrics for record in read_records(folder / "folders.csv")}
