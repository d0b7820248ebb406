"""Scribbles: what somebody says of a few places of a photo, spread over the first stage's answer before regions are redrawn.

Not in the paper. A scribble is a correction of the coarse alpha. It spreads from cell to cell where their colours are alike, as
far as the first stage was not certain, so that a rough stroke takes a smudge with it and stops at an edge. Where that leaves
background next to foreground, or an alpha in between, the trimap says unknown, and the second stage redraws these regions.
"""

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

_LEAST_SHARE = 0.25  # of a cell that a scribble covers
_GRID = 112  # cells along the longer side, at which the next numbers hold; scribbles do the same at every working size
_REACH = 40  # cells around the scribbles that may follow
_COLOUR_SCALE = 0.12  # colours that differ by this are hardly alike
_STAY, _STAY_CERTAIN = 0.01, 0.06  # how much a cell wants to keep its alpha where the first stage knew nothing, or everything
_CONTRAST = 3  # of what was corrected
_MUCH = 0.3  # of alpha, to be added
_CHANGED = 0.02  # of alpha; less is no change
_CERTAIN = 0.1  # from 0 or 1

Cells = NDArray[np.int8]  # (h, w): -1 background, 1 foreground, 0 not said


def check_scribbles(scribbles: NDArray, height: int, width: int) -> None:
    """Raises ValueError if scribbles are not (height, width) of -1, 0 and 1."""
    if scribbles.shape != (height, width):
        raise ValueError(f"scribbles must have the photo's shape {(height, width)}, got {scribbles.shape}")
    lowest, highest = scribbles.min(), scribbles.max()
    if not np.issubdtype(scribbles.dtype, np.integer) or lowest < -1 or highest > 1:
        kind = f"{scribbles.dtype} from {lowest} to {highest}"
        raise ValueError(f"scribbles must be integers, -1 (background), 0 or 1 (foreground), got {kind}")


def scribbled_cells(scribbles: NDArray[np.int8], grid: tuple[int, int]) -> Cells:
    """What scribbles (H, W) say of the cells of a grid (h, w): at least a quarter of a cell counts, the larger share wins."""
    masks = ((scribbles == value).view(np.uint8) * np.uint8(255) for value in (-1, 1))
    background, foreground = (cv2.resize(mask, grid[::-1], interpolation=cv2.INTER_AREA) for mask in masks)
    said = np.where(foreground > background, 1, -1) * (np.maximum(background, foreground) >= _LEAST_SHARE * 255)
    return said.astype(np.int8)


def follow_scribbles(coarse: CoarsePrediction, image: Tensor, cells: Cells) -> CoarsePrediction:
    """Correct the first stage's answer.

    Args:
        coarse: output of the first stage for one image.
        image: (1, 3, H, W) in [0, 1], what it saw.
        cells: (H/8, W/8), what scribbles say.

    Returns:
        The same with another alpha and trimap around the scribbles; the logits stay as they are.
    """
    if not cells.any():
        return coarse
    finer = max(cells.shape) / _GRID
    box = bounding_box(cells != 0, margin=round(_REACH * finer))
    alpha = coarse.alpha[0, 0].float().cpu().numpy()
    colours = F.adaptive_avg_pool2d(image, cells.shape)[0].permute(1, 2, 0).float().cpu().numpy()
    corrected = alpha.copy()
    added = _spread(alpha[box], colours[box], cells[box], finer)
    corrected[box] = _decide(alpha[box] + added, added)
    return _replace(coarse, alpha, corrected)


def _spread(alpha: NDArray[np.float32], colours: NDArray[np.float32], cells: Cells, finer: float) -> NDArray[np.float32]:
    """What is added to alpha: given in scribbled cells, elsewhere as smooth as the colours and small where alpha was certain.

    It minimises the sum over neighbours of w (d_i - d_j)^2, w = exp(-(difference of colours / scale)^2), plus that of s d_i^2,
    s from `_STAY` for an alpha of one half to `_STAY_CERTAIN` for 0 and 1, over the square of how much finer the grid is.
    """
    alike = _likeness(colours)
    stay = (_STAY + (_STAY_CERTAIN - _STAY) * (2 * alpha.ravel() - 1) ** 8) / finer**2
    system = (sparse.diags(np.asarray(alike.sum(1)).ravel() + stay) - alike).tocsr()
    said = cells.ravel()
    given, free = np.flatnonzero(said), np.flatnonzero(said == 0)
    added = np.zeros(alpha.size)
    added[given] = (said[given] > 0) - alpha.ravel()[given]
    if len(free):
        rows = system[free]
        added[free] = spsolve(rows[:, free].tocsc(), -rows[:, given] @ added[given])
    return added.reshape(alpha.shape).astype(np.float32)


def _likeness(colours: NDArray[np.float32]) -> sparse.csr_matrix:
    """The weights w of all pairs of neighbours in a grid (h, w, 3) of colours, (h * w, h * w) and symmetric."""
    cells = colours.shape[0] * colours.shape[1]
    number = np.arange(cells).reshape(colours.shape[:2])
    one = np.concatenate([number[:, 1:].ravel(), number[1:].ravel()])
    two = np.concatenate([number[:, :-1].ravel(), number[:-1].ravel()])
    flat = colours.reshape(-1, 3)
    alike = np.exp(-np.square((flat[one] - flat[two]) / _COLOUR_SCALE).sum(1))
    weights = sparse.csr_matrix((alike, (one, two)), (cells, cells))
    return weights + weights.T


def _decide(alpha: NDArray[np.float32], added: NDArray[np.float32]) -> NDArray[np.float32]:
    """Make what was corrected more certain, so that smudges do not fade out slowly; in full where much was added."""
    share = np.minimum(np.abs(added) / _MUCH, 1)
    return (alpha + share * (_CONTRAST - 1) * (alpha - 0.5)).clip(0, 1)


def _replace(coarse: CoarsePrediction, alpha: NDArray[np.float32], corrected: NDArray[np.float32]) -> CoarsePrediction:
    """Another alpha, and a trimap that fits it wherever it changed or has a neighbour that did."""
    around = np.ones((3, 3), np.uint8)
    changed = cv2.dilate((np.abs(corrected - alpha) > _CHANGED).astype(np.uint8), around) > 0
    lowest, highest = cv2.erode(corrected, around), cv2.dilate(corrected, around)
    classes = np.where(highest < _CERTAIN, 0, np.where(lowest > 1 - _CERTAIN, 2, 1))
    device = coarse.alpha.device
    one_hot = F.one_hot(torch.from_numpy(classes).to(device), 3).permute(2, 0, 1)[None].to(coarse.trimap.dtype)
    trimap = torch.where(torch.from_numpy(changed).to(device), one_hot, coarse.trimap)
    return CoarsePrediction(torch.from_numpy(corrected).to(coarse.alpha)[None, None], trimap, coarse.logits)
