"""Tab "Compare": one photo, several methods."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import gradio as gr

from matting.app import text
from matting.app.errors import plain_errors
from matting.app.results.comparison import (
    CUTOUT,
    DEFAULT_METHODS,
    VIEWS,
    Photo,
    check_methods,
    comparison_html,
    known_already,
    lowest_error,
    make_comparison_file,
    method_choices,
    metrics_of,
    pair_of,
    photo_of,
    run_method,
)
from matting.app.scripts import FAILED, PICK, SAVE, ZOOM
from matting.app.service import LONG_QUEUE, QUICK, UNQUEUED, Service, latest
from matting.app.session import Session
from matting.app.stopping import StoppedError
from matting.app.views.ground_truth import metric_table
from matting.app.views.photo_page import note_html
from matting.app.views.viewer import build_viewer, show_pair

Update = dict[Any, Any]


class _Page(NamedTuple):
    methods: gr.CheckboxGroup
    run: gr.Button
    stop: gr.Button
    note: gr.HTML
    view: gr.Radio
    grid: gr.HTML
    pair: gr.Row
    left: gr.Dropdown
    right: gr.Dropdown
    viewer: gr.HTML
    table: gr.HTML
    sink: gr.File
    again: gr.Button


def _build_page() -> _Page:
    gr.HTML(f'<p class="lead">{text.COMPARE_LEAD}</p>')
    methods = gr.CheckboxGroup(method_choices(), value=list(DEFAULT_METHODS), label=text.COMPARE_PICK, elem_id="methods")
    with gr.Row(elem_classes="steps"):
        run = gr.Button(text.COMPARE_RUN, variant="primary", scale=0, min_width=180, elem_id="compare")
        stop = gr.Button(text.STOP, visible=False, scale=0, min_width=100)
        view = gr.Radio(VIEWS, value=CUTOUT, label=text.COMPARE_VIEW, show_label=False, container=False, elem_id="view")
    note = gr.HTML(note_html(text.COMPARE_OPENING), elem_id="compare-note")
    grid = gr.HTML(js_on_load=ZOOM + PICK, elem_id="comparison")
    with gr.Column(visible=False) as pair:
        gr.HTML(f"<h2>{text.COMPARE_PAIR}</h2>")
        with gr.Row():
            left = gr.Dropdown([], label=text.COMPARE_LEFT, elem_id="left")
            right = gr.Dropdown([], label=text.COMPARE_RIGHT, elem_id="right")
        viewer = build_viewer(text.COMPARE_PAIR, "pair", stage=False)
    table = gr.HTML(js_on_load=PICK, elem_id="compare-table")
    sink = gr.File(visible="hidden", elem_id="compare-sink")
    again = gr.Button(visible="hidden", elem_classes="again")
    return _Page(methods, run, stop, note, view, grid, pair, left, right, viewer, table, sink, again)


class CompareTab:
    """Handlers of the tab; the methods run one after the other, and each is shown as soon as it is done."""

    def __init__(self, tab: gr.Tab, service: Service, session: gr.State):
        self.service = service
        self.page = page = _build_page()
        shown = [page.note, page.stop, page.grid, page.pair, page.left, page.right, page.viewer, page.table]
        opened = gr.on([tab.select, page.again.click], self.open, [page.view, session], [page.note, page.grid], **QUICK)
        opened.then(self.open_rest, [page.view, session], shown[3:], **QUICK)
        work: dict[str, Any] = {**LONG_QUEUE, "api_visibility": "private", "show_progress": "hidden"}  # the note tells it
        running = page.run.click(self.compare, [page.methods, page.view, session], shown, **work)
        page.stop.click(self.stop_work, None, [page.note, page.stop], cancels=[running], **UNQUEUED)
        choice = [page.view, page.left, page.right, session]
        page.view.input(self.change_view, choice, [page.grid, page.viewer], **QUICK)
        gr.on([page.left.input, page.right.input], self.change_pair, choice, page.viewer, **QUICK)

        for part in (page.grid, page.table):
            made = part.select(self.save, session, page.sink, api_visibility="private", show_progress="hidden")
            made.success(None, page.sink, None, js=SAVE, api_visibility="private", show_progress="hidden")
            made.failure(None, None, None, js=FAILED, api_visibility="private", show_progress="hidden")

    def save(self, session: Session | None, event: gr.EventData) -> str:
        """A table of the metrics, or the map of a method's error."""
        session, result = latest(session)
        with plain_errors():
            return str(make_comparison_file(session.comparison, photo_of(result), str(event.value), session))

    def stop_work(self, request: gr.Request) -> Update:
        self.service.sessions.stop(request)
        return {self.page.note: note_html(text.COMPARE_STOPPED), self.page.stop: gr.Button(visible=False)}

    def compare(self, methods: list[str], view: str, session: Session | None) -> Iterator[Update]:
        """Run the chosen methods on the last photo."""
        check_methods(methods)
        page, (session, result) = self.page, latest(session)
        photo = photo_of(result)
        labels = {name: label for label, name in method_choices()}
        turn, session.view, session.comparison = session.turn, view, ()
        session.stop.clear()
        try:
            for done, name in enumerate(methods, 1):
                message = text.COMPARE_WORKING.format(method=labels[name], done=done, count=len(methods))
                yield {page.note: note_html(message), page.stop: gr.Button(visible=True)}
                compared = run_method(name, photo, self.service, session)
                if session.turn is not turn or session.stop.is_set():  # another photo was begun; not all methods can be stopped
                    raise StoppedError
                session.comparison += (compared,)
                yield {page.grid: comparison_html(session.comparison, photo, session.view, session)}
            yield self._finish(photo, session, _sizes(text.COMPARE_DONE, photo))
        except StoppedError:
            note = {page.note: note_html(text.COMPARE_STOPPED)} if session.turn is turn else {}
            yield {page.stop: gr.Button(visible=False), **note}

    def open(self, view: str, session: Session | None) -> Update:
        """The tab was chosen, or the first tab has ended its work: show at once what that has computed already."""
        page = self.page
        if session is None or session.result is None:
            return {page.note: note_html(text.COMPARE_EMPTY, "calm"), page.grid: ""}
        if session.given is not None:
            return {page.note: note_html(text.COMPARE_WAITING, "calm")}
        photo = photo_of(session.result)
        if not session.comparison:
            session.comparison = known_already(session.result)
        taken_over = any(entry.taken_over for entry in session.comparison)
        sentence = text.COMPARE_KNOWN if taken_over else text.COMPARE_DONE
        touched = text.COMPARE_TOUCHED if taken_over and session.result.painting.strokes else ""
        note = self._note(_sizes(sentence, photo), photo, session, touched)
        return {page.note: note, page.grid: comparison_html(session.comparison, photo, view, session)}

    def open_rest(self, view: str, session: Session | None) -> Update:
        """What takes a moment longer: the slider between two, and the errors."""
        if session is None or session.given is not None or not session.comparison:
            return {self.page.pair: gr.Column(visible=False), self.page.table: ""}
        session.view = view
        session, result = latest(session)
        return self._pair_and_table(photo_of(result), session)

    def _finish(self, photo: Photo, session: Session, note: str) -> Update:
        shown = self._pair_and_table(photo, session)
        note = self._note(note, photo, session)
        return {self.page.note: note, self.page.stop: gr.Button(visible=False), **shown}

    @staticmethod
    def _note(sentence: str, photo: Photo, session: Session, more: str = "") -> str:
        return note_html(" ".join(filter(None, (sentence, lowest_error(session.comparison, photo), more))))

    def _pair_and_table(self, photo: Photo, session: Session) -> Update:
        page = self.page
        choices = [(entry.title, entry.name) for entry in session.comparison if entry.alpha is not None]
        left, right = (choices[min(1, len(choices) - 1)][1], choices[0][1]) if choices else (None, None)
        metrics = metrics_of(session.comparison, photo)
        return {
            page.pair: gr.Column(visible=len(choices) > 1),
            page.left: gr.Dropdown(choices, value=left),
            page.right: gr.Dropdown(choices, value=right),
            page.viewer: self._pair(session.view, left, right, session),
            page.table: f"<p>{text.TRUTH_NOTE}</p>{metric_table(metrics)}" if metrics else "",
        }

    def change_view(self, view: str, left: str | None, right: str | None, session: Session | None) -> Update:
        if session is not None:
            session.view = view
        if session is None or not session.comparison:
            return {self.page.grid: gr.skip()}
        session, result = latest(session)
        grid = comparison_html(session.comparison, photo_of(result), view, session)
        return {self.page.grid: grid, self.page.viewer: self._pair(view, left, right, session)}

    def change_pair(self, view: str, left: str | None, right: str | None, session: Session | None) -> Any:
        return self._pair(view, left, right, session)

    def _pair(self, view: str, left: str | None, right: str | None, session: Session | None) -> Any:
        session, result = latest(session)
        photo = photo_of(result)
        pair = pair_of(session.comparison, photo, view, left, right)
        if pair is None or left is None or right is None:
            return gr.skip()
        titles = {entry.name: entry.title for entry in session.comparison}
        return show_pair(pair, (titles[left], titles[right]), photo.stem, session, lossy=view == CUTOUT)


def _sizes(sentence: str, photo: Photo) -> str:
    return sentence.format(width=photo.image.shape[1], height=photo.image.shape[0])
