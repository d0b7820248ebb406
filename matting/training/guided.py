"""The guided filter of `matting.postprocess.guided_filter` with gradients, so that training sees the alpha that users see."""

import torch
from torch import Tensor
from torch.nn import functional as F

from matting.network.refine import limit
from matting.postprocess.guided_filter import COVARIANCES, RADIUS, SMOOTHNESS, confidence, is_soft, solve_slopes


def guided_filter(alpha: Tensor, image: Tensor) -> Tensor:
    """Fit the soft pixels of alphas to the colours around them; the result is that of `postprocess.guided_filter`,
    apart from the pixels within two windows of the picture's edge, which average what is there instead of a mirror image.

    Gradients flow through what is fitted, not through the weights of the fit, and pass 0 and 1 as if these were no limits.

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
    level, *products = (_average(torch.cat([alpha, image * alpha], 1) * weight) / total).split(1, 1)
    red, green, blue = (product - mean * level for product, mean in zip(products, means, strict=True))
    slopes = torch.cat(solve_slopes(covariances, (red, green, blue)), 1)
    offset = level - (slopes * averages).sum(1, keepdim=True)
    fit = _average(torch.cat([slopes, offset], 1) * weight) / total
    followed = (fit[:, :3] * image).sum(1, keepdim=True) + fit[:, 3:]
    return torch.where(is_soft(alpha), limit(followed), alpha)


def _average(x: Tensor) -> Tensor:
    """Over the windows, (B, C, H, W); outside of the picture there is nothing."""
    side = 2 * RADIUS + 1
    rows = F.avg_pool2d(x, (side, 1), 1, (RADIUS, 0), count_include_pad=False)
    return F.avg_pool2d(rows, (1, side), 1, (0, RADIUS), count_include_pad=False)
