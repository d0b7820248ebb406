"""Between the photo's size and the working size of the network, and back."""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from matting.network import REGION_SIZE
from matting.postprocess.closed_form import solve_closed_form
from matting.postprocess.guided_filter import EIGHT_BIT_ROUNDING, fit_colours, guided_filter


def to_tensor(pixels: NDArray[np.uint8], size: tuple[int, int], device: torch.device) -> Tensor:
    """(H, W, 3) uint8 -> (1, 3, h, w) float32 in [0, 1] at the working size (height, width)."""
    shrinks = size[0] < pixels.shape[0] or size[1] < pixels.shape[1]
    resized = cv2.resize(pixels, size[::-1], interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    return torch.from_numpy(resized).to(device).permute(2, 0, 1)[None].float().div_(255)


def enlarge_coarse(coarse_alpha: Tensor) -> Tensor:
    """(B, 1, h, w) -> (B, 1, 8h, 8w), bilinear."""
    return F.interpolate(coarse_alpha, scale_factor=REGION_SIZE, mode="bilinear", align_corners=False)


def resize_alpha(alpha: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """An alpha at another size, still in [0, 1]; averaged where it shrinks, bicubic where it grows."""
    shrinks = height < alpha.shape[0] and width < alpha.shape[1]
    resized = cv2.resize(alpha, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    resized[resized < EIGHT_BIT_ROUNDING] = 0
    resized[resized > 1 - EIGHT_BIT_ROUNDING] = 1
    return resized


def upsample_alpha(
    alpha: NDArray[np.float32],
    known: NDArray[np.float32],
    small: NDArray[np.float32],
    pixels: NDArray[np.uint8],
    guide: bool = True,
    strands: bool = True,
) -> NDArray[np.float32]:
    """An alpha at the size of the photo, with the detail that the photo has and the working size has not.

    At the smaller one of both sizes it is made to follow the colours of the photo (`guided_filter`,
    then `closed_form`).
    On the way to a larger photo, the slopes of a narrow fit turn what the working size lost of the photo into what
    it lost of the alpha.

    Args:
        alpha: (h, w) in [0, 1] at the working size.
        known: (h/8, w/8), exactly 0 or 1 where a cell is known to be background or foreground, in between elsewhere.
        small: (h, w, 3) in [0, 1], the photo at the working size.
        pixels: (H, W, 3) uint8, the photo.
        guide: False leaves the alpha as it was drawn, apart from its size.
        strands: False leaves out the second of both steps.

    Returns:
        (H, W) in [0, 1]; where the photo is the larger one, known cells are exactly 0 or 1.
    """
    height, width = pixels.shape[:2]
    if height <= alpha.shape[0] and width <= alpha.shape[1]:
        resized = resize_alpha(alpha, height, width)
        return _follow(resized, known, pixels / np.float32(255), guide, strands)
    alpha = _follow(alpha, known, small, guide, strands)
    resized = resize_alpha(alpha, height, width)
    cells = cv2.resize(known, (width, height), interpolation=cv2.INTER_NEAREST)
    certain = _is_certain(cells)
    resized[certain] = cells[certain]
    slopes = fit_colours(alpha, small, 1, np.ones_like(alpha)).slopes
    for channel in range(3):  # one at a time, to spare memory
        lost = pixels[..., channel] / np.float32(255)
        lost -= cv2.resize(small[..., channel], (width, height), interpolation=cv2.INTER_CUBIC)
        lost *= cv2.resize(slopes[..., channel], (width, height), interpolation=cv2.INTER_LINEAR)
        lost[certain] = 0
        resized += lost
    return resized.clip(0, 1, out=resized)


def _follow(
    alpha: NDArray[np.float32], known: NDArray[np.float32], image: NDArray[np.float32], guide: bool, strands: bool
) -> NDArray[np.float32]:
    if not guide:
        return alpha
    alpha = guided_filter(alpha, image)
    if not strands:
        return alpha
    unknown = ~_is_certain(cv2.resize(known, alpha.shape[::-1], interpolation=cv2.INTER_NEAREST))
    return solve_closed_form(alpha, image, unknown)


def _is_certain(cells: NDArray[np.float32]) -> NDArray[np.bool_]:
    return (cells == 0) | (cells == 1)
