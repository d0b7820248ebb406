"""Close-ups: square crops of training images with the first stage's output for them, to train the second stage alone.

The receptive field of a region is its own pixels and the tokens of eight others, and few regions of an image contain hair.
Crops where the alpha has fine detail show more hair than whole images do, and can be repeated without running the first stage.
"""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from matting.network import REGION_SIZE, CoarsePrediction, select_regions
from matting.training.dataset import Batch, true_trimap, unite_cells

SIDE = 256  # pixels
_FINE_SHARE = 0.6  # of the squares are drawn by fine detail, the others uniformly from the unknown cells


class CloseUps(NamedTuple):
    """Square crops of images, S pixels or S/8 cells wide.

    Attributes:
        image: (B, 3, S, S) in [0, 1].
        alpha: (B, 1, S, S) in [0, 1].
        foreground: (B, 3, S, S) colours without background.
        background: (B, 3, S, S) another picture, for the composition loss.
        coarse_alpha: (B, 1, S/8, S/8) in [0, 1], of the first stage.
        unknown: (B, 1, S/8, S/8), 1 where the first stage's trimap or the true one is unknown, else 0.
        trimap: (B, 3, S/8, S/8) probabilities of the first stage.
        features: (B, C, S/8, S/8) bfloat16, what the first stage tells the refinement; no channels if it tells nothing.
    """

    image: Tensor
    alpha: Tensor
    foreground: Tensor
    background: Tensor
    coarse_alpha: Tensor
    unknown: Tensor
    trimap: Tensor
    features: Tensor

    @property
    def batch(self) -> Batch:
        """The crops without the first stage's output, as the losses need them."""
        return Batch(*self[:4])

    @property
    def coarse(self) -> CoarsePrediction:
        """What the first stage says."""
        return CoarsePrediction(self.coarse_alpha, self.trimap, (), self.features.float() if self.features.shape[1] else None)


def cut_close_ups(batch: Batch, coarse: CoarsePrediction, count: int, rng: np.random.Generator) -> CloseUps:
    """Crop `count` squares of `SIDE` pixels from a batch of images that are at least as large.

    Args:
        batch: whole images.
        coarse: the first stage's output for them.
        count: number of squares; they may overlap.
        rng: random numbers.
    """
    image, row, column = unite_cells(select_regions(coarse.trimap), true_trimap(batch.alpha)).unbind(1)
    unknown = torch.zeros_like(coarse.alpha, dtype=batch.alpha.dtype)
    unknown[image, 0, row, column] = 1
    features = coarse.alpha[:, :0] if coarse.features is None else coarse.features
    planes = CloseUps(*batch, coarse.alpha.to(batch.alpha), unknown, coarse.trimap.to(batch.alpha), features.bfloat16())
    height, width = unknown.shape[2:]
    side = SIDE // REGION_SIZE
    squares = []
    for centre in rng.choice(unknown.numel(), count, p=square_chances(batch.alpha, unknown)):
        picture, top, left = np.unravel_index(centre, (len(unknown), height, width))
        top, left = (int(np.clip(at - side // 2, 0, most - side)) for at, most in ((top, height), (left, width)))
        squares.append([_cut(plane[picture], plane.shape[2] // height, top, left, side) for plane in planes])
    return CloseUps(*(torch.stack(parts) for parts in zip(*squares, strict=True)))


def square_chances(alpha: Tensor, unknown: Tensor) -> NDArray[np.float64]:
    """Probability of each cell to be the centre of a square: higher where the alpha is soft and differs from pixel to pixel.

    An image's share of the squares grows with the square root of its fine detail, so that one with much hair does not get all.

    Args:
        alpha: (B, 1, H, W) in [0, 1].
        unknown: (B, 1, H/8, W/8), 1 where squares may lie; anywhere if there is no such cell.

    Returns:
        (B * H/8 * W/8,) probabilities with a sum of 1.
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
