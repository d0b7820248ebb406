"""Crops of training photos: which part of a person's photo a training image shows."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from torch import Tensor

from matting.training.augmentation import AffineCrop, log_uniform

_FAR = 12.0  # largest height of the frame over that of a distant person
_FAR_CHANCE = 0.6
_MOST_STRETCHED = 1.25  # change of the aspect ratio of a photo that is shown whole

Box = tuple[int, int, int, int]  # top, left, bottom, right of the person


class Subject(NamedTuple):
    """A decoded training photo.

    Attributes:
        mips: image pyramid of (7, H, W) uint8: photo (3), alpha (1), foreground (3).
        box: bounding box of the person in the first level.
        foreground_only: whether pixels with alpha 0 are undefined.
    """

    mips: Sequence[Tensor]
    box: Box
    foreground_only: bool

    @property
    def is_whole(self) -> bool:
        """Whether the person is complete: the box does not touch the photo's sides."""
        height, width = self.mips[0].shape[1:]
        return stands_free(self.box, (width, height))


def stands_free(box: Box, size: tuple[int, int]) -> bool:
    """Whether a person is complete: the box does not touch the sides of a photo of (width, height) pixels."""
    top, left, bottom, right = box
    return min(top, left) > 1 and bottom < size[1] - 2 and right < size[0] - 2


def inner_crop(subject: Subject, size: tuple[int, int], rng: np.random.Generator) -> AffineCrop:
    """A crop that stays inside the photo: from nearly all of it down to a face that fills the frame.

    Args:
        subject: in the photo.
        size: (H, W) of the training picture.
        rng: random numbers.
    """
    height, width = subject.mips[0].shape[1:]
    share = rng.uniform(0.85, 1.0) if rng.random() < 0.5 else log_uniform(0.3, 1, rng)
    stretch = np.exp(rng.normal(0, 0.12))
    scale = share * min(height / size[0], width / size[1])
    h, w = min(size[0] * scale * stretch, height), min(size[1] * scale / stretch, width)
    if share > 0.85:  # nearly everything: take in the long side too, with at most a third of stretching
        h, w = min(height, h * 1.33), min(width, w * 1.33)
    top, left, bottom, right = subject.box
    y = np.clip(top + (bottom - top) * rng.beta(1.3, 2), h / 2, height - h / 2)
    x = np.clip(rng.uniform(left, right), w / 2, width - w / 2)
    return AffineCrop(float(y), float(x), float(h), float(w), _angle(rng), bool(rng.random() < 0.5))


def whole_crop(subject: Subject, size: tuple[int, int], rng: np.random.Generator) -> AffineCrop:
    """92 to 100% of the photo, upright; less if it is much longer than the frame. Arguments as for `inner_crop`."""
    photo = np.array(subject.mips[0].shape[1:])
    scale = photo / size
    height, width = photo * np.minimum(1, _MOST_STRETCHED * scale.min() / scale) * rng.uniform(0.92, 1, 2)
    y, x = rng.uniform((height / 2, width / 2), photo - (height / 2, width / 2))
    return AffineCrop(float(y), float(x), float(height), float(width), 0.0, bool(rng.random() < 0.5))


def free_crop(subject: Subject, size: tuple[int, int], rng: np.random.Generator) -> AffineCrop:
    """A crop that may reach beyond the photo: the person is from 45% to three times the frame's height.

    Some complete people are distant, down to 8%. Arguments as for `inner_crop`.
    """
    top, left, bottom, right = subject.box
    photo_height, photo_width = subject.mips[0].shape[1:]
    person = max(bottom - top, (right - left) * size[0] / size[1])
    cut_off = bottom >= photo_height - 2
    farthest = _FAR if subject.is_whole and rng.random() < _FAR_CHANCE else 2.2
    height = person * log_uniform(0.35, farthest, rng)
    width = height * size[1] / size[0] * np.exp(rng.normal(0, 0.1))
    if height > person:  # the whole person fits: anywhere in the frame, but on its lower edge if cut off there
        y = (top + bottom) / 2 + (height - person) / 2 * rng.uniform(-1, 1)
        y = bottom - 0.53 * height if cut_off and rng.random() < 0.9 else y
        x = (left + right) / 2 + width * rng.uniform(-0.4, 0.4)
    else:
        y = top + (bottom - top) * rng.beta(1.3, 2)
        y = min(y, bottom - 0.45 * height) if cut_off else y
        x = rng.uniform(left, right)
    if top <= 1:  # cut off by the photo's upper edge: nothing is known of what is above it
        height = min(height, photo_height)
        y = max(y, height / 2)
    x, width = _within_sides(x, width, (left, right), photo_width)
    return AffineCrop(float(y), float(x), float(height), float(width), _angle(rng), bool(rng.random() < 0.5))


def _angle(rng: np.random.Generator) -> float:
    return float(rng.normal(0, 0.12 if rng.random() < 0.8 else 0.35)) if rng.random() < 0.4 else 0.0


def _within_sides(x: float, width: float, person: tuple[int, int], limit: int) -> tuple[float, float]:
    """Centre and width of a crop that does not extend beyond a side of the photo at which the person is cut off."""
    cut_left, cut_right = person[0] <= 1, person[1] >= limit - 1
    if cut_left and cut_right:
        width = min(width, limit)
    if cut_left:
        x = max(x, width / 2)
    if cut_right:
        x = min(x, limit - width / 2)
    return x, width
