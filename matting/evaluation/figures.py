"""Pictures of numbers: error maps, strips of methods, sheets of the worst cases, error against cost.

Pure functions: arrays in, pictures out. Maps have exactly the size of their input; legends are pictures of their own.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox
from numpy.typing import NDArray
from PIL import Image

from matting.postprocess.bit_depth import to_8_bit

ERROR_MAP = "inferno"  # dark: no error, bright: the limit or more; even to the eye
SIGNED_MAP = "RdBu_r"  # blue: less alpha, white: no change, red: more alpha
TRIMAP_COLOURS = {0: (38, 65, 95), 128: (240, 161, 58), 255: (244, 237, 224)}
SMALLEST_LIMIT = 0.05
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
    """Paint a trimap in three clear colours: (H, W) of 0, 128, 255 -> (H, W, 3) uint8.

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
    """One limit for several error maps, so that their colours compare: the largest of their quantiles, at least 0.05."""
    return max(SMALLEST_LIMIT, *(float(np.quantile(error, quantile)) for error in errors))


def colour_stops(name: str, count: int = 9) -> list[str]:
    """Colours of a map at even steps as "#rrggbb", e.g. for a gradient on a page."""
    return ["#" + bytes(colour[:3]).hex() for colour in matplotlib.colormaps[name](np.linspace(0, 1, count), bytes=True)]


def error_legend(limit: float, width_px: int = 480) -> Picture:
    """Colour bar of `error_colours`: (height, width_px, 3) uint8."""
    return _legend(0.0, limit, ERROR_MAP, "absolute error of alpha", width_px)


def signed_legend(limit: float, width_px: int = 480) -> Picture:
    """Colour bar of `signed_colours`: (height, width_px, 3) uint8."""
    return _legend(-limit, limit, SIGNED_MAP, "change of alpha", width_px)


@dataclass(frozen=True)
class Panel:
    """One picture of a strip: (H, W, 3) uint8 with a caption."""

    pixels: Picture
    caption: str


def strip(panels: Sequence[Panel], panel_width_px: int = 260, legend: Picture | None = None) -> Picture:
    """Pictures of one photo side by side with their captions, e.g. two methods and their errors, with a legend below.

    Raises:
        ValueError: if there is no panel or they differ in size.
    """
    if not panels:
        raise ValueError("a strip needs at least one panel, got none")
    return sheet([panels], panel_width_px, legend)


def sheet(rows: Sequence[Sequence[Panel]], panel_width_px: int = 200, legend: Picture | None = None) -> Picture:
    """Strips below each other, e.g. the worst cases of a method, with a legend at the foot.

    Panels of one row must have one size; they are scaled to `panel_width_px`.

    Raises:
        ValueError: if there is no row, or the panels of a row differ in size.
    """
    if not rows:
        raise ValueError("a sheet needs at least one row, got none")
    bands = [_band(row, panel_width_px) for row in rows] + ([legend] if legend is not None else [])
    width = max(band.shape[1] for band in bands)
    return np.vstack([np.pad(band, ((0, 0), (0, width - band.shape[1]), (0, 0)), constant_values=255) for band in bands])


@dataclass(frozen=True)
class CostPoint:
    """One method on the chart of error against cost.

    Attributes:
        label: name of the method.
        gmac: 10^9 multiply-accumulates per image, above 0 (what the paper calls GFLOPS).
        error: value of the metric.
        needs_trimap: whether the method is given a trimap by the user.
        measured: whether the value was measured by this project; otherwise it was published.
    """

    label: str
    gmac: float
    error: float
    needs_trimap: bool = False
    measured: bool = False


def cost_figure(points: Sequence[CostPoint], metric: str, subset: str) -> Figure:
    """Scatter chart of an error (lower is better) against cost on a logarithmic axis.

    Published values are filled circles, measured ones diamonds, methods that need a trimap hollow. The figure belongs to no
    global state, so it may be drawn from any thread.

    Raises:
        ValueError: if there is no point, or a cost is not above 0.
    """
    if not points or any(point.gmac <= 0 for point in points):
        raise ValueError(f"the chart needs points with a cost above 0, got {[point.gmac for point in points]}")
    figure = Figure(figsize=(8, 5), dpi=_DPI, layout="constrained")
    axes = figure.add_subplot()
    for point in points:
        colour = "#c8553d" if point.measured else "#26415f"
        axes.scatter(
            point.gmac, point.error, s=60, marker="D" if point.measured else "o", edgecolors=colour,
            facecolors="none" if point.needs_trimap else colour,
        )  # fmt: skip
    axes.set_xscale("log")
    axes.margins(x=0.15, y=0.12)
    axes.set_xlabel("GFLOPS per image (10⁹ multiply-accumulates)")
    axes.set_ylabel(f"{metric} on {subset}, lower is better")
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    figure.draw_without_rendering()  # settles where the points lie
    _label_points(axes, points)
    return figure


def _label_points(axes: Axes, points: Sequence[CostPoint]) -> None:
    """Write each name right of its point, else above, below or left of it, wherever it stays inside and covers least."""
    frame = axes.get_window_extent()
    taken = [Bbox.from_bounds(x - 6, y - 6, 12, 12) for x, y in axes.transData.transform([(p.gmac, p.error) for p in points])]
    for point in points:
        label = f"{point.label} (needs a trimap)" if point.needs_trimap else point.label
        places = [((9, 0), "left", "center"), ((0, 8), "center", "bottom"), ((0, -8), "center", "top")]
        places += [((-9, 0), "right", "center"), ((7, 6), "left", "bottom"), ((7, -6), "left", "top")]
        texts = [
            axes.annotate(
                label, (point.gmac, point.error), offset, textcoords="offset points", fontsize=9, color=_INK, ha=across, va=up
            )
            for offset, across, up in places
        ]
        boxes = [text.get_window_extent() for text in texts]
        outside = [box.width * box.height - covered_area(box, [frame]) for box in boxes]
        best = min(range(len(boxes)), key=lambda i: outside[i] + covered_area(boxes[i], taken))
        taken.append(boxes[best])
        for index, text in enumerate(texts):
            if index != best:
                text.remove()


def covered_area(box: Bbox, others: Sequence[Bbox]) -> float:
    """Area of a box that others cover; what two of them cover counts twice."""
    overlaps = (Bbox.intersection(box, other) for other in others)
    return sum(overlap.width * overlap.height for overlap in overlaps if overlap is not None)


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


def _legend(low: float, high: float, name: str, title: str, width_px: int) -> Picture:
    figure = Figure(figsize=(width_px / _DPI, 0.7), dpi=_DPI, layout="constrained")
    bar = figure.colorbar(
        ScalarMappable(Normalize(low, high), matplotlib.colormaps[name]),
        cax=figure.add_subplot(),
        orientation="horizontal",
        ticks=np.linspace(low, high, _LEGEND_STEPS),
        format="%.2f",
        extend="max" if low == 0 else "both",
    )
    bar.set_label(title, fontsize=8)
    bar.ax.tick_params(labelsize=8)
    return render(figure)


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
