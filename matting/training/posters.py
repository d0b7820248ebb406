"""Drawn backgrounds like posters and wallpapers: large flat shapes, bands and patterns in few colours.

What a portrait's clothes and such shapes have in common is that they are flat, have sharp edges and touch the person.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from matting.training.augmentation import log_uniform

_LAYERS = (1, 7)
_MOST_BLUR = 60.0  # pixels
_TONES = 0.25  # of the posters are in tones of one colour

Field = NDArray[np.float32]  # (H, W)


def poster(size: tuple[int, int], rng: np.random.Generator, device: torch.device) -> Tensor:
    """One to six layers over a gradient, each a shape, bands or a pattern, in two to five colours.

    Args:
        size: (H, W).
        rng: random numbers.
        device: of the result.

    Returns:
        (3, H, W) in [0, 1].
    """
    colours = _palette(rng)
    scene = _fill(size, colours, rng)
    for _ in range(rng.integers(*_LAYERS)):
        x, y = _axes(size, rng)
        draw = (_shape, _bands, _pattern)[rng.choice(3, p=(0.5, 0.3, 0.2))]
        blur = log_uniform(0.7, 2, rng) if rng.random() < 0.8 else log_uniform(2, _MOST_BLUR, rng)
        coverage = np.clip(draw(x, y, rng) * max(size) / blur + 0.5, 0, 1) * np.float32(rng.uniform(0.3, 1) ** 0.5)
        scene += coverage * (_fill(size, colours, rng) - scene)
    return torch.as_tensor(scene, device=device).clamp(0, 1)


def _palette(rng: np.random.Generator) -> NDArray[np.float32]:
    """(P, 3) colours in [0, 1]: free ones, or tones of one."""
    colours = rng.uniform(0, 1, (int(rng.integers(2, 6)), 3))
    if rng.random() < _TONES:
        colours = (colours[:1] + rng.normal(0, 0.15, (len(colours), 1)) + rng.normal(0, 0.03, colours.shape)).clip(0, 1)
    return colours.astype(np.float32)


def _axes(size: tuple[int, int], rng: np.random.Generator) -> tuple[Field, Field]:
    """Coordinates along two turned axes, in units of the longer side, with their origin somewhere in the picture."""
    angle, (top, left) = rng.uniform(0, 2 * np.pi), rng.uniform(0, 1, 2) * size
    y, x = (np.arange(n, dtype=np.float32) - np.float32(first) for n, first in zip(size, (top, left), strict=True))
    cos, sin = np.array([np.cos(angle), np.sin(angle)], np.float32) / np.float32(max(size))
    return cos * x + (sin * y)[:, None], -sin * x + (cos * y)[:, None]


def _fill(size: tuple[int, int], colours: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """(3, H, W): one of the colours, or a gradient from one to another."""
    first, second = colours[rng.integers(len(colours), size=2)]
    if rng.random() < 0.5:
        return np.repeat(first, size[0] * size[1]).reshape(3, *size)
    weight = np.clip(_axes(size, rng)[0] * np.float32(rng.uniform(0.5, 3)) + np.float32(0.5), 0, 1)
    return first[:, None, None] + weight * (second - first)[:, None, None]


def _shape(x: Field, y: Field, rng: np.random.Generator) -> Field:
    """A superellipse, or a half-plane with a bent edge; positive inside, in units of the longer side near its edge."""
    if rng.random() < 0.3:
        return x + np.float32(rng.uniform(0, 0.1)) * np.sin(np.float32(rng.uniform(1, 12)) * y)
    power, across, along = rng.uniform(0.8, 6), log_uniform(0.05, 0.7, rng), log_uniform(0.05, 0.7, rng)
    radius = (np.abs(x / across) ** power + np.abs(y / along) ** power) ** (1 / power)
    return ((1 - radius) * min(across, along)).astype(np.float32)


def _bands(x: Field, y: Field, rng: np.random.Generator) -> Field:
    """Stripes, waves, rings or rays."""
    often, waves = log_uniform(1, 40, rng), log_uniform(1, 15, rng)
    distance = np.hypot(x, y) if rng.random() < 0.4 else x + np.float32(rng.uniform(0, 0.15)) * np.sin(np.float32(waves) * y)
    if rng.random() < 0.2:
        distance = np.arctan2(y, x) / np.float32(2 * np.pi)
        often = float(max(2, round(often)))
    wave = np.cos(np.float32(2 * np.pi * often) * distance) - np.float32(rng.uniform(-0.9, 0.9))
    return wave / np.float32(2 * np.pi * often)


def _pattern(x: Field, y: Field, rng: np.random.Generator) -> Field:
    """Small squares, discs or crosses on a grid, some of them left out."""
    often, power = log_uniform(4, 60, rng), float(rng.choice((0.6, 1, 2, 8)))
    column, row = x * np.float32(often), y * np.float32(often)
    present = rng.random((31, 37)) < rng.uniform(0.2, 1)
    shown = present[np.floor(row).astype(int) % 31, np.floor(column).astype(int) % 37]
    u, v = np.abs(column % 1 - np.float32(0.5)), np.abs(row % 1 - np.float32(0.5))
    inside = np.float32(rng.uniform(0.1, 0.5)) - (u**power + v**power) ** np.float32(1 / power)
    return np.where(shown, inside, -1) / np.float32(often)
