"""The guided filter with gradients."""

import numpy as np
import torch

from matting.postprocess.guided_filter import guided_filter as filter_array
from matting.training.guided import guided_filter


def soft_pictures(side: int = 48) -> tuple[torch.Tensor, torch.Tensor]:
    """Alphas (2, 1, side, side) that are 0, soft and 1 somewhere, and pictures of noise."""
    torch.manual_seed(0)
    ramp = (torch.linspace(-1, 2, side)[None] + 0.3 * torch.rand(2, side, side)).clamp(0, 1)
    return ramp[:, None], torch.rand(2, 3, side, side)


def test_it_is_the_filter_that_users_see():
    alpha, image = soft_pictures()
    followed = guided_filter(alpha, image)
    for one, picture, result in zip(alpha, image, followed, strict=True):
        expected = filter_array(one[0].numpy(), np.ascontiguousarray(picture.permute(1, 2, 0).numpy()))
        assert np.abs(result[0].numpy() - expected)[10:-10, 10:-10].max() < 1e-4
    assert followed.min() >= 0 and followed.max() <= 1 and not torch.equal(followed, alpha)


def test_the_gradient_is_that_of_a_fit_whose_weights_stay():
    torch.manual_seed(1)
    alpha = (0.3 + 0.4 * torch.rand(1, 1, 24, 30, dtype=torch.float64)).requires_grad_()
    pull = torch.rand(1, 1, 24, 30, dtype=torch.float64)
    pulled = (guided_filter(alpha, torch.rand(1, 3, 24, 30, dtype=torch.float64)) * pull).sum()
    gradient = torch.autograd.grad(pulled, alpha)[0]
    # With its weights fixed and nothing beyond the limits, the filter is linear: L(alpha) is the gradient of L times alpha.
    torch.testing.assert_close((gradient * alpha).sum(), pulled)
    assert gradient.min() != gradient.max()


def test_what_is_certain_passes_as_it_is():
    alpha, image = soft_pictures()
    certain = (alpha == 0) | (alpha == 1)
    alpha.requires_grad_()
    followed = guided_filter(alpha, image)
    assert certain.any() and torch.equal(followed[certain], alpha[certain])
    followed[certain].sum().backward()
    assert torch.equal(alpha.grad, certain.float())
