"""Decode photos: alphas, estimated foreground colours, and backgrounds with the person filled in.

The composition loss and compositing need foreground colours without the old background's. They are estimated in closed form
(Levin et al. 2008, by pymatting) or by the fast multi-level method (Germer et al. 2020) at no more than `SOLVE_PIXELS` and
enlarged, since they vary slowly and the detail is in the alpha. Where alpha is 1 the photo's own pixels are used.
"""

import warnings
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from matting.postprocess.bit_depth import to_8_bit
from matting.postprocess.foreground import estimate_foreground
from matting.training.cache import Method, Record, person_box, read_record, write_record
from matting.training.pairs import Pair, unequal

SOLVE_PIXELS = 120_000
_OPAQUE = 250  # of 255; alphas from here on count as 1


@dataclass(frozen=True)
class Person:
    """One decoded training photo.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        alpha: (H, W) uint8.
        foreground: (H, W, 3) uint8, colours without the old background.
        background: (h, w, 3) uint8 or None, the photo with the person filled in, at reduced size.
    """

    image: np.ndarray
    alpha: np.ndarray
    foreground: np.ndarray
    background: np.ndarray | None


def read_pair(pair: Pair) -> tuple[np.ndarray, np.ndarray]:
    """Photo (H, W, 3) and alpha (H, W), uint8.

    Raises:
        ValueError: if one cannot be decoded, they differ in size, or the alpha shows nobody; names the files.
    """
    try:
        with Image.open(pair.image) as file:
            image = np.asarray(file.convert("RGB"))
        with Image.open(pair.alpha) as file:
            alpha = np.asarray(file.convert("L"))
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:  # PIL's PNG reader raises SyntaxError
        raise ValueError(f"{pair.image} or {pair.alpha} cannot be read: {error}") from error
    if image.shape[:2] != alpha.shape:
        raise ValueError(unequal(pair, image.shape[1::-1], alpha.shape[::-1]))
    if not (alpha > 127).any():
        raise ValueError(f"expected an alpha with a person, got one that is empty: {pair.alpha}")
    return image, alpha


def load_person(pair: Pair, cache: Path | None = None, method: Method = "closed-form", background: bool = True) -> Person:
    """Decode a pair and estimate its foreground; a closed-form estimate is kept in `cache` if one is given.

    Args:
        pair: of files.
        cache: folder of estimates, see `matting.training.cache`.
        method: of estimation.
        background: whether the photo without its person is wanted.

    Raises:
        ValueError: as `read_pair`.
    """
    image, alpha = read_pair(pair)
    if pair.foreground_only:
        return Person(image, alpha, image, None)
    small, small_alpha = shrink(image, alpha)
    foreground = find_foreground(pair, alpha, small, small_alpha, cache, method)
    scene = fill_person(small, small_alpha) if background else None
    return Person(image, alpha, enlarge_foreground(image, alpha, foreground), scene)


def load_scene(pair: Pair) -> np.ndarray:
    """The background of a photo with the person filled in, (h, w, 3) uint8."""
    return fill_person(*shrink(*read_pair(pair)))


def find_foreground(
    pair: Pair, alpha: np.ndarray, small: np.ndarray, small_alpha: np.ndarray, cache: Path | None, method: Method
) -> np.ndarray:
    """The estimated foreground (h, w, 3) of a shrunk photo, from the cache if it is there."""
    if method == "fast":
        return estimate_foreground(small, small_alpha / np.float32(255))
    record = read_record(cache, pair) if cache else None
    if record and record.foreground is not None and record.foreground.shape == small.shape:
        return record.foreground
    foreground = solve_foreground(small, small_alpha)
    if cache:
        write_record(cache, pair, Record(person_box(alpha), foreground))
    return foreground


def shrink(image: np.ndarray, alpha: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Photo and alpha downsampled to at most `SOLVE_PIXELS`."""
    height, width = alpha.shape
    scale = min(1.0, (SOLVE_PIXELS / (height * width)) ** 0.5)
    size = max(8, round(width * scale)), max(8, round(height * scale))
    return tuple(cv2.resize(x, size, interpolation=cv2.INTER_AREA) for x in (image, alpha))


def solve_foreground(image: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Closed-form foreground estimation, (h, w, 3) uint8."""
    from pymatting import estimate_foreground_cf  # compiled when it is loaded, which those who read a cache need not wait for

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # numba's, about its cache
        foreground = estimate_foreground_cf(image / 255.0, alpha / 255.0)
    return to_8_bit(foreground)


def fill_person(image: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """The background with the person filled in by blurred colours from around them, finer near the edge; (h, w, 3) uint8."""
    seen = 1 - cv2.dilate((alpha > 5).astype(np.float32), np.ones((13, 13), np.uint8))
    quarter = max(1, image.shape[1] // 4), max(1, image.shape[0] // 4)
    weight = cv2.resize(seen, quarter, interpolation=cv2.INTER_AREA)
    colours = cv2.resize(image * seen[..., None], quarter, interpolation=cv2.INTER_AREA)
    filled = np.broadcast_to(colours.sum((0, 1)) / max(float(weight.sum()), 1e-3), colours.shape)
    for radius in (16, 8, 4, 2, 1):
        near = cv2.GaussianBlur(weight, (0, 0), radius)[..., None]
        filled = (cv2.GaussianBlur(colours, (0, 0), radius) + 0.01 * filled) / (near + 0.01)
    filled = cv2.resize(filled.astype(np.float32), image.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    share = cv2.GaussianBlur(seen, (0, 0), 1.5)[..., None] * seen[..., None]
    return np.rint(image * share + filled * (1 - share)).clip(0, 255).astype(np.uint8)


def enlarge_foreground(image: np.ndarray, alpha: np.ndarray, foreground: np.ndarray) -> np.ndarray:
    """The photo itself where alpha is (almost) 1, the enlarged estimate elsewhere: (H, W, 3) uint8."""
    enlarged = cv2.resize(foreground, alpha.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.where((alpha >= _OPAQUE)[..., None], image, enlarged)
