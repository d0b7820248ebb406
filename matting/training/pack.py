"""Data for another machine in one file: people cut out of their photos with some of what is around them, made small."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from matting.media.atomic import AtomicFile
from matting.training.cache import person_box
from matting.training.objects import SMALLEST
from matting.training.pairs import IMAGE_SUFFIXES, Pair, list_people
from matting.training.prepare import read_pair
from matting.training.validation import default_folders, find_validation

MOST_MEBIBYTES = 60.0
_SIDE = 512  # pixels, of people and backgrounds
_OBJECT_SIDE = 256
_MARGIN = 0.3  # of a person's height and width, that is kept around them
_QUALITY = 85
_VALIDATION_PHOTOS = 10  # of each set
_BACKGROUNDS, _OBJECTS = 0.15, 0.1  # shares of the file at most; objects and furniture each
_ENTRY_BYTES = 300  # of an archive's directory, for one file


class Archive:
    """A file that takes entries until it is as large as it may be.

    Args:
        file: to be written.
        mebibytes: its size at most.
    """

    def __init__(self, file: zipfile.ZipFile, mebibytes: float):
        self.file = file
        self.most = int(mebibytes * 2**20)
        self.size = 0

    def add(self, entries: dict[str, bytes], share: float = 1.0) -> bool:
        """Write entries if they fit into a share of the size, all or none of them; says whether they did."""
        size = sum(len(data) + len(name) * 2 + _ENTRY_BYTES for name, data in entries.items())
        if self.size + size > self.most * share:
            return False
        for name, data in entries.items():
            self.file.writestr(name, data)
        self.size += size
        return True


def pack(data: Path, archive: Path, mebibytes: float = MOST_MEBIBYTES) -> str:
    """Pack the data of a training into one file, in the layout that `--data` reads.

    People are taken in a random order in which a set's share is what it has in training, until the file is full. Validation
    photos, backgrounds, objects and furniture of the folder come first.

    Args:
        data: folder of the sets, or one set.
        archive: the file to write.
        mebibytes: its size at most.

    Returns:
        What was packed, in a sentence.

    Raises:
        ValueError: if there are no photos, or none fits.
    """
    with AtomicFile(archive) as part, zipfile.ZipFile(part, "w") as file:
        box = Archive(file, mebibytes)
        counts = {"validation photos": _add_all(box, _validation(data), 0.1)}
        room = 0.1
        for name, share in (("backgrounds", _BACKGROUNDS), ("objects", _OBJECTS), ("furniture", _OBJECTS)):
            room += share
            counts[name] = _add_all(box, _pictures(data, name), room)
        listing = list_people(data)
        rng = np.random.default_rng(0)
        order = np.argsort(rng.exponential(size=len(listing.pairs)) / listing.chances)
        people = _add_all(box, (_person(listing.pairs[index], data) for index in order), 1.0)
        if not people:
            raise ValueError(f"expected room for people in {mebibytes} MiB, got none")
    others = ", ".join(f"{count} {name}" for name, count in counts.items())
    return f"{archive}: {box.size / 2**20:.1f} MiB, {people} of {len(listing.pairs)} people, {others}"


def _add_all(archive: Archive, entries: Iterator[dict[str, bytes]], share: float) -> int:
    """Add entries until one does not fit; returns how many did."""
    count = 0
    for one in entries:
        if not archive.add(one, share):
            break
        count += 1
    return count


def _validation(data: Path) -> Iterator[dict[str, bytes]]:
    for name, items in find_validation(default_folders(data), _VALIDATION_PHOTOS).items():
        for item in items:
            if item.alpha is not None:
                yield _entries(Pair(item.image, item.alpha), f"{name}/val")


def _person(pair: Pair, data: Path) -> dict[str, bytes]:
    parts = pair.image.relative_to(data).parts
    return _entries(pair, "/".join(parts[:-2]))


def _entries(pair: Pair, folder: str) -> dict[str, bytes]:
    """A photo and its alpha, cut to the person with a margin, by their names in the archive."""
    image, alpha = read_pair(pair)
    top, left, bottom, right = person_box(alpha)
    y, x = round((bottom - top) * _MARGIN), round((right - left) * _MARGIN)
    rows, columns = slice(max(0, top - y), bottom + y), slice(max(0, left - x), right + x)
    pictures = (Image.fromarray(np.ascontiguousarray(plane[rows, columns])) for plane in (image, alpha))
    photo, truth = (_shrunk(picture, _SIDE) for picture in pictures)
    inside = f"{folder}/" if folder else ""
    return {
        f"{inside}image/{pair.image.stem}.webp": _encoded(photo, "WEBP", quality=_QUALITY),
        f"{inside}alpha/{pair.image.stem}.webp": _encoded(truth.convert("RGB"), "WEBP", lossless=True),
    }


def _pictures(data: Path, name: str) -> Iterator[dict[str, bytes]]:
    """The pictures of a folder; transparent ones stay so and are PNG."""
    paths = sorted((data / name).rglob("*")) if (data / name).is_dir() else []
    paths = [path for path in paths if path.suffix.lower() in IMAGE_SUFFIXES]
    for path in [paths[i] for i in np.random.default_rng(0).permutation(len(paths))]:
        with Image.open(path) as file:
            if name == "backgrounds":
                picture = _shrunk(file.convert("RGB"), _SIDE)
                yield {f"{name}/{path.stem}.webp": _encoded(picture, "WEBP", quality=_QUALITY)}
            elif file.mode == "RGBA" and max(file.size) >= SMALLEST:
                yield {f"{name}/{path.stem}.png": _encoded(_shrunk(file.copy(), _OBJECT_SIDE), "PNG", optimize=True)}


def _shrunk(picture: Image.Image, side: int) -> Image.Image:
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    return picture


def _encoded(picture: Image.Image, format: str, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, format, **options)
    return file.getvalue()
