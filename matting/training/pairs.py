"""Photos and their alphas on disk: sets and layouts, how often each photo is shown, and what is wrong with files."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image
from tqdm import tqdm

IMAGE_SUFFIXES = (".webp", ".jpg", ".jpeg", ".png")
SET_LIST = Path(__file__).with_name("sets.csv")
PHOTO_LIST = Path(__file__).with_name("photos.csv")
_IMAGE_FOLDERS = ("image", "original_image", "blurred_image")  # the second and the third are P3M-10k's
_ALPHA_FOLDERS = ("alpha", "mask")
_NAMED = 10  # files in a message
_HEADER_PARTS = 4096  # photos between two looks of the progress bar


class Pair(NamedTuple):
    """A photo and its alpha on disk; with `foreground_only`, colours where alpha is 0 are undefined."""

    image: Path
    alpha: Path
    foreground_only: bool = False


class PortraitSet(NamedTuple):
    """A set's share in what is drawn, and whether its photos have colours only where there are people."""

    share: float
    foreground_only: bool


@dataclass(frozen=True)
class Listing:
    """The photos of a training run, in a fixed order.

    Attributes:
        pairs: of photos and alphas.
        chances: (P,) how often each is drawn, with a sum of 1.
        bad: what is wrong with files that are left out, one sentence each.
    """

    pairs: list[Pair]
    chances: np.ndarray
    bad: list[str]

    def without(self, faults: Mapping[int, str]) -> "Listing":
        """The listing without the photos at some places; what is wrong with them is added to `bad`."""
        kept = [index for index in range(len(self.pairs)) if index not in faults]
        if not kept:
            raise ValueError(f"expected photos to train on, found none without a fault: {'; '.join([*faults.values()][:3])}")
        chances = self.chances[kept]
        return Listing([self.pairs[i] for i in kept], chances / chances.sum(), self.bad + list(faults.values()))


def read_sets(path: Path = SET_LIST) -> dict[str, PortraitSet]:
    """The sets by name, from a CSV of set, share and foreground_only (yes or no)."""
    with path.open(newline="") as file:
        return {row["set"]: PortraitSet(float(row["share"]), row["foreground_only"] == "yes") for row in csv.DictReader(file)}


def photo_shares(path: Path, name: str, stems: Sequence[str]) -> list[float]:
    """How often photos of a set are shown, against the others of their set: 1, or what the first fitting line of a list says.

    Args:
        path: CSV of set, photos (stem, * stands for anything), share and why; a share of 0 leaves a photo out.
        name: of the set.
        stems: of the photos' file names.
    """
    with path.open(newline="") as file:
        lines = [(row["photos"], float(row["share"])) for row in csv.DictReader(file) if row["set"] == name]
    return [next((share for pattern, share in lines if fnmatchcase(stem, pattern)), 1.0) for stem in stems]


def list_people(
    root: Path, photos: Path = PHOTO_LIST, shares: Mapping[str, float] | None = None, sets: Path = SET_LIST
) -> Listing:
    """List the training photos of the sets `root/SET/train`, or, if there is none, of `root` or `root/train` as one set.

    Args:
        root: folder of the sets, or one set.
        photos: list of photos left out or shown less often (see `photo_shares`).
        shares: of the sets in what is drawn, instead of those in the list of sets; a set that is not named is left out.
        sets: list of the sets (see `read_sets`).

    Raises:
        ValueError: if there are no photos, or a set is named that is not in the list.
    """
    known = read_sets(sets)
    if unknown := set(shares or ()) - set(known):
        raise ValueError(f"expected sets of {sets} ({', '.join(known)}), got {', '.join(sorted(unknown))}")
    wanted = dict(shares) if shares else {name: one.share for name, one in known.items()}
    folders = {name: root / name / "train" for name in wanted if (root / name / "train").is_dir()}
    if not folders:
        folder = root / "train" if (root / "train").is_dir() else root
        name = folder.parent.name if folder.name == "train" else folder.name
        folders, wanted = {name: folder}, {name: 1.0}
    pairs: list[Pair] = []
    chances: list[float] = []
    bad: list[str] = []
    for name, folder in folders.items():
        found, faults = match_pairs(folder, name in known and known[name].foreground_only)
        bad += faults
        own = photo_shares(photos, name, [pair.image.stem for pair in found])
        pairs += [pair for pair, share in zip(found, own, strict=True) if share > 0]
        chances += [wanted[name] * share / sum(own) for share in own if share > 0]
    if not pairs:
        raise ValueError(f"expected photos with alphas in {root}, found none: {'; '.join(bad[:3])}")
    return Listing(pairs, np.array(chances) / sum(chances), bad)


def find_pairs(folder: Path, foreground_only: bool = False) -> list[Pair]:
    """As `match_pairs`, for folders that must be complete.

    Raises:
        ValueError: if a folder or a partner is missing; names the files.
    """
    pairs, faults = match_pairs(folder, foreground_only)
    if faults:
        raise ValueError(summary(faults, len(pairs) + len(faults)))
    return pairs


def match_pairs(folder: Path, foreground_only: bool = False) -> tuple[list[Pair], list[str]]:
    """Pair `folder/image/NAME.*` with `folder/alpha/NAME.*`, and say which files have no partner.

    P3M-10k's own layout (`blurred_image` or `original_image`, and `mask`) is understood too.

    Raises:
        ValueError: if a folder is missing or has no photos.
    """
    folder = Path(folder)
    images, alphas = first_folder(folder, _IMAGE_FOLDERS), first_folder(folder, _ALPHA_FOLDERS)
    photos, truths = (_by_stem(part) for part in (images, alphas))
    if not photos:
        raise ValueError(f"expected photos ({', '.join(IMAGE_SUFFIXES)}) in {images}, found none")
    faults = [f"{path} has no partner named {stem} in {alphas}" for stem, path in photos.items() if stem not in truths]
    faults += [f"{path} has no partner named {stem} in {images}" for stem, path in truths.items() if stem not in photos]
    return [Pair(path, truths[stem], foreground_only) for stem, path in photos.items() if stem in truths], faults


def list_pictures(folder: Path) -> list[Path]:
    """The pictures of a folder, or of its `train`, as BG-20k has one.

    Raises:
        ValueError: if there is none.
    """
    folder = folder / "train" if (folder / "train").is_dir() else folder
    if not folder.is_dir() or not (paths := list(_by_stem(folder).values())):
        raise ValueError(f"expected pictures ({', '.join(IMAGE_SUFFIXES)}) in {folder}, found none")
    return paths


def read_sizes(pairs: Sequence[Pair]) -> tuple[list[tuple[int, int]], dict[int, str]]:
    """(width, height) of every photo, from its header alone, and by its place what is wrong with one or its alpha."""
    sizes, faults = [], {}
    for index, pair in enumerate(tqdm(pairs, "headers", unit="photo", mininterval=5, disable=len(pairs) < _HEADER_PARTS)):
        try:
            with Image.open(pair.image) as image, Image.open(pair.alpha) as alpha:
                sizes.append(image.size)
                if image.size != alpha.size:
                    faults[index] = unequal(pair, image.size, alpha.size)
        except (OSError, ValueError, Image.DecompressionBombError) as error:
            sizes.append((0, 0))
            faults[index] = f"{pair.image} or {pair.alpha} cannot be read: {error}"
    return sizes, faults


def unequal(pair: Pair, photo: tuple[int, int], alpha: tuple[int, int]) -> str:
    """What is wrong with a pair of other sizes, (width, height) each."""
    return f"{pair.image} is {photo[0]}x{photo[1]}, but {pair.alpha} is {alpha[0]}x{alpha[1]}"


def summary(faults: Sequence[str], total: int) -> str:
    """How many files are bad, and which are the first ones."""
    more = f"; and {len(faults) - _NAMED} more" if len(faults) > _NAMED else ""
    return f"{len(faults):,} of {total:,} photos cannot be used: {'; '.join(faults[:_NAMED])}{more}"


def refuse_bad(faults: Sequence[str], total: int, skip: bool, report: bool = True) -> None:
    """Name what is wrong with photos, if anything is.

    Raises:
        ValueError: if something is wrong and bad photos are not to be skipped.
    """
    if faults and not skip:
        raise ValueError(f"{summary(faults, total)} (--skip-bad leaves them out)")
    if faults and report:
        tqdm.write(f"left out: {summary(faults, total)}")


def is_set(folder: Path) -> bool:
    """Whether a folder has photos and alphas in one of the layouts of `match_pairs`."""
    return all(any((folder / name).is_dir() for name in names) for names in (_IMAGE_FOLDERS, _ALPHA_FOLDERS))


def first_folder(folder: Path, names: tuple[str, ...]) -> Path:
    for name in names:
        if (folder / name).is_dir():
            return folder / name
    raise ValueError(f"expected a folder named {' or '.join(names)} in {folder}, found none")


def _by_stem(folder: Path) -> dict[str, Path]:
    return {path.stem: path for path in sorted(_pictures(folder))}


def _pictures(folder: Path) -> Iterator[Path]:
    return (path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES)
