"""Photos the network errs on are shown more often."""

from pathlib import Path

import numpy as np
import pytest
import torch
from collections_of_tests import in_memory

from matting.network import PRESETS, MattingNetwork
from matting.training.dataset import Sampler
from matting.training.hard_examples import favour, photo_errors


@pytest.fixture(scope="module")
def sampler(portraits: Path) -> Sampler:
    return Sampler(in_memory(portraits, portraits / "backgrounds"), seed=3)


@pytest.mark.slow
def test_every_photo_is_measured_once_and_the_errors_are_kept(sampler: Sampler, tmp_path: Path):
    torch.manual_seed(0)
    model = MattingNetwork(PRESETS["lite"])
    keep = tmp_path / "run" / "errors.npy"
    errors = photo_errors(model, sampler, keep)
    assert errors.shape == (4,) and (errors > 0.01).all() and (errors < 1).all()
    assert model.training
    np.save(keep, np.arange(4.0))
    assert photo_errors(model, sampler, keep).tolist() == [0, 1, 2, 3]


def test_a_whole_photo_is_shown_with_its_alpha(sampler: Sampler):
    image, alpha = sampler.show(0, (128, 128))
    assert image.shape == (1, 3, 128, 128) and alpha.shape == (1, 1, 128, 128)
    person = alpha[0, 0] == 1
    colour = image[0, :, person].mean(1) * 255
    assert colour.numpy() == pytest.approx([200, 150, 100], abs=3)


def test_chances_follow_the_error_within_limits():
    chances = favour(np.array([0.2, 0.4, 0.2, 0.2]), np.array([0.0, 0.01, 0.02, 0.16]))
    weights = np.array([0.2 * 0.5, 0.4 * 0.5, 0.2 * 0.5, 0.2 * 3])  # the mean error is 0.04
    assert chances == pytest.approx(weights / weights.sum())


def test_equal_errors_change_nothing():
    chances = np.array([0.1, 0.9])
    assert favour(chances, np.array([0.03, 0.03])) == pytest.approx(chances)
