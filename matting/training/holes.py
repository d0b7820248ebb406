"""Narrow holes in people, as between legs, beside a neck or under a handle, through which the background is visible."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from matting.training import augmentation, shapes

_CHANCE = 0.25
_DEEPEST = 0.12  # distance of a hole's centre from the edge, as a share of the person's extent (see `Edge`)
_UPRIGHT = 0.6  # share of the holes that are roughly vertical
_HEAD = 0.4  # upper share of the edge where no hole is cut
_LEAST_PERSON = 40  # extent in pixels; smaller people get no holes


def open_holes(alpha: Tensor, kept: NDArray[np.bool_], rng: np.random.Generator, chance: float = _CHANCE) -> None:
    """Cut one to three long and narrow holes into some people with a new background. In place.

    Not in photos that keep their own, since the background behind the person is unknown there.

    Args:
        alpha: (B, 1, H, W) in [0, 1].
        kept: (B,), True where the photo keeps its background.
        rng: random numbers.
        chance: probability per image with a new background.
    """
    for i in np.flatnonzero((rng.random(len(alpha)) < chance) & ~kept):
        edge = augmentation.find_edge(alpha[i], _LEAST_PERSON)
        if edge is None:
            continue
        rows, columns, person = edge
        for point in rng.choice(np.flatnonzero(rows >= np.quantile(rows, _HEAD)), rng.integers(1, 4)):
            shift = person * _DEEPEST * rng.uniform(-1, 1, 2)
            centre = float(columns[point] + shift[0]), float(rows[point] + shift[1])
            alpha[i] *= 1 - _hole(centre, person, alpha.shape[2:], rng).to(alpha)


def _hole(centre: tuple[float, float], person: float, size: Sequence[int], rng: np.random.Generator) -> Tensor:
    """(1, H, W) in [0, 1]: an ellipse, or a shape between it and a wedge with two sharp ends.

    Args:
        centre: (x, y) in pixels.
        person: extent of the person, in pixels.
        size: (H, W).
        rng: random numbers.
    """
    half_width = max(0.7, person * augmentation.log_uniform(0.003, 0.025, rng))
    half_length = half_width + person * augmentation.log_uniform(0.04, 0.25, rng)
    angle = float(rng.normal(0, 15) if rng.random() < _UPRIGHT else rng.uniform(-90, 90))
    points = shapes.round_box(half_width, half_length, float(rng.uniform(0.8, 2.2))) + centre
    return shapes.cover(points, centre, angle, size, float(rng.uniform(0.4, 1.2)))
