"""Training batches: people cut out of their photos or left in them, on all the backgrounds there are."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from matting.network import REGION_SIZE
from matting.training import augment
from matting.training.augment import Window
from matting.training.prepare import IMAGE_SUFFIXES, Pair, Person, find_pairs, load_people
from matting.training.scenes import draw_scene
from matting.training.strands import grow_hair
from matting.training.things import Thing, hold_objects, load_things, stand_behind

MIP_LEVELS = 6
PORTRAIT_SETS = {"keyed": 0.2, "cc0_portraits": 0.22, "web_portraits": 0.3, "street": 0.28}
_FOREGROUND_ONLY = ("keyed",)
_SNAP = 0.015  # alphas this close to 0 or 1 count as 0 or 1
_TRIMAP_KERNEL = 7
_FAR = 12.0  # heights of the frame over that of somebody far away
_FAR_CHANCE = 0.35
_NOBODY_CHANCE = 0.05
_PICTURE_CHANCE = 0.25


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


class Subject(NamedTuple):
    """A person in memory: mips of (7, H, W) uint8 (photo, alpha, foreground) and the box (top, left, bottom, right)."""

    mips: list[Tensor]
    box: tuple[int, int, int, int]
    foreground_only: bool


@dataclass(frozen=True)
class Collection:
    """Everything decoded, on one device.

    Attributes:
        subjects: people.
        chances: how likely each of them is drawn.
        scenes: their photos with them filled in; there may be passers-by. Mips of (3, h, w) uint8, as the pictures.
        pictures: without people.
        things: cut out of photos.
    """

    subjects: list[Subject]
    chances: np.ndarray
    scenes: list[list[Tensor]]
    pictures: list[list[Tensor]]
    things: list[Thing]


def load_portraits(
    root: Path, backgrounds: Path | None, cache: Path | None, device: torch.device, things: Path | None = None
) -> Collection:
    """Load the four portrait sets `root/SET/train`, or, where none of these is there, `root` itself as one set.

    Args:
        root: folder of the sets.
        backgrounds: folder of pictures without people, if there is one.
        cache: folder that keeps estimated colours.
        device: of the result.
        things: folder of transparent PNGs that stand behind people or are held by them, if there is one.

    Raises:
        ValueError: if photos or their alphas are missing or do not fit; names the file.
    """
    present = {name: share for name, share in PORTRAIT_SETS.items() if (root / name / "train").is_dir()}
    folders = {name: root / name / "train" for name in present} or {root.name: root}
    shares = present or {root.name: 1.0}
    pairs: list[Pair] = []
    chances: list[float] = []
    for name, folder in folders.items():
        found = find_pairs(folder, name in _FOREGROUND_ONLY)
        pairs += found
        chances += [shares[name] / len(found)] * len(found)
    subjects, scenes, pictures = [], [], []
    for person, pair in zip(load_people(pairs, cache), pairs, strict=True):
        subjects.append(_subject(person, pair.foreground_only, device))
        if person.background is not None:
            scenes.append(_planes(person.background, device))
    if backgrounds:
        files = [path for path in sorted(backgrounds.iterdir()) if path.suffix.lower() in IMAGE_SUFFIXES]
        pictures = [_planes(_read(path), device) for path in files]
    cut_outs = load_things(things, device) if things else []
    return Collection(subjects, np.array(chances) / sum(chances), scenes, pictures, cut_outs)


def _read(path: Path) -> np.ndarray:
    with Image.open(path) as file:
        file.thumbnail((1024, 1024))
        return np.array(file.convert("RGB"))


def _subject(person: Person, foreground_only: bool, device: torch.device) -> Subject:
    planes = np.concatenate([person.image, person.alpha[..., None], person.foreground], axis=2)
    rows, columns = np.flatnonzero((person.alpha > 127).any(1)), np.flatnonzero((person.alpha > 127).any(0))
    if len(rows) == 0:
        raise ValueError("expected an alpha that shows somebody, got one that is empty")
    box = int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1
    return Subject(_planes(planes, device), box, foreground_only)


def _planes(pixels: np.ndarray, device: torch.device) -> list[Tensor]:
    """(H, W, C) uint8 -> mips of (C, H, W) uint8 on the device."""
    mips = [pixels]
    while len(mips) < MIP_LEVELS and min(mips[-1].shape[:2]) >= 128:
        half = mips[-1].shape[1] // 2, mips[-1].shape[0] // 2
        parts = np.split(mips[-1], range(4, pixels.shape[2], 4), axis=2)  # OpenCV resizes 4 channels at once
        mips.append(np.dstack([cv2.resize(part, half, interpolation=cv2.INTER_AREA) for part in parts]))
    return [torch.from_numpy(np.ascontiguousarray(mip.transpose(2, 0, 1))).to(device) for mip in mips]


class Sampler:
    """Draws augmented batches from a collection; seed and step alone decide what a batch holds.

    Args:
        collection: the decoded pictures.
        seed: of the random numbers.
    """

    def __init__(self, collection: Collection, seed: int):
        self.collection = collection
        self.seed = seed
        self.rng = np.random.default_rng(seed)
        self.device = collection.subjects[0].mips[0].device

    def draw(self, step: int, count: int, size: tuple[int, int]) -> Batch:
        """The batch of a step: `count` pictures of (H, W) pixels."""
        self.rng = np.random.default_rng((self.seed, step))
        planes = torch.empty(count, 7, *size, device=self.device)
        kept = np.zeros(count, bool)
        for i, index in enumerate(self.rng.choice(len(self.collection.subjects), count, p=self.collection.chances)):
            planes[i], kept[i] = self._person(self.collection.subjects[index], size)
        photo, alpha, foreground = planes.split([3, 1, 3], dim=1)
        alpha = ((alpha - _SNAP) / (1 - 2 * _SNAP)).clamp(0, 1)
        nobody = self.rng.random(count) < _NOBODY_CHANCE
        alpha[torch.as_tensor(nobody, device=self.device)] = 0
        kept &= ~nobody
        backgrounds = torch.stack([self._background(size, empty) for empty in nobody])
        stand_behind(backgrounds, self.collection.things, nobody, self.rng)
        grow_hair(photo, alpha, foreground, self.rng)
        hold_objects(photo, alpha, foreground, backgrounds, self.collection.things, self.rng)
        return self._finish(photo, alpha, foreground, backgrounds, torch.as_tensor(kept, device=self.device))

    def _background(self, size: tuple[int, int], nobody: bool) -> Tensor:
        """(3, H, W); where nobody shall be seen, not one of the scenes, which may hold passers-by."""
        scenes, pictures = self.collection.scenes, self.collection.pictures
        picture = nobody or not scenes or (len(pictures) > 0 and self.rng.random() < _PICTURE_CHANCE)
        return draw_scene(pictures if picture else scenes, size, self.rng, self.device)

    def _finish(self, photo: Tensor, alpha: Tensor, foreground: Tensor, backgrounds: Tensor, kept: Tensor) -> Batch:
        kept = kept[:, None, None, None]
        lit = torch.where(kept, foreground, augment.shift_brightness(foreground, alpha, backgrounds, self.rng))
        image = torch.where(kept, photo, alpha * lit + (1 - alpha) * backgrounds)
        image = augment.darken(augment.shift_colours(image, self.rng), self.rng)
        image = augment.soften(image, self.rng, chance=0.15, strongest=2.0)
        image = augment.compress(augment.add_noise(image, self.rng), self.rng)
        image = augment.lift_shadows(image, self.rng)
        return Batch(image, alpha, lit, backgrounds.flip(0))

    def _person(self, subject: Subject, size: tuple[int, int]) -> tuple[Tensor, bool]:
        """A window on a person, (7, h, w), and whether the photo's own background stays."""
        keep = not subject.foreground_only and self.rng.random() < 0.55
        window = self._inner_window(subject, size) if keep else self._free_window(subject, size)
        bend = augment.random_bend(self.rng, size, self.device) if self.rng.random() < 0.25 else None
        return augment.cut(subject.mips, window, size, bend), keep

    def _angle(self) -> float:
        return float(self.rng.normal(0, 0.12)) if self.rng.random() < 0.4 else 0.0

    def _inner_window(self, subject: Subject, size: tuple[int, int]) -> Window:
        """A window that stays inside the photo: from nearly all of it down to a face that fills the frame."""
        height, width = subject.mips[0].shape[1:]
        share = self.rng.uniform(0.85, 1.0) if self.rng.random() < 0.5 else np.exp(self.rng.uniform(np.log(0.3), 0))
        stretch = np.exp(self.rng.normal(0, 0.12))
        scale = share * min(height / size[0], width / size[1])
        h, w = min(size[0] * scale * stretch, height), min(size[1] * scale / stretch, width)
        if share > 0.85:  # nearly everything: take in the long side too, with at most a third of stretching
            h, w = min(height, h * 1.33), min(width, w * 1.33)
        top, left, bottom, right = subject.box
        y = np.clip(top + (bottom - top) * self.rng.beta(1.3, 2), h / 2, height - h / 2)
        x = np.clip(self.rng.uniform(left, right), w / 2, width - w / 2)
        return Window(float(y), float(x), float(h), float(w), self._angle(), bool(self.rng.random() < 0.5))

    def _free_window(self, subject: Subject, size: tuple[int, int]) -> Window:
        """A window that may reach beyond the photo: the person is from 45% to three times the frame's height.

        Of those whom no side of their photo cuts off, some stand far away and are as small as 8%.
        """
        top, left, bottom, right = subject.box
        person = max(bottom - top, (right - left) * size[0] / size[1])
        cut_off = bottom >= subject.mips[0].shape[1] - 2
        whole = min(top, left) > 1 and not cut_off and right < subject.mips[0].shape[2] - 2
        farthest = _FAR if whole and self.rng.random() < _FAR_CHANCE else 2.2
        height = person * np.exp(self.rng.uniform(np.log(0.35), np.log(farthest)))
        width = height * size[1] / size[0] * np.exp(self.rng.normal(0, 0.1))
        if height > person:  # the whole person fits: anywhere in the frame, but on its lower edge if cut off there
            y = (top + bottom) / 2 + (height - person) / 2 * self.rng.uniform(-1, 1)
            y = bottom - 0.53 * height if cut_off and self.rng.random() < 0.9 else y
            x = (left + right) / 2 + width * self.rng.uniform(-0.4, 0.4)
        else:
            y = top + (bottom - top) * self.rng.beta(1.3, 2)
            x = self.rng.uniform(left, right)
        if top <= 1:  # cut off by the photo's upper edge: nothing is known of what is above it
            height = min(height, subject.mips[0].shape[1])
            y = max(y, height / 2)
        x, width = _within_sides(x, width, (left, right), subject.mips[0].shape[2])
        return Window(float(y), float(x), float(height), float(width), self._angle(), bool(self.rng.random() < 0.5))


def _within_sides(x: float, width: float, person: tuple[int, int], limit: int) -> tuple[float, float]:
    """Centre and width of a window that does not look past a side of the photo which cuts the person off."""
    cut_left, cut_right = person[0] <= 1, person[1] >= limit - 1
    if cut_left and cut_right:
        width = min(width, limit)
    if cut_left:
        x = max(x, width / 2)
    if cut_right:
        x = min(x, limit - width / 2)
    return x, width


def true_trimap(alpha: Tensor) -> Tensor:
    """Classes of the 8x8 cells: unknown where a 7 px dilation of alpha > 0 and an erosion of alpha = 1 disagree.

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
