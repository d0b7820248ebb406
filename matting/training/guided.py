"""`matting.postprocess.guided_filter` as a differentiable operation on tensors, for a loss on the filtered alpha."""

import torch
from torch import Tensor
from torch.nn import functional as F

from matting.network.refine import limit
from matting.postprocess.guided_filter import COVARIANCES, RADIUS, SMOOTHNESS, confidence, is_soft, solve_slopes


def guided_filter(alpha: Tensor, image: Tensor) -> Tensor:
    """Filter the soft pixels of alphas, guided by the images' colours.

    The result equals that of `postprocess.guided_filter` except within two windows of the image's border, where windows are
    truncated instead of mirrored. Gradients flow through the fitted alpha, not through the weights of the fit, and pass the
    clamp to [0, 1] unchanged (straight-through).

    Args:
        alpha: (B, 1, H, W) in [0, 1].
        image: (B, 3, H, W) in [0, 1].

    Returns:
        (B, 1, H, W) in [0, 1].
    """
    with torch.no_grad():
        weight = confidence(alpha)
        total = _average(weight)
        averages = _average(image * weight) / total
        planes = [image[:, i : i + 1] for i in range(3)]
        means = [averages[:, i : i + 1] for i in range(3)]
        squares = _average(torch.cat([planes[i] * planes[j] * weight for i, j in COVARIANCES], 1)) / total
        pairs = zip(COVARIANCES, squares.split(1, 1), strict=True)
        covariances = tuple(square - means[i] * means[j] + SMOOTHNESS * (i == j) for (i, j), square in pairs)
    mean_alpha, *products = (_average(torch.cat([alpha, image * alpha], 1) * weight) / total).split(1, 1)
    red, green, blue = (product - mean * mean_alpha for product, mean in zip(products, means, strict=True))
    slopes = torch.cat(solve_slopes(covariances, (red, green, blue)), 1)
    offset = mean_alpha - (slopes * averages).sum(1, keepdim=True)
    fit = _average(torch.cat([slopes, offset], 1) * weight) / total
    filtered = (fit[:, :3] * image).sum(1, keepdim=True) + fit[:, 3:]
    return torch.where(is_soft(alpha), limit(filtered), alpha)


def _average(x: Tensor) -> Tensor:
    """Box mean of (B, C, H, W); windows are truncated at the image's border."""
    side = 2 * RADIUS + 1
    rows = F.avg_pool2d(x, (side, 1), 1, (RADIUS, 0), count_include_pad=False)
    return F.avg_pool2d(rows, (1, side), 1, (0, RADIUS), count_include_pad=False)
