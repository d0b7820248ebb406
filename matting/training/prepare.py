"""Decode a data set once: photos, alphas, estimated foreground colours, and backgrounds with the person filled in.

The composition loss and compositing need foreground colours without the old background's. They are estimated in closed form
(Levin et al. 2008, by pymatting) at no more than `SOLVE_PIXELS` and enlarged, since they vary slowly and the detail is in the
alpha. Where alpha is 1 the photo's own pixels are used.
"""

import multiprocessing
import warnings
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image
from pymatting import estimate_foreground_cf
from tqdm import tqdm

from matting.media.atomic import AtomicFile
from matting.postprocess.bit_depth import to_8_bit

IMAGE_SUFFIXES = (".webp", ".jpg", ".jpeg", ".png")
SOLVE_PIXELS = 120_000
_OPAQUE = 250  # of 255; alphas from here on count as 1
_AT_ONCE = 24  # photos decoded ahead; results of a process pool wait in memory


class Pair(NamedTuple):
    """A photo and its alpha on disk; with `foreground_only`, colours where alpha is 0 are undefined."""

    image: Path
    alpha: Path
    foreground_only: bool = False


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


def find_pairs(folder: Path, foreground_only: bool = False) -> list[Pair]:
    """Pair `folder/image/NAME.*` with `folder/alpha/NAME.png`.

    P3M-10k's own layout (`blurred_image` or `original_image`, and `mask`) is accepted too.

    Raises:
        ValueError: if a folder or a partner is missing; names the file.
    """
    folder = Path(folder)
    images = _first_folder(folder, ("image", "original_image", "blurred_image"))
    alphas = _first_folder(folder, ("alpha", "mask"))
    photos = {path.stem: path for path in sorted(images.iterdir()) if path.suffix.lower() in IMAGE_SUFFIXES}
    truths = {path.stem: path for path in sorted(alphas.iterdir()) if path.suffix.lower() in IMAGE_SUFFIXES}
    if not photos:
        raise ValueError(f"expected photos ({', '.join(IMAGE_SUFFIXES)}) in {images}, found none")
    for stem in photos.keys() ^ truths.keys():
        missing, present = (alphas, photos[stem]) if stem in photos else (images, truths[stem])
        raise ValueError(f"{present} has no partner named {stem} in {missing}")
    return [Pair(photos[stem], truths[stem], foreground_only) for stem in photos]


def _first_folder(folder: Path, names: tuple[str, ...]) -> Path:
    for name in names:
        if (folder / name).is_dir():
            return folder / name
    raise ValueError(f"expected a folder named {' or '.join(names)} in {folder}, found none")


def load_person(pair: Pair, cache: Path | None = None) -> Person:
    """Decode a pair and estimate its foreground; the estimate is kept in `cache` if one is given.

    Raises:
        ValueError: if photo and alpha differ in size; names both.
    """
    with Image.open(pair.image) as file:
        image = np.asarray(file.convert("RGB"))
    with Image.open(pair.alpha) as file:
        alpha = np.asarray(file.convert("L"))
    if image.shape[:2] != alpha.shape:
        raise ValueError(f"{pair.image} is {image.shape[:2]}, but {pair.alpha} is {alpha.shape}")
    if pair.foreground_only:
        return Person(image, alpha, image, None)
    small, small_alpha = shrink(image, alpha)
    stored = cache / f"{pair.image.parents[2].name}-{pair.image.stem}.npz" if cache else None
    if stored and stored.exists():
        with np.load(stored) as colours:
            foreground = colours["foreground"]
    else:
        foreground = solve_foreground(small, small_alpha)
        if stored:
            with AtomicFile(stored) as part, part.open("wb") as file:  # several processes may come to the same photo
                np.savez(file, foreground=foreground)
    return Person(image, alpha, enlarge_foreground(image, alpha, foreground), fill_person(small, small_alpha))


def shrink(image: np.ndarray, alpha: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Photo and alpha downsampled to at most `SOLVE_PIXELS`."""
    height, width = alpha.shape
    scale = min(1.0, (SOLVE_PIXELS / (height * width)) ** 0.5)
    size = max(8, round(width * scale)), max(8, round(height * scale))
    return tuple(cv2.resize(x, size, interpolation=cv2.INTER_AREA) for x in (image, alpha))


def solve_foreground(image: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Closed-form foreground estimation, (h, w, 3) uint8."""
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


def load_people(pairs: list[Pair], cache: Path | None, workers: int = 2) -> Iterator[Person]:
    """Decode all pairs in parallel, with a progress bar; yields them in order, so that few are in memory at a time."""
    if cache:
        cache.mkdir(parents=True, exist_ok=True)
    load = partial(load_person, cache=cache)
    context = multiprocessing.get_context("spawn")  # a fork would copy locks that threads of this process may hold
    with ProcessPoolExecutor(workers, context, cv2.setNumThreads, (1,)) as pool:
        parts = (pairs[start : start + _AT_ONCE] for start in range(0, len(pairs), _AT_ONCE))
        people = (person for part in parts for person in pool.map(load, part))  # all at once, they would wait in memory
        yield from tqdm(people, total=len(pairs), desc="decoding", unit="photo", mininterval=5)
