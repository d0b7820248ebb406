"""A scatter chart of error against cost as SVG: both axes logarithmic, every mark says its row when pointed at.

In a page its classes take the page's colours; as a file of its own it brings some.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from matplotlib.transforms import Bbox

_WIDTH, _HEIGHT = 860, 430
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 24, 20, 52
_TICKS = [digit * 10.0**power for power in range(-2, 5) for digit in (1, 2, 5)]
_TEXT_HEIGHT = 17
_LETTER = 7.2  # mean width of a letter of a label
_STYLE = """
svg { background: white; font: 13px sans-serif; fill: #444 }
line { stroke: #ddd }
.title { text-anchor: middle }
.hit, .trimap .dot { fill: none }
.trimap .dot { stroke: #26415f; stroke-width: 2.5 }
.plain .dot { fill: #26415f }
.ours .dot { fill: #c8553d }
"""


@dataclass(frozen=True)
class Mark:
    """One method on the chart.

    Attributes:
        label: its name.
        cost: billions of multiply-accumulates, above 0.
        error: value on the vertical axis, above 0.
        kind: "plain", "trimap" (needs one from the user) or "ours".
        details: what is shown when it is pointed at.
    """

    label: str
    cost: float
    error: float
    kind: str
    details: str


def scatter_svg(marks: Sequence[Mark], x_title: str, y_title: str, description: str, style: str = _STYLE) -> str:
    """Draw the marks; labels are put where they hide nothing, as far as there is room.

    Args:
        marks: one per method.
        x_title, y_title: of the axes.
        description: what the chart shows, for screen readers.
        style: CSS of a file of its own; empty where the page has rules for the classes.

    Raises:
        ValueError: if there is no mark, or a cost or an error is not above 0.
    """
    if not marks or any(min(mark.cost, mark.error) <= 0 for mark in marks):
        given = [(mark.cost, mark.error) for mark in marks]
        raise ValueError(f"the chart needs marks with a cost and an error above 0, got {given}")
    x_range, y_range = _range([mark.cost for mark in marks]), _range([mark.error for mark in marks])
    places = [(_x(mark.cost, x_range), _y(mark.error, y_range)) for mark in marks]
    labels = _place_labels([mark.label for mark in marks], places)
    drawn = "".join(_mark(*row) for row in zip(marks, places, labels, strict=True))
    middle = (_LEFT + _WIDTH - _RIGHT) / 2, (_TOP + _HEIGHT - _BOTTOM) / 2
    title_x = f'<text class="title" x="{middle[0]}" y="{_HEIGHT - 8}">{escape(x_title)}</text>'
    title_y = f'<text class="title" transform="translate(16 {middle[1]}) rotate(-90)">{escape(y_title)}</text>'
    rules = f"<style>{style}</style>" if style else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="{escape(description)}">{rules}{_axes(x_range, y_range)}{title_x}{title_y}{drawn}</svg>'
    )


def _range(values: Sequence[float]) -> tuple[float, float]:
    return min(values) / 1.35, max(values) * 1.35


def _share(value: float, limits: tuple[float, float]) -> float:
    return math.log(value / limits[0]) / math.log(limits[1] / limits[0])


def _x(value: float, limits: tuple[float, float]) -> float:
    return _LEFT + _share(value, limits) * (_WIDTH - _LEFT - _RIGHT)


def _y(value: float, limits: tuple[float, float]) -> float:
    return _HEIGHT - _BOTTOM - _share(value, limits) * (_HEIGHT - _TOP - _BOTTOM)


def _axes(x_range: tuple[float, float], y_range: tuple[float, float]) -> str:
    floor = _HEIGHT - _BOTTOM
    parts = []
    for tick in _TICKS:
        if x_range[0] <= tick <= x_range[1]:
            x = _x(tick, x_range)
            parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{floor}"/>')
            parts.append(f'<text class="tick" x="{x:.1f}" y="{floor + 18}" text-anchor="middle">{tick:,g}</text>')
        if y_range[0] <= tick <= y_range[1]:
            y = _y(tick, y_range)
            parts.append(f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
            parts.append(f'<text class="tick" x="{_LEFT - 8}" y="{y + 5:.1f}" text-anchor="end">{tick:,g}</text>')
    return "".join(parts)


def _place_labels(labels: Sequence[str], places: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Top left corner of each label: right of its mark, else left, above or below, wherever least is covered."""
    taken = [Bbox.from_bounds(x - 8, y - 8, 16, 16) for x, y in places]
    corners = []
    for label, (x, y) in zip(labels, places, strict=True):
        wide = len(label) * _LETTER
        right_left = [(x + 12, y - _TEXT_HEIGHT / 2), (x - 12 - wide, y - _TEXT_HEIGHT / 2)]
        above_below = [(x - wide / 2, y - 12 - _TEXT_HEIGHT), (x - wide / 2, y + 12)]
        boxes = [Bbox.from_bounds(left, top, wide, _TEXT_HEIGHT) for left, top in right_left + above_below]
        inside = [box for box in boxes if box.x0 >= _LEFT and box.x1 <= _WIDTH - 4]
        best = min(inside or boxes, key=lambda box: _covered_area(box, taken))
        taken.append(best)
        corners.append((best.x0, best.y0))
    return corners


def _covered_area(box: Bbox, others: Sequence[Bbox]) -> float:
    """Area of a box that others cover; what two of them cover counts twice."""
    overlaps = (Bbox.intersection(box, other) for other in others)
    return sum(overlap.width * overlap.height for overlap in overlaps if overlap is not None)


def _mark(mark: Mark, place: tuple[float, float], corner: tuple[float, float]) -> str:
    return (
        f'<g class="mark {mark.kind}" tabindex="0"><title>{escape(mark.details)}</title>'
        f'<circle class="hit" cx="{place[0]:.1f}" cy="{place[1]:.1f}" r="16"/>'
        f'<circle class="dot" cx="{place[0]:.1f}" cy="{place[1]:.1f}" r="{8 if mark.kind == "ours" else 6}"/>'
        f'<text x="{corner[0]:.1f}" y="{corner[1] + 13:.1f}">{escape(mark.label)}</text></g>'
    )
