"""Straps and bags."""

import numpy as np
import torch

from matting.training.straps import bow, carry_straps


def disc(count: int) -> torch.Tensor:
    y, x = np.mgrid[:160, :200] + 0.5
    alpha = np.clip(50.5 - np.hypot(y - 80, x - 100), 0, 1).astype(np.float32)
    return torch.from_numpy(alpha)[None, None].repeat(count, 1, 1, 1)


def test_straps_and_bags_are_foreground_and_leave_their_gaps_alone():
    alpha, colour, behind = disc(12), torch.rand(12, 3, 1, 1).expand(12, 3, 160, 200).clone(), torch.rand(12, 3, 160, 200)
    alpha[11] = 0  # nobody
    photo = alpha * colour + (1 - alpha) * behind
    before, was = photo.clone(), alpha.clone()
    carry_straps(photo, alpha, colour, torch.rand(12, 3, 160, 200), np.random.default_rng(0), chance=1)
    assert torch.allclose(photo, alpha * colour + (1 - alpha) * behind, atol=1e-4)
    assert (alpha >= was - 1e-6).all() and alpha.max() <= 1
    assert ((alpha - was)[:11].flatten(1).sum(1) > 30).all(), "each of them reaches beyond the person"
    assert torch.equal(photo[11], before[11]) and not alpha[11].any()
    untouched = alpha == was
    assert torch.allclose(photo * untouched * (was == 0), before * untouched * (was == 0)), "gaps show what is behind"


def test_a_bow_begins_and_ends_where_it_should_and_bends_towards_its_control_point():
    points = bow(np.array([0.0, 0.0]), np.array([5.0, 10.0]), np.array([10.0, 0.0]))
    assert points.shape == (1, 24, 2)
    assert np.allclose(points[0, [0, -1]], [[0, 0], [10, 0]])
    assert np.isclose(points[0, :, 1].max(), 5, atol=0.1)


def test_small_people_and_those_who_fill_the_picture_carry_nothing():
    alpha = torch.zeros(4, 1, 96, 96)
    alpha[:2, :, 30:60, 30:60] = 1
    alpha[2:] = 1
    before, photo = alpha.clone(), torch.rand(4, 3, 96, 96)
    carry_straps(photo, alpha, photo.clone(), photo, np.random.default_rng(0), chance=1)
    assert torch.equal(alpha, before)


def test_only_some_carry_something():
    alpha, photo = disc(60), torch.rand(60, 3, 160, 200)
    carry_straps(photo, alpha, photo.clone(), photo.clone(), np.random.default_rng(0), chance=0.3)
    assert 8 < sum(not torch.equal(one, was) for one, was in zip(alpha, disc(60), strict=True)) < 28
