"""Training batches: people in their own photo or composited onto a new background, with augmentation."""

from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from matting.network import REGION_SIZE
from matting.training import augmentation
from matting.training.backgrounds import draw_scene
from matting.training.collection import Collection
from matting.training.epochs import Epochs
from matting.training.extra_people import stand_far, stand_together, walk_past
from matting.training.framing import Subject, free_crop, inner_crop, whole_crop
from matting.training.furniture import lean_on
from matting.training.hair import grow_hair
from matting.training.hats import wear_hats
from matting.training.holes import open_holes
from matting.training.objects import hold_objects, stand_at_head, stand_behind
from matting.training.straps import carry_straps

UNKNOWN = 1  # class of a trimap's cell
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


class Draft(NamedTuple):
    """A batch before people are put in front of backgrounds and the camera's effects are added.

    Attributes:
        step: of the batch.
        photo: (B, 3, H, W) in [0, 1], or the same as uint8; as are the next three.
        alpha: (B, 1, H, W).
        foreground: (B, 3, H, W) colours without background.
        background: (B, 3, H, W) a new background.
        kept: (B,) bool, whether the photo keeps its own background.
    """

    step: Tensor
    photo: Tensor
    alpha: Tensor
    foreground: Tensor
    background: Tensor
    kept: Tensor

    def packed(self) -> "Draft":
        """The planes as uint8: a quarter of the bytes, to be sent to another device."""
        photo, alpha, foreground, background = (x.mul(255).round_().byte() for x in self[1:5])
        return Draft(self.step, photo, alpha, foreground, background, self.kept)

    def unpacked(self, device: torch.device) -> "Draft":
        """The planes as float32 on a device."""
        sent = (x.to(device, non_blocking=True) for x in self[1:])
        photo, alpha, foreground, background, kept = (x.float().div_(255) if x.dtype == torch.uint8 else x for x in sent)
        return Draft(self.step, photo, alpha, foreground, background, kept)


class Sampler:
    """Draws augmented batches from a collection; a batch depends on seed, rank and step alone.

    Args:
        collection: the data.
        seed: of the random numbers.
        plain: share of the batches whose photos are shown whole and upright, without synthetic additions.
        rank: of this process.
        processes: number of those that draw from the collection together.
        most: pictures in a batch at most.

    Attributes:
        epochs: which photos a batch shows; replaced where their chances change.
    """

    def __init__(
        self, collection: Collection, seed: int, plain: float = 0.0, rank: int = 0, processes: int = 1, most: int = 16
    ):
        self.collection = collection
        self.seed = seed, rank
        self.plain = plain
        self.epochs = Epochs(collection.chances, seed, rank, processes, most)
        self.rng = np.random.default_rng(self.seed)
        self.device = collection.device

    def draw(self, step: int, count: int, size: tuple[int, int]) -> Batch:
        """The batch of a step: `count` pictures of (H, W) pixels."""
        return self.finish(self.draft(step, count, size))

    def draft(self, step: int, count: int, size: tuple[int, int]) -> Draft:
        """What `finish` makes the batch of a step from: people, cropped and with what is drawn onto them, and backgrounds."""
        self.rng = np.random.default_rng((*self.seed, step))
        planes = torch.empty(count, 7, *size, device=self.device)
        kept = np.zeros(count, bool)
        plain = self.rng.random() < self.plain
        for i, index in enumerate(self.epochs.photos(step, count)):
            planes[i], kept[i] = (self._photo if plain else self._person)(self.collection.subjects[index], size)
        photo, alpha, foreground = planes.split([3, 1, 3], dim=1)
        alpha = augmentation.snap(alpha)
        nobody = np.zeros(count, bool) if plain else self.rng.random(count) < _NOBODY_CHANCE
        alpha[torch.as_tensor(nobody, device=self.device)] = 0
        kept &= ~nobody
        backgrounds = torch.stack([self._background(size, bool(empty)) for empty in nobody])
        if not plain:
            self._add(photo, alpha, foreground, backgrounds, nobody, kept)
        own = torch.as_tensor(kept, device=self.device)
        return Draft(torch.tensor(step), photo, alpha, foreground, backgrounds, own)

    def _add(
        self,
        photo: Tensor,
        alpha: Tensor,
        foreground: Tensor,
        backgrounds: Tensor,
        nobody: NDArray[np.bool_],
        kept: NDArray[np.bool_],
    ) -> None:
        """Objects, other people, hair, hats and so on. In place."""
        collection, rng = self.collection, self.rng
        stand_behind(backgrounds, collection.objects + collection.furniture, nobody, rng)
        lean_on(photo, alpha, foreground, backgrounds, collection.furniture, rng)
        stand_at_head(photo, alpha, foreground, backgrounds, collection.objects, rng)
        walk_past(photo, alpha, foreground, backgrounds, collection.whole, rng)
        stand_together(photo, alpha, foreground, collection.whole, rng)
        grow_hair(photo, alpha, foreground, rng)
        wear_hats(photo, alpha, foreground, backgrounds, rng)
        hold_objects(photo, alpha, foreground, backgrounds, collection.objects, rng)
        carry_straps(photo, alpha, foreground, backgrounds, rng)
        open_holes(alpha, kept, rng)
        stand_far(photo, alpha, foreground, collection.whole, rng)

    def finish(self, draft: Draft) -> Batch:
        """Composite a draft and add the camera's effects, all pictures at once, on the device of its planes."""
        rng = np.random.default_rng((*self.seed, int(draft.step), 1))
        kept = draft.kept[:, None, None, None]
        alpha, foreground, background = draft.alpha, draft.foreground, draft.background
        lit = torch.where(kept, foreground, augmentation.shift_brightness(foreground, alpha, background, rng))
        image = torch.where(kept, draft.photo, alpha * lit + (1 - alpha) * background)
        image = augmentation.backlight(image, alpha, lit, rng)
        image = augmentation.tint(augmentation.shift_colours(image, rng), rng)
        image = augmentation.darken(image, rng)
        image = augmentation.soften(image, rng, chance=0.15, strongest=2.0)
        image = augmentation.compress(augmentation.add_noise(image, rng), rng)
        image = augmentation.lift_shadows(image, rng)
        return Batch(image, alpha, lit, background.flip(0))

    def show(self, index: int, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """Image (1, 3, H, W) and alpha (1, 1, H, W) of one whole photo, composited onto a background if it has none."""
        planes, kept = self._photo(self.collection.subjects[index], size)
        photo, alpha, foreground = planes[None].split([3, 1, 3], dim=1)
        alpha = augmentation.snap(alpha)
        return (photo if kept else alpha * foreground + (1 - alpha) * self._background(size, False)), alpha

    def _background(self, size: tuple[int, int], nobody: bool) -> Tensor:
        """A background (3, H, W); with `nobody` only from pictures without people, since scenes may show passers-by."""
        scenes, pictures = self.collection.scenes, self.collection.pictures
        picture = nobody or not len(scenes) or (len(pictures) > 0 and self.rng.random() < _PICTURE_CHANCE)
        return draw_scene(pictures if picture else scenes, size, self.rng, self.device)

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
