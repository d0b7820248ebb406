"""An alpha that follows the colours of its photo."""

import cv2
import numpy as np
import pytest

from matting.postprocess import box
from matting.postprocess.guided_filter import EIGHT_BIT_ROUNDING, fit_colours, guided_filter

DARK, BRIGHT = np.array([0.2, 0.15, 0.1], np.float32), np.array([0.5, 0.7, 0.9], np.float32)


def strands(side: int = 96) -> tuple[np.ndarray, np.ndarray]:
    """Dark strands before something bright, solid on the left and gone on the right: image and alpha."""
    rows, columns = np.mgrid[:side, :side]
    waves = 0.5 + 0.5 * np.sin((columns + 0.3 * rows) / side * 60)
    alpha = np.where(columns < side / 4, 1, np.where(columns > 3 * side / 4, 0, waves)).astype(np.float32)
    return alpha[..., None] * DARK + (1 - alpha[..., None]) * BRIGHT, alpha


def test_a_rough_alpha_gets_the_strands_of_the_photo():
    image, truth = strands()
    rough = (truth + np.random.default_rng(0).normal(0, 0.2, truth.shape) * (truth > 0) * (truth < 1)).clip(0, 1)
    followed = guided_filter(rough.astype(np.float32), image)
    assert followed.shape == truth.shape and followed.dtype == np.float32
    assert followed.min() >= 0 and followed.max() <= 1
    assert np.abs(followed - truth).mean() < 0.5 * np.abs(rough - truth).mean()


def test_seams_between_regions_go():
    image, truth = strands()
    seams = truth + 0.15 * np.kron(np.indices((12, 12)).sum(0) % 2 * 2 - 1, np.ones((8, 8)))
    seams = np.where((truth > 0) & (truth < 1), seams, truth).clip(0, 1).astype(np.float32)
    assert np.abs(guided_filter(seams, image) - truth).mean() < 0.5 * np.abs(seams - truth).mean()


def test_an_alpha_that_is_linear_in_the_colour_stays():
    image, truth = strands()
    assert np.abs(guided_filter(truth, image) - truth).max() < 0.02


def test_what_is_certain_is_left_alone():
    rng = np.random.default_rng(0)
    alpha = rng.choice([0, 0.4 * EIGHT_BIT_ROUNDING, 0.5, 1 - 0.4 * EIGHT_BIT_ROUNDING, 1], (40, 50)).astype(np.float32)
    followed = guided_filter(alpha, rng.random((40, 50, 3), np.float32))
    certain = alpha != 0.5
    assert np.array_equal(followed[certain], alpha[certain]) and not np.array_equal(followed, alpha)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_nothing_soft_nothing_to_do(value):
    alpha = np.full((9, 7), value, np.float32)
    assert np.array_equal(guided_filter(alpha, np.zeros((9, 7, 3), np.float32)), alpha)


@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (30, 1), (3, 4), (64, 48)])
def test_any_size(shape):
    rng = np.random.default_rng(0)
    followed = guided_filter(rng.random(shape, np.float32), rng.random((*shape, 3), np.float32))
    assert followed.shape == shape and np.isfinite(followed).all() and followed.min() >= 0 and followed.max() <= 1


def test_one_colour_everywhere_says_nothing_but_the_mean():
    alpha = np.random.default_rng(0).random((40, 40), np.float32)
    fit = fit_colours(alpha, np.full((40, 40, 3), 0.3, np.float32), 2, np.ones_like(alpha))
    assert np.abs(fit.slopes).max() < 1e-2
    twice = cv2.blur(cv2.blur(alpha, (5, 5), borderType=cv2.BORDER_REFLECT), (5, 5), borderType=cv2.BORDER_REFLECT)
    assert (fit.slopes * np.float32(0.3)).sum(2) + fit.offset == pytest.approx(twice, abs=1e-4)


def test_the_fit_is_exact_where_alpha_is_linear_in_the_colour():
    image = np.random.default_rng(0).random((40, 40, 3), np.float32)
    alpha = image @ np.array([0.2, 0.5, 0.1], np.float32) + np.float32(0.1)
    fit = fit_colours(alpha, image, 3, np.ones_like(alpha))
    assert fit.slopes == pytest.approx(np.broadcast_to([0.2, 0.5, 0.1], fit.slopes.shape), abs=5e-3)
    assert fit.offset == pytest.approx(np.full_like(alpha, 0.1), abs=5e-3)


def test_what_weighs_nothing_does_not_count():
    image = np.random.default_rng(0).random((30, 30, 3), np.float32)
    alpha = image.mean(2)
    weight = np.full_like(alpha, 1e-6)
    weight[::2] = 1
    alpha[1::2] = 1
    fit = fit_colours(alpha, image, 4, weight)
    assert fit.slopes == pytest.approx(np.full_like(fit.slopes, 1 / 3), abs=1e-2)


@pytest.mark.parametrize("shape", [(600, 300), (256, 257), (70, 1000)])
def test_tiles_make_up_the_whole_picture(shape, monkeypatch):
    rng = np.random.default_rng(0)
    alpha = np.zeros(shape, np.float32)
    alpha[20:60, 30:] = rng.random((40, shape[1] - 30), np.float32)
    alpha[-3:, :5] = 0.5
    image = cv2.GaussianBlur(rng.random((*shape, 3), np.float32), (0, 0), 2)
    in_tiles = guided_filter(alpha, image)
    monkeypatch.setattr(box, "_TILE", 2000)
    assert np.abs(guided_filter(alpha, image) - in_tiles).max() < 1e-5
