"""Closed-form matting in the unknown regions, with the network's alpha as a soft prior, so that hair follows the photo.

The matting Laplacian L (Levin, Lischinski, Weiss 2008) measures how far alpha is from a linear function of colour in
every 3x3 window. Here a^T L a + (a - prior)^T D (a - prior) is minimised over the unknown pixels. Without the prior, the
solution goes wrong on cluttered backgrounds and blurs edges between similar colours; so the diagonal D is large along sharp
edges and small where the alpha is soft all around, as in hair. Measured in training/LEARNT.md, "closed-form matting".
"""

from collections.abc import Iterator
from itertools import combinations_with_replacement, pairwise, product

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import LinearOperator, cg, splu

from matting.postprocess.guided_filter import COVARIANCES, Plane, confidence, solve_slopes

# Chosen on training photos: training/LEARNT.md, "closed-form matting" and the paragraphs after it.
EDGE_WEIGHT = 30.0  # of the prior alpha where nothing around is soft
HAIR_WEIGHT = 0.03  # of the prior alpha where the alpha is as soft as in hair; 0.005, 0.02 and 0.05 were tried
HAIR_SOFTNESS = 0.35  # local mean of 4 a (1 - a) from which on a pixel counts as hair
_SIGMAS_PER_SIDE = 150  # the local mean is a Gaussian whose standard deviation is the longer side / 150
_LEAST_CONFIDENCE = 0.05  # weight of an alpha of 0.5; one of 0 or 1 has 1.05
_EPSILON = 1e-5  # regularisation of the Laplacian, in squared units of colour in [0, 1]
_BLUR_SIGMA = 0.5  # pixels, applied to the colours: without it, noise and JPEG blocks are taken for hair in dark photos
_BLUR_REACH = 2  # pixels, of its kernel
_WINDOW_REACH = 2  # pixels: the largest distance between two pixels of a 3x3 window
_STRIP_PIXELS = 10_000  # unknown pixels whose rows are computed at a time, about 1 kB each
_BLUR_SIGMA_MAX = 10.0  # pixels; a wider Gaussian is computed on a downsampled image
_AGGREGATE = 4  # pixels a side of the aggregates of the coarse system
_TOLERANCE = (
    5e-7  # of the residual; on two 12-megapixel photos 0.5/255 and 0.2/255 from the exact solution at most, at 1e-5 2.8 and 5.3
)
_MAX_ITERATIONS = 200
_WINDOW = tuple(product((-1, 0, 1), repeat=2))  # row and column offsets of the nine pixels of a window
_NEIGHBOURHOOD = tuple(product(range(-_WINDOW_REACH, _WINDOW_REACH + 1), repeat=2))  # the 25 pixels that share windows with one


def solve_closed_form(alpha: Plane, image: NDArray[np.float32], unknown: NDArray[np.bool_]) -> Plane:
    """Solve closed-form matting for the unknown pixels, starting from an alpha that is also the prior.

    Conjugate gradients with a two-level preconditioner; where it does not converge in 200 iterations, the last iterate is used.

    Args:
        alpha: (h, w) in [0, 1], initial value and prior.
        image: (h, w, 3) RGB in [0, 1].
        unknown: (h, w), the pixels to solve for; all others are boundary conditions and keep their alpha.

    Returns:
        (h, w) in [0, 1].
    """
    if not unknown.any():
        return alpha
    prior, weights = alpha[unknown], prior_weights(alpha, unknown)
    system, boundary = _assemble(image, alpha, unknown, weights)
    preconditioner = _two_level_preconditioner(system, unknown)
    solution, _ = cg(system, weights * prior + boundary, prior, rtol=_TOLERANCE, maxiter=_MAX_ITERATIONS, M=preconditioner)
    solved = alpha.copy()
    solved[unknown] = solution.clip(0, 1)
    return solved


def prior_weights(alpha: Plane, unknown: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Weight of the prior alpha (h, w) at the U unknown pixels, the diagonal of D, (U,): lower, the softer the alpha is around.

    From `EDGE_WEIGHT` to `HAIR_WEIGHT`, interpolated geometrically by the local softness, times the pixel's own `confidence`.
    """
    softness = 1 - alpha
    softness *= alpha
    softness *= 4
    softness = _blur(softness, max(alpha.shape) / _SIGMAS_PER_SIDE)
    hair = (softness[unknown] / HAIR_SOFTNESS).clip(0, 1)
    return EDGE_WEIGHT * (HAIR_WEIGHT / EDGE_WEIGHT) ** hair * confidence(alpha[unknown], _LEAST_CONFIDENCE)


def _blur(values: Plane, sigma: float) -> Plane:
    """A Gaussian blur; a wide one of a downsampled image, which loses nothing that it would keep."""
    factor = max(1, int(sigma / _BLUR_SIGMA_MAX))
    if factor == 1:
        return cv2.GaussianBlur(values, (0, 0), sigma)
    height, width = values.shape
    small = cv2.resize(values, (-(-width // factor), -(-height // factor)), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / factor, borderType=cv2.BORDER_REFLECT)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


def _assemble(
    image: NDArray[np.float32], alpha: Plane, unknown: NDArray[np.bool_], weights: NDArray[np.float32]
) -> tuple[sparse.csr_array, NDArray[np.float32]]:
    """L + D for the U unknown pixels, (U, U) float32, and what their known neighbours add to the right side, (U,)."""
    width, count = unknown.shape[1], len(weights)
    index = np.full(unknown.size, -1, np.int32)
    index[unknown.ravel()] = np.arange(count, dtype=np.int32)
    data, columns = np.empty((count, 25), np.float32), np.empty((count, 25), np.int32)
    boundary = np.empty(count, np.float32)
    offsets = np.array([dy * width + dx for dy, dx in _NEIGHBOURHOOD])[:, None]
    start = 0
    for pixels, rows in laplacian_rows(image, unknown):
        part = slice(start, start + len(pixels))
        start = part.stop
        around = pixels + offsets  # (25, n); outside of the image, rows are 0
        neighbours = index.take(around, mode="clip")
        known = np.flatnonzero(neighbours < 0)
        own = known % len(pixels)
        added = rows.ravel()[known] * alpha.ravel().take(around.ravel()[known], mode="clip")
        boundary[part] = -np.bincount(own, added, len(pixels))
        rows.ravel()[known] = 0
        neighbours.ravel()[known] = own + part.start
        cv2.transpose(rows, data[part])
        cv2.transpose(neighbours, columns[part])
    data[:, 12] += weights  # the pixel itself
    starts = np.arange(0, 25 * count + 1, 25, dtype=np.int32)
    return sparse.csr_array((data.ravel(), columns.ravel(), starts), (count, count)), boundary


def laplacian_rows(image: NDArray[np.float32], unknown: NDArray[np.bool_]) -> Iterator[tuple[NDArray[np.intp], Plane]]:
    """The rows of the blurred image's matting Laplacian (Levin et al., Eq. 12) that belong to unknown pixels, strip by strip.

    Args:
        image: (h, w, 3) RGB in [0, 1].
        unknown: (h, w).

    Yields:
        (n,) indices of pixels in the flattened image, in order, and (25, n), their entries for the 5x5 pixels around each,
        row-major; 0 outside of the image.
    """
    total = unknown.sum(1).cumsum()
    cuts = np.searchsorted(total, np.arange(_STRIP_PIXELS, total[-1], _STRIP_PIXELS)) + 1
    for top, bottom in pairwise(np.unique([0, *cuts, len(unknown)])):
        first = max(0, top - _WINDOW_REACH)
        strip = slice(first, bottom + _WINDOW_REACH)
        own = unknown[strip].copy()
        own[: top - first] = own[bottom - first :] = False
        pixels = np.flatnonzero(own)
        if len(pixels):
            yield pixels + first * unknown.shape[1], _strip_rows(_blur_strip(image, strip), own, pixels)


def _blur_strip(image: NDArray[np.float32], strip: slice) -> NDArray[np.float32]:
    """The rows of a strip, as if the whole image had been blurred."""
    first = max(0, strip.start - _BLUR_REACH)
    blurred = cv2.GaussianBlur(image[first : strip.stop + _BLUR_REACH], (2 * _BLUR_REACH + 1,) * 2, _BLUR_SIGMA)
    return blurred[strip.start - first :][: strip.stop - strip.start]


def _strip_rows(image: NDArray[np.float32], own: NDArray[np.bool_], pixels: NDArray[np.intp]) -> Plane:
    """(25, n) for n pixels of a strip (h, w, 3): the sum over the nine windows that each lies in."""
    width = own.shape[1]
    near = np.zeros(own.shape, bool)
    near[1:-1, 1:-1] = cv2.dilate(own.astype(np.uint8), np.ones((3, 3), np.uint8))[1:-1, 1:-1]
    centres = np.flatnonzero(near)
    index = np.full(own.size, len(centres))  # no window is centred on the border; a last one of zeros stands for these
    index[centres] = np.arange(len(centres))
    terms = _window_terms(image.reshape(-1, 3).T, centres, width)
    rows = np.zeros((5, 5, len(pixels)), np.float32)
    for (dy, dx), term in zip(_WINDOW, terms, strict=True):
        window = index.take(pixels - dy * width - dx, mode="clip")
        rows[1 - dy : 4 - dy, 1 - dx : 4 - dx] += term.take(window, axis=1).reshape(3, 3, -1)
    return rows.reshape(25, -1)


def _window_terms(colours: NDArray[np.float32], centres: NDArray[np.intp], width: int) -> NDArray[np.float32]:
    """The term of each of W windows for each pair i, j of its pixels, (9, 9, W + 1), and zeros at the end.

    (i == j) - (1 + (c_i - m) (S + eps / 9)^-1 (c_j - m)) / 9, with the mean m and the covariance S of the window's colours c.
    """
    windows = centres + np.array([dy * width + dx for dy, dx in _WINDOW])[:, None]
    centred = colours.astype(np.float64).take(windows, axis=1)  # (3, 9, W)
    centred -= centred.mean(1, keepdims=True)
    covariances = tuple((centred[i] * centred[j]).mean(0) + _EPSILON / 9 * (i == j) for i, j in COVARIANCES)
    whitened = np.array(solve_slopes(covariances, tuple(centred))) / 9
    terms = np.zeros((9, 9, len(centres) + 1), np.float32)
    for i, j in combinations_with_replacement(range(9), 2):
        product_ij = np.einsum("cw,cw->w", whitened[:, i], centred[:, j])
        terms[i, j, :-1] = terms[j, i, :-1] = ((i == j) - 1 / 9) - product_ij
    return terms


def _two_level_preconditioner(system: sparse.csr_array, unknown: NDArray[np.bool_]) -> LinearOperator:
    """Jacobi plus a coarse correction: the system restricted to alphas that are constant on aggregates of 4x4 pixels, inverted.

    Additive two-level Schwarz (Smith, Bjorstad, Gropp 1996). Iterations no longer grow with the distance of hair from known
    pixels: 41 and 52 instead of 123 and 146 on two 12-megapixel photos.
    """
    aggregate, count = _aggregates(unknown)
    size = len(aggregate), count
    prolong = sparse.csr_array((np.ones(size[0], np.float32), aggregate, np.arange(size[0] + 1, dtype=np.int32)), size)
    restrict, inverse_diagonal = prolong.T.tocsr(), 1 / system.diagonal()
    inverse = splu(
        (restrict @ (system @ prolong)).tocsc(), "MMD_AT_PLUS_A", diag_pivot_thresh=0, options={"SymmetricMode": True}
    )

    def apply(residual: NDArray[np.float32]) -> NDArray[np.float32]:
        return residual * inverse_diagonal + inverse.solve(restrict @ residual).take(aggregate)

    return LinearOperator(system.shape, apply, dtype=np.float32)


def _aggregates(unknown: NDArray[np.bool_]) -> tuple[NDArray[np.int32], int]:
    """The number of each unknown pixel's aggregate, (U,), and how many there are."""
    rows, columns = (-(-side // _AGGREGATE) for side in unknown.shape)
    row, column = np.nonzero(unknown)
    place = row // _AGGREGATE * columns + column // _AGGREGATE
    present = np.zeros(rows * columns, bool)
    present[place] = True
    number = present.cumsum(dtype=np.int32) - np.int32(1)
    return number[place], int(number[-1]) + 1
