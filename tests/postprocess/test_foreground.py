"""Colours of the foreground and the background without it."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from pictures import FACE, WALL, draw_person
from pymatting import estimate_foreground_ml

from matting import load_image
from matting.postprocess import foreground, multilevel
from matting.postprocess.compositing import blur_background
from matting.postprocess.foreground import estimate_foreground
from matting.postprocess.multilevel import estimate_colours

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize("most", [foreground._MAX_SOFT, 500])
def test_soft_pixels_lose_the_old_background(monkeypatch, most):
    monkeypatch.setattr(foreground, "_MAX_SOFT", most)
    image, alpha = draw_person(160, 120)
    estimate = estimate_foreground(image, alpha)
    soft = (alpha > 0.1) & (alpha < 1)
    assert np.abs(estimate[soft] - np.array(FACE, float)).mean() < 0.1 * np.abs(image[soft] - np.array(FACE, float)).mean()


def test_certain_pixels_keep_their_colours_exactly():
    image, alpha = draw_person(80, 60)
    image = np.where((alpha % 1 == 0)[..., None], np.random.default_rng(0).integers(0, 256, image.shape, np.uint8), image)
    estimate = estimate_foreground(image, alpha)
    certain = (alpha == 0) | (alpha == 1)
    assert np.array_equal(estimate[certain], image[certain])
    assert not np.array_equal(estimate, image)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_nothing_soft_nothing_changed(value):
    image, _ = draw_person(9, 5)
    estimate = estimate_foreground(image, np.full((9, 5), value, np.float32))
    assert np.array_equal(estimate, image) and not np.shares_memory(estimate, image)


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (3, 2)])
def test_tiny_pictures(size):
    image = np.full((*size, 3), 90, np.uint8)
    alpha = np.full(size, 0.5, np.float32)
    assert np.abs(estimate_foreground(image, alpha).astype(int) - 90).max() <= 1
    assert np.abs(blur_background(image, alpha).astype(int) - 90).max() <= 1


def test_sizes_must_match():
    with pytest.raises(ValueError, match=r"same size, got \(8, 8\) and \(8, 9\)"):
        estimate_foreground(np.zeros((8, 8, 3), np.uint8), np.zeros((8, 9), np.float32))


def test_blurred_background_has_no_trace_of_the_person():
    image, alpha = draw_person(200, 300)
    blurred = blur_background(image, alpha)
    assert blurred.shape == image.shape and blurred.dtype == np.uint8
    assert np.abs(blurred - np.array(WALL, float)).max() <= 2


def test_blurred_background_is_blurred():
    image = np.zeros((100, 100, 3), np.uint8)
    image[::2] = 255
    blurred = blur_background(image, np.zeros((100, 100), np.float32))
    assert np.abs(blurred.astype(int) - 127)[10:-10].max() < 20


def test_no_background_to_blur():
    image, _ = draw_person(40, 40)
    assert blur_background(image, np.ones((40, 40), np.float32)).shape == image.shape


def test_colours_are_those_of_pymatting(windswept):
    image, alpha = windswept
    soft = (alpha > 0) & (alpha < 1)
    share = alpha[soft][:, None]
    colours, backgrounds = estimate_colours(image, alpha, soft)
    theirs, their_backgrounds = (
        one[soft] for one in estimate_foreground_ml(image / np.float32(255), alpha, return_background=True)
    )
    assert soft.sum() > 10_000
    assert (share * np.abs(colours - theirs)).mean() < 0.6 / 255
    assert ((1 - share) * np.abs(backgrounds - their_backgrounds)).mean() < 0.6 / 255
    errors = [
        np.abs(share * front + (1 - share) * back - image[soft] / 255).mean()
        for front, back in ((colours, backgrounds), (theirs, their_backgrounds))
    ]
    assert errors[0] < 1.05 * errors[1]


@pytest.fixture(scope="module")
def windswept() -> tuple[np.ndarray, np.ndarray]:
    """(500, 500, 3) uint8, and its alpha."""
    photo, alpha = load_image(EXAMPLES / "windswept.jpg"), load_image(EXAMPLES / "alpha/windswept.png")[..., 0]
    image, alpha = (cv2.resize(one, (500, 500), interpolation=cv2.INTER_AREA) for one in (photo, alpha))
    return image, alpha / np.float32(255)


@pytest.mark.slow
def test_colours_need_no_compiler():
    script = "import sys, matting.inference.photo; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=EXAMPLES.parent, check=False).returncode == 0


def test_where_only_the_alpha_that_came_with_a_picture_is_soft_its_colours_stay():
    image = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    came = np.linspace(0, 1, 40, dtype=np.float32)[None].repeat(40, 0)
    assert (estimate_foreground(image, came, came) == image).all()
    assert (estimate_foreground(image, came) != image).any()


def test_colours_are_those_of_the_method_pixel_by_pixel(monkeypatch):
    monkeypatch.setattr(multilevel, "_PART", 40)
    image, alpha = draw_person(40, 32)
    wanted = (alpha > 0) & (alpha < 1)
    wanted[0, :3] = wanted[-1, -1] = True
    assert wanted.sum() > 50
    for found, expected in zip(estimate_colours(image, alpha, wanted), solve_slowly(image, alpha, wanted), strict=True):
        assert np.abs(found - expected).max() < 0.1 / 255


def solve_slowly(image: np.ndarray, alpha: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eq. 6 of Germer et al. at one pixel after the other, from one pixel to the whole picture."""
    masks = alpha > 1 - multilevel._CERTAIN, alpha < multilevel._CERTAIN
    size, pair = (1, 1), np.array([image[mask].mean(0) / 255 for mask in masks])
    pairs = {(0, 0): pair}
    for level in multilevel._plan_levels(wanted):
        finer = {}
        for row, column in zip(level.row.tolist(), level.column.tolist(), strict=True):
            finer[row, column] = pairs[row * size[0] // level.size[0], column * size[1] // level.size[1]]
        size, pairs = level.size, finer
        photo, opacity = ({at: one[tuple(np.array(at) * alpha.shape // size)] for at in pairs} for one in (image / 255, alpha))
        sweeps = multilevel._SWEEPS_SMALL if max(size) <= multilevel._SMALL_SIDE else multilevel._SWEEPS
        for at in [at for _ in range(sweeps) for odd in (0, 1) for at in pairs if sum(at) % 2 == odd]:
            own = np.array([opacity[at], 1 - opacity[at]])
            system, right = np.outer(own, own), np.outer(own, photo[at])
            for dy, dx in ((-1, 0), (1, 0), (0, -1), (0, 1)):
                beside = at[0] + dy, at[1] + dx
                beside = beside if beside in pairs else at
                weight = multilevel._REGULARISATION + abs(opacity[at] - opacity[beside])
                system, right = system + weight * np.eye(2), right + weight * pairs[beside]
            pairs[at] = np.linalg.solve(system, right).clip(0, 1)
    front, back = np.array([pairs[at] for at in zip(*np.nonzero(wanted), strict=True)]).transpose(1, 0, 2)
    return front, back
