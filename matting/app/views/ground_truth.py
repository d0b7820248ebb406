"""Coarse and refined alpha against the true one: numbers, and error maps on one scale with the worst place enlarged."""

from collections.abc import Mapping
from html import escape

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from matting.app import text
from matting.app.results.measured import error_maps, result_rows
from matting.app.results.result import Result, shrink
from matting.app.session import Session, address_of
from matting.app.views.panels import scale_html
from matting.app.views.region_drawing import data_uri
from matting.evaluation.figures import ERROR_MAP, error_colours, shared_limit
from matting.evaluation.metrics import Metrics

SHOWN = (("SAD", "sad"), ("SAD-T", "sad_t"), ("MSE", "mse"), ("MAD", "mad"), ("Grad", "grad"), ("Conn", "conn"))
_WORST_SHARE = 0.12  # side of the enlarged square as a share of the longer side


def ground_truth_html(result: Result, session: Session) -> str:
    """Metric table and error maps, or nothing without a true alpha."""
    if result.truth_8 is None:
        return ""
    drawn = result.example is not None and result.example.drawn
    title, note = (text.TRUTH_DRAWN_TITLE, text.TRUTH_DRAWN_NOTE) if drawn else (text.TRUTH_TITLE, "")
    return f"<h2>{title}</h2><p>{note} {text.TRUTH_NOTE}</p>{metric_table(result_rows(result))}{_maps(result, session)}"


def metric_table(rows: Mapping[str, Metrics]) -> str:
    """HTML table, a row a method; what is printed alike with the best of a column is bold, too.

    A button asks for all metrics as a file.
    """
    best = {field: min(getattr(metrics, field) for metrics in rows.values()) for _, field in SHOWN}
    head = "".join(f"<th>{title}</th>" for title, _ in SHOWN)
    body = "".join(
        f"<tr><th>{escape(name)}</th>{''.join(_number(getattr(metrics, f), best[f]) for _, f in SHOWN)}</tr>"
        for name, metrics in rows.items()
    )
    return (
        f'<div class="scroll" tabindex="0" role="group" aria-label="{text.TRUTH_TABLE}"><table class="metrics">'
        f"<thead><tr><th>{text.COMPARE_METHOD}</th>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>{save_button('metrics', text.SAVE_METRICS, text.SAVE_METRICS_OF)}"
    )


def headline_html(result: Result) -> str:
    """The figure that counts, for the top of the page; nothing without a true alpha."""
    if result.truth_8 is None or (result.example is not None and result.example.drawn):
        return ""
    coarse, refined = result.errors
    return f'<p class="headline" role="status">{text.TRUTH_HEADLINE.format(refined=refined.sad, coarse=coarse.sad)}</p>'


def save_button(what: str, kind: str, title: str) -> str:
    """A small button that asks for a file."""
    return f'<button type="button" class="chip" data-pick="{what}" aria-label="{text.SAVE}: {escape(title)}">{kind}</button>'


def _maps(result: Result, session: Session) -> str:
    """Maps of absolute error on one scale; the largest error of each is framed, and that place of the alpha enlarged."""
    errors = error_maps(result)
    limit = shared_limit(list(errors.values()))
    figures = []
    for (name, error), title in zip(errors.items(), (text.TRUTH_COARSE_ERROR, text.TRUTH_REFINED_ERROR), strict=True):
        source = address_of(session.write(error_colours(shrink(error), limit), f"{result.stem}-error"))
        left, top, side = worst_square(error)
        height, width = error.shape
        frame = f"left:{left / width:.2%};top:{top / height:.2%};width:{side / width:.2%};height:{side / height:.2%}"
        crop = error_colours(error[top : top + side, left : left + side], limit)
        figures.append(
            f'<figure class="panel error"><div class="framed"><img src="{source}" alt="{escape(title)}"/>'
            f'<i style="{frame}"></i><img class="inset" src="{data_uri(crop)}" alt="{escape(text.TRUTH_WORST)}"/></div>'
            f"<figcaption><div><b>{escape(title)}</b>{save_button(name, text.SAVE_PANEL, title)}</div></figcaption></figure>"
        )
    scale = text.TRUTH_SCALE.format(limit=limit)
    legend = scale_html(ERROR_MAP, "0", f"{limit:.2f}")
    return f'<div class="panels">{"".join(figures)}</div>{legend}<p class="small">{scale}</p>'


def worst_square(error: NDArray[np.float32]) -> tuple[int, int, int]:
    """(left, top, side) of the square with the largest mean error."""
    height, width = error.shape
    side = min(max(8, round(max(height, width) * _WORST_SHARE)), height, width)
    mean = ndimage.uniform_filter(error, side, mode="constant")
    row, column = np.unravel_index(int(mean.argmax()), mean.shape)
    return int(np.clip(column - side // 2, 0, width - side)), int(np.clip(row - side // 2, 0, height - side)), side


def _number(value: float, best: float) -> str:
    figure = _printed(value)
    return f"<td><b>{figure}</b></td>" if figure == _printed(best) else f"<td>{figure}</td>"


def _printed(value: float) -> str:
    return f"{value:#.2g}" if 0 < abs(value) < 0.1 else f"{value:.2f}"
