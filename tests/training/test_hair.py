"""Loose hair with an exact alpha."""

import numpy as np
import pytest
import torch

from matting.training.hair import cover_curves, draw_curves, find_roots, grow_hair


def disc(side: int = 160, radius: float = 40) -> np.ndarray:
    y, x = np.mgrid[:side, :side] + 0.5
    return np.clip(radius + 0.5 - np.hypot(y - side / 2, x - side / 2), 0, 1).astype(np.float32)


@pytest.mark.parametrize(("width", "covered"), [(1 / 3, 20 / 3), (1, 20), (5 / 3, 100 / 3)])
def test_a_straight_strand_covers_its_length_times_its_width(width, covered):
    line = np.array([[[10.5, 16.5], [20.5, 16.5], [30.5, 16.5]]], np.float32)
    cover = cover_curves(line, width, (32, 48))
    assert cover.shape == (32, 48) and cover.min() == 0 and cover.max() <= 1
    assert cover.sum() == pytest.approx(covered, rel=0.2)
    rows, columns = np.nonzero(cover)
    assert abs(rows - 16).max() <= 1 and columns.min() >= 9 and columns.max() <= 31


def test_strands_outside_of_the_picture_cover_nothing():
    assert not cover_curves(np.full((2, 5, 2), 99, np.float32), 1, (32, 48)).any()


def test_roots_lie_at_the_edge_of_the_upper_part_and_point_outwards():
    roots = find_roots(disc(), 200, np.random.default_rng(0))
    x, y = (roots.points + 3 * roots.outwards - 80).T
    assert np.hypot(x, y) == pytest.approx(40, abs=4)
    assert roots.head == pytest.approx(40, abs=2) and y.max() < 5, "not from the lower half"
    assert (roots.outwards * np.stack([x, y], 1)).sum(1) == pytest.approx(np.hypot(x, y), rel=0.05)


def test_nobody_has_no_roots():
    assert find_roots(np.zeros((64, 64), np.float32), 10, np.random.default_rng(0)) is None
    assert find_roots(np.ones((64, 64), np.float32), 10, np.random.default_rng(0)) is None


def test_strands_begin_at_their_roots():
    roots = find_roots(disc(), 30, np.random.default_rng(0))
    curves = draw_curves(roots, np.random.default_rng(1))
    assert curves.shape[::2] == (30, 2) and curves[:, 0] == pytest.approx(roots.points, abs=1e-4)
    lengths = np.linalg.norm(np.diff(curves, axis=1), axis=2).sum(1)
    assert (lengths > 0.03 * roots.head).all() and (lengths < roots.head).all()


def test_the_composite_of_the_new_colours_and_alpha_is_the_new_photo():
    alpha = torch.from_numpy(disc())[None, None].repeat(3, 1, 1, 1)
    alpha[2] = 0  # nobody
    colour, behind = torch.rand(3, 3, 1, 1).expand(3, 3, 160, 160).clone(), torch.rand(3, 3, 160, 160)
    photo = alpha * colour + (1 - alpha) * behind
    before = [photo.clone(), alpha.clone(), colour.clone()]
    grow_hair(photo, alpha, colour, np.random.default_rng(5), chance=1)
    assert torch.allclose(photo, alpha * colour + (1 - alpha) * behind, atol=1e-5)
    grown = (alpha - before[1]).flatten(1)
    assert grown.min() > -1e-6 and (grown[:2].sum(1) > 5).all() and alpha.max() <= 1 + 1e-6
    assert torch.equal(photo[2], before[0][2]) and torch.equal(alpha[2], before[1][2]) and torch.equal(colour[2], before[2][2])


def test_only_some_grow_strands():
    alpha = torch.from_numpy(disc())[None, None].repeat(60, 1, 1, 1)
    before = alpha.clone()
    grow_hair(torch.rand(60, 3, 160, 160), alpha, torch.rand(60, 3, 160, 160), np.random.default_rng(0), chance=0.3)
    assert 8 < sum(not torch.equal(one, was) for one, was in zip(alpha, before, strict=True)) < 28
