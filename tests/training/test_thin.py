"""What is thin, and what is not."""

import torch

from matting.training.thin import thin_weights


def test_wide_parts_count_as_they_are():
    alpha = torch.zeros(1, 1, 96, 96)
    alpha[..., 48:] = 1
    assert torch.equal(thin_weights(alpha, 3.0), torch.ones_like(alpha))


def test_strands_and_gaps_count_more():
    alpha = torch.zeros(1, 1, 96, 192)
    alpha[..., 96:] = 1
    alpha[..., 40:44] = 1  # a strand in front of the background
    alpha[..., 140:150] = 0  # a gap in the foreground
    weights = thin_weights(alpha, 3.0)
    assert (weights[..., 40:44] == 4).all() and (weights[..., 140:150] == 4).all()
    weights[..., 40:44] = weights[..., 140:150] = 1
    assert torch.equal(weights, torch.ones_like(alpha))


def test_soft_strands_count_by_their_alpha():
    alpha = torch.zeros(1, 1, 96, 96)
    alpha[..., 40:44] = 0.5
    assert (thin_weights(alpha, 2.0)[..., 40:44] == 2).all()


def test_no_emphasis_is_none():
    assert torch.equal(thin_weights(torch.rand(2, 1, 64, 32), 0.0), torch.ones(2, 1, 64, 32))
