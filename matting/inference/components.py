"""Removal of small connected components from the coarse alpha: false positives that are too small to be a person."""

from dataclasses import replace

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from matting.network import CoarsePrediction

# Share of the largest component's area. Of 485 components of training photos below it, 27 belonged to a person; the smallest
# true second person had 23% (training/LEARNT.md, "Small components").
_MIN_AREA = 0.05
_MIN_ALPHA = 0.1  # cells with more alpha than this belong to a component


def drop_small_components(coarse: CoarsePrediction, kept: NDArray[np.bool_] | None = None) -> CoarsePrediction:
    """Set connected components with less than a twentieth of the largest one's area to background.

    Not in the paper. A component is 8-connected and consists of cells that the trimap calls unknown or foreground or whose
    alpha exceeds 0.1, so that loose hair stays connected to its head; its area is the sum of its alpha.

    Args:
        coarse: output of the coarse stage.
        kept: (h, w), if given: components with one of these cells are not removed.

    Returns:
        The prediction with alpha 0 and trimap background in these components. The logits are unchanged.
    """
    planes = zip(occupied_cells(coarse), coarse.alpha[:, 0].float().cpu().numpy(), strict=True)
    return clear_cells(coarse, np.stack([_small_components(*plane, kept) for plane in planes]))


def occupied_cells(coarse: CoarsePrediction) -> NDArray[np.bool_]:
    """(B, h, w), True in the cells that the trimap calls unknown or foreground or whose alpha exceeds 0.1."""
    return ((coarse.alpha[:, 0] > _MIN_ALPHA) | (coarse.trimap.argmax(1) != 0)).cpu().numpy()


def clear_cells(coarse: CoarsePrediction, cells: NDArray[np.bool_]) -> CoarsePrediction:
    """The prediction with alpha 0 and trimap background in cells (B, h, w); the same one if there are none."""
    if not cells.any():
        return coarse
    empty = torch.from_numpy(cells).to(coarse.alpha.device)[:, None]  # (B, 1, h, w)
    background = torch.tensor([1, 0, 0], dtype=coarse.trimap.dtype, device=empty.device)[:, None, None]
    trimap = torch.where(empty, background, coarse.trimap)
    return replace(coarse, alpha=coarse.alpha.masked_fill(empty, 0), trimap=trimap)


def _small_components(mask: NDArray[np.bool_], alpha: NDArray[np.float32], kept: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    count, components = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    area = np.bincount(components.ravel(), alpha.ravel(), count)
    area[0] = 0
    small = area < _MIN_AREA * area.max()
    if kept is not None:
        small[components[kept]] = False
    return small[components] & mask
