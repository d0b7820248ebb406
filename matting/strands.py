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

from matting.guide import Plane, believe, box_around

EDGE_BELIEF = 30.0  # in the drawn alpha, where nothing around is soft
HAIR_BELIEF = 0.005  # where as much is soft as in hair
HAIR_SOFTNESS = 0.5  # mean of 4 a (1 - a) around a pixel, from which on it counts as hair
_REACH = 90  # softness is averaged over the 90th part of the longer side
_LEAST_CERTAIN = 0.05  # how much an alpha of 0.5 is believed, next to 1.05 for one of 0 or 1
_SMOOTHNESS = 1e-5  # in squared units of colour
_MARGIN = 3
BAND_PIXELS = 2_400_000  # of a picture that are solved at once, 1536 by 1536
_CONTEXT = 64  # rows
_TOLERANCE = 1e-4
_MOST_STEPS = 60


def follow_strands(alpha: Plane, image: NDArray[np.float32], unknown: NDArray[np.bool_]) -> Plane:
    """Redraw the unknown pixels of an alpha so that hair follows the colours of the photo.

    A large picture is solved in bands of rows, each with some of the rows around it, so that memory stays bounded.

    Args:
        alpha: (h, w) in [0, 1].
        image: (h, w, 3) in [0, 1].
        unknown: (h, w), the pixels that may change; all others stay as they are.

    Returns:
        (h, w) in [0, 1].
    """
    followed, belief = alpha.copy(), believe_drawn(alpha)
    rows = max(_CONTEXT, BAND_PIXELS // alpha.shape[1])
    for top in range(0, len(alpha), rows):
        if unknown[top : top + rows].any():
            near = slice(max(0, top - _CONTEXT), top + rows + _CONTEXT)
            solved = _solve(followed[near], belief[near], image[near], unknown[near])
            followed[top : top + rows] = solved[top - near.start :][:rows]
    return followed


def _solve(alpha: Plane, belief: Plane, image: NDArray[np.float32], unknown: NDArray[np.bool_]) -> Plane:
    box = box_around(unknown, _MARGIN)
    open_pixels, drawn, belief = unknown[box], alpha[box].ravel(), belief[box].ravel()
    laplacian = cf_laplacian(np.ascontiguousarray(image[box], np.float64), _SMOOTHNESS, 1, ~open_pixels).tocsr()
    inside, outside = np.flatnonzero(open_pixels), np.flatnonzero(~open_pixels)
    rows = laplacian[inside]
    system = rows[:, inside] + sparse.diags(belief[inside])
    wanted = belief[inside] * drawn[inside] - rows[:, outside] @ drawn[outside]
    nearly_inverse = sparse.diags(1 / system.diagonal())
    solved, _ = cg(system, wanted, drawn[inside], rtol=_TOLERANCE, maxiter=_MOST_STEPS, M=nearly_inverse)
    followed = alpha.copy()
    followed[unknown] = solved.clip(0, 1)
    return followed


def believe_drawn(alpha: Plane) -> Plane:
    """How much the drawn alpha (h, w) is believed at every pixel, next to its colours: less, the softer all around is."""
    soft = cv2.GaussianBlur(4 * alpha * (1 - alpha), (0, 0), max(alpha.shape) / _REACH)
    hair = (soft / HAIR_SOFTNESS).clip(0, 1)
    return EDGE_BELIEF ** (1 - hair) * HAIR_BELIEF**hair * believe(alpha, _LEAST_CERTAIN)
