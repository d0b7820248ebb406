"""Synthetic hats, caps and beanies on heads, as foreground."""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from matting.training import augmentation, shapes

_CHANCE = 0.2
_BRIM_CHANCE = 0.7
_BACK_CHANCE = 0.3  # that a hat sits at the back of the head, so that the head hides part of it
_UNDERSIDE_CHANCE = 0.5
_TALL_CHANCE = 0.15
_WIDEST_AT = 0.6  # of its width below its top, a head is as wide as it gets
_NARROWEST = 12  # pixels; on smaller heads nothing is drawn


class Head(NamedTuple):
    """The top of a head, (x, y), and the head's width, in pixels."""

    x: float
    y: float
    width: float


def wear_hats(
    photo: Tensor, alpha: Tensor, foreground: Tensor, textures: Tensor, rng: np.random.Generator, chance: float = _CHANCE
) -> None:
    """Draw a hat, with a brim or without, on some people. In place.

    Args:
        photo: (B, 3, H, W) in [0, 1].
        alpha: (B, 1, H, W) in [0, 1]; images without a person are left as they are.
        foreground: (B, 3, H, W) in [0, 1].
        textures: (B, 3, H, W), images that give the hats their texture; image i uses that of image i - 1.
        rng: random numbers.
        chance: probability per image.
    """
    for i in np.flatnonzero(rng.random(len(alpha)) < chance):
        head = find_head(alpha[i, 0].cpu().numpy())
        if head is not None:
            layer = _hat(head, textures[i - 1], rng)
            layer = layer * (1 - alpha[i]) if rng.random() < _BACK_CHANCE else layer
            augmentation.lay_over(photo[i], alpha[i], foreground[i], layer)


def find_head(alpha: NDArray[np.float32]) -> Head | None:
    """The topmost head of an alpha (H, W); None if the image's upper border cuts it off, or if there is none.

    Going down from the topmost point, the head's width is measured in the first row whose depth is 0.6 times the mask's width
    there.
    """
    body = alpha > 0.5
    rows = np.flatnonzero(body.any(1))
    if len(rows) == 0 or rows[0] < 2:
        return None
    centre = float(np.flatnonzero(body[rows[0]]).mean())
    for row in rows:
        columns = _run(body[row], round(centre))
        if columns is None:
            return None
        width, centre = float(columns[1] - columns[0]), (columns[0] + columns[1]) / 2
        if row - rows[0] >= _WIDEST_AT * width:
            return Head(centre, float(rows[0]), width) if width >= _NARROWEST else None
    return None


def _run(row: NDArray[np.bool_], column: int) -> tuple[int, int] | None:
    """First and one past the last column of the run of True values around a column; None if it is False."""
    column = min(column, len(row) - 1)
    if not row[column]:
        return None
    outside = np.flatnonzero(~row)
    before, after = outside[outside < column], outside[outside > column]
    return int(before[-1]) + 1 if len(before) else 0, int(after[0]) if len(after) else len(row)


def _hat(head: Head, texture: Tensor, rng: np.random.Generator) -> Tensor:
    """A layer (4, H, W) of premultiplied RGB and alpha: a crown, and in 70% a brim in front of it or behind it."""
    size = texture.shape[1:]
    low = head.y + head.width * float(rng.uniform(0.2, 0.5))  # where the crown ends
    tall = rng.random() < _TALL_CHANCE
    high = head.y - head.width * (augmentation.log_uniform(0.5, 2, rng) if tall else float(rng.uniform(0.05, 0.5)))
    half = head.width * float(rng.uniform(0.5, 0.6))
    crown = shapes.round_box(half, low - high, float(rng.uniform(0.5, 1.8 if tall else 1)))
    parts = [(np.minimum(crown, (half, 0)) + (head.x, low), 1.0)]  # outlines, and how much of the light each gets
    if rng.random() < _BRIM_CHANCE:
        shift = half * float(rng.uniform(-0.6, 0.6)) if rng.random() < 0.3 else 0.0  # the peak of a cap
        place, at = int(rng.integers(2)), (head.x + shift, low)
        parts[place:place] = [(outline + at, shade) for outline, shade in _brim(head.width, half, rng)]
    colour = shapes.fabric(texture, 0.6, rng)
    angle, blur = float(rng.normal(0, 8)), float(rng.uniform(0.4, 1.5))
    layer = torch.zeros(4, *size, device=texture.device)
    for points, shade in parts:
        cover = shapes.cover(points, (head.x, low), angle, size, blur).to(layer)
        shaded = (colour * shade * shapes.light(size[1], head.x, head.width, rng).to(layer)).clamp(0, 1)
        layer = torch.cat([shaded * cover, cover]) + (1 - cover) * layer
    return layer


def _brim(head: float, half: float, rng: np.random.Generator) -> list[tuple[shapes.Points, float]]:
    """Outlines around (0, 0) and their share of the light: a brim that bends up or down, and perhaps its underside.

    Args:
        head: width of the head, in pixels.
        half: of the width of the crown, in pixels.
        rng: decides.
    """
    width, height = half * float(rng.uniform(1.1, 2.8)), head * float(rng.uniform(0.05, 0.35))
    brim = shapes.round_box(width, height, 1)
    brim[:, 1] -= head * float(rng.uniform(-0.15, 0.4)) * (brim[:, 0] / width) ** 2
    parts = [(brim, 1.0)]
    if rng.random() < _UNDERSIDE_CHANCE:
        underside = brim * rng.uniform((0.85, 0.8), 1) + (0, height * float(rng.uniform(0.1, 0.5)))
        parts.append((underside, float(rng.uniform(0.2, 0.8))))
    return parts
