"""Bands of soft alpha around masks drawn by hand."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from matting.training.hair_bands import draw_band, main


def disc(radius: float, softness: float, centre: tuple[int, int] = (60, 60)) -> np.ndarray:
    y, x = np.mgrid[:120, :160]
    return np.clip((radius - np.hypot(y - centre[0], x - centre[1])) / softness + 0.5, 0, 1).astype(np.float32)


def picture(alpha: np.ndarray) -> np.ndarray:
    return np.rint(alpha[..., None] * (200, 150, 100) + (1 - alpha[..., None]) * (20, 60, 120)).astype(np.uint8)


def test_the_band_has_the_true_alpha_and_all_else_is_the_mask():
    true, mask = disc(40, 6), disc(40, 0.1)
    drawn = draw_band(mask, true, picture(true))
    assert np.abs(drawn - true).max() < 0.1 < np.abs(mask - true).max()
    far = (disc(30, 0.1) > 0.5) | (disc(50, 0.1) < 0.5)
    np.testing.assert_array_equal(drawn[far], mask[far])


def test_where_network_and_mask_contradict_each_other_the_mask_stays():
    true, mask = disc(40, 6), disc(40, 0.1)
    alpha = np.maximum(true, disc(12, 0.1, (60, 112)))  # something beside the person, which the mask leaves out
    drawn = draw_band(mask, alpha, picture(alpha))
    np.testing.assert_array_equal(drawn[50:71, 100:], mask[50:71, 100:])
    assert np.abs(drawn[:, :60] - true[:, :60]).max() < 0.1


def test_what_is_wrong_is_said():
    with pytest.raises(ValueError, match="one size"):
        draw_band(disc(40, 1), disc(40, 1)[:60], picture(disc(40, 1)))
    with pytest.raises(ValueError, match="shows somebody"):
        draw_band(0 * disc(40, 1), disc(40, 1), picture(disc(40, 1)))


def test_a_folder_of_masks(portraits: Path, saved: Path, tmp_path: Path):
    main([str(portraits / "cc0_portraits/train"), str(tmp_path), "--weights", str(saved)])
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["p0.png", "p1.png"]
    with Image.open(tmp_path / "p0.png") as drawn:
        assert drawn.mode == "L" and drawn.size == (96, 96)
    made = (tmp_path / "p0.png").stat().st_mtime_ns
    main([str(portraits / "cc0_portraits/train"), str(tmp_path), "--weights", str(saved)])
    assert (tmp_path / "p0.png").stat().st_mtime_ns == made
    with pytest.raises(SystemExit):
        main([str(tmp_path), str(tmp_path)])
