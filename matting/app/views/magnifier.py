"""The magnifier: enlarges the places that refinement changed the most, with a slider between before and after."""

from html import escape
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from matting.app import text
from matting.app.results.background import COLOUR, BackgroundChoice, render_background
from matting.app.results.parts import drop_parts
from matting.app.results.result import Result, shrink
from matting.app.views.region_drawing import data_uri
from matting.postprocess.compositing import composite
from matting.postprocess.foreground import estimate_foreground

SPOTS = 4
_SPOT_SHARE = 0.16  # side of a spot, as a share of the photo's longer side
_SPOT_SMALLEST_PX = 72
_LEAST_CHANGE = 0.004  # mean change of alpha over a spot; places with less are not shown
_LEAST_SOFTNESS = 0.05  # what a place counts that is not soft at all
_HEAD_SHARE, _CHEST_SHARE = 0.3, 0.8  # of the people's height from the top: hair is above the first, sleeves below the second
_BELOW_CHEST = 0.05  # what a place below the chest counts beside one at the head
_OVERVIEW_SIDE = 640
_CROP_PX = 560
_BEHIND = BackgroundChoice(COLOUR, "#4a635e")  # an even green-grey on which both light and dark hair show


class Spot(NamedTuple):
    """A square of the photo, in its pixels."""

    left: int
    top: int
    side: int


def find_spots(result: Result) -> list[Spot]:
    """Squares that refinement changed, at most `SPOTS`, none over another, best first.

    The best are changed much, soft all over, and high up, as hair is: the edge of a sleeve is less to look at.
    """
    matte = result.matte
    change = shrink(drop_parts(np.abs(matte.alpha - matte.coarse_alpha), result.parts), _OVERVIEW_SIDE)
    height, width = matte.size
    scale = max(height, width) / max(change.shape)
    side = min(max(round(max(height, width) * _SPOT_SHARE), _SPOT_SMALLEST_PX), height, width)
    small = max(1, round(side / scale))
    mean = ndimage.uniform_filter(change, small, mode="constant")
    alpha = shrink(matte.alpha, _OVERVIEW_SIDE)
    softness = ndimage.uniform_filter(4 * alpha * (1 - alpha), small, mode="constant")
    worth = np.where(mean < _LEAST_CHANGE, 0, mean * (softness + _LEAST_SOFTNESS) * _near_heads(alpha))
    spots = []
    for _ in range(SPOTS):
        row, column = np.unravel_index(int(worth.argmax()), worth.shape)
        if worth[row, column] <= 0:
            break
        worth[max(row - small, 0) : row + small, max(column - small, 0) : column + small] = 0
        left = int(np.clip(column * scale - side / 2, 0, width - side))
        top = int(np.clip(row * scale - side / 2, 0, height - side))
        spots.append(Spot(left, top, side))
    return spots


def _near_heads(alpha: NDArray[np.float32]) -> NDArray[np.float32]:
    """(H, 1): 1 from the top of an alpha (H, W) to below the heads, then less and less."""
    rows = np.flatnonzero(alpha.max(1) > 0.5)
    top, bottom = (rows[0], rows[-1]) if len(rows) else (0, len(alpha) - 1)
    height = (np.arange(len(alpha), dtype=np.float32) - top) / max(bottom - top, 1)
    return np.interp(height, (_HEAD_SHARE, _CHEST_SHARE), (1, _BELOW_CHEST)).astype(np.float32)[:, None]


def magnifier_html(result: Result, spots: list[Spot], chosen: int = 0) -> str:
    """The magnifier at one of the spots, or nothing if refinement changed nothing worth seeing."""
    if not spots:
        return ""
    before, after = _before_after(result, spots[chosen])
    return (
        f"<h2>{text.MAGNIFIER_TITLE}</h2><p>{text.MAGNIFIER_NOTE}</p>"
        f'<div class="magnifier"><div class="glass" style="{_flight(result, spots[chosen])}">'
        f'<img class="overview" alt="" src="{_overview(result)}"/>'
        f'<img class="after" alt="{escape(text.MAGNIFIER_ALT)}" src="{after}"/><img class="before" alt="" src="{before}"/>'
        f'<span class="tag left">{text.MAGNIFIER_COARSE}</span><span class="tag right">{text.MAGNIFIER_REFINED}</span>'
        f'<i class="handle"></i><input type="range" min="0" max="100" step="0.5" value="50" '
        f'aria-label="{escape(text.MAGNIFIER_NOTE)}"/></div>{_map(result, spots, chosen)}</div>'
    )


def _map(result: Result, spots: list[Spot], chosen: int) -> str:
    """The photo with a ring at each spot, a button each."""
    height, width = result.matte.size
    rings = "".join(
        f'<button type="button" data-pick="{number}" aria-pressed="{str(number == chosen).lower()}" '
        f'aria-label="{text.MAGNIFIER_SPOT.format(number=number + 1)}" '
        f'style="left:{spot.left / width:.2%};top:{spot.top / height:.2%};width:{spot.side / width:.2%}">'
        f"{number + 1}</button>"
        for number, spot in enumerate(spots)
    )
    photo = data_uri(shrink(result.preview.image, _OVERVIEW_SIDE), "JPEG")
    return f'<div class="map"><img alt="" src="{photo}"/>{rings}</div>'


def _before_after(result: Result, spot: Spot) -> tuple[str, str]:
    """Data URIs of the spot cut out by the coarse and by the refined alpha."""
    rows, columns = slice(spot.top, spot.top + spot.side), slice(spot.left, spot.left + spot.side)
    image = result.matte.image[rows, columns]
    alphas = (result.matte.coarse_alpha[rows, columns], result.alpha[rows, columns])
    behind = render_background(_BEHIND, image, alphas[0])
    size = (_CROP_PX, _CROP_PX)
    came = None if result.matte.input_alpha is None else result.matte.input_alpha[rows, columns]
    pictures = (Image.fromarray(composite(estimate_foreground(image, alpha, came), alpha, behind)) for alpha in alphas)
    before, after = (data_uri(picture.resize(size, Image.Resampling.BICUBIC), "JPEG") for picture in pictures)
    return before, after


def _overview(result: Result) -> str:
    return data_uri(shrink(result.preview_on(_BEHIND), _OVERVIEW_SIDE), "JPEG")


def _flight(result: Result, spot: Spot) -> str:
    """CSS variables: where the spot lies in the overview, as shares, and the overview's shape."""
    height, width = result.matte.size
    longest = max(height, width)
    pad_x, pad_y = (longest - width) / 2, (longest - height) / 2
    return f"--x:{(spot.left + pad_x) / longest:.4f};--y:{(spot.top + pad_y) / longest:.4f};--scale:{longest / spot.side:.3f}"
