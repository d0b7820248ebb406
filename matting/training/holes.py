"""Narrow gaps through people, as between legs, beside a neck and under a handle: the background shows through them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from matting.training import augmentation, shapes

_CHANCE = 0.25
_DEEPEST = 0.12  # below the outline, as a share of the root of the person's area
_UPRIGHT = 0.6  # of them, more or less
_HEAD = 0.4  # of the outline, from above, where no gap is cut
_LEAST_PERSON = 40  # the same root, in pixels; nothing is cut into smaller people


def open_holes(alpha: Tensor, kept: NDArray[np.bool_], rng: np.random.Generator, chance: float = _CHANCE) -> None:
    """Cut one to three long and narrow gaps into some of the people who do not stay in their photo. In place.

    A photo does not show what is behind its people, so no gap is cut where it stays.

    Args:
        alpha: (B, 1, H, W) in [0, 1].
        kept: (B,), True where people stay in their photo.
        rng: decides who has gaps, and where.
        chance: of a picture that is not kept.
    """
    for i in np.flatnonzero((rng.random(len(alpha)) < chance) & ~kept):
        edge = augmentation.find_edge(alpha[i], _LEAST_PERSON)
        if edge is None:
            continue
        rows, columns, person = edge
        for point in rng.choice(np.flatnonzero(rows >= np.quantile(rows, _HEAD)), rng.integers(1, 4)):
            shift = person * _DEEPEST * rng.uniform(-1, 1, 2)
            centre = float(columns[point] + shift[0]), float(rows[point] + shift[1])
            alpha[i] *= 1 - _gap(centre, person, alpha.shape[2:], rng).to(alpha)


def _gap(centre: tuple[float, float], person: float, size: Sequence[int], rng: np.random.Generator) -> Tensor:
    """(1, H, W) in [0, 1]: an ellipse, or a shape between it and a wedge with two sharp ends.

    Args:
        centre: (x, y) in pixels.
        person: root of the person's area, in pixels.
        size: (H, W).
        rng: decides its width, length and angle.
    """
    half_width = max(0.7, person * augmentation.log_uniform(0.003, 0.025, rng))
    half_length = half_width + person * augmentation.log_uniform(0.04, 0.25, rng)
    angle = float(rng.normal(0, 15) if rng.random() < _UPRIGHT else rng.uniform(-90, 90))
    points = shapes.round_box(half_width, half_length, float(rng.uniform(0.8, 2.2))) + centre
    return shapes.cover(points, centre, angle, size, float(rng.uniform(0.4, 1.2)))
