"""The guided filter (He, Sun, Tang 2013) with the photo as the guide: alpha as a locally linear function of colour.

Hair of one colour in front of another gets the edges it has in the photo, and the seams between refined regions disappear.
"""

from typing import Any, NamedTuple, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from matting.postprocess.box import tiles_around

EIGHT_BIT_ROUNDING = 0.5 / 255  # alphas nearer to 0 or 1 than this become 0 or 1 in 8 bits
SMOOTHNESS = 1e-4  # the paper's epsilon, in squared units of colour in [0, 1]
RADIUS = 5  # pixels; chosen on training photos, training/LEARNT.md "A guided filter", as is the next number
_LEAST_CONFIDENCE = 0.1  # weight of an alpha of 0.5 in the fit; one of 0 or 1 has 1.1
COVARIANCES = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))  # pairs of channels: the upper triangle of a 3x3 matrix

Plane = NDArray[np.float32]  # (h, w)
Values = TypeVar("Values", NDArray[Any], Tensor)


class ColourFit(NamedTuple):
    """The linear coefficients of every pixel, averaged over the windows: alpha = (slopes * colour).sum() + offset.

    Attributes:
        slopes: (h, w, 3), one per channel.
        offset: (h, w).
    """

    slopes: NDArray[np.float32]
    offset: Plane


def guided_filter(alpha: Plane, image: NDArray[np.float32]) -> Plane:
    """Filter the soft pixels of an alpha, guided by the photo's colours.

    Unlike in the paper the least squares are weighted: pixels with an alpha of 0 or 1 count eleven times as much as those with
    0.5, see `confidence`.

    Args:
        alpha: (h, w) in [0, 1].
        image: (h, w, 3) RGB in [0, 1], the guide.

    Returns:
        (h, w) in [0, 1]; pixels that are 0 or 1 to within 8 bits keep their alpha.
    """
    soft = is_soft(alpha)
    filtered = alpha.copy()
    for tile in tiles_around(soft, margin=2 * RADIUS):
        part, colours = alpha[tile.padded], image[tile.padded]
        fit = fit_colours(part, colours, RADIUS, confidence(part))
        fitted = ((fit.slopes * colours).sum(2) + fit.offset).clip(0, 1)
        filtered[tile.own] = np.where(soft[tile.own], fitted[tile.inner], part[tile.inner])
    return filtered


def is_soft(alpha: Values) -> Values:
    """Where an alpha of any shape, array or tensor, rounds to neither 0 nor 255 in 8 bits."""
    return (alpha > EIGHT_BIT_ROUNDING) & (alpha < 1 - EIGHT_BIT_ROUNDING)


def confidence(alpha: Values, least: float = _LEAST_CONFIDENCE) -> Values:
    """Weight of each pixel in a fit to its alpha: least + (2 alpha - 1)^2.

    Args:
        alpha: in [0, 1], of any shape, array or tensor.
        least: weight of an alpha of 0.5.

    Returns:
        The same shape, from `least` at 0.5 to `least` + 1 at 0 and 1.
    """
    return least + (2 * alpha - 1) ** 2


def fit_colours(alpha: Plane, image: NDArray[np.float32], radius: int, weight: Plane) -> ColourFit:
    """Fit alpha as a linear function of colour: weighted least squares in square windows.

    Each pixel gets the mean of the coefficients of all windows that contain it. Windows are mirrored at the image's border.

    Args:
        alpha: (h, w) in [0, 1].
        image: (h, w, 3) RGB in [0, 1].
        radius: pixels; windows are 2 * radius + 1 wide.
        weight: (h, w), above 0.
    """
    total = _average(weight, radius)

    def mean(values: Plane) -> Plane:
        return _average(values * weight, radius) / total

    mean_colour = [mean(channel) for channel in np.moveaxis(image, 2, 0)]
    mean_alpha = mean(alpha)

    def covariance(i: int, j: int) -> Plane:
        return mean(image[..., i] * image[..., j]) - mean_colour[i] * mean_colour[j] + np.float32(SMOOTHNESS * (i == j))

    products = tuple(mean(image[..., i] * alpha) - mean_colour[i] * mean_alpha for i in range(3))
    covariances = tuple(covariance(*pair) for pair in COVARIANCES)
    slopes: tuple[Plane, Plane, Plane] = solve_slopes(covariances, products)
    red, green, blue = slopes
    offset = mean_alpha - red * mean_colour[0] - green * mean_colour[1] - blue * mean_colour[2]
    return ColourFit(np.dstack([mean(slope) for slope in slopes]), mean(offset))


def solve_slopes(covariances: tuple[Values, ...], products: tuple[Values, ...]) -> tuple[Values, Values, Values]:
    """Solve a symmetric positive definite 3x3 system at every pixel by Gaussian elimination.

    Args:
        covariances: six of the colours, in the order of `COVARIANCES`, regularised; arrays or tensors of one shape.
        products: covariances of alpha with red, green and blue, of that shape.

    Returns:
        The slopes of red, green and blue, of that shape.
    """
    rr, rg, rb, gg, gb, bb = covariances
    red, green, blue = products
    rg_rr, rb_rr = rg / rr, rb / rr
    gg, gb, bb = gg - rg_rr * rg, gb - rg_rr * rb, bb - rb_rr * rb
    gb_gg = gb / gg
    green = green - rg_rr * red
    blue = (blue - rb_rr * red - gb_gg * green) / (bb - gb_gg * gb)
    green = green / gg - gb_gg * blue
    return red / rr - rg_rr * green - rb_rr * blue, green, blue


def _average(values: Plane, radius: int) -> Plane:  # box mean
    side = 2 * radius + 1
    return cv2.blur(np.ascontiguousarray(values), (side, side), borderType=cv2.BORDER_REFLECT)
