"""Posters: drawn backgrounds."""

import numpy as np
import torch

from matting.training.posters import poster

CPU = torch.device("cpu")


def test_posters_are_pictures_of_few_colours_that_a_seed_repeats():
    posters = [poster((96, 64), np.random.default_rng(seed), CPU) for seed in range(12)]
    for seed, scene in enumerate(posters):
        assert scene.shape == (3, 96, 64)
        assert scene.min() >= 0
        assert scene.max() <= 1
        torch.testing.assert_close(scene, poster((96, 64), np.random.default_rng(seed), CPU))
    assert sum(float(scene.std((1, 2)).max()) > 0.02 for scene in posters) >= 10, "most have something on them"


def test_posters_have_flat_parts_and_sharp_edges():
    """Which is what sets them apart from photos: most neighbours are nearly equal, some very different."""
    steps = torch.cat([poster((128, 128), np.random.default_rng(seed), CPU).diff(dim=2).abs().flatten() for seed in range(12)])
    assert (steps < 0.02).float().mean() > 0.7
    assert (steps > 0.2).float().mean() > 0.005
