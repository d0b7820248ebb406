"""Image pyramids, whose levels are made when they are asked for."""

from collections.abc import Sequence
from typing import overload

import cv2
import numpy as np
import torch
from torch import Tensor

LEVELS = 6
_SMALLEST = 128  # pixels; a picture with a shorter side is not halved


class Pyramid(Sequence[Tensor]):
    """Levels (C, H, W) uint8 of a picture at full, half, quarter ... size, views of (H, W, C) arrays.

    Args:
        pixels: (H, W, C) uint8.
    """

    def __init__(self, pixels: np.ndarray):
        self._made = [pixels]
        height, width = pixels.shape[:2]
        self._count = 1
        while self._count < LEVELS and min(height, width) >= _SMALLEST:
            height, width = height // 2, width // 2
            self._count += 1

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, level: int) -> Tensor: ...
    @overload
    def __getitem__(self, level: slice) -> list[Tensor]: ...
    def __getitem__(self, level: int | slice) -> Tensor | list[Tensor]:
        if isinstance(level, slice):
            return [self[i] for i in range(*level.indices(len(self)))]
        if not -len(self) <= level < len(self):
            raise IndexError(level)
        while len(self._made) <= level % len(self):
            self._made.append(_halve(self._made[-1]))
        return torch.from_numpy(self._made[level % len(self)]).permute(2, 0, 1)


def resident(pixels: np.ndarray, device: torch.device) -> list[Tensor]:
    """All levels of a picture (H, W, C) uint8, on a device."""
    return [level.contiguous().to(device) for level in Pyramid(pixels)]


def _halve(pixels: np.ndarray) -> np.ndarray:
    half = pixels.shape[1] // 2, pixels.shape[0] // 2
    parts = np.split(pixels, range(4, pixels.shape[2], 4), axis=2)  # OpenCV resizes 4 channels at once
    return np.dstack([cv2.resize(part, half, interpolation=cv2.INTER_AREA) for part in parts])
