"""Synthetic straps, locks of hair and bags with handles: foreground that encloses some background together with the person."""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from matting.training import augmentation, shapes
from matting.training.hair import cover_curves

_CHANCE = 0.15
_BAG_CHANCE = 0.5
_OWN_COLOUR = 0.6  # of the straps have the colour of the person where they begin
_HEAD = 0.25  # upper share of the edge where no bag hangs
_LEAST_PERSON = 40  # extent in pixels (see `Edge`); smaller people get no straps
_POINTS = 24


class Wearer(NamedTuple):
    """The edge of a person, (P, 2) points as (x, y) from top to bottom, and their extent (see `Edge`), in pixels."""

    edge: NDArray[np.float64]
    extent: float


def carry_straps(
    photo: Tensor, alpha: Tensor, foreground: Tensor, textures: Tensor, rng: np.random.Generator, chance: float = _CHANCE
) -> None:
    """Composite one to three straps or bags over some people, as foreground. In place.

    Args:
        photo: (B, 3, H, W) in [0, 1].
        alpha: (B, 1, H, W) in [0, 1]; images without a person, or with a small one, are left as they are.
        foreground: (B, 3, H, W) in [0, 1].
        textures: (B, 3, H, W), images that give straps and bags their texture; image i uses that of image i - 1.
        rng: random numbers.
        chance: probability per image.
    """
    for i in np.flatnonzero(rng.random(len(alpha)) < chance):
        edge = augmentation.find_edge(alpha[i], _LEAST_PERSON)
        if edge is None:
            continue
        person = Wearer(np.stack([edge.columns, edge.rows], 1).astype(np.float64) + 0.5, edge.extent)
        for _ in range(rng.integers(1, 4)):
            draw = _bag if rng.random() < _BAG_CHANCE else _strap
            augmentation.lay_over(
                photo[i], alpha[i], foreground[i], draw(person, alpha[i], foreground[i], textures[i - 1], rng)
            )


def bow(start: NDArray[np.float64], control: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.float32]:
    """(1, P, 2) points of a quadratic Bezier curve with this start, control point and end; all as (x, y)."""
    t = np.linspace(0, 1, _POINTS)[:, None]
    return ((1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * end).astype(np.float32)[None]


def _strap(person: Wearer, alpha: Tensor, foreground: Tensor, texture: Tensor, rng: np.random.Generator) -> Tensor:
    """A layer (4, H, W) with a curved band between two points of the person's edge."""
    start = person.edge[rng.integers(len(person.edge))]
    distances = np.hypot(*(person.edge - start).T)
    end = person.edge[np.abs(distances - person.extent * augmentation.log_uniform(0.06, 0.5, rng)).argmin()]
    chord = end - start
    bulge = np.array([chord[1], -chord[0]]) * rng.uniform(0.3, 1.6)
    ways = [(start + end) / 2 + side * bulge for side in (1, -1)]
    control = min(ways, key=lambda point: _inside(alpha, ((start + end) / 2 + point) / 2))
    width = max(1.0, person.extent * augmentation.log_uniform(0.008, 0.08, rng))
    cover = _band(bow(start, control, end), width, alpha)
    if rng.random() < _OWN_COLOUR:
        x, y = start.astype(int)
        colour = foreground[:, y, x, None, None] + 0.3 * (texture - texture.mean())
    else:
        colour = shapes.fabric(texture, 0.4, rng)
    lit = colour * shapes.light(alpha.shape[2], float(start[0]), person.extent, rng).to(alpha)
    return torch.cat([lit.clamp(0, 1) * cover, cover])


def _bag(person: Wearer, alpha: Tensor, foreground: Tensor, texture: Tensor, rng: np.random.Generator) -> Tensor:
    """A layer (4, H, W) with a bag that hangs by its handle from a point of the person's edge."""
    hand = person.edge[rng.integers(round(_HEAD * len(person.edge)), len(person.edge))]
    half = person.extent * np.array([augmentation.log_uniform(0.06, 0.35, rng), augmentation.log_uniform(0.05, 0.35, rng)])
    drop = half[0] * augmentation.log_uniform(0.3, 2, rng)
    middle = hand + (half[0] * rng.uniform(-0.9, 0.9), drop + half[1])
    ends = [middle + (side * half[0] * rng.uniform(0.4, 0.9), -0.95 * half[1]) for side in (-1, 1)]
    width = max(1.0, person.extent * augmentation.log_uniform(0.005, 0.03, rng))
    top = 2 * hand - (ends[0] + ends[1]) / 2  # the control point of a curve through the hand
    handle = _band(bow(ends[0], top, ends[1]), width, alpha)
    outline = shapes.round_box(half[0], half[1], float(rng.uniform(0.2, 1))) + middle
    angle, blur = float(rng.normal(0, 8)), float(rng.uniform(0.4, 1.2))
    cover = shapes.cover(outline, (float(hand[0]), float(hand[1])), angle, alpha.shape[1:], blur).to(alpha)
    colour = shapes.fabric(texture, 0.6, rng)
    lit = (colour * shapes.light(alpha.shape[2], float(middle[0]), float(half[0]), rng).to(alpha)).clamp(0, 1)
    both = cover + (1 - cover) * handle
    return torch.cat([lit * both, both])


def _band(curve: NDArray[np.float32], width: float, alpha: Tensor) -> Tensor:
    """Coverage (1, H, W) in [0, 1] of a curve (1, P, 2) with a width in pixels; of the shape and type of an alpha (1, H, W)."""
    return torch.from_numpy(cover_curves(curve, width, alpha.shape[1:]))[None].to(alpha)


def _inside(alpha: Tensor, point: NDArray[np.float64]) -> float:
    """Alpha (1, H, W) at a point (x, y), 1 outside of the picture."""
    x, y = np.floor(point).astype(int)
    within = 0 <= y < alpha.shape[1] and 0 <= x < alpha.shape[2]
    return float(alpha[0, y, x]) if within else 1.0
