"""The training losses, one function per equation of the paper's supplementary material, section 1.

Shape letters: B images, H W pixels, h w cells or pixels of any scale. Every loss is a mean, so sizes do not matter.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

EPSILON = 1e-6
PYRAMID_LEVELS = 5
TRIMAP_CLASSES = 3


class MatteLoss(NamedTuple):
    """The terms of one training step, each a scalar; `total` is their plain sum."""

    coarse: Tensor
    trimap: Tensor
    alpha: Tensor
    pyramid: Tensor
    composition: Tensor

    @property
    def total(self) -> Tensor:
        return self.coarse + self.trimap + self.alpha + self.pyramid + self.composition


def coarse_alpha_loss(logits: Tensor, alpha: Tensor, weight: Tensor | None = None) -> Tensor:
    """Eq. 1: binary cross entropy between a coarse alpha and the true one, averaged over cells of its size.

    Args:
        logits: (B, 1, h, w), before the sigmoid.
        alpha: (B, 1, H, W) in [0, 1], H and W multiples of h and w.
        weight: (B, 1, H, W), how much places count; all the same if None, as in the paper.
    """
    _check(logits.ndim == 4 and logits.shape[1] == 1, "logits must be (B, 1, h, w)", logits)
    size = logits.shape[2], logits.shape[3]
    weight = weight if weight is None else F.adaptive_avg_pool2d(weight, size)
    return F.binary_cross_entropy_with_logits(logits, F.adaptive_avg_pool2d(alpha, size), weight)


def enclosed(alpha: Tensor, reach: int) -> Tensor:
    """Share of background in narrow gaps: what a morphological closing of the alpha adds to it.

    Args:
        alpha: (B, 1, H, W) in [0, 1].
        reach: half of the widest gap, in pixels.

    Returns:
        (B, 1, H, W) in [0, 1].
    """
    side = 2 * reach + 1
    closed = -F.max_pool2d(-F.max_pool2d(alpha, side, 1, reach), side, 1, reach)
    return (closed - alpha).clamp(min=0)


def class_weights(trimap: Tensor) -> Tensor:
    """Eq. 3: w_i = n_i^-0.5 / sum_j n_j^-0.5 with n_i the number of cells of class i; 0 for a class that is not there.

    Args:
        trimap: (B, h, w) int64 classes 0, 1, 2.

    Returns:
        (3,) float32 weights that sum to 1.
    """
    counts = torch.bincount(trimap.flatten(), minlength=TRIMAP_CLASSES).float()
    weights = torch.where(counts > 0, counts.clamp(min=1).rsqrt(), 0.0)
    return weights / weights.sum()


def trimap_loss(logits: Tensor, trimap: Tensor) -> Tensor:
    """Eq. 2: focal loss, sum_i w_i (1 - p_i)^2 t_i (-log q_i), over cells and divided by the sum of their weights.

    With one-hot t only the true class contributes, and there p_i = q_i.

    Args:
        logits: (B, 3, h, w), before the softmax over background, unknown, foreground.
        trimap: (B, h, w) int64 classes.
    """
    _check(logits.ndim == 4 and logits.shape[1] == TRIMAP_CLASSES, "logits must be (B, 3, h, w)", logits)
    log_q = logits.log_softmax(1).gather(1, trimap[:, None])[:, 0]  # (B, h, w), of the true class
    weight = class_weights(trimap).to(log_q.dtype)[trimap]
    return (weight * (1 - log_q.exp()).square() * -log_q).sum() / weight.sum()


def penalty(difference: Tensor) -> Tensor:
    """Eq. 4: sqrt(d^2 + eps^2), the Charbonnier penalty."""
    return torch.sqrt(difference.square() + EPSILON**2)


def alpha_loss(predicted: Tensor, alpha: Tensor, weight: Tensor) -> Tensor:
    """Eq. 4 as a weighted mean over pixels.

    Args:
        predicted: (B, 1, H, W) in [0, 1].
        alpha: (B, 1, H, W) in [0, 1].
        weight: (B, 1, H, W), at least one above 0.
    """
    _check(predicted.shape == alpha.shape, f"predicted must have alpha's shape {tuple(alpha.shape)}", predicted)
    return _weighted_mean(penalty(predicted - alpha), weight)


def laplacian_pyramid(x: Tensor, levels: int = PYRAMID_LEVELS) -> list[Tensor]:
    """Laplacian pyramid of (B, C, H, W): band-pass maps at R1, R2, ... and the low-pass residual, `levels` + 1 in all."""
    maps = []
    for _ in range(levels):
        smaller = F.avg_pool2d(x, 2)
        maps.append(x - F.interpolate(smaller, scale_factor=2, mode="bilinear", align_corners=False))
        x = smaller
    return [*maps, x]


def pyramid_loss(predicted: Tensor, alpha: Tensor, weight: Tensor) -> Tensor:
    """Eq. 5: the penalty of Eq. 4 on a Laplacian pyramid, R1 to R32, averaged over its maps.

    Raises:
        ValueError: if a side is not a multiple of 32.
    """
    _check(all(side % 2**PYRAMID_LEVELS == 0 for side in alpha.shape[2:]), "sides must be multiples of 32", alpha)
    terms = []
    for detail in laplacian_pyramid(predicted - alpha):
        terms.append(_weighted_mean(penalty(detail), F.adaptive_avg_pool2d(weight, (detail.shape[2], detail.shape[3]))))
    return torch.stack(terms).mean()


def composition_loss(predicted: Tensor, alpha: Tensor, foreground: Tensor, background: Tensor, weight: Tensor) -> Tensor:
    """Eq. 6: the penalty of Eq. 4 between two composites on a new background, one with each alpha.

    Args:
        predicted: (B, 1, H, W) in [0, 1].
        alpha: (B, 1, H, W) in [0, 1].
        foreground: (B, 3, H, W) estimated colours of the foreground.
        background: (B, 3, H, W) any other picture.
        weight: (B, 1, H, W).
    """
    difference = (predicted - alpha) * (foreground - background)
    return _weighted_mean(penalty(difference), weight.expand_as(difference))


def _weighted_mean(x: Tensor, weight: Tensor) -> Tensor:
    return (x * weight).sum() / weight.sum().clamp(min=1e-12)


def _check(condition: bool, expected: str, given: Tensor) -> None:
    if not condition:
        raise ValueError(f"{expected}, got {tuple(given.shape)}")
