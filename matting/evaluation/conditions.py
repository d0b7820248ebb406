"""Test images under hard conditions: synthetic composites that are dark, backlit, low in contrast, cluttered and so on.

Every condition is a function of a portrait with exact foreground colours and alpha, a second one, a list of backgrounds without
people and a random generator; it returns the image (SIDE, SIDE, 3) in [0, 1] and its true alpha (SIDE, SIDE).
"""

import io
from collections.abc import Callable, Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from matting.postprocess.bit_depth import to_8_bit

SIDE = 640  # pixels
Floats = NDArray[np.float32]


class Portrait(NamedTuple):
    """Foreground colours (h, w, 3) and alpha (h, w), in [0, 1]."""

    foreground: Floats
    alpha: Floats

    def is_whole(self) -> bool:
        """Whether the person is complete: no alpha above 0.5 on the picture's border."""
        sides = self.alpha[0], self.alpha[-1], self.alpha[:, 0], self.alpha[:, -1]
        return float(self.alpha.max()) > 0.5 and all(float(side.max()) <= 0.5 for side in sides)

    def trim(self) -> "Portrait":
        """Crop to the bounding box of alpha above 0.5."""
        rows, columns = np.flatnonzero((self.alpha > 0.5).any(1)), np.flatnonzero((self.alpha > 0.5).any(0))
        box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        return Portrait(self.foreground[box], self.alpha[box])


class Shot(NamedTuple):
    """A test image (SIDE, SIDE, 3) and its true alpha (SIDE, SIDE), in [0, 1]."""

    image: Floats
    alpha: Floats


class Scene(NamedTuple):
    """The layers of a test image, in [0, 1]: background and foreground (SIDE, SIDE, 3), alpha (SIDE, SIDE)."""

    background: Floats
    foreground: Floats
    alpha: Floats

    def shot(self) -> Shot:
        """Composite the layers."""
        weight = self.alpha[..., None]
        return Shot(weight * self.foreground + (1 - weight) * self.background, self.alpha)


Condition = Callable[[Portrait, Portrait, Sequence[Floats], np.random.Generator], Shot]


def place(portrait: Portrait, background: Floats, height: float | None = None, centre: float = 0.5) -> Scene:
    """Place a portrait on the lower edge of a background.

    Args:
        portrait: foreground colours and alpha.
        background: (SIDE, SIDE, 3) in [0, 1].
        height: of the portrait, as a share of SIDE; above 1 only its upper part is visible. None scales its width to SIDE, so
            that shoulders cut off by the portrait's sides are cut off by the image's.
        centre: horizontal centre of the portrait, as a share of SIDE.
    """
    h, w = portrait.alpha.shape
    scale = SIDE / w if height is None else height * SIDE / h
    size = round(w * scale), round(h * scale)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    planes = np.dstack([portrait.foreground * portrait.alpha[..., None], portrait.alpha])  # premultiplied
    planes = cv2.resize(planes, size, interpolation=method).clip(0, 1)[:SIDE]
    planes[..., :3] = (planes[..., :3] / np.maximum(planes[..., 3:], np.float32(1e-3))).clip(0, 1)
    left = round(centre * SIDE - size[0] / 2)
    visible = slice(max(0, -left), max(0, -left) + SIDE)
    part = planes[:, visible]
    canvas = np.zeros((SIDE, SIDE, 4), np.float32)
    canvas[SIDE - len(part) :, max(0, left) : max(0, left) + part.shape[1]] = part[:, : SIDE - max(0, left)]
    return Scene(background, canvas[..., :3], canvas[..., 3])


def clean(who: Portrait, _: Portrait, scenes: Sequence[Floats], __: np.random.Generator) -> Shot:
    return place(who, scenes[0]).shot()


def dark(who: Portrait, _: Portrait, scenes: Sequence[Floats], rng: np.random.Generator) -> Shot:
    """About a sixth of the light, darker tones darkened more (gamma 1.4), and noise of 0.01."""
    image, alpha = place(who, scenes[0]).shot()
    return Shot(image ** np.float32(1.4) / np.float32(6) + rng.normal(0, 0.01, image.shape).astype(np.float32), alpha)


def backlit(who: Portrait, _: Portrait, scenes: Sequence[Floats], __: np.random.Generator) -> Shot:
    scene = place(who, 0.55 + 0.45 * scenes[0])
    return scene._replace(foreground=0.3 * scene.foreground).shot()


def silhouette(who: Portrait, _: Portrait, scenes: Sequence[Floats], __: np.random.Generator) -> Shot:
    """Near black in front of something bright, as against the sun."""
    scene = place(who, 0.7 + 0.3 * scenes[0])
    return scene._replace(foreground=0.05 * scene.foreground).shot()


def low_contrast(who: Portrait, _: Portrait, scenes: Sequence[Floats], __: np.random.Generator) -> Shot:
    """The background has the mean colour of the foreground near its edge, and a fifth of its own contrast."""
    scene = place(who, scenes[0])
    inner = cv2.erode(scene.alpha, np.ones((25, 25)))
    colour = scene.foreground[(scene.alpha > 0.9) & (inner < 0.5)].mean(0)
    background = (colour + 0.2 * (scene.background - scene.background.mean((0, 1)))).clip(0, 1)
    return scene._replace(background=background).shot()


def greyscale(who: Portrait, _: Portrait, scenes: Sequence[Floats], __: np.random.Generator) -> Shot:
    image, alpha = place(who, scenes[0]).shot()
    return Shot(np.repeat(image @ np.array([[0.299], [0.587], [0.114]], np.float32), 3, axis=2), alpha)


def jpeg_30(who: Portrait, _: Portrait, scenes: Sequence[Floats], __: np.random.Generator) -> Shot:
    """Saved as JPEG of quality 30."""
    image, alpha = place(who, scenes[0]).shot()
    file = io.BytesIO()
    Image.fromarray(to_8_bit(image)).save(file, "JPEG", quality=30)
    return Shot(np.asarray(Image.open(file), np.float32) / np.float32(255), alpha)


def small_person(who: Portrait, _: Portrait, scenes: Sequence[Floats], rng: np.random.Generator) -> Shot:
    """A tenth of the image's height; `who` must be a full body."""
    return place(who, scenes[0], height=0.1, centre=rng.uniform(0.2, 0.8)).shot()


def face_only(who: Portrait, _: Portrait, scenes: Sequence[Floats], __: np.random.Generator) -> Shot:
    return place(who, scenes[0], height=2.0).shot()


def two_people(who: Portrait, other: Portrait, scenes: Sequence[Floats], _: np.random.Generator) -> Shot:
    """Side by side, the second one partly behind the first; alpha is that of both together."""
    behind = place(other, scenes[0], height=0.92, centre=0.3).shot()
    front = place(who, behind.image, height=0.98, centre=0.68).shot()
    return Shot(front.image, 1 - (1 - behind.alpha) * (1 - front.alpha))


def clutter(who: Portrait, _: Portrait, scenes: Sequence[Floats], __: np.random.Generator) -> Shot:
    """The background is a mosaic of 8x8 small pictures."""
    tile = SIDE // 8
    tiles = [cv2.resize(scenes[i % len(scenes)], (tile, tile), interpolation=cv2.INTER_AREA) for i in range(64)]
    return place(who, np.vstack([np.hstack(tiles[i : i + 8]) for i in range(0, 64, 8)])).shot()


def held_object(who: Portrait, _: Portrait, scenes: Sequence[Floats], rng: np.random.Generator) -> Shot:
    """A plain board across the person's edge at head or shoulder; held objects belong to the foreground."""
    image, alpha = place(who, scenes[0]).shot()
    column = int((rng.choice([0.2, 0.8]) + rng.uniform(-0.05, 0.05)) * SIDE)
    outline = int((alpha[:, column] > 0.5).argmax()) or SIDE
    centre = float(column), float(outline)
    size = rng.uniform(0.2, 0.35, 2) * SIDE
    board = np.zeros((SIDE, SIDE), np.float32)
    corners = cv2.boxPoints((centre, tuple(size), rng.uniform(-30, 30)))
    cv2.fillConvexPoly(board, np.rint(corners).astype(np.int32), 1)
    board = cv2.GaussianBlur(board, (0, 0), 0.8)
    colour = rng.uniform(0.1, 0.9, 3) * np.linspace(0.85, 1.1, SIDE)[:, None, None]
    weight = board[..., None]
    return Shot((weight * colour + (1 - weight) * image).astype(np.float32), np.maximum(board, alpha))


CONDITIONS: dict[str, Condition] = {
    "clean": clean,
    "dark": dark,
    "backlit": backlit,
    "silhouette": silhouette,
    "low contrast": low_contrast,
    "greyscale": greyscale,
    "JPEG quality 30": jpeg_30,
    "small person": small_person,
    "face only": face_only,
    "two people": two_people,
    "cluttered background": clutter,
    "held object": held_object,
}
FULL_BODY = ("small person",)
