"""Synthetic loose hair with an exact alpha: thin curves drawn outwards from the edge of a head, in its colour there."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from matting.training import augmentation

_CHANCE = 0.12
_SHADES = 3
_POINTS = 14
_FINE = 3  # supersampling: hairs are drawn at this multiple of the size, so the thinnest are a third of a pixel wide
_SHIFT = 3  # fractional bits of the coordinates that OpenCV draws at
_LEAST_EDGE = 40


class Roots(NamedTuple):
    """Where S hairs begin.

    Attributes:
        points: (S, 2) as (x, y), in pixels.
        outwards: (S, 2) unit vectors out of the person.
        head: height of the head, in pixels.
    """

    points: NDArray[np.float32]
    outwards: NDArray[np.float32]
    head: float


def grow_hair(photo: Tensor, alpha: Tensor, foreground: Tensor, rng: np.random.Generator, chance: float = _CHANCE) -> None:
    """Draw loose hair around the head of some people. In place.

    Args:
        photo: (B, 3, H, W) in [0, 1].
        alpha: (B, 1, H, W) in [0, 1]; images without a person are left as they are.
        foreground: (B, 3, H, W) in [0, 1].
        rng: random numbers.
        chance: probability per image.
    """
    for i in np.flatnonzero(rng.random(len(alpha)) < chance):
        roots = find_roots(alpha[i, 0].cpu().numpy(), round(augmentation.log_uniform(8, 150, rng)), rng)
        if roots is None:
            continue
        curves = draw_curves(roots, rng)
        width, opacity = float(rng.uniform(0.3, 2)), float(rng.uniform(0.5, 1))
        for hairs in np.array_split(np.arange(len(curves)), _SHADES):
            if len(hairs) == 0:
                continue
            cover = opacity * torch.from_numpy(cover_curves(curves[hairs], width, alpha.shape[2:])).to(alpha)[None]
            colour = (_root_colour(foreground[i], roots, hairs) * float(rng.uniform(0.7, 1.3))).clamp(0, 1)
            augmentation.lay_over(photo[i], alpha[i], foreground[i], torch.cat([colour * cover, cover]))


def find_roots(alpha: NDArray[np.float32], count: int, rng: np.random.Generator) -> Roots | None:
    """Random points on the edge of the head, which is assumed to be half as high as the person is wide.

    Args:
        alpha: (H, W) in [0, 1].
        count: number of points.
        rng: random numbers.

    Returns:
        The roots, or None if the edge has fewer than 40 pixels.
    """
    smooth = cv2.GaussianBlur(alpha, (0, 0), 3)
    rows, columns = np.nonzero((np.abs(smooth - 0.5) < 0.2) & (alpha < 0.95))
    person = np.flatnonzero((smooth > 0.5).any(0))
    if len(rows) < _LEAST_EDGE:
        return None
    head = 0.5 * (person[-1] - person[0] + 1)
    near = np.flatnonzero(rows < rows.min() + head)
    chosen = rng.choice(near, count)
    down, across = cv2.Sobel(smooth, cv2.CV_32F, 0, 1), cv2.Sobel(smooth, cv2.CV_32F, 1, 0)
    outwards = -np.stack([across[rows[chosen], columns[chosen]], down[rows[chosen], columns[chosen]]], 1)
    outwards /= np.maximum(np.linalg.norm(outwards, axis=1, keepdims=True), 1e-6)
    points = np.stack([columns[chosen], rows[chosen]], 1).astype(np.float32) + 0.5
    return Roots(points - 3 * outwards, outwards, float(head))


def draw_curves(roots: Roots, rng: np.random.Generator) -> NDArray[np.float32]:
    """(S, P, 2) points as (x, y): hairs that leave the head at random angles, with constant curvature and some gravity."""
    count = len(roots.points)
    angle = np.arctan2(roots.outwards[:, 1], roots.outwards[:, 0]) + rng.normal(0, 0.7, count)
    bend = rng.normal(0, 1.2, count) + rng.normal(0, 0.6)
    step = roots.head * np.exp(rng.uniform(np.log(0.06), np.log(0.6), count)) / _POINTS
    at = np.arange(_POINTS - 1) / _POINTS
    angles = angle[:, None] + bend[:, None] * at
    moves = np.stack([np.cos(angles), np.sin(angles) + rng.uniform(0, 0.8) * at], 2) * step[:, None, None]
    path = np.concatenate([np.zeros((count, 1, 2)), moves.cumsum(1)], 1)
    return (roots.points[:, None] + path).astype(np.float32)


def cover_curves(curves: NDArray[np.float32], width: float, size: Sequence[int]) -> NDArray[np.float32]:
    """Coverage of every pixel by the curves, (H, W) in [0, 1].

    Args:
        curves: (S, P, 2) as (x, y).
        width: of the curves in pixels, rounded to an odd number of thirds.
        size: (H, W).
    """
    cover = np.zeros(size, np.float32)
    low = np.clip(np.floor(curves.min((0, 1))).astype(int) - 2, 0, (size[1], size[0]))
    high = np.clip(np.ceil(curves.max((0, 1))).astype(int) + 2, 0, (size[1], size[0]))
    if (high <= low).any():
        return cover
    canvas = np.zeros((*((high - low)[::-1] * _FINE), 1), np.uint8)
    points = np.rint(((curves - low) * _FINE - 0.5) * 2**_SHIFT).astype(np.int32)
    thickness = max(1, round((width * _FINE + 1) / 2))  # measured: OpenCV's lines of thickness t are 2t - 1 pixels wide
    cv2.polylines(canvas, list(points), False, 255, thickness, cv2.LINE_8, _SHIFT)
    part = cv2.resize(canvas, tuple(int(side) for side in high - low), interpolation=cv2.INTER_AREA)
    cover[low[1] : high[1], low[0] : high[0]] = part / np.float32(255)
    return cover


def _root_colour(foreground: Tensor, roots: Roots, hairs: NDArray[np.intp]) -> Tensor:
    """(3, 1, 1): mean foreground colour six pixels inside the edge at the roots of these hairs."""
    limit = np.array(foreground.shape[:0:-1]) - 1
    x, y = np.clip(np.rint(roots.points[hairs] - 3 * roots.outwards[hairs]), 0, limit).astype(np.int64).T
    return foreground[:, torch.from_numpy(y), torch.from_numpy(x)].mean(1)[:, None, None]
