"""Tab "Regions": inspect any region that was refined."""

from html import escape
from typing import Any, NamedTuple

import gradio as gr
import numpy as np

from matting.app import text
from matting.app.errors import Problem
from matting.app.results.region import (
    RegionView,
    changes_of,
    nearest_region,
    region_by_change,
    region_towards,
    view_region,
)
from matting.app.results.result import Result
from matting.app.scripts import PICK, POINT
from matting.app.service import IN_ORDER, PICKED, QUICK, Service, latest
from matting.app.session import Session, address_of
from matting.app.views.photo_page import note_html
from matting.app.views.region_drawing import (
    attention_svg,
    bins_of,
    histogram_svg,
    locator_svg,
    neighbourhood_html,
    patches_html,
)
from matting.evaluation.metrics import UNKNOWN

_MOST_KEYS = 32  # at once; a hand presses one or two

Update = dict[Any, Any]


class _Page(NamedTuple):
    note: gr.HTML
    content: gr.Column
    picture: gr.HTML
    locator: gr.HTML
    facts: gr.HTML
    neighbourhood: gr.HTML
    patches: gr.HTML
    attention: gr.HTML
    histogram: gr.HTML
    most: gr.Button
    previous: gr.Button
    following: gr.Button
    again: gr.Button


def _build_page() -> _Page:
    gr.HTML(f'<p class="lead">{text.REGIONS_LEAD}</p>')
    note = gr.HTML(note_html(text.REGIONS_EMPTY, "calm"))
    with gr.Column(visible=False) as content:
        with gr.Row(equal_height=False, elem_classes="stage"):
            with gr.Column(scale=7, min_width=320):
                with gr.Column(elem_classes="layers"):
                    picture = gr.HTML(elem_id="region-picture")
                    locator = gr.HTML(js_on_load=POINT, elem_id="locator")
                gr.HTML(f'<p class="small keys">{text.REGIONS_KEYS}</p>')
            with gr.Column(scale=5, min_width=300):
                with gr.Row(elem_classes="steps"):
                    most = gr.Button(text.REGIONS_MOST, size="sm", min_width=100)
                    previous = gr.Button(text.REGIONS_PREVIOUS, size="sm", min_width=100)
                    following = gr.Button(text.REGIONS_NEXT, size="sm", min_width=100)
                facts = gr.HTML(elem_id="region-facts")
                neighbourhood = gr.HTML(elem_id="neighbourhood")
        patches = gr.HTML(elem_id="patches")
        with gr.Row(equal_height=False, elem_classes="stage"):
            attention = gr.HTML(elem_id="attention")
            histogram = gr.HTML(js_on_load=PICK, elem_id="histogram")
    again = gr.Button(visible="hidden", elem_classes="again")
    return _Page(
        note, content, picture, locator, facts, neighbourhood, patches, attention, histogram, most, previous, following, again
    )


class RegionsTab:
    """Handlers of the tab; all answer from the session's last result without running the whole network."""

    def __init__(self, tab: gr.Tab, service: Service, session: gr.State):
        self.service = service
        self.page = page = _build_page()
        self.chosen = chosen = gr.State(0)
        shown = [chosen, page.locator, page.facts, page.neighbourhood, page.patches, page.attention, page.histogram]
        shown += [page.previous, page.following]
        gr.on([tab.select, page.again.click], self.open, session, [page.note, page.content, page.picture, *shown], **QUICK)
        picked = {**PICKED, **IN_ORDER}
        page.locator.select(self.click, session, shown, **picked)
        page.locator.input(self.walk, [session, chosen], shown, **picked)
        page.most.click(self.show_most_changed, session, shown, **picked)
        page.previous.click(self.show_previous, [session, chosen], shown, **picked)
        page.following.click(self.show_next, [session, chosen], shown, **picked)
        page.histogram.select(self.light_bar, [session, chosen], [page.locator, page.histogram], **picked)

    def open(self, session: Session | None) -> Update:
        """The tab was chosen, or the first tab has ended its work: show the last photo with its most changed region."""
        page = self.page
        result = session.result if session else None
        if session is None or session.given is not None or result is None or len(result.matte.regions.cells) == 0:
            message = _why_nothing(session)
            return {page.note: gr.HTML(note_html(message, "calm"), visible=True), page.content: gr.Column(visible=False)}
        source = address_of(session.write(result.preview.image, f"{result.stem}-input", lossy=True))
        return {
            page.note: gr.HTML(visible=False),
            page.content: gr.Column(visible=True),
            page.picture: f'<img src="{source}" alt=""/>',
            **self._show(result, _most_changed(result)),
        }

    def click(self, session: Session | None, event: gr.EventData) -> Update:
        result = _result_of(session)
        return self._show(result, nearest_region(result.matte, event.x, event.y))

    def walk(self, session: Session | None, chosen: int, event: gr.EventData) -> Update:
        result = _result_of(session)
        for key in event.keys[:_MOST_KEYS]:
            chosen = region_towards(result.matte.regions, chosen, key)
        return self._show(result, chosen)

    def show_most_changed(self, session: Session | None) -> Update:
        result = _result_of(session)
        return self._show(result, _most_changed(result))

    def show_previous(self, session: Session | None, chosen: int) -> Update:
        result = _result_of(session)
        return self._show(result, region_by_change(result.matte.regions, chosen, -1))

    def show_next(self, session: Session | None, chosen: int) -> Update:
        result = _result_of(session)
        return self._show(result, region_by_change(result.matte.regions, chosen, 1))

    def light_bar(self, session: Session | None, chosen: int, event: gr.EventData) -> Update:
        """Light up the regions of one bar of the histogram."""
        matte = _result_of(session).matte
        changes = changes_of(matte.regions)
        bar = int(event.value)
        lit = np.flatnonzero(bins_of(changes) == bar)
        return {self.page.locator: locator_svg(matte, lit=lit), self.page.histogram: histogram_svg(changes, bar)}

    def _show(self, result: Result, index: int) -> Update:
        page = self.page
        view = view_region(result.matte.regions, index, self.service.model)
        return {
            self.chosen: index,
            page.locator: locator_svg(result.matte, view),
            page.facts: f'<p class="small">{escape(describe_region(view, result))}</p>',
            page.neighbourhood: neighbourhood_html(result.matte, view),
            page.patches: patches_html(view),
            page.attention: attention_svg(view),
            page.histogram: histogram_svg(changes_of(result.matte.regions)),
            page.previous: gr.Button(interactive=view.rank > 1),
            page.following: gr.Button(interactive=view.rank < len(result.matte.regions.cells)),
        }


def describe_region(view: RegionView, result: Result) -> str:
    """One line: where it is and how much it changed."""
    return text.REGIONS_FACTS.format(
        row=view.cell[0], column=view.cell[1], rank=view.rank, count=len(result.matte.regions.cells), change=view.change
    )


def _why_nothing(session: Session | None) -> str:
    if session is None:
        return text.REGIONS_EXPIRED
    if session.given is not None:
        return text.REGIONS_WORKING
    if session.result is None:
        return text.REGIONS_EMPTY
    return text.REGIONS_OFF if (session.result.matte.trimap == UNKNOWN).any() else text.REGIONS_NONE


def _most_changed(result: Result) -> int:
    return int(changes_of(result.matte.regions).argmax())


def _result_of(session: Session | None) -> Result:
    _, result = latest(session)
    if len(result.matte.regions.cells) == 0:
        raise Problem(text.ERROR_EXPIRED)
    return result
