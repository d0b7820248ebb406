"""Which files of Debian packages become pictures and things."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from matting.training import gather
from matting.training.gather import pick_objects, pick_pictures


def photo(path: Path, size: tuple[int, int], channels: int = 3) -> None:
    """A picture that no format can make small; with a fourth channel its left half is transparent."""
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], channels), np.uint8)
    if channels == 4:
        pixels[..., 3] = 255 * (np.arange(size[0]) >= size[0] // 2)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def test_each_wallpaper_gives_one_picture_of_limited_size(tmp_path):
    package, out = tmp_path / "walls", tmp_path / "out"
    for side in (400, 2000):
        photo(package / f"usr/share/wallpapers/Lake/contents/images/{side}x{side // 2}.png", (side, side // 2))
    photo(package / "usr/share/wallpapers/Lake/contents/screenshot.png", (100, 50))
    photo(package / "usr/share/wallpapers/Autumn/contents/images/400x200.png", (400, 200))
    photo(package / "usr/share/backgrounds/Hill.jpg", (600, 800))
    assert pick_pictures(package, out) == 2
    with Image.open(out / "walls__Lake.webp") as lake, Image.open(out / "walls__Hill.webp") as hill:
        assert max(lake.size) <= 1280 and hill.size == (600, 800)


def test_only_large_cut_out_photos_become_things(tmp_path):
    stamps, out = tmp_path / "usr/share/tuxpaint/stamps", tmp_path / "out"
    photo(stamps / "animals/cat.png", (200, 100), 4)
    photo(stamps / "animals/cartoon/mouse.png", (200, 100), 4)
    photo(stamps / "animals/cat_mirror.png", (200, 100), 4)
    photo(stamps / "plants/leaf.png", (50, 50), 4)
    photo(stamps / "food/plate.png", (200, 100))
    photo(stamps / "symbols/arrow.png", (200, 100), 4)
    assert pick_objects(tmp_path, out) == 1
    with Image.open(out / "animals/cat.png") as cat:
        assert cat.mode == "RGBA" and cat.size == (200, 100)


def test_the_command_fetches_unpacks_and_picks(tmp_path, monkeypatch, capsys):
    archive = tmp_path / "archive"
    for package in (*gather.WALLPAPERS, gather.STAMPS):
        root = archive / package
        photo(root / "usr/share/backgrounds/Hill.png", (600, 800))
        photo(root / "usr/share/tuxpaint/stamps/animals/cat.png", (200, 100), 4)
        (root / "DEBIAN").mkdir()
        fields = f"Package: {package}\nVersion: 1\nArchitecture: all\nMaintainer: A\nDescription: a\n"
        (root / "DEBIAN/control").write_text(fields)
        subprocess.run(["dpkg-deb", "-b", "-Znone", root, archive / f"{package}_1_all.deb"], check=True)
    tool = tmp_path / "bin/apt-get"
    tool.parent.mkdir()
    tool.write_text(f'#!/bin/sh\n[ "$1" = download ] && cp "{archive}/$2"_*.deb .\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tool.parent), prepend=":")
    gather.main([str(tmp_path / "out")])
    assert f"2 pictures and 1 objects in {tmp_path / 'out'}" in capsys.readouterr().out
    assert (tmp_path / "out/things/animals/cat.png").exists()
    assert (tmp_path / f"out/pictures/{gather.WALLPAPERS[0]}__Hill.webp").exists()


def test_a_package_that_cannot_be_had_stops_it(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    (tmp_path / "apt-get").write_text("#!/bin/sh\nexit 100\n")
    (tmp_path / "apt-get").chmod(0o755)
    with pytest.raises(subprocess.CalledProcessError, match="100"):
        gather.unpack("nothing", tmp_path)
