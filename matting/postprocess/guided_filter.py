"""An alpha that follows the colours of its photo, by the guided filter (He, Sun, Tang 2013).

Around every pixel, alpha is fitted by a linear function of the colour. Hair that is one colour in front of another then gets
the edges it has in the photo, and the seams between redrawn regions go.
"""

from typing import Any, NamedTuple, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from matting.postprocess.box import bounding_box

EIGHT_BIT_ROUNDING = 0.5 / 255  # 8 bits cannot tell what is nearer to 0 or 1 from them
SMOOTHNESS = 1e-4  # in squared units of colour
RADIUS = 5
_LEAST_WEIGHT = 0.1  # of an alpha of 0.5; one of 0 or 1 has this and 1
COVARIANCES = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))  # pairs of channels

Plane = NDArray[np.float32]  # (h, w)
Values = TypeVar("Values", NDArray[Any], Tensor)


class ColourFit(NamedTuple):
    """Around every pixel, alpha = (slopes * colour).sum() + offset; (h, w, 3) and (h, w)."""

    slopes: NDArray[np.float32]
    offset: Plane


def guided_filter(alpha: Plane, image: NDArray[np.float32]) -> Plane:
    """Fit the soft pixels of an alpha to the colours around them.

    The fit believes what is nearly 0 or 1 up to eleven times as much as what is in between.

    Args:
        alpha: (h, w) in [0, 1].
        image: (h, w, 3) in [0, 1].

    Returns:
        (h, w) in [0, 1]; what is certain, 0 or 1 to within 8 bits, is left as it is.
    """
    soft = is_soft(alpha)
    if not soft.any():
        return alpha
    box = bounding_box(soft, margin=2 * RADIUS)
    part, colours = alpha[box], image[box]
    fit = fit_colours(part, colours, RADIUS, certainty(part))
    followed = alpha.copy()
    fitted = (fit.slopes * colours).sum(2) + fit.offset
    followed[box] = np.where(soft[box], fitted.clip(0, 1), part)
    return followed


def is_soft(alpha: Values) -> Values:
    """Where an alpha of any shape, array or tensor, is neither 0 nor 1 to within 8 bits."""
    return (alpha > EIGHT_BIT_ROUNDING) & (alpha < 1 - EIGHT_BIT_ROUNDING)


def certainty(alpha: Values, least: float = _LEAST_WEIGHT) -> Values:
    """How much an alpha of any shape, array or tensor, is believed: `least` if it is 0.5, one more if it is 0 or 1."""
    return least + (2 * alpha - 1) ** 2


def fit_colours(alpha: Plane, image: NDArray[np.float32], radius: int, weight: Plane) -> ColourFit:
    """Weighted least squares over square windows, and the average of all windows that a pixel lies in.

    Args:
        alpha: (h, w) in [0, 1].
        image: (h, w, 3) in [0, 1].
        radius: of the windows, 2 * radius + 1 pixels wide.
        weight: (h, w) above 0, of every pixel.
    """
    total = _average(weight, radius)

    def mean(values: Plane) -> Plane:
        return _average(values * weight, radius) / total

    averages = [mean(channel) for channel in np.moveaxis(image, 2, 0)]
    level = mean(alpha)

    def covary(i: int, j: int) -> Plane:
        return mean(image[..., i] * image[..., j]) - averages[i] * averages[j] + np.float32(SMOOTHNESS * (i == j))

    products = tuple(mean(image[..., i] * alpha) - averages[i] * level for i in range(3))
    covariances = tuple(covary(*pair) for pair in COVARIANCES)
    red, green, blue = solve_slopes(covariances, products)
    offset = level - red * averages[0] - green * averages[1] - blue * averages[2]
    return ColourFit(np.dstack([mean(slope) for slope in (red, green, blue)]), mean(offset))


def solve_slopes(covariances: tuple[Values, ...], products: tuple[Values, ...]) -> tuple[Values, Values, Values]:
    """Solve a symmetric 3x3 system at every pixel by elimination: blue first, then back.

    Args:
        covariances: of the colours, in the order of `COVARIANCES`, above 0 on the diagonal; arrays or tensors of one shape.
        products: covariances of alpha with red, green and blue.

    Returns:
        The slopes of red, green and blue.
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


def _average(values: Plane, radius: int) -> Plane:
    side = 2 * radius + 1
    return cv2.blur(np.ascontiguousarray(values), (side, side), borderType=cv2.BORDER_REFLECT)
