"""Closed-form matting in the unknown regions, with the network's alpha as a soft prior, so that hair follows the photo.

The matting Laplacian L (Levin, Lischinski, Weiss 2008) measures how far alpha is from a linear function of colour in
every 3x3 window. Here a^T L a + (a - prior)^T D (a - prior) is minimised over the unknown pixels. Without the prior, the
solution goes wrong on cluttered backgrounds and blurs edges between similar colours; so the diagonal D is large along sharp
edges and small where the alpha is soft all around, as in hair. Measured in training/RESULTS.md, "closed-form matting".
"""

import cv2
import numpy as np
from numpy.typing import NDArray
from pymatting import cf_laplacian
from scipy import sparse
from scipy.sparse.linalg import cg

from matting.postprocess.box import bounding_box
from matting.postprocess.guided_filter import Plane, confidence

# Chosen on training photos: training/RESULTS.md, "closed-form matting" and the paragraphs after it.
EDGE_WEIGHT = 30.0  # of the prior alpha where nothing around is soft
HAIR_WEIGHT = 0.03  # of the prior alpha where the alpha is as soft as in hair; 0.005, 0.02 and 0.05 were tried
HAIR_SOFTNESS = 0.5  # local mean of 4 a (1 - a) from which on a pixel counts as hair
_SIGMAS_PER_SIDE = 90  # the local mean is a Gaussian whose standard deviation is the longer side / 90
_LEAST_CONFIDENCE = 0.05  # weight of an alpha of 0.5; one of 0 or 1 has 1.05
_EPSILON = 1e-5  # regularisation of the Laplacian, in squared units of colour in [0, 1]
_BLUR_SIGMA = 0.5  # pixels, applied to the colours: without it, noise and JPEG blocks are taken for hair in dark photos
_STRIP_PIXELS = 30_000  # of the photo at a time: about 400 bytes each
_WINDOW_REACH = 2  # pixels: the largest distance between two pixels of a 3x3 window
_TOLERANCE = 3e-6  # of the residual; at 1e-4 the alpha is still up to 2.9/255 away from the solution on average
_MAX_ITERATIONS = 200


def solve_closed_form(alpha: Plane, image: NDArray[np.float32], unknown: NDArray[np.bool_]) -> Plane:
    """Solve closed-form matting for the unknown pixels, starting from an alpha that is also the prior.

    Conjugate gradients with a Jacobi preconditioner; where it does not converge in 200 iterations, the last iterate is used.

    Args:
        alpha: (h, w) in [0, 1], initial value and prior.
        image: (h, w, 3) RGB in [0, 1].
        unknown: (h, w), the pixels to solve for; all others are boundary conditions and keep their alpha.

    Returns:
        (h, w) in [0, 1].
    """
    if not unknown.any():
        return alpha
    prior, weights = alpha.ravel(), prior_weights(alpha).ravel()
    free = np.flatnonzero(unknown)
    rows = _laplacian_rows(cv2.GaussianBlur(image, (0, 0), _BLUR_SIGMA), unknown)
    system = rows[:, free] + sparse.diags(weights[free])
    right_side = weights[free] * prior[free] - rows @ np.where(unknown.ravel(), 0, prior)
    preconditioner = sparse.diags(1 / system.diagonal())
    solution, _ = cg(system, right_side, prior[free], rtol=_TOLERANCE, maxiter=_MAX_ITERATIONS, M=preconditioner)
    solved = prior.copy()
    solved[free] = solution.clip(0, 1)
    return solved.reshape(alpha.shape)


def _laplacian_rows(image: NDArray[np.float32], unknown: NDArray[np.bool_]) -> sparse.csr_array:
    """The rows of the matting Laplacian of (h, w, 3) that belong to the U unknown pixels, (U, h * w) float32.

    Computed in strips of rows, each padded by the two pixels that share a 3x3 window with it, since `cf_laplacian` needs about
    400 bytes for every pixel of its image, known or not.
    """
    strips, height = [], max(1, _STRIP_PIXELS // unknown.shape[1])
    indices = np.arange(unknown.size, dtype=np.int32).reshape(unknown.shape)
    for top in range(0, len(unknown), height):
        if unknown[top : top + height].any():
            first = max(0, top - _WINDOW_REACH)
            strip = slice(first, top + height + _WINDOW_REACH)
            own = unknown[strip].copy()
            own[: top - first] = own[top - first + height :] = False
            box = bounding_box(own, _WINDOW_REACH)
            colours, known = image[strip][box].astype(np.float64), ~unknown[strip][box]
            rows = cf_laplacian(colours, _EPSILON, 1, known)[np.flatnonzero(own[box])]
            parts = rows.data.astype(np.float32), indices[strip][box].ravel()[rows.indices], rows.indptr
            strips.append(sparse.csr_array(parts, (rows.shape[0], unknown.size)))
    return sparse.vstack(strips, "csr")


def prior_weights(alpha: Plane) -> Plane:
    """Weight of the prior alpha (h, w) at every pixel, the diagonal of D: lower, the softer the alpha is around it.

    From `EDGE_WEIGHT` to `HAIR_WEIGHT`, interpolated geometrically by the local softness, times the pixel's own `confidence`.
    """
    softness = cv2.GaussianBlur(4 * alpha * (1 - alpha), (0, 0), max(alpha.shape) / _SIGMAS_PER_SIDE)
    hair = (softness / HAIR_SOFTNESS).clip(0, 1)
    return EDGE_WEIGHT ** (1 - hair) * HAIR_WEIGHT**hair * confidence(alpha, _LEAST_CONFIDENCE)
