"""New backgrounds for cut-out people: crops of photos, synthetic walls, mosaics of both, and posters."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from matting.training import augmentation
from matting.training.augmentation import AffineCrop
from matting.training.posters import poster

_POSTER_CHANCE = 0.2
_MOSAIC_CHANCE = 0.06
_WALL_CHANCE = 0.2
_DIM_CHANCE = 0.1
_SKY_CHANCE = 0.1

Pictures = Sequence[Sequence[Tensor]]


def draw_scene(pictures: Pictures, size: tuple[int, int], rng: np.random.Generator, device: torch.device) -> Tensor:
    """A random background, (3, H, W) in [0, 1]: a poster in 20%; of the others 10% are underexposed.

    Args:
        pictures: without people, each an image pyramid of (3, h, w) uint8; may be empty.
        size: (H, W).
        rng: random numbers.
        device: of the result.
    """
    if rng.random() < _POSTER_CHANCE:
        return poster(size, rng, device)
    draw = mosaic if rng.random() < _MOSAIC_CHANCE else sky if rng.random() < _SKY_CHANCE else plain_scene
    scene = draw(pictures, size, rng, device)
    return scene * augmentation.log_uniform(0.06, 0.5, rng) if rng.random() < _DIM_CHANCE else scene


def plain_scene(pictures: Pictures, size: tuple[int, int], rng: np.random.Generator, device: torch.device) -> Tensor:
    """A crop of one of the pictures, out of focus in 40%, or a synthetic wall."""
    if not pictures or rng.random() < _WALL_CHANCE:
        return wall(size, rng, device)
    mips = pictures[int(rng.integers(len(pictures)))]
    height, width = mips[0].shape[1:]
    scale = min(height / size[0], width / size[1]) * rng.uniform(0.4, 1.0)
    h, w = size[0] * scale, size[1] * scale
    y, x = rng.uniform(h / 2, height - h / 2), rng.uniform(w / 2, width - w / 2)
    scene = augmentation.cut(mips, AffineCrop(y, x, h, w, 0.0, bool(rng.random() < 0.5)), size)
    return augmentation.soften(scene[None], rng, chance=0.4, strongest=8.0)[0]


def sky(pictures: Pictures, size: tuple[int, int], rng: np.random.Generator, device: torch.device) -> Tensor:
    """A bright sky or window: a gradient with faint clouds, in half of the cases above a part of one of the pictures."""
    top, bottom = rng.uniform((0.45, 0.6, 0.7), 1, (2, 3))
    weight = torch.linspace(0, 1, size[0], device=device)[None, :, None]
    top, bottom = (torch.as_tensor(x, dtype=torch.float32, device=device)[:, None, None] for x in (top, bottom))
    cells = int(rng.integers(3, 16))
    clouds = torch.as_tensor(rng.normal(0, rng.uniform(0, 0.06), (1, 1, cells, cells)), dtype=torch.float32, device=device)
    scene = top + weight * (bottom - top) + F.interpolate(clouds, size=size, mode="bicubic")[0]
    if rng.random() < 0.5:
        horizon = torch.sigmoid((weight - rng.uniform(0.4, 0.9)) * size[0] / augmentation.log_uniform(1, 20, rng))
        scene = scene + horizon * (plain_scene(pictures, size, rng, device) - scene)
    return scene.clamp(0, 1)


def mosaic(pictures: Pictures, size: tuple[int, int], rng: np.random.Generator, device: torch.device) -> Tensor:
    """A cluttered background, like shelves or posters: a grid of four small backgrounds in random order."""
    across = int(rng.integers(2, 9))
    tile = -(-size[0] // across), -(-size[1] // across)
    tiles = [plain_scene(pictures, tile, rng, device) for _ in range(4)]
    rows = [torch.cat([tiles[i] for i in rng.integers(4, size=across)], dim=2) for _ in range(across)]
    return torch.cat(rows, dim=1)[:, : size[0], : size[1]]


def wall(size: tuple[int, int], rng: np.random.Generator, device: torch.device) -> Tensor:
    """Clouds of colour at a random scale, sometimes with straight-edged panels on them."""
    cells = int(rng.integers(2, 24))
    colour = rng.uniform(0, 1, (1, 3, 1, 1))
    clouds = colour + rng.normal(0, rng.uniform(0.02, 0.25), (1, 3, cells, cells))
    scene = F.interpolate(torch.as_tensor(clouds, dtype=torch.float32, device=device), size=size, mode="bicubic")[0]
    for _ in range(rng.integers(0, 7)):
        top, left = rng.integers(0, size[0]), rng.integers(0, size[1])
        bottom, right = rng.integers(top, size[0] + 1), rng.integers(left, size[1] + 1)
        shade = torch.as_tensor(rng.normal(0, 0.2, (3, 1, 1)), dtype=torch.float32, device=device)
        scene[:, top:bottom, left:right] += shade
    return scene.clamp(0, 1)
