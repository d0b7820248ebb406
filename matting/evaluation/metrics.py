"""Matting metrics in the P3M convention, on whole images; lower is better for all but IoU.

Alphas are (H, W) float arrays in [0, 1], trimaps (H, W) arrays of 0 (background), 128 (unknown) and 255 (foreground).
SAD, Grad and Conn follow the public Python evaluation of P3M (Li et al., "Privacy-Preserving Portrait Matting", ACM MM
2021) that the paper's tables use; they are sums over the image, so they grow with its size. The Matlab evaluation of
alphamatting.com covers unknown pixels only and scales differently: its figures are not comparable with these.
"""

from collections.abc import Iterable
from itertools import pairwise
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

BACKGROUND, UNKNOWN, FOREGROUND = 0, 128, 255
TRIMAP_KERNEL_PX = 30  # this and the next three as in P3M's evaluation code
GRAD_SIGMA_PX = 1.4
CONN_THRESHOLDS = np.arange(11) / 10
CONN_TOLERANCE = 0.15
FAR_PX = 24  # of `far_errors`
GAP_PX = 25  # of `enclosed_background`, as the next
JAGGED_PX = 6

FloatArray = NDArray[np.floating]


class Metrics(NamedTuple):
    """All metrics of one alpha against its ground truth.

    sad, sad_t, sad_fg, sad_bg and conn are in thousands, grad is divided by 10, mse and mad are per pixel, iou is a
    share. mse_t and mad_t are NaN where the trimap has no unknown pixel.
    """

    sad: float
    sad_t: float
    sad_fg: float
    sad_bg: float
    mse: float
    mse_t: float
    mad: float
    mad_t: float
    grad: float
    conn: float
    iou: float


def measure(prediction: FloatArray, ground_truth: FloatArray, trimap: NDArray[np.integer] | None = None) -> Metrics:
    """Compute every metric of a still image.

    Args:
        prediction: (H, W) float alpha in [0, 1].
        ground_truth: (H, W) float ground truth alpha in [0, 1].
        trimap: (H, W) of 0/128/255; made from the ground truth with `trimap_from_alpha` if not given.

    Returns:
        All metrics.

    Raises:
        ValueError: if the shapes differ, or values are out of range.
    """
    if trimap is None:
        trimap = trimap_from_alpha(ground_truth)
    return Metrics(
        sad=sad(prediction, ground_truth),
        sad_t=sad_t(prediction, ground_truth, trimap),
        sad_fg=sad_fg(prediction, ground_truth, trimap),
        sad_bg=sad_bg(prediction, ground_truth, trimap),
        mse=mse(prediction, ground_truth),
        mse_t=mse_t(prediction, ground_truth, trimap),
        mad=mad(prediction, ground_truth),
        mad_t=mad_t(prediction, ground_truth, trimap),
        grad=grad(prediction, ground_truth),
        conn=conn(prediction, ground_truth),
        iou=iou(prediction, ground_truth),
    )


def sad(prediction: FloatArray, ground_truth: FloatArray) -> float:
    """Sum of absolute differences over the whole image, in thousands."""
    return float(np.abs(_difference(prediction, ground_truth)).sum()) / 1000


def mse(prediction: FloatArray, ground_truth: FloatArray) -> float:
    """Mean squared difference over the whole image."""
    return float(np.square(_difference(prediction, ground_truth)).mean())


def mad(prediction: FloatArray, ground_truth: FloatArray) -> float:
    """Mean absolute difference over the whole image."""
    return float(np.abs(_difference(prediction, ground_truth)).mean())


def sad_t(prediction: FloatArray, ground_truth: FloatArray, trimap: NDArray[np.integer]) -> float:
    """SAD with the prediction replaced by 0 or 1 in the trimap's known pixels, in thousands.

    Where the ground truth disagrees with its own trimap in a known pixel, that difference counts too.
    """
    return float(np.abs(_known_replaced(prediction, ground_truth, trimap)).sum()) / 1000


def mse_t(prediction: FloatArray, ground_truth: FloatArray, trimap: NDArray[np.integer]) -> float:
    """Squared differences as in `sad_t`, divided by the count of unknown pixels; NaN if there are none."""
    return _per_unknown(np.square(_known_replaced(prediction, ground_truth, trimap)), trimap)


def mad_t(prediction: FloatArray, ground_truth: FloatArray, trimap: NDArray[np.integer]) -> float:
    """Absolute differences as in `sad_t`, divided by the count of unknown pixels; NaN if there are none."""
    return _per_unknown(np.abs(_known_replaced(prediction, ground_truth, trimap)), trimap)


def sad_fg(prediction: FloatArray, ground_truth: FloatArray, trimap: NDArray[np.integer]) -> float:
    """SAD over the trimap's foreground, in thousands; 0 if it has none."""
    return _sad_where(prediction, ground_truth, trimap, FOREGROUND)


def sad_bg(prediction: FloatArray, ground_truth: FloatArray, trimap: NDArray[np.integer]) -> float:
    """SAD over the trimap's background, in thousands; 0 if it has none."""
    return _sad_where(prediction, ground_truth, trimap, BACKGROUND)


def grad(prediction: FloatArray, ground_truth: FloatArray) -> float:
    """Gradient error: squared difference of the gradient magnitudes (Gaussian derivatives, sigma 1.4), summed, / 10."""
    _check_pair(prediction, ground_truth)
    return float(np.square(_gradient_magnitude(prediction) - _gradient_magnitude(ground_truth)).sum(dtype=np.float64)) / 10


def conn(prediction: FloatArray, ground_truth: FloatArray) -> float:
    """Connectivity error (Rhemann et al., CVPR 2009), in thousands.

    At each threshold 0.1, 0.2, ..., 1.0 the largest 4-connected component of the pixels where both alphas reach the
    threshold is "connected" (the first one in row-major order if two are as large). A pixel's level is the threshold
    before the first at which it is not in that component, 1 if it always is. Where an alpha is at least 0.15 above
    the level, the pixel is unconnected by that excess; the error sums the differences between the two alphas' excess.
    """
    _check_pair(prediction, ground_truth)
    both = np.minimum(prediction, ground_truth)
    level = np.ones(both.shape)
    undecided = np.ones(both.shape, dtype=bool)
    for previous, threshold in pairwise(CONN_THRESHOLDS):
        failed = undecided & ~_largest_component(both >= threshold)
        level[failed] = previous
        undecided &= ~failed
    return float(np.abs(_unconnected(prediction, level) - _unconnected(ground_truth, level)).sum()) / 1000


def iou(prediction: FloatArray, ground_truth: FloatArray) -> float:
    """Intersection over union of alpha > 0.5; 1 if both are empty. The only metric where higher is better."""
    _check_pair(prediction, ground_truth)
    predicted, true = prediction > 0.5, ground_truth > 0.5
    union = np.count_nonzero(predicted | true)
    return np.count_nonzero(predicted & true) / union if union else 1.0


def far_errors(prediction: FloatArray, ground_truth: FloatArray, distance_px: float = FAR_PX) -> float:
    """Share of pixels with an absolute error above 0.5 farther than `distance_px` from the true edge (not a standard metric).

    The edge is where the ground truth crosses 0.5. Holes in a person and false components count, shifted edges do not.
    """
    wrong = np.abs(_difference(prediction, ground_truth)) > 0.5
    mask = np.pad(ground_truth > 0.5, 1, mode="edge")
    edge = (mask != ndimage.binary_erosion(mask, border_value=1)) | (mask != ndimage.binary_dilation(mask))
    if not edge.any():
        return float(wrong.mean())
    distance = ndimage.distance_transform_edt(~edge)[1:-1, 1:-1]
    return float((wrong & (distance > distance_px)).mean())


def enclosed_background(truth: FloatArray, width_px: float = GAP_PX) -> NDArray[np.bool_]:
    """(H, W): background between parts of somebody that are less than `width_px` apart, but wider than `JAGGED_PX`.

    That is what a morphological closing of truth > 0.5 with a disc of that width fills, between arm and body or fingers,
    and an opening leaves of it: what is narrower is how a mask was drawn by hand.
    """
    body = truth > 0.5
    reach = int(np.ceil(width_px / 2)) + 1
    near = ndimage.distance_transform_edt(~np.pad(body, reach)) <= width_px / 2
    closed = ndimage.distance_transform_edt(near) > width_px / 2
    filled = closed[reach:-reach, reach:-reach] & ~body
    core = ndimage.distance_transform_edt(np.pad(filled, 1))[1:-1, 1:-1] >= JAGGED_PX / 2
    if not core.any():
        return core
    return filled & (ndimage.distance_transform_edt(~core) <= JAGGED_PX / 2)


def dtssd(predictions: Iterable[FloatArray], ground_truths: Iterable[FloatArray]) -> float:
    """dtSSD (Erofeev et al., BMVC 2015), the error of a clip's temporal derivative, x 100.

    sqrt(mean(((p_t - p_t-1) - (g_t - g_t-1))^2)) x 100, averaged over all frames, where the first counts as 0 (the
    convention of Robust Video Matting). Frames are read one at a time.

    Args:
        predictions: (H, W) float alphas in [0, 1], one per frame.
        ground_truths: as many true alphas.

    Raises:
        ValueError: if there is no frame, or the counts or shapes differ.
    """
    errors: list[float] = []
    previous = None
    for prediction, ground_truth in _pairs(predictions, ground_truths):
        difference = _difference(prediction, ground_truth)
        if previous is not None and previous.shape != difference.shape:
            raise ValueError(f"all frames of a clip must have one size: {previous.shape} then {difference.shape}")
        errors.append(0.0 if previous is None else 100 * float(np.sqrt(np.square(difference - previous).mean())))
        previous = difference
    if not errors:
        raise ValueError("dtSSD needs at least one frame, got none")
    return float(np.mean(errors))


def trimap_from_alpha(alpha: NDArray[np.integer] | FloatArray) -> NDArray[np.uint8]:
    """P3M's evaluation trimap of an alpha: alpha != 0 dilated and alpha == 255 eroded, by a 30x30 ellipse.

    Args:
        alpha: (H, W) uint8, or float in [0, 1] (rounded to 8 bit).

    Returns:
        (H, W) uint8 of 0 (background), 128 (unknown), 255 (foreground).
    """
    values: NDArray[Any] = np.asarray(alpha)
    if values.dtype != np.uint8:
        _check_alpha(values, "alpha")
        values = np.round(values * 255).astype(np.uint8)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (TRIMAP_KERNEL_PX, TRIMAP_KERNEL_PX))
    not_background = cv2.dilate((values != 0).astype(np.uint8), kernel) > 0
    foreground = cv2.erode((values == 255).astype(np.uint8), kernel) > 0
    trimap = np.where(not_background, UNKNOWN, BACKGROUND)
    return np.where(foreground, FOREGROUND, trimap).astype(np.uint8)


def _difference(prediction: FloatArray, ground_truth: FloatArray) -> FloatArray:
    _check_pair(prediction, ground_truth)
    return np.subtract(prediction, ground_truth, dtype=np.float64)


def _known_replaced(prediction: FloatArray, ground_truth: FloatArray, trimap: NDArray[np.integer]) -> FloatArray:
    """Difference to the ground truth, with the prediction replaced by 0 or 1 in the trimap's known pixels."""
    _check_pair(prediction, ground_truth)
    _check_trimap(trimap, ground_truth.shape)
    known = np.where(trimap == FOREGROUND, 1.0, 0.0)
    return np.where(trimap == UNKNOWN, prediction, known) - ground_truth


def _per_unknown(errors: FloatArray, trimap: NDArray[np.integer]) -> float:
    unknown = np.count_nonzero(trimap == UNKNOWN)
    return float(errors.sum()) / unknown if unknown else float("nan")


def _sad_where(prediction: FloatArray, ground_truth: FloatArray, trimap: NDArray[np.integer], label: int) -> float:
    difference = _difference(prediction, ground_truth)
    _check_trimap(trimap, difference.shape)
    return float(np.abs(difference[trimap == label]).sum()) / 1000


def _gradient_magnitude(alpha: FloatArray) -> NDArray[np.float32]:
    rows = ndimage.gaussian_filter(alpha, GRAD_SIGMA_PX, order=(1, 0), output=np.float32)
    columns = ndimage.gaussian_filter(alpha, GRAD_SIGMA_PX, order=(0, 1), output=np.float32)
    return np.hypot(rows, columns)


def _largest_component(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    labels, count = ndimage.label(mask)  # scipy's default structure is 4-connected
    if count < 2:
        return mask
    sizes = np.bincount(labels.ravel())
    return labels == 1 + sizes[1:].argmax()


def _unconnected(alpha: FloatArray, level: FloatArray) -> FloatArray:
    excess = alpha - level
    return np.where(excess >= CONN_TOLERANCE, excess, 0.0)


def _pairs(predictions: Iterable[FloatArray], ground_truths: Iterable[FloatArray]) -> Iterable[tuple[FloatArray, FloatArray]]:
    try:
        yield from zip(predictions, ground_truths, strict=True)
    except ValueError as error:
        raise ValueError(f"a clip and its ground truth must have the same number of frames: {error}") from error


def _check_pair(prediction: FloatArray, ground_truth: FloatArray) -> None:
    _check_alpha(prediction, "prediction")
    _check_alpha(ground_truth, "ground truth")
    if prediction.shape != ground_truth.shape:
        raise ValueError(
            f"prediction and ground truth must have the same shape, got {prediction.shape} and {ground_truth.shape}"
        )


def _check_alpha(alpha: FloatArray, name: str) -> None:
    if not isinstance(alpha, np.ndarray) or alpha.ndim != 2 or not np.issubdtype(alpha.dtype, np.floating):
        given = f"{alpha.dtype} of shape {alpha.shape}" if isinstance(alpha, np.ndarray) else type(alpha).__name__
        raise ValueError(f"{name} must be a float array of shape (H, W), got {given}")
    if alpha.size == 0:
        raise ValueError(f"{name} must have pixels, got shape {alpha.shape}")
    low, high = float(alpha.min()), float(alpha.max())
    if not (low >= 0 and high <= 1):
        raise ValueError(f"{name} must lie in [0, 1], got {low:g} to {high:g}")


def _check_trimap(trimap: NDArray[np.integer], shape: tuple[int, ...]) -> None:
    if trimap.shape != shape:
        raise ValueError(f"trimap must have the alpha's shape {shape}, got {trimap.shape}")
    if not np.isin(trimap, (BACKGROUND, UNKNOWN, FOREGROUND)).all():
        raise ValueError(f"trimap must hold only 0, 128 and 255, got {np.unique(trimap)[:8].tolist()}")
