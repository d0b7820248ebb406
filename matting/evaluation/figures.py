"""Figures: error maps, methods side by side, sheets of the worst cases.

Pure functions: arrays in, pictures out. Maps have exactly the size of their input; legends are separate pictures.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib
import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from matting.postprocess.bit_depth import to_8_bit

ERROR_MAP = "inferno"  # dark: no error, bright: the limit or more; perceptually uniform
SIGNED_MAP = "RdBu_r"  # blue: less alpha, white: no change, red: more alpha
TRIMAP_COLOURS = {0: (38, 65, 95), 128: (240, 161, 58), 255: (244, 237, 224)}
SMALLEST_LIMIT = 0.05  # of an error map's scale, so that errors that do not matter stay dark
_LEGEND_STEPS = 5
_DPI = 100
_INK = "#222222"

FloatArray = NDArray[np.floating]
Picture = NDArray[np.uint8]


def error_colours(error: FloatArray, limit: float) -> Picture:
    """Map absolute errors to colours.

    Args:
        error: (H, W), at least 0.
        limit: error that gets the brightest colour; anything above looks the same.

    Returns:
        (H, W, 3) uint8.

    Raises:
        ValueError: if error is not (H, W) or limit is not above 0.
    """
    return _map_colours(error, 0.0, limit, ERROR_MAP)


def signed_colours(delta: FloatArray, limit: float) -> Picture:
    """Map changes to colours: blue below 0, white at 0, red above.

    Args:
        delta: (H, W).
        limit: change that gets the strongest red; its negative gets the strongest blue.

    Returns:
        (H, W, 3) uint8.

    Raises:
        ValueError: if delta is not (H, W) or limit is not above 0.
    """
    return _map_colours(delta, -limit, limit, SIGNED_MAP)


def trimap_colours(trimap: Picture) -> Picture:
    """Map a trimap to three colours: (H, W) of 0, 128, 255 -> (H, W, 3) uint8.

    Raises:
        ValueError: if the trimap holds other values.
    """
    painted = np.zeros((*trimap.shape, 3), np.uint8)
    known = np.zeros(trimap.shape, bool)
    for value, colour in TRIMAP_COLOURS.items():
        here = trimap == value
        painted[here] = colour
        known |= here
    if not known.all():
        raise ValueError(f"trimap must hold only 0, 128 and 255, got {np.unique(trimap[~known])[:8].tolist()}")
    return painted


def alpha_grey(alpha: FloatArray) -> Picture:
    """(H, W) in [0, 1] -> (H, W, 3) uint8 grey, rounded to nearest."""
    return np.repeat(to_8_bit(alpha)[..., None], 3, axis=2)


def shared_limit(errors: Sequence[FloatArray], quantile: float = 0.999) -> float:
    """A common limit that makes error maps comparable: the largest of their quantiles, at least 0.05."""
    return max(SMALLEST_LIMIT, *(float(np.quantile(error, quantile)) for error in errors))


def colour_stops(name: str, count: int = 9) -> list[str]:
    """Colours of a matplotlib colour map at even steps as "#rrggbb", e.g. for a CSS gradient."""
    return ["#" + bytes(colour[:3]).hex() for colour in matplotlib.colormaps[name](np.linspace(0, 1, count), bytes=True)]


def error_legend(limit: float, width_px: int = 480) -> Picture:
    """Colour bar of `error_colours`: (height, width_px, 3) uint8."""
    figure = Figure(figsize=(width_px / _DPI, 0.7), dpi=_DPI, layout="constrained")
    bar = figure.colorbar(
        ScalarMappable(Normalize(0.0, limit), matplotlib.colormaps[ERROR_MAP]),
        cax=figure.add_subplot(),
        orientation="horizontal",
        ticks=np.linspace(0.0, limit, _LEGEND_STEPS),
        format="%.2f",
        extend="max",
    )
    bar.set_label("absolute error of alpha", fontsize=8)
    bar.ax.tick_params(labelsize=8)
    return render(figure)


@dataclass(frozen=True)
class Panel:
    """One picture of a row: (H, W, 3) uint8 with a caption."""

    pixels: Picture
    caption: str


def strip(panels: Sequence[Panel], panel_width_px: int = 260, legend: Picture | None = None) -> Picture:
    """One row of captioned panels, e.g. two methods and their errors, with a legend below.

    Raises:
        ValueError: if there is no panel or they differ in size.
    """
    if not panels:
        raise ValueError("a strip needs at least one panel, got none")
    return sheet([panels], panel_width_px, legend)


def sheet(rows: Sequence[Sequence[Panel]], panel_width_px: int = 200, legend: Picture | None = None) -> Picture:
    """Rows of captioned panels, e.g. the worst cases of a method, with a legend at the foot.

    Panels of one row must have the same size; they are scaled to `panel_width_px`.

    Raises:
        ValueError: if there is no row, or the panels of a row differ in size.
    """
    if not rows:
        raise ValueError("a sheet needs at least one row, got none")
    bands = [_band(row, panel_width_px) for row in rows] + ([legend] if legend is not None else [])
    width = max(band.shape[1] for band in bands)
    return np.vstack([np.pad(band, ((0, 0), (0, width - band.shape[1]), (0, 0)), constant_values=255) for band in bands])


def render(figure: Figure) -> Picture:
    """Draw a matplotlib figure: (H, W, 3) uint8."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", facecolor="white")
    return np.array(Image.open(buffer).convert("RGB"))


def _map_colours(values: FloatArray, low: float, high: float, name: str) -> Picture:
    if values.ndim != 2:
        raise ValueError(f"a map is drawn of an (H, W) array, got {values.shape}")
    if not high > 0:
        raise ValueError(f"limit must be above 0, got {high}")
    table = matplotlib.colormaps[name](np.arange(256), bytes=True)[:, :3]
    index = np.rint((values - low) * (255 / (high - low))).clip(0, 255).astype(np.uint8)
    return table[index]


def _band(panels: Sequence[Panel], width_px: int) -> Picture:
    shapes = {panel.pixels.shape for panel in panels}
    if len(shapes) != 1 or len(next(iter(shapes))) != 3:
        raise ValueError(f"the panels of a row must have one size (H, W, 3), got {sorted(shapes)}")
    height, width, _ = shapes.pop()
    height_px = max(1, round(height * width_px / width))
    figure = Figure(figsize=(len(panels) * width_px / _DPI, (height_px + 24) / _DPI), dpi=_DPI)
    for index, panel in enumerate(panels):
        left = index / len(panels)
        axes = figure.add_axes((left, 0, 1 / len(panels), height_px / (height_px + 24)))
        axes.imshow(panel.pixels, aspect="auto", interpolation="antialiased")
        axes.set_axis_off()
        figure.text(left + 0.5 / len(panels), 0.99, panel.caption, ha="center", va="top", fontsize=8, color=_INK)
    return render(figure)
