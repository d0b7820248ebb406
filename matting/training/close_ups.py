"""Close-ups: parts of pictures, and what the first stage says of them once it has seen the whole; the second stage's lessons.

A region sees its own pixels and hints of eight others, and few regions of a picture hold hair. Squares cut where the alpha
is fine show it more hair than whole pictures do, and can be shown several times without the first stage.
"""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from matting.network import REGION_SIZE, CoarsePrediction, select_regions
from matting.training.dataset import Batch, true_trimap, unite_cells

SIDE = 256
_FINE_SHARE = 0.6  # of the squares lie where the alpha is fine, the others anywhere in the unknown area


class CloseUps(NamedTuple):
    """Squares of pictures, S pixels or S/8 cells wide.

    Attributes:
        image: (B, 3, S, S) in [0, 1].
        alpha: (B, 1, S, S) in [0, 1].
        foreground: (B, 3, S, S) colours without background.
        background: (B, 3, S, S) another picture, for the composition loss.
        coarse_alpha: (B, 1, S/8, S/8) in [0, 1], of the first stage.
        unknown: (B, 1, S/8, S/8), 1 where the first stage's trimap or the true one is unknown, else 0.
    """

    image: Tensor
    alpha: Tensor
    foreground: Tensor
    background: Tensor
    coarse_alpha: Tensor
    unknown: Tensor

    @property
    def batch(self) -> Batch:
        """What the losses compare with."""
        return Batch(*self[:4])


def cut_close_ups(batch: Batch, coarse: CoarsePrediction, count: int, rng: np.random.Generator) -> CloseUps:
    """Cut `count` squares of `SIDE` pixels out of a batch whose pictures are no smaller.

    Args:
        batch: whole pictures.
        coarse: what the first stage says of them.
        count: of the result; squares may overlap.
        rng: decides where they lie.
    """
    image, row, column = unite_cells(select_regions(coarse.trimap), true_trimap(batch.alpha)).unbind(1)
    unknown = torch.zeros_like(coarse.alpha, dtype=batch.alpha.dtype)
    unknown[image, 0, row, column] = 1
    planes = CloseUps(*batch, coarse.alpha.to(batch.alpha), unknown)
    height, width = unknown.shape[2:]
    side = SIDE // REGION_SIZE
    squares = []
    for centre in rng.choice(unknown.numel(), count, p=square_chances(batch.alpha, unknown)):
        picture, top, left = np.unravel_index(centre, (len(unknown), height, width))
        top, left = (int(np.clip(at - side // 2, 0, most - side)) for at, most in ((top, height), (left, width)))
        squares.append([_cut(plane[picture], plane.shape[2] // height, top, left, side) for plane in planes])
    return CloseUps(*(torch.stack(parts) for parts in zip(*squares, strict=True)))


def square_chances(alpha: Tensor, unknown: Tensor) -> NDArray[np.float64]:
    """How likely a square lies around each cell: fine alpha is soft, and differs from pixel to pixel.

    A picture's share of the fine squares is the root of what is fine in it, so that one full of strands does not get them all.

    Args:
        alpha: (B, 1, H, W) in [0, 1].
        unknown: (B, 1, H/8, W/8), 1 where squares may lie; anywhere if there is no such cell.

    Returns:
        (B * H/8 * W/8,) chances with a sum of 1.
    """
    rough = (alpha - F.avg_pool2d(alpha, 3, 1, 1, count_include_pad=False)).abs()
    fine = F.avg_pool2d(rough, REGION_SIZE) * F.avg_pool2d(alpha * (1 - alpha), REGION_SIZE) * unknown
    fine = fine / fine.sum((1, 2, 3), keepdim=True).clamp(min=1e-12).sqrt()
    allowed = unknown if unknown.any() else torch.ones_like(unknown)
    fine = fine if fine.any() else allowed
    shares = [x.flatten().double().cpu().numpy() for x in (fine, allowed)]
    fine_share, share = (x / x.sum() for x in shares)
    return _FINE_SHARE * fine_share + (1 - _FINE_SHARE) * share


def _cut(plane: Tensor, scale: int, top: int, left: int, side: int) -> Tensor:
    """The cells [top, top + side) by [left, left + side) of a plane (C, H, W) with `scale` pixels to a cell's side."""
    return plane[:, top * scale : (top + side) * scale, left * scale : (left + side) * scale]
