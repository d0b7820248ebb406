"""Other people in a picture: passers-by, who are background, and companions, who are as large as somebody and foreground."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from matting.training import augment
from matting.training.augment import Window
from matting.training.framing import Subject

_PASSER_BY = 0.1
_COMPANION = 0.04
_LARGEST_PASSER_BY = 0.55  # of the height of who is in front


def walk_past(
    photo: Tensor,
    alpha: Tensor,
    foreground: Tensor,
    backgrounds: Tensor,
    people: Sequence[Subject],
    rng: np.random.Generator,
    chance: float = _PASSER_BY,
) -> None:
    """Let one or two people who are much smaller pass behind some of the people; they stay background. In place.

    Args:
        photo: (B, 3, H, W) in [0, 1].
        alpha: (B, 1, H, W) in [0, 1]; where nobody is, nobody passes.
        foreground: (B, 3, H, W) in [0, 1].
        backgrounds: (B, 3, H, W) in [0, 1], what stands behind people who do not stay in their photo.
        people: who may pass, none of them cut off by their photo; may be empty.
        rng: decides who passes whom.
        chance: of a picture.
    """
    for i in _pick(people, len(alpha), chance, rng):
        box = _extent(alpha[i, 0])
        for _ in range(rng.integers(1, 3) if box else 0):
            top, _, bottom, _ = box
            height = (bottom - top) * float(np.exp(rng.uniform(np.log(0.12), np.log(_LARGEST_PASSER_BY))))
            centre = float(rng.uniform(0, alpha.shape[3])), float(rng.uniform(top, bottom - height / 2))
            layer = draw_person(people, centre, height, alpha.shape[2:], rng)
            layer = augment.soften(layer[None], rng, chance=0.7, strongest=6.0)[0]
            behind = photo[i] - alpha[i] * foreground[i]  # what the photo shows of its background
            photo[i] += (1 - alpha[i]) * layer[:3] - layer[3:] * behind
            backgrounds[i] = layer[:3] + (1 - layer[3:]) * backgrounds[i]


def stand_together(
    photo: Tensor,
    alpha: Tensor,
    foreground: Tensor,
    people: Sequence[Subject],
    rng: np.random.Generator,
    chance: float = _COMPANION,
) -> None:
    """Put somebody of about the same size next to some of the people who are seen down to their feet. In place.

    Args:
        photo: (B, 3, H, W) in [0, 1].
        alpha: (B, 1, H, W) in [0, 1]; where nobody is, nobody comes.
        foreground: (B, 3, H, W) in [0, 1].
        people: who may come, none of them cut off by their photo; may be empty.
        rng: decides who comes, and where to.
        chance: of a picture.
    """
    for i in _pick(people, len(alpha), chance, rng):
        box = _extent(alpha[i, 0])
        if box is None or box[2] >= alpha.shape[2] - 1:
            continue
        top, left, bottom, right = box
        height = (bottom - top) * float(rng.uniform(0.8, 1.2))
        apart = height * float(rng.choice([-1, 1]) * rng.uniform(0.15, 0.7))
        centre = (left + right) / 2 + apart, bottom - height * float(rng.uniform(0.45, 0.55))
        augment.lay_over(photo[i], alpha[i], foreground[i], draw_person(people, centre, height, alpha.shape[2:], rng))


def draw_person(
    people: Sequence[Subject], centre: tuple[float, float], height: float, size: tuple[int, int], rng: np.random.Generator
) -> Tensor:
    """A layer with one of the people on it, (4, H, W): colours multiplied by their alpha, and the alpha.

    Args:
        people: at least one.
        centre: (x, y) in pixels.
        height: of the person, in pixels.
        size: (H, W) of the layer.
        rng: decides who it is, and in what light.
    """
    subject = people[int(rng.integers(len(people)))]
    top, left, bottom, right = subject.box
    scale = (bottom - top) / height
    mirrored = bool(rng.random() < 0.5)
    dx, dy = (centre[0] - size[1] / 2) * scale, (centre[1] - size[0] / 2) * scale
    x = (left + right) / 2 + (dx if mirrored else -dx)
    window = Window((top + bottom) / 2 - dy, x, size[0] * scale, size[1] * scale, 0.0, mirrored)
    planes = augment.cut(subject.mips, window, size)
    alpha = augment.snap(planes[3:4])
    return torch.cat([(planes[4:] * float(rng.uniform(0.6, 1.15))).clamp(0, 1) * alpha, alpha])


def _pick(people: Sequence[Subject], count: int, chance: float, rng: np.random.Generator) -> np.ndarray:
    drawn = np.flatnonzero(rng.random(count) < chance)
    return drawn if people else drawn[:0]


def _extent(alpha: Tensor) -> tuple[int, int, int, int] | None:
    """Top, left, bottom, right of who is there, (H, W) in [0, 1]; None if nobody is."""
    rows, columns = (torch.nonzero((alpha > 0.5).any(axis)).flatten().tolist() for axis in (1, 0))
    return (rows[0], columns[0], rows[-1] + 1, columns[-1] + 1) if rows else None
