"""The programs in examples/ that build on the package: a node of ComfyUI, and many photos in several processes."""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from pictures import draw_person
from PIL import Image

from matting.weights import save_weights

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.mark.slow
def test_a_node_of_comfyui(saved: Path):
    module = runpy.run_path(str(EXAMPLES / "comfyui_matting.py"))
    node = module["NODE_CLASS_MAPPINGS"]["PortraitMatting"]
    assert list(node.INPUT_TYPES()["required"]) == ["image", "max_side", "weights"]
    images = torch.from_numpy(np.stack([draw_person(120, 90)[0]] * 2)).float() / 255
    image, alpha, trimap = getattr(node(), node.FUNCTION)(images, max_side=128, weights=str(saved))
    assert image.shape == (2, 120, 90, 3) and alpha.shape == trimap.shape == (2, 120, 90)
    for values in (image, alpha, trimap):
        assert values.dtype == torch.float32 and values.min() >= 0 and values.max() <= 1
    assert set(trimap.unique().tolist()) <= {0.0, 0.5, 1.0}
    assert len(node.RETURN_TYPES) == len(node.RETURN_NAMES) == 3


@pytest.mark.slow
def test_many_photos_are_resumed(lite_model, tmp_path: Path):
    weights, source, target = tmp_path / "random.safetensors", tmp_path / "in", tmp_path / "out"
    save_weights(lite_model, weights, {})
    (source / "deep").mkdir(parents=True)
    for name in ("a.png", "a.webp", "deep/b.png"):
        Image.fromarray(draw_person(60, 50)[0]).save(source / name)
    (source / "broken.jpg").write_bytes(b"no picture")
    (target / "deep").mkdir(parents=True)
    (target / "deep" / "b.png.png").write_bytes(b"done before")
    environment = {**os.environ, "PYTHONPATH": str(EXAMPLES.parent)}
    command = [sys.executable, str(EXAMPLES / "many_photos.py"), str(source), str(target), "--processes", "1"]
    done = subprocess.run([*command, "--weights", str(weights)], capture_output=True, text=True, env=environment)
    assert done.returncode == 1, done.stderr
    assert "2 done, 1 failed" in done.stdout and "broken.jpg" in done.stderr
    assert sorted(path.name for path in target.rglob("*.png")) == ["a.png.png", "a.webp.png", "b.png.png"]
    assert (target / "deep" / "b.png.png").read_bytes() == b"done before"


def test_a_worker_of_ray_and_what_is_left_for_it(saved: Path, tmp_path: Path, monkeypatch):
    module = runpy.run_path(str(EXAMPLES / "ray_photos.py"))
    source, target = tmp_path / "in", tmp_path / "out"
    (source / "deep").mkdir(parents=True)
    for name in ("a.png", "deep/b.webp"):
        Image.fromarray(draw_person(60, 50)[0]).save(source / name)
    (source / "broken.jpg").write_bytes(b"no picture")
    (source / "note.txt").touch()
    monkeypatch.chdir(tmp_path)
    rows = module["remaining"](Path("in"), Path("out"))
    assert [Path(row["photo"]).name for row in rows] == ["a.png", "broken.jpg", "b.webp"]
    threads = torch.get_num_threads()
    try:
        work = module["CutOut"](str(saved))
        done = [work(row) for row in rows]
    finally:
        torch.set_num_threads(threads)
    assert [bool(row["error"]) for row in done] == [False, True, False]
    with Image.open(target / "deep" / "b.webp.png") as cutout:
        assert cutout.mode == "RGBA" and cutout.size == (50, 60)
    assert [Path(row["photo"]).name for row in module["remaining"](source, target)] == ["broken.jpg"]


def test_without_ray_the_example_says_so(tmp_path: Path, monkeypatch, capsys):
    main = runpy.run_path(str(EXAMPLES / "ray_photos.py"))["main"]
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.setattr(sys, "argv", ["ray_photos.py", str(tmp_path), str(tmp_path / "out")])
    assert main() == 1
    assert capsys.readouterr().err == "this needs Ray: pip install 'ray[data]'\n"
