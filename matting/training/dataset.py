"""Training batches: people in their own photo or composited onto a new background, with augmentation."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from matting.network import REGION_SIZE
from matting.training import augmentation
from matting.training.arena import Arena
from matting.training.backgrounds import draw_scene
from matting.training.extra_people import stand_far, stand_together, walk_past
from matting.training.framing import Subject, free_crop, inner_crop, whole_crop
from matting.training.furniture import lean_on
from matting.training.hair import grow_hair
from matting.training.hats import wear_hats
from matting.training.holes import open_holes
from matting.training.objects import hold_objects, load_objects, stand_at_head, stand_behind
from matting.training.prepare import IMAGE_SUFFIXES, Pair, find_pairs, load_people
from matting.training.straps import carry_straps

MIP_LEVELS = 6
_SAVE_EVERY = 200  # photos that are decoded
UNKNOWN = 1  # class of a trimap's cell
PORTRAIT_SETS = {
    "keyed": 0.12,
    "cutouts": 0.16,
    "flickr": 0.22,
    "cc0_portraits": 0.12,
    "web_portraits": 0.2,
    "street": 0.18,
}
FOREGROUND_ONLY = ("keyed", "cutouts")
PHOTO_LIST = Path(__file__).with_name("photos.csv")
_TRIMAP_KERNEL = 7
_NOBODY_CHANCE = 0.09  # of an image without people; `stand_far` then puts a distant person into half of these
_PICTURE_CHANCE = 0.45  # of a background from a picture without people instead of a training photo's
_KEEP_CHANCE = 0.65  # that a photo keeps its own background, if that is known


class Batch(NamedTuple):
    """One training batch on the device.

    Attributes:
        image: (B, 3, H, W) in [0, 1].
        alpha: (B, 1, H, W) in [0, 1].
        foreground: (B, 3, H, W) colours without background.
        background: (B, 3, H, W) another picture, for the composition loss.
    """

    image: Tensor
    alpha: Tensor
    foreground: Tensor
    background: Tensor


@dataclass(frozen=True)
class Collection:
    """All decoded training data, on one device.

    Attributes:
        subjects: photos of people.
        chances: (P,) sampling probability of each of them.
        scenes: their backgrounds with the person filled in; may show passers-by. Image pyramids of (3, h, w) uint8.
        pictures: backgrounds without people, likewise.
        objects: objects cut out of photos, see `matting.training.objects`.
        furniture: renders of furniture, likewise.
    """

    subjects: list[Subject]
    chances: np.ndarray
    scenes: list[list[Tensor]]
    pictures: list[list[Tensor]]
    objects: list[Tensor]
    furniture: list[Tensor]


def load_portraits(
    root: Path,
    backgrounds: Path | None,
    cache: Path | None,
    device: torch.device,
    objects: Path | None = None,
    furniture: Path | None = None,
    photos: Path = PHOTO_LIST,
    arena: Arena | None = None,
    shares: Mapping[str, float] = PORTRAIT_SETS,
) -> Collection:
    """Load the portrait sets `root/SET/train`, or, if there is none of them, `root` itself as one set.

    Args:
        root: folder of the sets.
        backgrounds: folder of pictures without people, if there is one.
        cache: folder that keeps estimated colours.
        device: of the result.
        objects: folder of transparent PNGs that stand behind people or are held by them, if there is one.
        furniture: folder of transparent PNGs that people sit on and lean against, if there is one.
        photos: list of photos that are left out or shown less often (see `photo_shares`).
        arena: where people's pictures lie instead of memory, and are found by the next run, if given.
        shares: of the sets in what is drawn; a set that is not named is left out.

    Raises:
        ValueError: if photos or their alphas are missing or differ in size; names the file.
    """
    present = {name: share for name, share in shares.items() if (root / name / "train").is_dir()}
    folders = {name: root / name / "train" for name in present} or {root.name: root}
    set_shares = present or {root.name: 1.0}
    pairs: list[Pair] = []
    chances: list[float] = []
    for name, folder in folders.items():
        found = find_pairs(folder, name in FOREGROUND_ONLY)
        own = photo_shares(photos, name, [pair.image.stem for pair in found])
        pairs += [pair for pair, share in zip(found, own, strict=True) if share > 0]
        chances += [set_shares[name] * share / sum(own) for share in own if share > 0]
    subjects, scenes, pictures = [], [], []
    for pair, (planes, scene) in zip(pairs, _decode(pairs, cache, device, arena), strict=True):
        subjects.append(_subject(planes, pair.foreground_only))
        if scene:
            scenes.append(scene)
    if backgrounds:
        files = [path for path in sorted(backgrounds.iterdir()) if path.suffix.lower() in IMAGE_SUFFIXES]
        pictures = [_decode_picture(path, device, arena) for path in files]
        if arena is not None:
            arena.save()
    cut_outs, pieces = (load_objects(folder, device) if folder else [] for folder in (objects, furniture))
    return Collection(subjects, np.array(chances) / sum(chances), scenes, pictures, cut_outs, pieces)


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


def _read(path: Path) -> np.ndarray:
    with Image.open(path) as file:
        file.thumbnail((1024, 1024))
        return np.array(file.convert("RGB"))


def _decode(
    pairs: list[Pair], cache: Path | None, device: torch.device, arena: Arena | None
) -> Iterator[tuple[list[Tensor], list[Tensor]]]:
    """Mips of each person and of their scene, the latter empty where the photo has none; from the arena what it has."""
    names = [f"{pair.image}:{pair.image.stat().st_mtime_ns}:{pair.alpha.stat().st_mtime_ns}" for pair in pairs]
    missing = [pair for pair, name in zip(pairs, names, strict=True) if arena is None or name not in arena]
    people = load_people(missing, cache) if missing else iter(())
    for count, name in enumerate(names):
        if arena is not None and name in arena:
            yield arena[name], arena[f"{name}:scene"]
            continue
        person = next(people)
        planes = _planes(np.concatenate([person.image, person.alpha[..., None], person.foreground], axis=2), device)
        scene = [] if person.background is None else _planes(person.background, device)
        if arena is not None:
            arena[name], arena[f"{name}:scene"] = planes, scene
            planes, scene = arena[name], arena[f"{name}:scene"]
            if count % _SAVE_EVERY == 0 or count == len(names) - 1:
                arena.save()
        yield planes, scene


def _decode_picture(path: Path, device: torch.device, arena: Arena | None) -> list[Tensor]:
    name = f"{path}:{path.stat().st_mtime_ns}"
    if arena is None:
        return _planes(_read(path), device)
    if name not in arena:
        arena[name] = _planes(_read(path), device)
    return arena[name]


def _subject(mips: list[Tensor], foreground_only: bool) -> Subject:
    body = mips[0][3] > 127
    rows, columns = body.any(1).nonzero().flatten(), body.any(0).nonzero().flatten()
    if len(rows) == 0:
        raise ValueError("expected an alpha with a person, got one that is empty")
    box = int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1
    return Subject(mips, box, foreground_only)


def _planes(pixels: np.ndarray, device: torch.device) -> list[Tensor]:
    """(H, W, C) uint8 -> mips of (C, H, W) uint8 on the device."""
    mips = [pixels]
    while len(mips) < MIP_LEVELS and min(mips[-1].shape[:2]) >= 128:
        half = mips[-1].shape[1] // 2, mips[-1].shape[0] // 2
        parts = np.split(mips[-1], range(4, pixels.shape[2], 4), axis=2)  # OpenCV resizes 4 channels at once
        mips.append(np.dstack([cv2.resize(part, half, interpolation=cv2.INTER_AREA) for part in parts]))
    return [torch.from_numpy(np.ascontiguousarray(mip.transpose(2, 0, 1))).to(device) for mip in mips]


class Sampler:
    """Draws augmented batches from a collection; a batch depends on seed and step alone.

    Args:
        collection: the decoded data.
        seed: of the random numbers.
        plain: share of the batches whose photos are shown whole and upright, without synthetic additions.

    Attributes:
        chances: (P,) sampling probability of each person, initially the collection's.
    """

    def __init__(self, collection: Collection, seed: int, plain: float = 0.0):
        self.collection = collection
        self.seed = seed
        self.plain = plain
        self.chances = collection.chances
        self.rng = np.random.default_rng(seed)
        self.device = collection.subjects[0].mips[0].device
        self.whole = [subject for subject in collection.subjects if subject.is_whole]

    def draw(self, step: int, count: int, size: tuple[int, int]) -> Batch:
        """The batch of a step: `count` pictures of (H, W) pixels."""
        self.rng = np.random.default_rng((self.seed, step))
        planes = torch.empty(count, 7, *size, device=self.device)
        kept = np.zeros(count, bool)
        plain = self.rng.random() < self.plain
        for i, index in enumerate(self.rng.choice(len(self.collection.subjects), count, p=self.chances)):
            planes[i], kept[i] = (self._photo if plain else self._person)(self.collection.subjects[index], size)
        photo, alpha, foreground = planes.split([3, 1, 3], dim=1)
        alpha = augmentation.snap(alpha)
        if plain:
            backgrounds = torch.stack([self._background(size, False) for _ in range(count)])
            return self._finish(photo, alpha, foreground, backgrounds, torch.as_tensor(kept, device=self.device))
        nobody = self.rng.random(count) < _NOBODY_CHANCE
        alpha[torch.as_tensor(nobody, device=self.device)] = 0
        kept &= ~nobody
        backgrounds = torch.stack([self._background(size, empty) for empty in nobody])
        stand_behind(backgrounds, self.collection.objects + self.collection.furniture, nobody, self.rng)
        lean_on(photo, alpha, foreground, backgrounds, self.collection.furniture, self.rng)
        stand_at_head(photo, alpha, foreground, backgrounds, self.collection.objects, self.rng)
        walk_past(photo, alpha, foreground, backgrounds, self.whole, self.rng)
        stand_together(photo, alpha, foreground, self.whole, self.rng)
        grow_hair(photo, alpha, foreground, self.rng)
        wear_hats(photo, alpha, foreground, backgrounds, self.rng)
        hold_objects(photo, alpha, foreground, backgrounds, self.collection.objects, self.rng)
        carry_straps(photo, alpha, foreground, backgrounds, self.rng)
        open_holes(alpha, kept, self.rng)
        stand_far(photo, alpha, foreground, self.whole, self.rng)
        return self._finish(photo, alpha, foreground, backgrounds, torch.as_tensor(kept, device=self.device))

    def show(self, index: int, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """Image (1, 3, H, W) and alpha (1, 1, H, W) of one whole photo, composited onto a background if it has none."""
        planes, kept = self._photo(self.collection.subjects[index], size)
        photo, alpha, foreground = planes[None].split([3, 1, 3], dim=1)
        alpha = augmentation.snap(alpha)
        return (photo if kept else alpha * foreground + (1 - alpha) * self._background(size, False)), alpha

    def _background(self, size: tuple[int, int], nobody: bool) -> Tensor:
        """A background (3, H, W); with `nobody` only from pictures without people, since scenes may show passers-by."""
        scenes, pictures = self.collection.scenes, self.collection.pictures
        picture = nobody or not scenes or (len(pictures) > 0 and self.rng.random() < _PICTURE_CHANCE)
        return draw_scene(pictures if picture else scenes, size, self.rng, self.device)

    def _finish(self, photo: Tensor, alpha: Tensor, foreground: Tensor, backgrounds: Tensor, kept: Tensor) -> Batch:
        kept = kept[:, None, None, None]
        lit = torch.where(kept, foreground, augmentation.shift_brightness(foreground, alpha, backgrounds, self.rng))
        image = torch.where(kept, photo, alpha * lit + (1 - alpha) * backgrounds)
        image = augmentation.backlight(image, alpha, lit, self.rng)
        image = augmentation.darken(augmentation.shift_colours(image, self.rng), self.rng)
        image = augmentation.soften(image, self.rng, chance=0.15, strongest=2.0)
        image = augmentation.compress(augmentation.add_noise(image, self.rng), self.rng)
        image = augmentation.lift_shadows(image, self.rng)
        return Batch(image, alpha, lit, backgrounds.flip(0))

    def _photo(self, subject: Subject, size: tuple[int, int]) -> tuple[Tensor, bool]:
        """As `_person`, but the whole photo with its own background, if that is known."""
        crop = (free_crop if subject.foreground_only else whole_crop)(subject, size, self.rng)
        return augmentation.cut(subject.mips, crop, size), not subject.foreground_only

    def _person(self, subject: Subject, size: tuple[int, int]) -> tuple[Tensor, bool]:
        """A crop around a person, (7, h, w), and whether the photo keeps its own background."""
        keep = not subject.foreground_only and self.rng.random() < _KEEP_CHANCE
        crop = (inner_crop if keep else free_crop)(subject, size, self.rng)
        bend = augmentation.random_bend(self.rng, size, self.device) if self.rng.random() < 0.25 else None
        return augmentation.cut(subject.mips, crop, size, bend), keep


def true_trimap(alpha: Tensor) -> Tensor:
    """The ground truth trimap per 8x8 cell: alpha > 0 dilated and alpha = 1 eroded by a 7 px ellipse, unknown between.

    Args:
        alpha: (B, 1, H, W) in [0, 1].

    Returns:
        (B, H/8, W/8) int64: 0 background, 1 unknown, 2 foreground.
    """
    kernel = torch.from_numpy(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_TRIMAP_KERNEL, _TRIMAP_KERNEL)))
    kernel = kernel.to(alpha)[None, None]
    touched = F.conv2d((alpha > 0).to(alpha), kernel, padding=_TRIMAP_KERNEL // 2)
    missing = F.conv2d((alpha < 1).to(alpha), kernel, padding=_TRIMAP_KERNEL // 2)
    some = F.max_pool2d(touched, REGION_SIZE)[:, 0] > 0.5
    some_not = F.max_pool2d(missing, REGION_SIZE)[:, 0] > 0.5
    return torch.where(some, torch.where(some_not, 1, 2), 0)


def unite_cells(cells: Tensor, trimap: Tensor) -> Tensor:
    """Union of the predicted unknown cells (N, 3) and those of the ground truth trimap (B, h, w), as (M, 3)."""
    union = trimap == UNKNOWN
    union[cells.unbind(1)] = True
    return torch.nonzero(union)
