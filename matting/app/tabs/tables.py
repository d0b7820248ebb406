"""Tab "Tables": published figures as they were printed, and our own beside them, never mixed."""

from collections.abc import Sequence
from html import escape

import gradio as gr

from matting.app import text
from matting.app.scripts import SORT
from matting.app.service import UNQUEUED
from matting.app.session import address_of
from matting.app.views.sortable import Cell, Column, number_cell, sortable_table, text_cell
from matting.evaluation.published import (
    METRICS,
    SUBSETS,
    WORST,
    MeasuredRow,
    PublishedRow,
    cost_chart,
    measured_rows,
    published_table,
)

MEASURED_METRICS = {**METRICS, "MSE": "mse", "MAD": "mad", "IoU": "iou"}


def build_tables_tab() -> None:
    table = published_table()
    gr.HTML(f'<p class="lead">{text.TABLES_LEAD}</p>')
    with gr.Row(elem_classes="steps"):
        metric = gr.Radio(list(METRICS), value="SAD", label=text.TABLES_METRIC, elem_id="metric")
        subset = gr.Radio(list(SUBSETS), value=SUBSETS[0], label=text.TABLES_SUBSET, elem_id="subset")
    chart = gr.HTML(chart_html("SAD", SUBSETS[0]), elem_id="chart")
    gr.HTML(f"<h2>{text.TABLES_PUBLISHED}</h2>")
    published = sortable_table(*published_cells(table.rows), text.TABLES_PUBLISHED)
    gr.HTML(published, js_on_load=SORT, elem_id="published")
    source = text.TABLES_SOURCE.format(source=escape(table.source), note=escape(table.convention))
    gr.HTML(f'<p class="small">{source}</p>')
    _build_measured(measured_rows(), measured_rows(part="common"))
    gr.HTML(f"<h2>{text.TABLES_WORST}</h2><p>{text.TABLES_WORST_NOTE}</p>")
    gr.set_static_paths(WORST)  # served from where it lies
    address = address_of(WORST)
    sheet = f'<img src="{address}" alt="{escape(text.TABLES_WORST_ALT)}" loading="lazy"/>'
    gr.HTML(f'<a href="{address}" target="_blank">{sheet}</a>', elem_id="worst")
    gr.on([metric.input, subset.input], chart_html, [metric, subset], chart, **UNQUEUED)


def _build_measured(rows: Sequence[MeasuredRow], common: Sequence[MeasuredRow]) -> None:
    gr.HTML(f"<h2>{text.TABLES_MEASURED}</h2>")
    if not rows:
        gr.HTML(f"<p>{text.TABLES_NOT_MEASURED}</p>")
        return
    for command in dict.fromkeys(row.command for row in rows):
        gr.HTML(f"<p>{text.TABLES_MEASURED_NOTE.format(command=escape(command))}</p>")
        gr.HTML(f'<p class="small">{text.TABLES_TERMS}</p>')
        whole, part = ([row for row in some if row.command == command] for some in (rows, common))
        _measured_table(whole, text.TABLES_MEASURED)
        if {row.method for row in part} > {row.method for row in whole}:
            gr.HTML(f"<p>{text.TABLES_COMMON}</p>")
            _measured_table(part, text.TABLES_COMMON)


def _measured_table(rows: Sequence[MeasuredRow], label: str) -> None:
    gr.HTML(sortable_table(*measured_cells(rows), label), js_on_load=SORT, elem_classes="measured")
    if any(row.trained_on_this for row in rows):
        gr.HTML(f'<p class="small">{text.TABLES_TRAINED}</p>')


def published_cells(rows: Sequence[PublishedRow]) -> tuple[list[Column], list[list[Cell]]]:
    """Columns and cells: what the method is, its cost, NP columns, P columns, where it was published.

    Bold is the lowest number of those that need no trimap.
    """
    places = [(subset, field) for subset in SUBSETS for field in METRICS.values()]
    scores = [Column(name, subset) for subset in SUBSETS for name in METRICS]
    columns = [Column(title) for title in (text.COMPARE_METHOD, "GFLOPS")] + scores + [Column(text.TABLES_REFERENCE)]
    alone = [row for row in rows if not row.uses_trimap]
    best = {(subset, field): min(getattr(row.scores[subset], field) for row in alone) for subset, field in places}
    cells = []
    for row in rows:
        name = f"{row.label} * {text.TABLES_YES}" if row.uses_trimap else row.label
        values = [(getattr(row.scores[subset], field), best[subset, field]) for subset, field in places]
        numbers = [number_cell(value, ".2f", value == lowest and not row.uses_trimap) for value, lowest in values]
        cells.append([text_cell(name), number_cell(row.gflops, ",.1f"), *numbers, text_cell(row.reference)])
    return columns, cells


def measured_cells(rows: Sequence[MeasuredRow]) -> tuple[list[Column], list[list[Cell]]]:
    """Columns and cells of our own measurements; a method trained on the pictures carries a mark."""
    titles = [text.TABLES_PICTURES, text.COMPARE_METHOD, text.TABLES_IMAGES, *MEASURED_METRICS]
    columns = [Column(title) for title in (*titles, text.TABLES_SECONDS, "GMAC")]
    cells = [
        [
            text_cell(row.subset or row.dataset),
            text_cell(f"{row.title} †" if row.trained_on_this else row.title),
            number_cell(row.images, "d"),
            *(number_cell(row.means.get(field), "#.4g") for field in MEASURED_METRICS.values()),
            number_cell(row.seconds, ".2f"),
            number_cell(row.gmac, ".2f"),
        ]
        for row in rows
    ]
    return columns, cells


def chart_html(metric: str, subset: str) -> str:
    """The published rows as a scatter chart of one metric on one subset."""
    drawn = cost_chart(metric, subset, style="")
    return f'<figure class="chart scatter" tabindex="0">{drawn}</figure><p class="small">{text.TABLES_CHART_NOTE}</p>'
