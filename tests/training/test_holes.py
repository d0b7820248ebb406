"""Gaps through people."""

import numpy as np
import torch

from matting.training.holes import open_holes


def disc(count: int) -> torch.Tensor:
    y, x = np.mgrid[:160, :200] + 0.5
    alpha = np.clip(60.5 - np.hypot(y - 80, x - 100), 0, 1).astype(np.float32)
    return torch.from_numpy(alpha)[None, None].repeat(count, 1, 1, 1)


def test_gaps_are_narrow_and_take_only_from_people_who_left_their_photo():
    alpha = disc(8)
    alpha[7] = 0  # nobody
    kept = np.array([True] + [False] * 7)
    open_holes(alpha, kept, np.random.default_rng(0), chance=1)
    lost = disc(8) - alpha
    assert torch.equal(alpha[0], disc(1)[0]) and not alpha[7].any()
    assert alpha.min() >= 0 and lost.min() >= 0
    share = lost[1:7].flatten(1).sum(1) / disc(1).sum()
    assert (share > 0.0005).all() and (share < 0.15).all()
    assert alpha[1:7].flatten(1).min(1).values.max() < 0.9, "each of them lets something show through"


def test_small_people_and_those_who_fill_the_picture_have_no_gaps():
    alpha = torch.zeros(4, 1, 96, 96)
    alpha[:2, :, 30:60, 30:60] = 1
    alpha[2:] = 1
    before = alpha.clone()
    open_holes(alpha, np.zeros(4, bool), np.random.default_rng(0), chance=1)
    assert torch.equal(alpha, before)


def test_only_some_have_gaps():
    alpha = disc(60)
    open_holes(alpha, np.zeros(60, bool), np.random.default_rng(0), chance=0.3)
    assert 8 < sum(not torch.equal(one, was) for one, was in zip(alpha, disc(60), strict=True)) < 28
