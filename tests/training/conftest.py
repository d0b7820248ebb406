"""A tiny data set: four people drawn as discs, in the portrait sets' layout."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

SIDE = 96


def draw_person(index: int) -> tuple[np.ndarray, np.ndarray]:
    """(96, 96, 3) uint8 picture and (96, 96) uint8 alpha of a soft-edged disc."""
    y, x = np.mgrid[:SIDE, :SIDE] - SIDE / 2
    alpha = np.clip((SIDE / 4 + index - np.hypot(y, x)) / 4 + 0.5, 0, 1)
    colour, behind = np.array([200, 150, 100]), np.array([20, 60 + 20 * index, 120])
    image = alpha[..., None] * colour + (1 - alpha[..., None]) * behind
    return image.round().astype(np.uint8), (alpha * 255).round().astype(np.uint8)


@pytest.fixture(scope="session")
def portraits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Root with cc0_portraits/{train,val}, keyed/train and backgrounds."""
    root = tmp_path_factory.mktemp("portraits")
    for folder in ("cc0_portraits/train", "cc0_portraits/val", "keyed/train"):
        for kind in ("image", "alpha"):
            (root / folder / kind).mkdir(parents=True)
        for index in range(2):
            image, alpha = draw_person(index)
            Image.fromarray(image).save(root / folder / "image" / f"p{index}.png")
            Image.fromarray(alpha).save(root / folder / "alpha" / f"p{index}.png")
    (root / "backgrounds").mkdir()
    Image.fromarray(np.full((80, 120, 3), 90, np.uint8)).save(root / "backgrounds" / "wall.png")
    return root
