"""Resize a photo to the network's working size, and its alpha back to the photo's with the detail that was lost."""

from collections.abc import Callable

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from matting.network import REGION_SIZE
from matting.postprocess.box import tiles_around
from matting.postprocess.closed_form import solve_closed_form
from matting.postprocess.guided_filter import EIGHT_BIT_ROUNDING, fit_colours, guided_filter


def to_tensor(pixels: NDArray[np.uint8], size: tuple[int, int], device: torch.device) -> Tensor:
    """(H, W, 3) uint8 -> (1, 3, h, w) float32 in [0, 1] at the working size (height, width); area mean or bicubic."""
    shrinks = size[0] < pixels.shape[0] or size[1] < pixels.shape[1]
    resized = cv2.resize(pixels, size[::-1], interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    return torch.from_numpy(resized).to(device).permute(2, 0, 1)[None].float().div_(255)


def enlarge_coarse(coarse_alpha: Tensor) -> Tensor:
    """(B, 1, h, w) -> (B, 1, 8h, 8w), bilinear."""
    return F.interpolate(coarse_alpha, scale_factor=REGION_SIZE, mode="bilinear", align_corners=False)


def resize_alpha(alpha: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """Resize an alpha (h, w) in [0, 1] to (height, width): area mean if both sides shrink, bicubic otherwise.

    Values within half an 8-bit step of 0 or 1, and the overshoot of bicubic, become exactly 0 or 1.
    """
    shrinks = height < alpha.shape[0] and width < alpha.shape[1]
    resized = cv2.resize(alpha, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    resized[resized < EIGHT_BIT_ROUNDING] = 0
    resized[resized > 1 - EIGHT_BIT_ROUNDING] = 1
    return resized


def to_array(alpha: Tensor) -> NDArray[np.float32]:
    """(1, H, W) of any type on any device -> (H, W) float32 array."""
    return alpha[0].float().cpu().numpy()


def upsample_alpha(
    alpha: NDArray[np.float32],
    known: NDArray[np.float32],
    small: NDArray[np.float32],
    pixels: NDArray[np.uint8],
    *,
    guided: bool = True,
    closed: bool = True,
    lap: Callable[[str], None] = lambda step: None,
) -> NDArray[np.float32]:
    """Post-process the network's alpha and bring it to the photo's size.

    The guided filter and closed-form matting run at the smaller of the working size and the photo's size. If the photo is the
    larger one, its high frequencies (the photo minus its down- and upsampled copy) are added, times the coefficients of alpha
    as a linear function of colour in 3x3 windows (guided upsampling; He, Sun, Tang 2013, and He, Sun 2015).

    Args:
        alpha: (h, w) in [0, 1] at the working size.
        known: (h/8, w/8), exactly 0 or 1 where a cell is known background or foreground, in between elsewhere.
        small: (h, w, 3) RGB in [0, 1], the photo at the working size.
        pixels: (H, W, 3) uint8 RGB, the photo.
        guided: False leaves out the guided filter and closed-form matting.
        closed: False leaves out closed-form matting, which follows the guided filter.
        lap: called with "guided_filter", "closed_form" and "upsample" as each is done, for clocks.

    Returns:
        (H, W) in [0, 1]; where the photo is the larger one, known cells are exactly 0 or 1.
    """
    height, width = pixels.shape[:2]
    shrinks = height <= alpha.shape[0] and width <= alpha.shape[1]
    if shrinks:
        alpha, small = resize_alpha(alpha, height, width), pixels / np.float32(255)
        lap("upsample")
    if guided:
        alpha = guided_filter(alpha, small)
        lap("guided_filter")
    if guided and closed:
        cells = cv2.resize(known, alpha.shape[::-1], interpolation=cv2.INTER_NEAREST)
        alpha = solve_closed_form(alpha, small, ~_is_known(cells))
        lap("closed_form")
    if not shrinks:
        alpha = _add_high_frequencies(alpha, known, small, pixels)
        lap("upsample")
    return alpha


def _add_high_frequencies(
    alpha: NDArray[np.float32], known: NDArray[np.float32], small: NDArray[np.float32], pixels: NDArray[np.uint8]
) -> NDArray[np.float32]:
    height, width = pixels.shape[:2]
    resized = resize_alpha(alpha, height, width)
    cells = cv2.resize(known, (width, height), interpolation=cv2.INTER_NEAREST)
    is_known = _is_known(cells)
    resized[is_known] = cells[is_known]
    slopes = _narrow_slopes(alpha, known, small)
    for channel in range(3):  # one at a time, to save memory
        detail = pixels[..., channel] / np.float32(255)
        detail -= cv2.resize(small[..., channel], (width, height), interpolation=cv2.INTER_CUBIC)
        detail *= cv2.resize(slopes[..., channel], (width, height), interpolation=cv2.INTER_LINEAR)
        detail[is_known] = 0
        resized += detail
    return resized.clip(0, 1, out=resized)


def _narrow_slopes(alpha: NDArray[np.float32], known: NDArray[np.float32], small: NDArray[np.float32]) -> NDArray[np.float32]:
    """(h, w, 3) coefficients of alpha as a linear function of colour in 3x3 windows; 0 away from unknown cells."""
    slopes = np.zeros_like(small)
    near = cv2.dilate((~_is_known(known)).astype(np.uint8), np.ones((3, 3), np.uint8))
    for tile in tiles_around(cv2.resize(near, alpha.shape[::-1], interpolation=cv2.INTER_NEAREST) > 0, margin=2):
        part = alpha[tile.padded]
        slopes[tile.own] = fit_colours(part, small[tile.padded], 1, np.ones_like(part)).slopes[tile.inner]
    return slopes


def _is_known(cells: NDArray[np.float32]) -> NDArray[np.bool_]:
    return (cells == 0) | (cells == 1)
