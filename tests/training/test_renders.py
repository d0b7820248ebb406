"""Furniture from 3D models."""

import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from matting.training import renders
from matting.training.renders import Model, is_usable, read_catalog, render

CATALOG = """id=Test
name#1=Armchair
category#1=Living room
model#1=/box/box.obj
modelRotation#1=1 0 0 0 0 -1 0 1 0
name#2=Woman standing
category#2=Bedroom
model#2=/box/box.obj
name#3=Door
category#3=Doors and windows
model#3=/box/box.obj
name#4=Desk
category#4=Office
model#4=/box/box.obj
name#5=Old desk
category#5=Office
model#5=/box/box.3ds
"""


def write_catalog(folder: Path) -> None:
    """A catalog whose models are all one box, 2 wide, 1 high, 1 deep, its front and back red, the rest grey."""
    (folder / "box").mkdir(parents=True)
    (folder / "PluginFurnitureCatalog.properties").write_text(CATALOG)
    corners = [f"v {x} {y} {z}" for z in (0, 1) for y in (0, 1) for x in (0, 2)]
    red, grey = ["f 5 6 8 7", "f 1 3 4 2"], ["f 3 7 8 4", "f 1 2 6 5", "f 2 4 8 6", "f 1 5 7 3"]
    lines = ["mtllib box.mtl", *corners, "usemtl red", *red, "usemtl grey", *grey]
    (folder / "box/box.obj").write_text("\n".join(lines) + "\n")
    materials = [
        f"newmtl {name}\nKa 0 0 0\nKd {colour}\nKs 0 0 0\n" for name, colour in (("red", "1 0 0"), ("grey", "0.5 0.5 0.5"))
    ]
    (folder / "box/box.mtl").write_text("\n".join(materials))


def test_people_doors_and_other_formats_are_left_out(tmp_path: Path):
    write_catalog(tmp_path)
    armchair, desk = read_catalog(tmp_path)
    assert (armchair.name, desk.name) == ("Armchair", "Desk")
    assert armchair.file.exists() and desk.rotation.tolist() == np.eye(3).tolist()
    assert armchair.rotation.tolist() == [[1, 0, 0], [0, 0, -1], [0, 1, 0]]


def test_a_box_is_seen_in_its_colours_with_nothing_around_it(tmp_path: Path):
    write_catalog(tmp_path)
    picture = render(Model("box", tmp_path / "box/box.obj", np.eye(3)), np.random.default_rng(0))
    pixels = np.asarray(picture).astype(int)
    assert picture.mode == "RGBA" and pixels[0, :, 3].max() == 0 and pixels[:, 0, 3].max() == 0
    inside = pixels[pixels[..., 3] == 255]
    assert len(inside) > 0.05 * picture.width * picture.height
    assert (inside[:, 0] > 2 * inside[:, 1] + 40).any(), "the red front"
    assert (abs(inside[:, 0] - inside[:, 1]) < 8).any(), "the grey top"
    assert is_usable(picture)


def test_a_rotation_turns_the_model(tmp_path: Path):
    write_catalog(tmp_path)
    standing = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    left, top, right, bottom = render(Model("box", tmp_path / "box/box.obj", standing), np.random.default_rng(4)).getbbox()
    assert bottom - top > right - left


@pytest.mark.parametrize("colour", [(255, 255, 255, 255), (0, 0, 0, 0)])
def test_renders_without_contrast_or_contents_are_not_used(colour: tuple[int, ...]):
    assert not is_usable(Image.new("RGBA", (64, 64), colour))


@pytest.mark.slow
def test_the_command_fetches_and_renders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture):
    write_catalog(tmp_path / "catalog")
    root = tmp_path / "root"
    (root / "usr/share/sweethome3d").mkdir(parents=True)
    with zipfile.ZipFile(root / "usr/share/sweethome3d/Boxes.sh3f", "w") as archive:
        for path in (tmp_path / "catalog").rglob("*.*"):
            archive.write(path, path.relative_to(tmp_path / "catalog"))
    (root / "DEBIAN").mkdir()
    fields = f"Package: {renders.PACKAGE}\nVersion: 1\nArchitecture: all\nMaintainer: A\nDescription: a\n"
    (root / "DEBIAN/control").write_text(fields)
    package = tmp_path / f"{renders.PACKAGE}_1_all.deb"
    subprocess.run(["dpkg-deb", "-b", "-Znone", root, package], check=True)
    (tmp_path / "apt-get").write_text(f'#!/bin/sh\n[ "$1" = download ] && cp "{package}" .\n')
    (tmp_path / "apt-get").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    renders.main([str(tmp_path / "out")])
    assert "written: 2 pieces of furniture" in capsys.readouterr().out
    with Image.open(tmp_path / "out/Boxes-001.png") as picture:
        assert picture.mode == "RGBA" and picture.size < (560, 560)
