"""Strands of hair that follow the photo pixel by pixel: closed-form matting that starts from the alpha the network has drawn.

The matting Laplacian (Levin, Lischinski, Weiss 2008) says of every three by three pixels how alpha may follow their colours.
Alone it loses its way in clutter and blurs edges between like colours; the network's alpha is believed along edges, where
little is soft, and next to nothing where everything around is soft, as in hair.
"""

import cv2
import numpy as np
from numpy.typing import NDArray
from pymatting import cf_laplacian
from scipy import sparse
from scipy.sparse.linalg import cg

from matting.postprocess.box import bounding_box
from matting.postprocess.guided_filter import Plane, certainty

EDGE_WEIGHT = 30.0  # in the drawn alpha, where nothing around is soft
HAIR_WEIGHT = 0.03  # where as much is soft as in hair
HAIR_SOFTNESS = 0.5  # mean of 4 a (1 - a) around a pixel, from which on it counts as hair
_REACH = 90  # softness is averaged over the 90th part of the longer side
_LEAST_CERTAIN = 0.05  # how much an alpha of 0.5 is believed, next to 1.05 for one of 0 or 1
_SMOOTHNESS = 1e-5  # in squared units of colour
_BLUR = 0.5  # pixels, of the colours: noise and the blocks of JPEG would become strands
_STRIP_PIXELS = 30_000
_SHARED = 2  # pixels: how far two of one window lie apart
_TOLERANCE = 3e-6
_MOST_STEPS = 200


def solve_closed_form(alpha: Plane, image: NDArray[np.float32], unknown: NDArray[np.bool_]) -> Plane:
    """Redraw the unknown pixels of an alpha so that hair follows the colours of the photo.

    Args:
        alpha: (h, w) in [0, 1].
        image: (h, w, 3) in [0, 1].
        unknown: (h, w), the pixels that may change; all others stay as they are.

    Returns:
        (h, w) in [0, 1].
    """
    if not unknown.any():
        return alpha
    drawn, belief = alpha.ravel(), prior_weights(alpha).ravel()
    inside = np.flatnonzero(unknown)
    rows = _laplacian_rows(cv2.GaussianBlur(image, (0, 0), _BLUR), unknown)
    system = rows[:, inside] + sparse.diags(belief[inside])
    wanted = belief[inside] * drawn[inside] - rows @ np.where(unknown.ravel(), 0, drawn)
    nearly_inverse = sparse.diags(1 / system.diagonal())
    solved, _ = cg(system, wanted, drawn[inside], rtol=_TOLERANCE, maxiter=_MOST_STEPS, M=nearly_inverse)
    followed = drawn.copy()
    followed[inside] = solved.clip(0, 1)
    return followed.reshape(alpha.shape)


def _laplacian_rows(image: NDArray[np.float32], unknown: NDArray[np.bool_]) -> sparse.csr_array:
    """The rows of the matting Laplacian of (h, w, 3) that belong to the U unknown pixels, (U, h * w) float32.

    Computed strip by strip, each with the two pixels around it that its own ones share windows with: `cf_laplacian` needs
    400 bytes for every pixel it is shown, known or not.
    """
    strips, height = [], max(1, _STRIP_PIXELS // unknown.shape[1])
    numbers = np.arange(unknown.size, dtype=np.int32).reshape(unknown.shape)
    for top in range(0, len(unknown), height):
        if unknown[top : top + height].any():
            first = max(0, top - _SHARED)
            strip = slice(first, top + height + _SHARED)
            own = unknown[strip].copy()
            own[: top - first] = own[top - first + height :] = False
            near = bounding_box(own, _SHARED)
            colours, known = image[strip][near].astype(np.float64), ~unknown[strip][near]
            rows = cf_laplacian(colours, _SMOOTHNESS, 1, known)[np.flatnonzero(own[near])]
            parts = rows.data.astype(np.float32), numbers[strip][near].ravel()[rows.indices], rows.indptr
            strips.append(sparse.csr_array(parts, (rows.shape[0], unknown.size)))
    return sparse.vstack(strips, "csr")


def prior_weights(alpha: Plane) -> Plane:
    """How much the drawn alpha (h, w) is believed at every pixel, next to its colours: less, the softer all around is."""
    soft = cv2.GaussianBlur(4 * alpha * (1 - alpha), (0, 0), max(alpha.shape) / _REACH)
    hair = (soft / HAIR_SOFTNESS).clip(0, 1)
    return EDGE_WEIGHT ** (1 - hair) * HAIR_WEIGHT**hair * certainty(alpha, _LEAST_CERTAIN)
