"""Tab "Photo": drop a photo, get the person."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from secrets import token_hex
from time import perf_counter
from typing import Any

import gradio as gr

from matting.app import text
from matting.app.errors import plain_errors
from matting.app.results.background import COLOUR, PICTURE, BackgroundChoice
from matting.app.results.downloads import make_file
from matting.app.results.parts import outline_parts
from matting.app.results.result import Result
from matting.app.results.strokes import Painting, read_painting
from matting.app.scripts import SAVE
from matting.app.service import (
    EVERY,
    EXAMPLE_QUEUE,
    LATEST,
    MODEL_QUEUE,
    PICKED,
    QUICK,
    READING,
    UNQUEUED,
    Service,
    Settings,
    check_pixels,
    latest,
    make_background,
    read_ground_truth,
)
from matting.app.session import Session, StoppedError
from matting.app.views.facts import facts_html
from matting.app.views.ground_truth import ground_truth_html
from matting.app.views.magnifier import find_spots, magnifier_html
from matting.app.views.panels import panels_html
from matting.app.views.photo_page import build_photo_page, note_html
from matting.app.views.touch_up import touch_up_html

Update = dict[Any, Any]


class PhotoTab:
    """Handlers of the tab. Those that run the network yield twice: the cut-out first, then how it came about."""

    def __init__(self, demo: gr.Blocks, service: Service, session: gr.State):
        self.service = service
        self.session = session
        self.page = build_photo_page(service.examples)
        self._wire(demo)

    def _wire(self, demo: gr.Blocks) -> None:
        page = self.page
        settings = [page.size, page.bias, page.refine, page.cross]
        background = [page.kind, page.colour, page.picture]
        outputs = [self.session, page.note, page.stop, page.slider, page.facts, page.parts, page.parts_title]
        outputs += [page.parts_picture, page.touch_up, page.magnifier, page.panels, page.truth]
        model: dict[str, Any] = {
            **MODEL_QUEUE,
            "outputs": outputs,
            "api_visibility": "private",
            "show_progress_on": page.slider,
            **LATEST,
        }
        example = {**model, **EXAMPLE_QUEUE}

        demo.load(self.show_first, [self.session], **example)
        inputs = [page.photo, page.truth_file, *settings, *background, self.session]
        new_photo = page.photo.input(self.announce, [page.photo], [page.note, page.stop], **QUICK)
        runs = [new_photo.success(self.cut_out, inputs, **model)]
        rerun = [page.size.input, page.bias.release, page.refine.input, page.cross.input]
        again = gr.on(rerun, self.stop_work, None, None, **UNQUEUED)
        runs.append(again.success(self.run_again, [self.session, *settings, *background], **model))
        painted = {**model, **EVERY, "show_progress": "hidden"}  # the picture that is painted on shows it
        page.touch_up.select(self.touch_up, [self.session, *settings, *background], **painted)
        picked = {**example, **EVERY}
        page.examples.select(self.show_example, [*background, self.session], **picked)  # not stopped: it is kept for everybody
        page.stop.click(self.stop_work, None, None, cancels=runs, **UNQUEUED).then(
            lambda: (note_html(text.STOPPED), gr.Button(visible=False)), None, [page.note, page.stop], **UNQUEUED
        )

        page.kind.input(self.show_background_controls, page.kind, [page.colour, page.picture], **UNQUEUED)
        gr.on(
            [page.kind.input, page.colour.input, page.colour.release, page.picture.input],
            self.change_background,
            [*background, self.session],
            page.slider,
            **{**QUICK, **READING},
        )
        page.parts_picture.select(
            self.toggle_part,
            [*background, self.session],
            [page.slider, page.parts_picture, page.touch_up, page.magnifier],
            **PICKED,
        )
        page.magnifier.select(self.move_magnifier, self.session, page.magnifier, **PICKED)
        page.truth_file.input(self.compare_truth, [page.truth_file, self.session], page.truth, **{**QUICK, **READING})
        for what, button in page.saves.items():
            self._save_on(button.click, partial(self.save, what), background)
        self._save_on(page.panels.select, self.save_panel, background)

    def _save_on(self, event: Any, handler: Any, background: list) -> None:
        made = event(handler, [*background, self.session], self.page.sink, api_visibility="private", show_progress="hidden")
        made.success(None, self.page.sink, None, js=SAVE, api_visibility="private", show_progress="hidden")

    # Runs of the network

    def announce(self, photo: str | None, request: gr.Request) -> Update:
        """Say at once that work has begun or why it will not, and end the work on an earlier photo."""
        if photo:
            check_pixels(photo)
        self.service.sessions.stop(request)
        message = text.WORKING if photo else text.WAITING
        return {self.page.note: note_html(message), self.page.stop: gr.Button(visible=bool(photo))}

    def stop_work(self, request: gr.Request) -> None:
        self.service.sessions.stop(request)

    def cut_out(
        self,
        photo: str | None,
        truth: str | None,
        size: str,
        bias: float,
        refine: bool,
        cross: bool,
        kind: str,
        colour: str,
        picture: str | None,
        session: Session | None,
        request: gr.Request,
    ) -> Iterator[Update]:
        """A new photo."""
        session = self.service.sessions.of(session, request)
        if photo is None:  # taken away; the last result stays. A handler that yields nothing would empty the page
            yield {self.session: session}
            return
        session.take(photo, truth, picture)
        started = perf_counter()

        def compute() -> Result:
            return self.service.cut_out(photo, truth, Settings(size, bias, refine, cross), session)

        yield from self._run(compute, session, make_background(kind, colour, picture), started)

    def run_again(self, request: gr.Request, session: Session | None, *controls: Any) -> Iterator[Update]:
        """The same photo with other settings; `controls` are those of `_redo`."""
        yield from self._redo(self.service.sessions.of(session, request), *controls)

    def touch_up(self, request: gr.Request, event: gr.EventData, session: Session | None, *controls: Any) -> Iterator[Update]:
        """The same photo, painted over; `controls` are those of `_redo`."""
        session = self.service.sessions.of(session, request)
        with plain_errors():
            painting = read_painting(event.value)
        if session.result is not None and painting.photo != session.painting.photo:  # painted on the photo before
            yield {self.session: session}
            return
        session.painting = painting
        yield from self._redo(session, *controls)

    def _redo(
        self, session: Session, size: str, bias: float, refine: bool, cross: bool, kind: str, colour: str, picture: str | None
    ) -> Iterator[Update]:
        (_, last), painting = latest(session), session.painting

        def compute() -> Result:
            matte = self.service.matte(last.matte.image, Settings(size, bias, refine, cross), session, painting.strokes)
            return last.again(matte, bias, painting)

        yield from self._run(compute, session, make_background(kind, colour, picture), perf_counter(), fresh=False)

    def show_example(
        self,
        kind: str,
        colour: str,
        picture: str | None,
        session: Session | None,
        request: gr.Request,
        event: gr.EventData,
    ) -> Iterator[Update]:
        """One of our own pictures; its result is computed once for everybody."""
        session = self.service.sessions.of(session, request)
        number = int(event.value)
        yield from self._run(
            lambda: self.service.example(number), session, make_background(kind, colour, picture), perf_counter()
        )

    def show_first(self, session: Session | None, request: gr.Request) -> Iterator[Update]:
        """The page has just been opened: show what it does on the first example."""
        session = self.service.sessions.of(session, request)
        if not self.service.examples or session.turn is not None:  # the visitor was faster
            yield {self.session: session}
            return
        yield from self._run(lambda: self.service.example(0), session, BackgroundChoice(), perf_counter())

    def _run(
        self, compute: Callable[[], Result], session: Session, background: BackgroundChoice, started: float, fresh: bool = True
    ) -> Iterator[Update]:
        """Compute a result and show it; `fresh` is whether it is of another photo than the last one."""
        turn = session.turn = object()
        before = session.painting
        if fresh:
            session.painting = Painting(token_hex(4))
        try:
            result = compute()
            if session.turn is turn:
                session.begin(result)
                easel = touch_up_html(result, session)
                shown = self._cut_out_update(result, session, background, started)
                yield {self.session: session, self.page.touch_up: easel, **shown}
            yield self._details_update(result, session) if session.turn is turn else {self.session: session}
        except StoppedError:
            yield {self.session: session, **self._keep(session, turn, before)}
        except Exception:
            ended = {self.page.note: note_html(text.WAITING), self.page.stop: gr.Button(visible=False)}
            yield {**ended, **self._keep(session, turn, before)}
            raise

    def _keep(self, session: Session, turn: object, painting: Painting) -> Update:
        """Nothing came of a turn: if no other one has begun, the last result can be painted on as before."""
        if session.turn is not turn or session.closed or session.result is None:
            return {}
        if session.painting.photo != painting.photo:
            session.painting = painting
        return {self.page.touch_up: touch_up_html(session.result, session, session.painting.version)}

    def _cut_out_update(self, result: Result, session: Session, background: BackgroundChoice, started: float) -> Update:
        page, service = self.page, self.service
        return {
            page.slider: self._slider(result, session, background),
            page.note: _note(result, perf_counter() - started),
            page.stop: gr.Button(visible=False),
            page.facts: facts_html(result, service.device, service.weights),
            page.parts: gr.Column(visible=result.parts.count > 1),
            page.parts_title: parts_title(result),
            page.parts_picture: self._parts_picture(result, background),
        }

    def _details_update(self, result: Result, session: Session) -> Update:
        return {
            self.page.magnifier: magnifier_html(result, find_spots(result)),
            self.page.panels: panels_html(result, session),
            self.page.truth: ground_truth_html(result, session),
        }

    # Quick answers from what is already computed

    def show_background_controls(self, kind: str) -> Update:
        return {
            self.page.colour: gr.ColorPicker(visible=kind == COLOUR),
            self.page.picture: gr.Image(visible=kind == PICTURE),
        }

    def change_background(self, kind: str, colour: str, picture: str | None, session: Session | None) -> Any:
        if kind == PICTURE and picture is None:
            return gr.skip()
        session, result = latest(session)
        session.take(picture)
        return self._slider(result, session, make_background(kind, colour, picture))

    def toggle_part(self, kind: str, colour: str, picture: str | None, session: Session | None, event: gr.SelectData) -> Update:
        session, result = latest(session)
        height, width = result.preview.alpha.shape
        result = session.result = result.toggled(event.index[0] / width, event.index[1] / height)
        background = make_background(kind, colour, picture)
        return {
            self.page.slider: self._slider(result, session, background),
            self.page.parts_picture: self._parts_picture(result, background),
            self.page.touch_up: touch_up_html(result, session),
            self.page.magnifier: magnifier_html(result, find_spots(result)),
        }

    def move_magnifier(self, session: Session | None, event: gr.EventData) -> str:
        _, result = latest(session)
        return magnifier_html(result, find_spots(result), int(event.value))

    def compare_truth(self, truth: str | None, session: Session | None) -> str:
        session, result = latest(session)
        session.take(truth)
        alpha = None if truth is None else read_ground_truth(truth, result.matte.image)
        result = session.result = result.with_truth(alpha)
        return ground_truth_html(result, session)

    def save(self, what: str, kind: str, colour: str, picture: str | None, session: Session | None) -> str:
        session, result = latest(session)
        return str(make_file(result, what, make_background(kind, colour, picture), session))

    def save_panel(self, kind: str, colour: str, picture: str | None, session: Session | None, event: gr.EventData) -> str:
        return self.save(event.value, kind, colour, picture, session)

    def _slider(self, result: Result, session: Session, background: BackgroundChoice) -> tuple[Path, Path]:
        with plain_errors():
            shown = result.preview_on(background)
        return (
            session.write(result.preview.image, f"{result.stem}-input", lossy=True),
            session.write(shown, f"{result.stem}-composite", lossy=True),
        )

    def _parts_picture(self, result: Result, background: BackgroundChoice) -> Any:
        if result.parts.count < 2:
            return None
        whole = replace(result.parts, dropped=frozenset())
        return outline_parts(result.keeping(whole).preview_on(background), result.parts)


def parts_title(result: Result) -> str:
    title = text.PARTS_TITLE.format(count=result.parts.count)
    return f"<h2>{title}</h2><p>{text.PARTS_NOTE}</p>"


def _note(result: Result, seconds: float) -> str:
    if not result.found_somebody:
        return note_html(text.NOBODY, "calm")
    if result.example:
        return note_html(text.EXAMPLE_NOTE)
    message = text.DONE_NOTE.format(seconds=seconds)
    if result.unknown_bias:
        message += " " + text.OFF_PAPER.format(bias=result.unknown_bias)
    return note_html(message)
