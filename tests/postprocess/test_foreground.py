"""Colours of the foreground and the background without it."""

import numpy as np
import pytest
from pictures import FACE, WALL, draw_person

from matting.postprocess import foreground
from matting.postprocess.compositing import blur_background
from matting.postprocess.foreground import estimate_foreground


@pytest.mark.parametrize("largest", [foreground._MAX_PIXELS, 2000])
def test_soft_pixels_lose_the_old_background(monkeypatch, largest):
    monkeypatch.setattr(foreground, "_MAX_PIXELS", largest)
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
