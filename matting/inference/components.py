"""Islands: what the first stage finds apart from everybody, and too small to be somebody."""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from matting.network import CoarsePrediction

_SMALLEST = 0.05  # of the largest piece's area
_SOMETHING = 0.1  # a cell with more alpha than this belongs to a piece


def drop_small_components(coarse: CoarsePrediction, spared: NDArray[np.bool_] | None = None) -> CoarsePrediction:
    """Call background what stands apart and has less than a twentieth of the area of the largest piece of foreground.

    Not in the paper. On the training photos hardly any of it belonged to somebody: it was legs of passers-by, leaves, things on
    a wall. Cells of a piece touch each other, at their corners too, and are unknown, foreground or a tenth opaque, so
    loose hair stays with its head.

    Args:
        coarse: output of the first stage.
        spared: (h, w) cells, if given; what holds one of them stays.

    Returns:
        The same without them: alpha 0 and trimap background there. The logits stay as they are.
    """
    something = (coarse.alpha[:, 0] > _SOMETHING) | (coarse.trimap.argmax(1) != 0)
    planes = zip(something.cpu().numpy(), coarse.alpha[:, 0].float().cpu().numpy(), strict=True)
    found = np.stack([_small_components(mask, alpha, spared) for mask, alpha in planes])
    small_components = torch.from_numpy(found).to(coarse.alpha.device)[:, None]
    if not small_components.any():
        return coarse
    background = torch.tensor([1, 0, 0], dtype=coarse.trimap.dtype, device=small_components.device)[:, None, None]
    return CoarsePrediction(
        coarse.alpha.masked_fill(small_components, 0), torch.where(small_components, background, coarse.trimap), coarse.logits
    )


def _small_components(
    something: NDArray[np.bool_], alpha: NDArray[np.float32], spared: NDArray[np.bool_] | None
) -> NDArray[np.bool_]:
    count, pieces = cv2.connectedComponents(something.astype(np.uint8), connectivity=8)
    area = np.bincount(pieces.ravel(), alpha.ravel(), count)
    area[0] = 0
    small = area < _SMALLEST * area.max()
    if spared is not None:
        small[pieces[spared]] = False
    return small[pieces] & something
