"""Shapes of synthetic hats, bags and furniture: polygons with soft edges, shading and texture."""

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_SHIFT = 3  # fractional bits of the coordinates that OpenCV draws at
_POINTS = 80

Points = NDArray[np.float64]  # (P, 2), as (x, y)


def round_box(half_width: float, half_height: float, roundness: float) -> Points:
    """A superellipse around (0, 0): an ellipse for a roundness of 1, nearly a rectangle for one close to 0."""
    t = np.linspace(0, 2 * np.pi, _POINTS)
    x, y = np.cos(t), np.sin(t)
    return np.stack([half_width * np.sign(x) * np.abs(x) ** roundness, half_height * np.sign(y) * np.abs(y) ** roundness], 1)


def cover(points: Points, pivot: tuple[float, float], angle: float, size: Sequence[int], blur: float) -> Tensor:
    """Coverage (1, H, W) in [0, 1] of a polygon rotated around a point.

    Args:
        points: its corners, in pixels.
        pivot: (x, y) of the point that stays, in pixels.
        angle: in degrees.
        size: (H, W).
        blur: of its edges, sigma in pixels.
    """
    turn = cv2.getRotationMatrix2D(pivot, angle, 1)
    turned = points @ turn[:, :2].T + turn[:, 2]
    covered = np.zeros(size, np.float32)
    cv2.fillPoly(covered, [np.rint(turned * 2**_SHIFT).astype(np.int32)], 1, cv2.LINE_8, _SHIFT)
    return torch.from_numpy(cv2.GaussianBlur(covered, (0, 0), blur))[None]


def light(length: int, centre: float, reach: float, rng: np.random.Generator) -> Tensor:
    """Random linear shading along one axis, (length,) factors; `centre` and `reach` (half the object's size) in pixels."""
    x = (torch.arange(length) + 0.5 - centre) / reach
    return float(rng.uniform(0.5, 1.2)) * (1 + float(rng.uniform(-0.4, 0.4)) * x.clamp(-1.5, 1.5))


def fabric(texture: Tensor, most: float, rng: np.random.Generator) -> Tensor:
    """A random colour plus a random share of a picture's contrast, (3, H, W); may leave [0, 1].

    Args:
        texture: (3, H, W) in [0, 1].
        most: largest share of its contrast.
        rng: random numbers.
    """
    colour = torch.as_tensor(rng.uniform(0.05, 0.95, (3, 1, 1)), dtype=torch.float32, device=texture.device)
    return colour + float(rng.uniform(0, most)) * (texture - texture.mean())
