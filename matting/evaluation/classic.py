"""Classical matting methods: closed-form and KNN matting on a trimap, GrabCut from a box.

pymatting compiles its loops when it is first imported, for up to a minute, so only the methods that need it import it.
"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

MAX_SIDE_PX = 512
_GRABCUT_ROUNDS = 5
_BACKGROUND, _UNKNOWN, _FOREGROUND = 0, 128, 255


def closed_form(image: NDArray[np.uint8], trimap: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Closed-form matting (Levin et al., CVPR 2006), by pymatting; see `from_trimap`."""
    from pymatting import estimate_alpha_cf

    return from_trimap(image, trimap, estimate_alpha_cf)


def knn(image: NDArray[np.uint8], trimap: NDArray[np.uint8]) -> NDArray[np.float32]:
    """KNN matting (Chen et al., CVPR 2012), by pymatting; see `from_trimap`."""
    from pymatting import estimate_alpha_knn

    return from_trimap(image, trimap, estimate_alpha_knn)


def from_trimap(
    image: NDArray[np.uint8],
    trimap: NDArray[np.uint8],
    solve: Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]],
) -> NDArray[np.float32]:
    """Solve for the unknown pixels of a trimap.

    Images whose longer side is above `MAX_SIDE_PX` are solved at that size, which takes seconds instead of minutes, and the
    alpha is enlarged bicubically.

    Args:
        image: (H, W, 3) uint8.
        trimap: (H, W) uint8 of 0, 128, 255.
        solve: pymatting's estimator, (H, W, 3) and (H, W) in [0, 1] -> alpha.

    Returns:
        (H, W) float32 in [0, 1]; the trimap's known pixels are kept.

    Raises:
        ValueError: if the sizes differ, or the trimap has unknown pixels but lacks foreground or background.
    """
    if image.shape[:2] != trimap.shape:
        raise ValueError(f"image and trimap must have the same size, got {image.shape[:2]} and {trimap.shape}")
    if (trimap != _UNKNOWN).all():
        return (trimap == _FOREGROUND).astype(np.float32)
    height, width = trimap.shape
    scale = min(1.0, MAX_SIDE_PX / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(trimap, size, interpolation=cv2.INTER_NEAREST)
    for value, name in ((_FOREGROUND, "foreground"), (_BACKGROUND, "background")):
        if not (small == value).any():
            raise ValueError(f"the trimap has no {name} pixel, which the solver needs")
    pixels = cv2.resize(image, size, interpolation=cv2.INTER_AREA) / 255
    solved = solve(pixels, small / 255 if scale < 1 else trimap / 255)
    alpha = cv2.resize(solved.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    return np.where(trimap == _UNKNOWN, alpha, trimap == _FOREGROUND).astype(np.float32)


def grabcut(image: NDArray[np.uint8], coarse_alpha: NDArray[np.float32]) -> NDArray[np.float32]:
    """GrabCut (Rother et al., SIGGRAPH 2004), by OpenCV, started from the box around a coarse alpha above 0.5.

    Pixels outside the box are background. So are those on the image's border with a coarse alpha of at most 0.5, because the
    box of a portrait may cover the whole image.

    Args:
        image: (H, W, 3) uint8.
        coarse_alpha: (H, W) in [0, 1].

    Returns:
        (H, W) float32, 0 or 1; all 0 if no coarse alpha is above 0.5, all 1 if no pixel is background.
    """
    person = coarse_alpha > 0.5
    if not person.any():
        return np.zeros(coarse_alpha.shape, np.float32)
    rows, columns = np.flatnonzero(person.any(1)), np.flatnonzero(person.any(0))
    mask = np.full(coarse_alpha.shape, cv2.GC_BGD, np.uint8)
    mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = cv2.GC_PR_FGD
    border = np.ones(coarse_alpha.shape, bool)
    border[1:-1, 1:-1] = False
    mask[border & ~person] = cv2.GC_BGD
    if not (mask == cv2.GC_BGD).any():
        return np.ones(coarse_alpha.shape, np.float32)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)
    mask, _, _ = cv2.grabCut(
        np.ascontiguousarray(image[..., ::-1]), mask, None, *models, _GRABCUT_ROUNDS, cv2.GC_INIT_WITH_MASK
    )
    return np.isin(mask, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.float32)
