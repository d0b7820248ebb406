"""Passers-by are background, companions are foreground."""

import numpy as np
import pytest
import torch

from matting.training.extra_people import draw_person, stand_far, stand_together, walk_past
from matting.training.framing import Subject

HEIGHT, WIDTH = 96, 128


@pytest.fixture
def red() -> Subject:
    """A red person of 100 x 40 pixels, seen whole, in a green photo."""
    planes = torch.zeros(7, 140, 120, dtype=torch.uint8)
    planes[1] = planes[5] = 255
    planes[:, 20:120, 40:80] = torch.tensor([255, 0, 0, 255, 255, 0, 0], dtype=torch.uint8)[:, None, None]
    return Subject([planes], (20, 40, 120, 80), False)


def blue_picture(box: tuple[slice, slice]) -> list[torch.Tensor]:
    """photo, alpha, foreground and background: somebody blue, as large as the box, in a grey picture; one picture."""
    alpha = torch.zeros(1, 1, HEIGHT, WIDTH)
    alpha[0, 0][box] = 1
    foreground = torch.zeros(1, 3, HEIGHT, WIDTH)
    foreground[:, 2] = 1
    grey = torch.full((1, 3, HEIGHT, WIDTH), 0.5)
    return [alpha * foreground + (1 - alpha) * grey, alpha, foreground, grey.clone()]


@pytest.mark.parametrize("seed", range(4))
def test_a_person_is_drawn_where_and_as_large_as_asked(red, seed):
    layer = draw_person([red], (50.0, 30.0), 40.0, (HEIGHT, WIDTH), np.random.default_rng(seed))
    rows, columns = torch.nonzero(layer[3] > 0.5).T
    assert rows.max() - rows.min() + 1 == pytest.approx(40, abs=2)
    assert columns.max() - columns.min() + 1 == pytest.approx(16, abs=2)
    assert rows.float().mean() == pytest.approx(29.5, abs=1) and columns.float().mean() == pytest.approx(49.5, abs=1)
    assert layer[0].max() > 0.5 and (layer[:3] <= layer[3:] + 1e-6).all(), "colours are multiplied by alpha"
    assert not layer[1, layer[3] == 1].any(), "nothing of their photo comes along"


def test_passers_by_change_what_is_behind_and_nothing_else(red):
    photo, alpha, foreground, background = blue_picture((slice(10, 90), slice(40, 80)))
    before = [plane.clone() for plane in (photo, alpha, foreground)]
    walk_past(photo, alpha, foreground, background, [red], np.random.default_rng(0), chance=1)
    assert torch.equal(alpha, before[1]) and torch.equal(foreground, before[2])
    assert torch.equal(photo[:, :, 10:90, 40:80], before[0][:, :, 10:90, 40:80]), "they are behind"
    assert (background[:, 0] - background[:, 1]).max() > 0.3
    torch.testing.assert_close(photo, alpha * foreground + (1 - alpha) * background)


def test_passers_by_shine_through_soft_edges(red):
    photo, alpha, foreground, background = blue_picture((slice(0, 96), slice(0, 128)))
    alpha[:] = 0.6
    photo = alpha * foreground + (1 - alpha) * background
    walk_past(photo, alpha, foreground, background, [red], np.random.default_rng(1), chance=1)
    assert (background[:, 0] - background[:, 1]).max() > 0.3
    torch.testing.assert_close(photo, alpha * foreground + (1 - alpha) * background)


def test_nobody_passes_behind_people_who_are_small_themselves(red):
    photo, alpha, foreground, background = blue_picture((slice(40, 80), slice(56, 72)))
    before = [plane.clone() for plane in (photo, background)]
    walk_past(photo, alpha, foreground, background, [red], np.random.default_rng(0), chance=1)
    assert torch.equal(photo, before[0]) and torch.equal(background, before[1])


@pytest.mark.parametrize("seed", range(4))
def test_a_companion_is_foreground_and_as_large(red, seed):
    photo, alpha, foreground, _ = blue_picture((slice(40, 80), slice(56, 72)))
    stand_together(photo, alpha, foreground, [red], np.random.default_rng(seed), chance=1)
    newcomer = (alpha[0, 0] > 0.5) & (foreground[0, 0] > 0.5)
    rows = torch.nonzero(newcomer.any(1)).flatten()
    assert 30 <= rows[-1] - rows[0] + 1 <= 50
    assert 300 < newcomer.sum() < 1000
    solid = newcomer & (alpha[0, 0] > 0.99)
    torch.testing.assert_close(photo[0][:, solid], foreground[0][:, solid], atol=0.02, rtol=0)


@pytest.mark.parametrize("seed", range(4))
def test_somebody_small_stands_where_nobody_was(red, seed):
    empty, taken = blue_picture((slice(0, 0), slice(0, 0))), blue_picture((slice(20, 96), slice(30, 90)))
    photo, alpha, foreground, _ = (torch.cat(planes) for planes in zip(empty, taken, strict=True))
    before = photo[1].clone(), alpha[1].clone()
    stand_far(photo, alpha, foreground, [red], np.random.default_rng(seed), chance=1)
    assert torch.equal(photo[1], before[0]) and torch.equal(alpha[1], before[1])
    rows, columns = torch.nonzero(alpha[0, 0] > 0.5).T
    assert 0.04 * HEIGHT <= rows.max() - rows.min() + 1 <= 0.32 * HEIGHT and len(columns) > 0
    solid = alpha[0, 0] > 0.99
    torch.testing.assert_close(photo[0][:, solid], foreground[0][:, solid], atol=0.02, rtol=0)


def test_nobody_joins_an_empty_picture_or_a_portrait(red):
    empty = blue_picture((slice(0, 0), slice(0, 0)))
    portrait = blue_picture((slice(20, 96), slice(30, 90)))
    for picture in (empty, portrait):
        before = [plane.clone() for plane in picture]
        stand_together(*picture[:3], [red], np.random.default_rng(0), chance=1)
        assert all(torch.equal(*pair) for pair in zip(picture, before, strict=True))
    walk_past(*empty, [red], np.random.default_rng(0), chance=1)
    assert torch.equal(empty[3], torch.full_like(empty[3], 0.5))


def test_without_people_nobody_comes():
    picture = blue_picture((slice(10, 90), slice(40, 80)))
    before = [plane.clone() for plane in picture]
    walk_past(*picture, [], np.random.default_rng(0), chance=1)
    stand_together(*picture[:3], [], np.random.default_rng(0), chance=1)
    picture[1][:] = before[1][:] = 0
    stand_far(*picture[:3], [], np.random.default_rng(0), chance=1)
    assert all(torch.equal(*pair) for pair in zip(picture, before, strict=True))
