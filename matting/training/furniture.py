"""Furniture behind people, as background: renders of 3D models, and plain shapes with soft edges."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from matting.training import augmentation, shapes
from matting.training.objects import draw_object

_CHANCE = 0.3
_RENDERED = 0.6  # of the pieces, where there are some
_LIKE_CLOTHES = 0.5  # of the pieces have a colour close to that of the person where they touch
_NEARBY = 0.1  # radius around that point in which the colour is sampled, as a share of the person's extent (see `Edge`)


def lean_on(
    photo: Tensor,
    alpha: Tensor,
    foreground: Tensor,
    backgrounds: Tensor,
    furniture: Sequence[Tensor],
    rng: np.random.Generator,
    chance: float = _CHANCE,
) -> None:
    """Composite one to three pieces of furniture behind some people, anywhere along their edge. In place.

    Args:
        photo: (B, 3, H, W) in [0, 1].
        alpha: (B, 1, H, W) in [0, 1]; images without a person are left as they are.
        foreground: (B, 3, H, W) in [0, 1].
        backgrounds: (B, 3, H, W) in [0, 1], the new backgrounds.
        furniture: renders, objects as in `matting.training.objects`; may be empty.
        rng: random numbers.
        chance: probability per image.
    """
    for i in np.flatnonzero(rng.random(len(alpha)) < chance):
        edge = augmentation.find_edge(alpha[i])
        if edge is None:
            continue
        rows, columns, person = edge
        for point in rng.choice(len(rows), rng.integers(1, 4)):
            centre = float(columns[point]), float(rows[point])
            colour = _like(foreground[i], alpha[i], centre, person, rng)
            if furniture and rng.random() < _RENDERED:
                side = person * augmentation.log_uniform(0.6, 3, rng)
                centre = centre[0] + float(rng.normal(0, side / 4)), centre[1] + float(rng.normal(0, side / 4))
                layer = _dyed(draw_object(furniture, centre, side, alpha.shape[2:], rng, turned=0.05), colour)
            else:
                layer = _piece(centre, person, backgrounds[i - 1], rng, colour)
            augmentation.lay_behind(photo[i], alpha[i], foreground[i], backgrounds[i], layer)


def _like(
    foreground: Tensor, alpha: Tensor, centre: tuple[float, float], person: float, rng: np.random.Generator
) -> Tensor | None:
    """(3, 1, 1) the mean colour of the person around a point of their edge, now and then; None otherwise."""
    if rng.random() > _LIKE_CLOTHES:
        return None
    reach = max(2, round(person * _NEARBY))
    rows, columns = (slice(max(0, int(at) - reach), int(at) + reach + 1) for at in centre[::-1])
    weight = alpha[:, rows, columns]
    return (foreground[:, rows, columns] * weight).sum((1, 2), keepdim=True) / weight.sum()


def _dyed(layer: Tensor, colour: Tensor | None) -> Tensor:
    """A layer (4, H, W) with its light and shadow in a colour (3, 1, 1); as it is without one."""
    if colour is None:
        return layer
    light = layer[:3].mean(0) * layer[3].sum() / layer[:3].mean(0).sum().clamp(min=1e-3)
    return torch.cat([torch.minimum(colour * light, layer[3:]), layer[3:]])


def _piece(
    centre: tuple[float, float], person: float, texture: Tensor, rng: np.random.Generator, colour: Tensor | None
) -> Tensor:
    """A layer (4, H, W) with a rounded box that is lit from one side and from above or below, perhaps out of focus.

    Args:
        centre: (x, y) of where it touches the person.
        person: root of the person's area, in pixels.
        texture: (3, H, W), a picture whose contrasts it gets.
        rng: decides how large it is and how it looks.
        colour: (3, 1, 1) that it is close to, or None for any.
    """
    size = texture.shape[1:]
    half = person * np.array([augmentation.log_uniform(0.1, 0.9, rng), augmentation.log_uniform(0.1, 0.6, rng)])
    middle = centre + half * rng.uniform(-0.8, 0.8, 2)
    points = shapes.round_box(half[0], half[1], float(rng.uniform(0.2, 1))) + middle
    blur = 0.002 * person * augmentation.log_uniform(1, 12, rng) + 0.4
    cover = shapes.cover(points, (float(middle[0]), float(middle[1])), float(rng.normal(0, 8)), size, blur).to(texture)
    material = shapes.fabric(texture, 0.4, rng)
    if colour is not None:
        material = colour + 0.2 * (material - material.mean())
    across = shapes.light(size[1], float(middle[0]), float(half[0]), rng)
    down = shapes.light(size[0], float(middle[1]), float(half[1]), rng)
    shaded = (material * (across * down[:, None]).to(texture)).clamp(0, 1)
    return torch.cat([shaded * cover, cover])
