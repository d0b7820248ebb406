"""Gather pictures without people and cut-out objects from Debian packages: python -m matting.training.gather FOLDER.

Fills FOLDER/pictures (one WebP per wallpaper, for --backgrounds) and FOLDER/things (transparent PNGs, for --objects) on a
Debian machine. The licences of the contents are in /usr/share/doc/PACKAGE/copyright.
"""

import argparse
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from matting.training.objects import SMALLEST

WALLPAPERS = ("plasma-workspace-wallpapers", "lomiri-wallpapers-16.04")
STAMPS = "tuxpaint-stamps-default"
_LONG_SIDE = 1280
_SMALLEST_FILE = 150_000  # bytes; previews and logos are smaller
_PEOPLE = frozenset({"Autumn"})  # wallpapers that show people
_KINDS = ("animals", "food", "household", "hobbies", "plants", "vehicles", "clothes/hats", "sports", "medical")
_DRAWN = ("cartoon", "_mirror", "toy")


def pick_pictures(package: Path, out: Path) -> int:
    """Save one picture of each wallpaper of an unpacked package, at most 1280 px long; returns how many there are."""
    files = [path for path in sorted(package.rglob("*")) if path.suffix in (".jpg", ".png")]
    chosen: dict[str, Path] = {}
    for path in files:
        if path.stat().st_size > _SMALLEST_FILE:
            chosen.setdefault(_wallpaper(path), path)
    out.mkdir(parents=True, exist_ok=True)
    for name in chosen.keys() - _PEOPLE:
        with Image.open(chosen[name]) as file:
            picture = file.convert("RGB")
        picture.thumbnail((_LONG_SIDE, _LONG_SIDE))
        picture.save(out / f"{package.name}__{name}.webp", quality=92)
    return len(chosen.keys() - _PEOPLE)


def _wallpaper(path: Path) -> str:
    """Name of a wallpaper: KDE keeps its sizes in NAME/contents/images, others have one file each."""
    return path.parts[path.parts.index("contents") - 1] if "contents" in path.parts else path.stem


def pick_objects(package: Path, out: Path) -> int:
    """Save the photos of objects with transparency of an unpacked package, without drawings; returns their number."""
    stamps = next(path for path in package.rglob("stamps") if path.is_dir())
    count = 0
    for path in sorted(stamps.rglob("*.png")):
        name = path.relative_to(stamps)
        if not name.as_posix().startswith(_KINDS) or any(word in name.as_posix() for word in _DRAWN):
            continue
        with Image.open(path) as file:
            cut_out = file.convert("RGBA")
        if max(cut_out.size) >= SMALLEST and np.asarray(cut_out)[..., 3].min() < 255:
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            cut_out.save(out / name)
            count += 1
    return count


def unpack(package: str, folder: Path) -> Path:
    """Download a Debian package and unpack it to `folder/package`.

    Raises:
        subprocess.CalledProcessError: if there is no such package, or it cannot be fetched.
    """
    subprocess.run(["apt-get", "download", package], cwd=folder, check=True)  # noqa: S607 - wherever the system has it
    (archive,) = folder.glob(f"{package}_*.deb")
    subprocess.run(["dpkg-deb", "-x", archive, folder / package], check=True)  # noqa: S607
    return folder / package


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m matting.training.gather", description=__doc__)
    parser.add_argument("folder", type=Path, help="gets pictures/ and things/")
    folder = parser.parse_args(arguments).folder
    with tempfile.TemporaryDirectory() as unpacked:
        pictures = sum(pick_pictures(unpack(name, Path(unpacked)), folder / "pictures") for name in WALLPAPERS)
        objects = pick_objects(unpack(STAMPS, Path(unpacked)), folder / "things")
    print(f"written: {pictures} pictures and {objects} objects in {folder}")


if __name__ == "__main__":
    main()
