"""Furniture behind people."""

import numpy as np
import pytest
import torch

from matting.training.furniture import lean_on


def disc(count: int) -> torch.Tensor:
    y, x = np.mgrid[:120, :160] + 0.5
    alpha = np.clip(30.5 - np.hypot(y - 60, x - 80), 0, 1).astype(np.float32)
    return torch.from_numpy(alpha)[None, None].repeat(count, 1, 1, 1)


def sofa() -> torch.Tensor:
    thing = torch.zeros(4, 44, 84, dtype=torch.uint8)
    thing[:, 2:-2, 2:-2] = torch.tensor([200, 40, 30, 255], dtype=torch.uint8)[:, None, None]
    return thing


@pytest.mark.parametrize("furniture", [[], [sofa()]], ids=["shapes", "rendered"])
def test_furniture_changes_the_background_alone(furniture: list[torch.Tensor]):
    alpha, colour = disc(6), torch.rand(6, 3, 1, 1).expand(6, 3, 120, 160).clone()
    backgrounds = torch.rand(6, 3, 120, 160)
    photo = alpha * colour + (1 - alpha) * backgrounds
    before, was_behind = photo.clone(), backgrounds.clone()
    alpha[5] = 0  # nobody
    lean_on(photo, alpha, colour, backgrounds, furniture, np.random.default_rng(0), chance=1)
    assert torch.equal(alpha[:5], disc(5)), "furniture is background"
    assert torch.allclose(photo[:5], alpha[:5] * colour[:5] + (1 - alpha[:5]) * backgrounds[:5], atol=1e-5)
    assert torch.allclose(photo[:5] * (alpha[:5] == 1), before[:5] * (alpha[:5] == 1), atol=1e-5), "people hide it"
    beside = ((photo - before)[:5].abs().amax(1, keepdim=True) > 0.02) & (alpha[:5] == 0)
    assert (beside.flatten(1).sum(1) > 20).all(), "it is seen beside them"
    assert torch.equal(photo[5], before[5]) and torch.equal(backgrounds[5], was_behind[5])
    assert photo.min() > -1e-5 and photo.max() < 1 + 1e-5


def test_only_some_lean_on_furniture():
    alpha, photo = disc(60), torch.rand(60, 3, 120, 160)
    before = photo.clone()
    lean_on(photo, alpha, photo.clone(), torch.rand(60, 3, 120, 160), [], np.random.default_rng(0), chance=0.3)
    assert 8 < sum(not torch.equal(one, was) for one, was in zip(photo, before, strict=True)) < 28


def test_some_rendered_furniture_has_the_colour_of_clothes():
    alpha, colour = disc(40), torch.tensor([0.9, 0.85, 0.7])[None, :, None, None].expand(40, 3, 120, 160).clone()
    backgrounds = torch.zeros(40, 3, 120, 160)
    lean_on(alpha * colour, alpha, colour, backgrounds, [sofa()], np.random.default_rng(0), chance=1)
    shown = backgrounds.amax((2, 3))
    like = (shown / shown.amax(1, keepdim=True) - torch.tensor([1, 0.944, 0.778])).abs().amax(1) < 0.02
    assert 10 < like.sum() < 40
