"""Scribbles: foreground and background labels drawn by hand, which correct the coarse alpha and trimap before refinement.

Not in the paper. A label spreads from cell to cell as in random-walker and closed-form scribble matting: far where colours are
similar and the coarse alpha is uncertain, little across edges. Where the corrected alpha is in between, or background meets
foreground, the trimap becomes unknown, so that the second stage refines these regions.
"""

from dataclasses import replace

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import spsolve
from torch import Tensor
from torch.nn import functional as F

from matting.network import CoarsePrediction
from matting.postprocess.box import bounding_box

# Chosen on 48 training photos with one stroke each: training/LEARNT.md, "So people can mend such places".
_MIN_COVER = 0.25  # share of a cell that a scribble has to cover
_REFERENCE_CELLS = 112  # cells along the longer side for which the next numbers hold; scaled, so that every working size agrees
_REACH = 40  # cells around the scribbles that may change
_COLOUR_SCALE = 0.12  # difference of two RGB colours in [0, 1] at which their cells' weight is 1/e
_STAY_UNCERTAIN, _STAY_CERTAIN = 0.01, 0.06  # weight of keeping a cell's alpha where that is 0.5, and where it is 0 or 1
_CONTRAST = 3  # slope around 0.5 of a fully corrected alpha
_FULL_CORRECTION = 0.3  # change of alpha from which on the contrast applies in full
_MIN_CHANGE = 0.02  # of alpha; the trimap stays where less changed
_KNOWN_DISTANCE = 0.1  # of alpha from 0 or 1 up to which a corrected cell is known

CellLabels = NDArray[np.int8]  # (h, w): -1 background, 1 foreground, 0 unlabelled


def check_scribbles(scribbles: NDArray, height: int, width: int) -> None:
    """Raises ValueError if scribbles are not (height, width) integers of -1, 0 and 1."""
    if scribbles.shape != (height, width):
        raise ValueError(f"scribbles must have the photo's shape {(height, width)}, got {scribbles.shape}")
    lowest, highest = scribbles.min(), scribbles.max()
    if not np.issubdtype(scribbles.dtype, np.integer) or lowest < -1 or highest > 1:
        kind = f"{scribbles.dtype} from {lowest} to {highest}"
        raise ValueError(f"scribbles must be integers, -1 (background), 0 or 1 (foreground), got {kind}")


def label_cells(scribbles: NDArray[np.int8], grid: tuple[int, int]) -> CellLabels:
    """Labels (h, w) of a grid's cells from scribbles (H, W): the majority, if it covers at least a quarter of the cell."""
    masks = ((scribbles == value).view(np.uint8) * np.uint8(255) for value in (-1, 1))
    background, foreground = (cv2.resize(mask, grid[::-1], interpolation=cv2.INTER_AREA) for mask in masks)
    labels = np.where(foreground > background, 1, -1) * (np.maximum(background, foreground) >= _MIN_COVER * 255)
    return labels.astype(np.int8)


def apply_scribbles(coarse: CoarsePrediction, image: Tensor, labels: CellLabels) -> CoarsePrediction:
    """Correct the coarse alpha and trimap around scribbles.

    Args:
        coarse: output of the coarse stage for one image.
        image: (1, 3, H, W) RGB in [0, 1], its input.
        labels: (H/8, W/8), from `label_cells`.

    Returns:
        The corrected prediction. The logits are unchanged.
    """
    if not labels.any():
        return coarse
    scale = max(labels.shape) / _REFERENCE_CELLS
    box = bounding_box(labels != 0, margin=round(_REACH * scale))
    alpha = coarse.alpha[0, 0].float().cpu().numpy()
    colours = F.adaptive_avg_pool2d(image, labels.shape)[0].permute(1, 2, 0).float().cpu().numpy()
    corrected = alpha.copy()
    change = _spread(alpha[box], colours[box], labels[box], scale)
    corrected[box] = _sharpen(alpha[box] + change, change)
    return _replace(coarse, alpha, corrected)


def _spread(alpha: NDArray[np.float32], colours: NDArray[np.float32], labels: CellLabels, scale: float) -> NDArray[np.float32]:
    """The change d of alpha: fixed by the labels, elsewhere smooth where colours are, and small where alpha is 0 or 1.

    It minimises sum_ij w_ij (d_i - d_j)^2 + sum_i s_i d_i^2 over pairs of 4-neighbours, with w from `_colour_weights` and s
    from `_STAY_UNCERTAIN` at alpha 0.5 to `_STAY_CERTAIN` at 0 and 1, divided by the square of the grid's scale.

    Args:
        alpha: (h, w) coarse alpha in [0, 1].
        colours: (h, w, 3) mean colours of the cells in [0, 1].
        labels: (h, w).
        scale: cells per cell of the reference grid.
    """
    weights = _colour_weights(colours)
    stay = (_STAY_UNCERTAIN + (_STAY_CERTAIN - _STAY_UNCERTAIN) * (2 * alpha.ravel() - 1) ** 8) / scale**2
    system = (sparse.diags(np.asarray(weights.sum(1)).ravel() + stay) - weights).tocsr()
    flat = labels.ravel()
    given, free = np.flatnonzero(flat), np.flatnonzero(flat == 0)
    change = np.zeros(alpha.size)
    change[given] = (flat[given] > 0) - alpha.ravel()[given]
    if len(free):
        rows = system[free]
        change[free] = spsolve(rows[:, free].tocsc(), -rows[:, given] @ change[given])
    return change.reshape(alpha.shape).astype(np.float32)


def _colour_weights(colours: NDArray[np.float32]) -> sparse.csr_matrix:
    """Symmetric (h * w, h * w) weights exp(-|c_i - c_j|^2 / scale^2) of all 4-neighbours in a grid (h, w, 3) of colours."""
    cells = colours.shape[0] * colours.shape[1]
    index = np.arange(cells).reshape(colours.shape[:2])
    one = np.concatenate([index[:, 1:].ravel(), index[1:].ravel()])
    two = np.concatenate([index[:, :-1].ravel(), index[:-1].ravel()])
    flat = colours.reshape(-1, 3)
    similarity = np.exp(-np.square((flat[one] - flat[two]) / _COLOUR_SCALE).sum(1))
    weights = sparse.csr_matrix((similarity, (one, two)), (cells, cells))
    return weights + weights.T


def _sharpen(alpha: NDArray[np.float32], change: NDArray[np.float32]) -> NDArray[np.float32]:
    """Raise the contrast of a corrected alpha around 0.5 in proportion to its change, so that corrections end sharply."""
    share = np.minimum(np.abs(change) / _FULL_CORRECTION, 1)
    return (alpha + share * (_CONTRAST - 1) * (alpha - 0.5)).clip(0, 1)


def _replace(coarse: CoarsePrediction, alpha: NDArray[np.float32], corrected: NDArray[np.float32]) -> CoarsePrediction:
    """Set the corrected alpha, and a matching one-hot trimap wherever it or one of its 8 neighbours changed."""
    around = np.ones((3, 3), np.uint8)
    changed = cv2.dilate((np.abs(corrected - alpha) > _MIN_CHANGE).astype(np.uint8), around) > 0
    lowest, highest = cv2.erode(corrected, around), cv2.dilate(corrected, around)
    classes = np.where(highest < _KNOWN_DISTANCE, 0, np.where(lowest > 1 - _KNOWN_DISTANCE, 2, 1))
    device = coarse.alpha.device
    one_hot = F.one_hot(torch.from_numpy(classes).to(device), 3).permute(2, 0, 1)[None].to(coarse.trimap.dtype)
    trimap = torch.where(torch.from_numpy(changed).to(device), one_hot, coarse.trimap)
    return replace(coarse, alpha=torch.from_numpy(corrected).to(coarse.alpha)[None, None], trimap=trimap)
