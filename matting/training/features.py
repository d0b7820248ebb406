"""Kept features: what the frozen lower part of the encoder says of a drawn picture, and all that the losses need of its truth.

The lower part is most of a training step of the first stage. Frozen, it says the same of the same picture every time, so a
picture can be shown many times for a tenth of the cost (`--cache-features`).
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from matting.network import REGION_SIZE
from matting.network.efficientnet import EfficientNetEncoder
from matting.training.dataset import Batch, true_trimap


class Features(NamedTuple):
    """A batch as the upper part of the first stage sees it.

    Attributes:
        r8: (B, 40, H/8, W/8) bfloat16 map of the encoder.
        r16: (B, 112, H/16, W/16) bfloat16 map of the encoder.
        alpha: (B, 1, H/8, W/8) true alpha, the mean of each cell.
        trimap: (B, H/8, W/8) uint8, the true classes of the cells.
    """

    r8: Tensor
    r16: Tensor
    alpha: Tensor
    trimap: Tensor


@torch.no_grad()
def keep_features(batch: Batch, encoder: EfficientNetEncoder) -> Features:
    """Run the lower part of an encoder, whose norms are fixed, on a batch."""
    r8, r16 = encoder.lower(batch.image)
    alpha = F.avg_pool2d(batch.alpha, REGION_SIZE)
    return Features(r8.bfloat16(), r16.bfloat16(), alpha, true_trimap(batch.alpha).byte())
