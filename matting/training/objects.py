"""Objects cut out of photos, such as animals, fruit and instruments: background behind people, foreground in their hands.

An object is (4, h, w) uint8 of premultiplied RGB and alpha. A layer is (4, H, W) in [0, 1], premultiplied too, with objects at
their place in an image.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from matting.training import augmentation
from matting.training.augmentation import AffineCrop

SMALLEST = 120  # pixels of the longer side
_LARGEST = 640
_BEHIND = 0.05
_BEHIND_NOBODY = 0.5
_AT_HEAD = 0.08
_HELD = 0.1
_BUNCH = (1, 1, 2, 5, 12)  # numbers of copies of a held object, equally likely


def load_objects(folder: Path, device: torch.device) -> list[Tensor]:
    """All RGBA PNGs in a folder and its subfolders with a side of at least `SMALLEST`, padded by two transparent pixels.

    Raises:
        ValueError: if there is none.
    """
    objects = []
    for path in sorted(folder.rglob("*.png")):
        with Image.open(path) as file:
            if file.mode != "RGBA" or max(file.size) < SMALLEST:
                continue
            file.thumbnail((_LARGEST, _LARGEST), Image.Resampling.BOX)
            pixels = np.pad(np.asarray(file), ((2, 2), (2, 2), (0, 0)))
        pixels = np.dstack([np.rint(pixels[..., :3] * (pixels[..., 3:] / 255)).astype(np.uint8), pixels[..., 3]])
        objects.append(torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1))).to(device))
    if not objects:
        raise ValueError(f"expected transparent PNGs of at least {SMALLEST} px in {folder}, found none")
    return objects


def stand_behind(backgrounds: Tensor, objects: Sequence[Tensor], nobody: NDArray[np.bool_], rng: np.random.Generator) -> None:
    """Composite one to three objects onto some backgrounds, more often in images without people. In place.

    Args:
        backgrounds: (B, 3, H, W) in [0, 1].
        objects: may be empty.
        nobody: (B,), True for images without people.
        rng: random numbers.
    """
    if not objects:
        return
    height, width = backgrounds.shape[2:]
    for i in np.flatnonzero(rng.random(len(backgrounds)) < np.where(nobody, _BEHIND_NOBODY, _BEHIND)):
        for _ in range(rng.integers(1, 4)):
            centre = float(rng.uniform(0, width)), float(rng.uniform(0, height))
            side = min(height, width) * augmentation.log_uniform(0.15, 1, rng)
            layer = draw_object(objects, centre, side, (height, width), rng)
            backgrounds[i] = layer[:3] + (1 - layer[3:]) * backgrounds[i]


def stand_at_head(
    photo: Tensor,
    alpha: Tensor,
    foreground: Tensor,
    backgrounds: Tensor,
    objects: Sequence[Tensor],
    rng: np.random.Generator,
    chance: float = _AT_HEAD,
) -> None:
    """Composite one to four objects, as background, right behind the upper part of some people. In place.

    Args:
        photo: (B, 3, H, W) in [0, 1].
        alpha: (B, 1, H, W) in [0, 1]; images without a person are left as they are.
        foreground: (B, 3, H, W) in [0, 1].
        backgrounds: (B, 3, H, W) in [0, 1], the new backgrounds.
        objects: may be empty.
        rng: random numbers.
        chance: probability per image.
    """
    for i in np.flatnonzero(rng.random(len(alpha)) < chance) if objects else ():
        edge = augmentation.find_edge(alpha[i])
        if edge is None:
            continue
        rows, columns, person = edge
        upper = np.flatnonzero(rows <= np.quantile(rows, 0.4))
        for point in rng.choice(upper, rng.integers(1, 5)):
            side = person * augmentation.log_uniform(0.1, 0.6, rng)
            centre = float(columns[point] + rng.normal(0, side / 3)), float(rows[point] + rng.normal(0, side / 3))
            layer = draw_object(objects, centre, side, alpha.shape[2:], rng)
            augmentation.lay_behind(photo[i], alpha[i], foreground[i], backgrounds[i], layer)


def hold_objects(
    photo: Tensor,
    alpha: Tensor,
    foreground: Tensor,
    textures: Tensor,
    objects: Sequence[Tensor],
    rng: np.random.Generator,
    chance: float = _HELD,
) -> None:
    """Composite a held object, a board or a ball across the edge of some people, as foreground. In place.

    Args:
        photo: (B, 3, H, W) in [0, 1].
        alpha: (B, 1, H, W) in [0, 1]; images without a person are left as they are.
        foreground: (B, 3, H, W) in [0, 1].
        textures: (B, 3, H, W), images that give boards and balls their texture; image i uses that of image i - 1.
        objects: held in 70%, one or several of a kind; may be empty.
        rng: random numbers.
        chance: probability per image.
    """
    for i in np.flatnonzero(rng.random(len(alpha)) < chance):
        rows, columns = np.nonzero(alpha[i, 0].cpu().numpy() > 0.9)
        if len(rows) == 0:
            continue
        point = rng.choice(np.flatnonzero(rows >= np.quantile(rows, rng.choice([0, 0.33]))))  # rarely the head
        centre = float(columns[point]), float(rows[point])
        size = np.sqrt(len(rows)) * rng.uniform(0.2, 0.8, 2)
        if objects and rng.random() < 0.7:
            layers = _bunch(objects, centre, float(size.max()), alpha.shape[2:], rng)
        else:
            layers = iter([_board(centre, size, textures[i - 1], rng)])
        for layer in layers:
            augmentation.lay_over(photo[i], alpha[i], foreground[i], layer)


def _bunch(
    objects: Sequence[Tensor], centre: tuple[float, float], side: float, size: Sequence[int], rng: np.random.Generator
) -> Iterator[Tensor]:
    """Layers of one object or of several copies of it around a centre; arguments as for `draw_object`."""
    kind = [objects[int(rng.integers(len(objects)))]]
    for _ in range(int(rng.choice(_BUNCH))):
        yield draw_object(kind, centre, side, size, rng)
        centre = centre[0] + float(rng.normal(0, 0.6 * side)), centre[1] + float(rng.normal(0, 0.6 * side))


def draw_object(
    objects: Sequence[Tensor],
    centre: tuple[float, float],
    side: float,
    size: Sequence[int],
    rng: np.random.Generator,
    turned: float = 0.4,
) -> Tensor:
    """A layer with one of the objects, rotated, out of focus in 40%, with random brightness.

    Args:
        objects: at least one.
        centre: (x, y) in pixels.
        side: longer side of the object, in pixels.
        size: (H, W) of the layer.
        rng: random numbers.
        turned: standard deviation of its angle, in radians.
    """
    cut_out = objects[int(rng.integers(len(objects)))]
    scale = max(cut_out.shape[1:]) / side
    angle = float(rng.normal(0, turned))
    dx, dy = (size[1] / 2 - centre[0]) * scale, (size[0] / 2 - centre[1]) * scale
    x = cut_out.shape[2] / 2 + np.cos(angle) * dx + np.sin(angle) * dy
    y = cut_out.shape[1] / 2 - np.sin(angle) * dx + np.cos(angle) * dy
    crop = AffineCrop(float(y), float(x), size[0] * scale, size[1] * scale, angle, False)
    layer = augmentation.soften(augmentation.cut([cut_out], crop, size)[None], rng, chance=0.4, strongest=6.0)[0]
    light = float(rng.uniform(0.5, 1.2))
    return torch.cat([(layer[:3] * light).minimum(layer[3:]), layer[3:]])


def _board(centre: tuple[float, float], size: NDArray[np.float64], texture: Tensor, rng: np.random.Generator) -> Tensor:
    """A layer with a rotated, textured rectangle or ellipse with soft edges; texture (3, H, W)."""
    shape = np.zeros(texture.shape[1:], np.float32)
    angle = float(rng.uniform(-45, 45))
    if rng.random() < 0.6:
        cv2.fillConvexPoly(shape, np.rint(cv2.boxPoints((centre, tuple(size), angle))).astype(np.int32), 1)
    else:
        cv2.ellipse(shape, (centre, tuple(size), angle), 1, cv2.FILLED)
    shape = cv2.GaussianBlur(shape, (0, 0), float(rng.uniform(0.4, 1.5)))
    weight = torch.from_numpy(shape).to(texture.device)[None]
    colour = torch.as_tensor(rng.uniform(0.05, 0.95, (3, 1, 1)), dtype=torch.float32, device=texture.device)
    colour = (colour + float(rng.uniform(0, 1)) * (texture - texture.mean())).clamp(0, 1)
    return torch.cat([colour * weight, weight])
