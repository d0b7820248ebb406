"""Tab "About": the two stages drawn, privacy, licences, citation, programs."""

import math
from collections.abc import Callable
from html import escape

import gradio as gr

from matting.app import text

_GRID = 16  # cells along a drawn picture
_CELL = 10
_SIDE = _GRID * _CELL
_GAP = 46
_TRIMAP_CLASSES = ("background", "unknown", "person")


def build_about_tab() -> None:
    gr.HTML(stages_figure())
    with gr.Row(equal_height=False):
        with gr.Column():
            gr.Markdown(text.ABOUT)
            gr.Markdown(text.ABOUT_PRIVACY)
            gr.Markdown(text.ABOUT_CREDITS)
        with gr.Column():
            gr.Markdown(text.ABOUT_USE)
            gr.Markdown(text.ABOUT_CITE)


def stages_figure() -> str:
    """SVG of the five steps from photo to alpha, on a head that is only a formula."""
    steps = (_photo(), _coarse(), _trimap(), _regions(), _refined())
    parts = []
    for number, (picture, label) in enumerate(zip(steps, text.ABOUT_STEPS, strict=True)):
        x = number * (_SIDE + _GAP)
        parts.append(f'<g transform="translate({x} 0)">{picture}<text x="{_SIDE / 2}" y="{_SIDE + 22}">{label}</text></g>')
        if number:
            parts.append(f'<path class="arrow" d="M{x - _GAP + 10} {_SIDE / 2}h{_GAP - 22}m-6 -5l6 5l-6 5"/>')
    width = len(steps) * (_SIDE + _GAP) - _GAP
    return (
        f'<div class="stages"><svg viewBox="-2 -2 {width + 4} {_SIDE + 34}" role="img" '
        f'aria-label="{escape(text.ABOUT_FIGURE_ALT)}">{"".join(parts)}</svg></div>'
    )


def _inside(x: float, y: float) -> float:
    """How far inside the drawn person a point of the unit square is; about 0 at the edge, negative outside."""
    hair = 0.012 * math.sin(38 * math.atan2(y - 0.36, x - 0.5)) if y < 0.42 else 0.0
    head = 0.235 + hair - math.hypot(x - 0.5, (y - 0.36) * 0.85)
    shoulders = 0.40 - math.hypot(x - 0.5, (y - 1.08) * 1.1)
    neck = min(0.12 - abs(x - 0.5), 0.25 - abs(y - 0.6))
    return max(head, shoulders, neck)


def _cell_value(row: int, column: int) -> float:
    return _inside((column + 0.5) / _GRID, (row + 0.5) / _GRID)


def _is_unknown(row: int, column: int) -> bool:
    return abs(_cell_value(row, column)) < 0.045


def _cells(style: Callable[[int, int], str]) -> str:
    return "".join(
        f'<rect x="{column * _CELL}" y="{row * _CELL}" width="{_CELL}" height="{_CELL}" {style(row, column)}/>'
        for row in range(_GRID)
        for column in range(_GRID)
    )


def _outline() -> str:
    """The person's edge as one path, found by walking out from the middle."""
    points = []
    for step in range(241):
        angle = math.pi * (0.72 + 1.56 * step / 240)
        radius = 0.12
        while _inside(0.5 + radius * math.cos(angle), 0.36 + radius * math.sin(angle)) > 0 and radius < 0.6:
            radius += 0.002
        points.append((0.5 + radius * math.cos(angle), 0.36 + radius * math.sin(angle)))
    shoulders = [(0.5 + 0.4 * math.cos(a), 1.08 - 0.364 * math.sin(a)) for a in [math.pi * s / 40 for s in range(41)]]
    right = [p for p in shoulders if p[0] > 0.6 and p[1] <= 1]
    left = [p for p in shoulders if p[0] < 0.4 and p[1] <= 1]
    path = [*left[::-1], *points, *right[::-1]]
    return "M" + "L".join(f"{x * _SIDE:.1f} {y * _SIDE:.1f}" for x, y in path) + "Z"


def _frame(body: str) -> str:
    return f'{body}<rect class="frame" width="{_SIDE}" height="{_SIDE}"/>'


def _photo() -> str:
    face = f'<ellipse class="face" cx="{_SIDE / 2}" cy="{_SIDE * 0.43}" rx="{_SIDE * 0.155}" ry="{_SIDE * 0.2}"/>'
    backdrop = f'<rect class="backdrop" width="{_SIDE}" height="{_SIDE}"/>'
    return _frame(f'{backdrop}<path class="figure" d="{_outline()}"/>{face}')


def _coarse() -> str:
    def style(row: int, column: int) -> str:
        share = 1 / (1 + math.exp(-_cell_value(row, column) * 45))
        level = round(255 * share)
        return f'fill="rgb({level},{level},{level})"'

    return _frame(_cells(style))


def _trimap() -> str:
    def style(row: int, column: int) -> str:
        kind = 1 if _is_unknown(row, column) else 2 if _cell_value(row, column) > 0 else 0
        return f'class="{_TRIMAP_CLASSES[kind]}"'

    return _frame(_cells(style))


def _regions() -> str:
    unknown = [(r, c) for r in range(_GRID) for c in range(_GRID) if _is_unknown(r, c)]
    own = min(unknown, key=lambda cell: math.hypot(cell[0] - 3, cell[1] - 11))
    near = sorted((c for c in unknown if c != own), key=lambda c: math.hypot(c[0] - own[0], c[1] - own[1]))[:8]
    middle = ((own[1] + 0.5) * _CELL, (own[0] + 0.5) * _CELL)
    squares = "".join(
        f'<rect class="unknown" x="{c * _CELL + 0.5}" y="{r * _CELL + 0.5}" width="{_CELL - 1}" height="{_CELL - 1}" rx="1.5"/>'
        for r, c in unknown
    )
    links = "".join(
        f'<line class="link" x1="{middle[0]}" y1="{middle[1]}" x2="{(c + 0.5) * _CELL}" y2="{(r + 0.5) * _CELL}"/>'
        for r, c in near
    )
    mark = f'<rect class="own" x="{own[1] * _CELL}" y="{own[0] * _CELL}" width="{_CELL}" height="{_CELL}" rx="1.5"/>'
    return _frame(squares + links + mark)


def _refined() -> str:
    return _frame(f'<rect width="{_SIDE}" height="{_SIDE}" fill="#000"/><path d="{_outline()}" fill="#fff"/>')
