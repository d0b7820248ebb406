"""Additional people in training images: passers-by are background, companions and lone distant people are foreground."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from matting.training import augmentation
from matting.training.augmentation import AffineCrop
from matting.training.framing import Subject

_PASSER_BY = 0.12
_COMPANION = 0.04
_FAR_ALONE = 0.5
_LARGEST_PASSER_BY = 0.5  # of the height of the person in front
# Of the image's height: no passers-by behind smaller people, or the network takes small people for background
# (training/LEARNT.md, "Passers-by drawn behind people").
_NEAR = 0.45


def walk_past(
    photo: Tensor,
    alpha: Tensor,
    foreground: Tensor,
    backgrounds: Tensor,
    people: Sequence[Subject],
    rng: np.random.Generator,
    chance: float = _PASSER_BY,
) -> None:
    """Composite one or two much smaller people behind some of the large ones, as background. In place.

    Args:
        photo: (B, 3, H, W) in [0, 1].
        alpha: (B, 1, H, W) in [0, 1]; images without a large person are left as they are.
        foreground: (B, 3, H, W) in [0, 1].
        backgrounds: (B, 3, H, W) in [0, 1], the new backgrounds.
        people: complete people to choose from; may be empty.
        rng: random numbers.
        chance: probability per image.
    """
    for i in _pick(people, len(alpha), chance, rng):
        box = _extent(alpha[i, 0])
        if box is None or box[2] - box[0] < _NEAR * alpha.shape[2]:
            continue
        top, _, bottom, _ = box
        for _ in range(rng.integers(1, 3)):
            height = (bottom - top) * augmentation.log_uniform(0.12, _LARGEST_PASSER_BY, rng)
            centre = float(rng.uniform(0, alpha.shape[3])), float(rng.uniform(top, bottom - height / 2))
            layer = draw_person(people, centre, height, alpha.shape[2:], rng)
            layer = augmentation.soften(layer[None], rng, chance=0.7, strongest=6.0)[0]
            augmentation.lay_behind(photo[i], alpha[i], foreground[i], backgrounds[i], layer)


def stand_together(
    photo: Tensor,
    alpha: Tensor,
    foreground: Tensor,
    people: Sequence[Subject],
    rng: np.random.Generator,
    chance: float = _COMPANION,
) -> None:
    """Composite a second person of about the same size, as foreground, next to some who are visible down to their feet.

    In place.

    Args:
        photo: (B, 3, H, W) in [0, 1].
        alpha: (B, 1, H, W) in [0, 1]; images without a person are left as they are.
        foreground: (B, 3, H, W) in [0, 1].
        people: complete people to choose from; may be empty.
        rng: random numbers.
        chance: probability per image.
    """
    for i in _pick(people, len(alpha), chance, rng):
        box = _extent(alpha[i, 0])
        if box is None or box[2] >= alpha.shape[2] - 1:
            continue
        top, left, bottom, right = box
        height = (bottom - top) * float(rng.uniform(0.8, 1.2))
        apart = height * float(rng.choice([-1, 1]) * rng.uniform(0.15, 0.7))
        centre = (left + right) / 2 + apart, bottom - height * float(rng.uniform(0.45, 0.55))
        augmentation.lay_over(photo[i], alpha[i], foreground[i], draw_person(people, centre, height, alpha.shape[2:], rng))


def stand_far(
    photo: Tensor,
    alpha: Tensor,
    foreground: Tensor,
    people: Sequence[Subject],
    rng: np.random.Generator,
    chance: float = _FAR_ALONE,
) -> None:
    """Composite a person of 6 to 30% of its height, as foreground, into some of the images without people. In place.

    Args:
        photo: (B, 3, H, W) in [0, 1].
        alpha: (B, 1, H, W) in [0, 1].
        foreground: (B, 3, H, W) in [0, 1].
        people: complete people to choose from; may be empty.
        rng: random numbers.
        chance: probability per image without people.
    """
    size = alpha.shape[2:]
    for i in _pick(people, len(alpha), chance, rng):
        if not alpha[i].any():
            height = size[0] * augmentation.log_uniform(0.06, 0.3, rng)
            centre = size[1] * float(rng.uniform(0.05, 0.95)), float(rng.uniform(height / 2, size[0] - height / 2))
            augmentation.lay_over(photo[i], alpha[i], foreground[i], draw_person(people, centre, height, size, rng))


def draw_person(
    people: Sequence[Subject], centre: tuple[float, float], height: float, size: Sequence[int], rng: np.random.Generator
) -> Tensor:
    """A layer (4, H, W) with one of the people: premultiplied RGB and alpha, in [0, 1].

    Args:
        people: at least one.
        centre: (x, y) in pixels.
        height: of the person, in pixels.
        size: (H, W) of the layer.
        rng: random numbers; they choose the person and the brightness.
    """
    subject = people[int(rng.integers(len(people)))]
    top, left, bottom, right = subject.box
    scale = (bottom - top) / height
    mirrored = bool(rng.random() < 0.5)
    dx, dy = (centre[0] - size[1] / 2) * scale, (centre[1] - size[0] / 2) * scale
    x = (left + right) / 2 + (dx if mirrored else -dx)
    crop = AffineCrop((top + bottom) / 2 - dy, x, size[0] * scale, size[1] * scale, 0.0, mirrored)
    planes = augmentation.cut(subject.mips, crop, size)
    alpha = augmentation.snap(planes[3:4])
    return torch.cat([(planes[4:] * float(rng.uniform(0.6, 1.15))).clamp(0, 1) * alpha, alpha])


def _pick(people: Sequence[Subject], count: int, chance: float, rng: np.random.Generator) -> np.ndarray:
    drawn = np.flatnonzero(rng.random(count) < chance)
    return drawn if people else drawn[:0]


def _extent(alpha: Tensor) -> tuple[int, int, int, int] | None:
    """Bounding box (top, left, bottom, right) of alpha (H, W) above 0.5; None if there is none."""
    rows, columns = (torch.nonzero((alpha > 0.5).any(axis)).flatten().tolist() for axis in (1, 0))
    return (rows[0], columns[0], rows[-1] + 1, columns[-1] + 1) if rows else None
