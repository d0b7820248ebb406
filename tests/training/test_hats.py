"""Hats on heads."""

import numpy as np
import pytest
import torch

from matting.training.hats import find_head, wear_hats


def person(height: int = 160, width: int = 120, head: float = 20) -> np.ndarray:
    """A round head, its centre a third below the upper edge, on shoulders twice as wide that leave the picture below."""
    y, x = np.mgrid[:height, :width] + 0.5
    round_head = np.hypot(y - height / 3, x - width / 2) <= head
    shoulders = (y > height / 3 + 1.2 * head) & (abs(x - width / 2) <= 2 * head)
    return (round_head | shoulders).astype(np.float32)


def test_the_head_of_a_person_is_found():
    head = find_head(person())
    assert head.y == pytest.approx(160 / 3 - 20, abs=1)
    assert head.x == pytest.approx(60, abs=1) and head.width == pytest.approx(40, abs=2)


def test_a_small_head_above_wide_shoulders_is_not_taken_for_the_shoulders():
    assert find_head(person(head=10)).width == pytest.approx(20, abs=2)


@pytest.mark.parametrize(
    "alpha",
    [np.zeros((64, 64)), np.ones((64, 64)), person()[50:], person(head=4), np.eye(64)],
    ids=["nobody", "everywhere", "cut off above", "tiny", "a line"],
)
def test_what_shows_no_whole_head_has_none(alpha):
    assert find_head(alpha.astype(np.float32)) is None


def test_the_composite_of_the_new_colours_and_alpha_is_the_new_photo():
    alpha = torch.from_numpy(person())[None, None].repeat(9, 1, 1, 1)
    alpha[8] = 0  # nobody
    colour, behind = torch.rand(9, 3, 1, 1).expand(9, 3, 160, 120).clone(), torch.rand(9, 3, 160, 120)
    photo = alpha * colour + (1 - alpha) * behind
    before = photo.clone(), alpha.clone(), colour.clone()
    wear_hats(photo, alpha, colour, torch.rand(9, 3, 160, 120), np.random.default_rng(2), chance=1)
    assert torch.allclose(photo, alpha * colour + (1 - alpha) * behind, atol=1e-5)
    grown = (alpha - before[1])[:8]
    assert grown.min() > -1e-6 and (grown.flatten(1).sum(1) > 20).all() and alpha.max() <= 1 + 1e-6
    changed = (photo - before[0])[:8].abs().amax(1) > 0.01
    assert not changed[:, 90:].any(), "at the head, not below it"
    assert all(torch.equal(now[8], was[8]) for now, was in zip((photo, alpha, colour), before, strict=True))


def test_only_some_wear_hats():
    alpha = torch.from_numpy(person())[None, None].repeat(60, 1, 1, 1)
    before = alpha.clone()
    colours = torch.rand(60, 3, 160, 120)
    wear_hats(colours.clone(), alpha, colours, colours, np.random.default_rng(0), chance=0.3)
    assert 8 < sum(not torch.equal(one, was) for one, was in zip(alpha, before, strict=True)) < 28
