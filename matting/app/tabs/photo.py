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
from matting.app.errors import Problem, plain_errors
from matting.app.results.background import COLOUR, PICTURE, Background
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
    UNQUEUED,
    Service,
    Settings,
    check_pixels,
    make_background,
    read_truth,
)
from matting.app.session import StoppedError, Visit
from matting.app.views.facts import facts_html
from matting.app.views.ground_truth import truth_html
from matting.app.views.magnifier import find_spots, loupe_html
from matting.app.views.panels import panels_html
from matting.app.views.photo_page import build_photo_page, note_html
from matting.app.views.touch_up import touch_up_html

Update = dict[Any, Any]


class PhotoTab:
    """Handlers of the tab. Those that run the network yield twice: the cut-out first, then how it came about."""

    def __init__(self, demo: gr.Blocks, service: Service, visit: gr.State):
        self.service = service
        self.visit = visit
        self.page = build_photo_page(service.examples)
        self._wire(demo)

    def _wire(self, demo: gr.Blocks) -> None:
        page = self.page
        settings = [page.size, page.bias, page.refine, page.cross]
        background = [page.kind, page.colour, page.picture]
        outputs = [self.visit, page.note, page.stop, page.slider, page.facts, page.parts, page.parts_title]
        outputs += [page.parts_picture, page.touch_up, page.loupe, page.panels, page.truth]
        model = {**MODEL_QUEUE, "outputs": outputs, "api_visibility": "private", "show_progress_on": page.slider, **LATEST}
        example = {**model, **EXAMPLE_QUEUE}

        demo.load(self.show_first, [self.visit], **example)
        inputs = [page.photo, page.truth_file, *settings, *background, self.visit]
        new_photo = page.photo.input(self.announce, [page.photo], [page.note, page.stop], **QUICK)
        runs = [new_photo.success(self.cut_out, inputs, **model)]
        rerun = [page.size.input, page.bias.release, page.refine.input, page.cross.input]
        again = gr.on(rerun, self.stop_work, None, None, **UNQUEUED)
        runs.append(again.success(self.run_again, [self.visit, *settings, *background], **model))
        painted = {**model, **EVERY, "show_progress": "hidden"}  # the picture that is painted on shows it
        page.touch_up.select(self.touch_up, [self.visit, *settings, *background], **painted)
        picked = {**example, **EVERY}
        page.examples.select(self.show_example, [*background, self.visit], **picked)  # not stopped: it is kept for everybody
        page.stop.click(self.stop_work, None, None, cancels=runs, **UNQUEUED).then(
            lambda: (note_html(text.STOPPED), gr.Button(visible=False)), None, [page.note, page.stop], **UNQUEUED
        )

        page.kind.input(self.show_background_controls, page.kind, [page.colour, page.picture], **UNQUEUED)
        gr.on(
            [page.kind.input, page.colour.input, page.colour.release, page.picture.input],
            self.change_background,
            [*background, self.visit],
            page.slider,
            **QUICK,
        )
        page.parts_picture.select(
            self.toggle_part,
            [*background, self.visit],
            [page.slider, page.parts_picture, page.touch_up, page.loupe],
            **PICKED,
        )
        page.loupe.select(self.move_loupe, self.visit, page.loupe, **PICKED)
        page.truth_file.input(self.compare_truth, [page.truth_file, self.visit], page.truth, **QUICK)
        for what, button in page.saves.items():
            self._save_on(button.click, partial(self.save, what), background)
        self._save_on(page.panels.select, self.save_panel, background)

    def _save_on(self, event: Any, handler: Any, background: list) -> None:
        made = event(handler, [*background, self.visit], self.page.sink, api_visibility="private", show_progress="hidden")
        made.success(None, self.page.sink, None, js=SAVE, api_visibility="private", show_progress="hidden")

    # Runs of the network

    def announce(self, photo: str | None, request: gr.Request) -> Update:
        """Say at once that work has begun or why it will not, and end the work on an earlier photo."""
        if photo:
            check_pixels(photo)
        self.service.visits.stop(request)
        message = text.WORKING if photo else text.WAITING
        return {self.page.note: note_html(message), self.page.stop: gr.Button(visible=bool(photo))}

    def stop_work(self, request: gr.Request) -> None:
        self.service.visits.stop(request)

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
        visit: Visit | None,
        request: gr.Request,
    ) -> Iterator[Update]:
        """A new photo."""
        visit = self.service.visits.of(visit, request)
        if photo is None:  # taken away; the last result stays. A handler that yields nothing would empty the page
            yield {self.visit: visit}
            return
        visit.take(photo, truth, picture)
        started = perf_counter()

        def compute() -> Result:
            return self.service.cut_out(photo, truth, Settings(size, bias, refine, cross), visit)

        yield from self._run(compute, visit, make_background(kind, colour, picture), started)

    def run_again(self, request: gr.Request, visit: Visit | None, *controls: Any) -> Iterator[Update]:
        """The same photo with other settings; `controls` are those of `_redo`."""
        yield from self._redo(self.service.visits.of(visit, request), *controls)

    def touch_up(self, request: gr.Request, event: gr.EventData, visit: Visit | None, *controls: Any) -> Iterator[Update]:
        """The same photo, painted over; `controls` are those of `_redo`."""
        visit = self.service.visits.of(visit, request)
        with plain_errors():
            painting = read_painting(event.value)
        if visit.result is not None and painting.photo != visit.painting.photo:  # painted on the photo before
            yield {self.visit: visit}
            return
        visit.painting = painting
        yield from self._redo(visit, *controls)

    def _redo(
        self, visit: Visit, size: str, bias: float, refine: bool, cross: bool, kind: str, colour: str, picture: str | None
    ) -> Iterator[Update]:
        last, painting = result_of(visit), visit.painting

        def compute() -> Result:
            matte = self.service.matte(last.matte.image, Settings(size, bias, refine, cross), visit, painting.strokes)
            return last.again(matte, bias, painting)

        yield from self._run(compute, visit, make_background(kind, colour, picture), perf_counter(), fresh=False)

    def show_example(
        self,
        kind: str,
        colour: str,
        picture: str | None,
        visit: Visit | None,
        request: gr.Request,
        event: gr.EventData,
    ) -> Iterator[Update]:
        """One of our own pictures; its result is computed once for everybody."""
        visit = self.service.visits.of(visit, request)
        number = int(event.value)
        yield from self._run(
            lambda: self.service.example(number), visit, make_background(kind, colour, picture), perf_counter()
        )

    def show_first(self, visit: Visit | None, request: gr.Request) -> Iterator[Update]:
        """The page has just been opened: show what it does on the first example."""
        visit = self.service.visits.of(visit, request)
        if not self.service.examples or visit.turn is not None:  # the visitor was faster
            yield {self.visit: visit}
            return
        yield from self._run(lambda: self.service.example(0), visit, Background(), perf_counter())

    def _run(
        self, compute: Callable[[], Result], visit: Visit, background: Background, started: float, fresh: bool = True
    ) -> Iterator[Update]:
        """Compute a result and show it; `fresh` is whether it is of another photo than the last one."""
        turn = visit.turn = object()
        before = visit.painting
        if fresh:
            visit.painting = Painting(token_hex(4))
        try:
            result = compute()
            if visit.turn is turn:
                visit.begin(result)
                easel = touch_up_html(result, visit)
                shown = self._cut_out_update(result, visit, background, started)
                yield {self.visit: visit, self.page.touch_up: easel, **shown}
            yield self._details_update(result, visit) if visit.turn is turn else {self.visit: visit}
        except StoppedError:
            yield {self.visit: visit, **self._keep(visit, turn, before)}
        except Exception:
            ended = {self.page.note: note_html(text.WAITING), self.page.stop: gr.Button(visible=False)}
            yield {**ended, **self._keep(visit, turn, before)}
            raise

    def _keep(self, visit: Visit, turn: object, painting: Painting) -> Update:
        """Nothing came of a turn: if no other one has begun, the last result can be painted on as before."""
        if visit.turn is not turn or visit.closed or visit.result is None:
            return {}
        if visit.painting.photo != painting.photo:
            visit.painting = painting
        return {self.page.touch_up: touch_up_html(visit.result, visit, visit.painting.version)}

    def _cut_out_update(self, result: Result, visit: Visit, background: Background, started: float) -> Update:
        page, service = self.page, self.service
        return {
            page.slider: self._slider(result, visit, background),
            page.note: _note(result, perf_counter() - started),
            page.stop: gr.Button(visible=False),
            page.facts: facts_html(result, service.device, service.weights),
            page.parts: gr.Column(visible=result.parts.count > 1),
            page.parts_title: parts_title(result),
            page.parts_picture: self._parts_picture(result, background),
        }

    def _details_update(self, result: Result, visit: Visit) -> Update:
        return {
            self.page.loupe: loupe_html(result, find_spots(result)),
            self.page.panels: panels_html(result, visit),
            self.page.truth: truth_html(result, visit),
        }

    # Quick answers from what is already computed

    def show_background_controls(self, kind: str) -> Update:
        return {
            self.page.colour: gr.ColorPicker(visible=kind == COLOUR),
            self.page.picture: gr.Image(visible=kind == PICTURE),
        }

    def change_background(self, kind: str, colour: str, picture: str | None, visit: Visit | None) -> Any:
        if kind == PICTURE and picture is None:
            return gr.skip()
        result = result_of(visit)
        visit.take(picture)
        return self._slider(result, visit, make_background(kind, colour, picture))

    def toggle_part(self, kind: str, colour: str, picture: str | None, visit: Visit | None, event: gr.SelectData) -> Update:
        result = result_of(visit)
        height, width = result.preview.alpha.shape
        result = visit.result = result.toggled(event.index[0] / width, event.index[1] / height)
        background = make_background(kind, colour, picture)
        return {
            self.page.slider: self._slider(result, visit, background),
            self.page.parts_picture: self._parts_picture(result, background),
            self.page.touch_up: touch_up_html(result, visit),
            self.page.loupe: loupe_html(result, find_spots(result)),
        }

    def move_loupe(self, visit: Visit | None, event: gr.EventData) -> str:
        result = result_of(visit)
        return loupe_html(result, find_spots(result), int(event.value))

    def compare_truth(self, truth: str | None, visit: Visit | None) -> str:
        result = result_of(visit)
        visit.take(truth)
        alpha = None if truth is None else read_truth(truth, result.matte.image)
        result = visit.result = result.with_truth(alpha)
        return truth_html(result, visit)

    def save(self, what: str, kind: str, colour: str, picture: str | None, visit: Visit | None) -> str:
        return str(make_file(result_of(visit), what, make_background(kind, colour, picture), visit))

    def save_panel(self, kind: str, colour: str, picture: str | None, visit: Visit | None, event: gr.EventData) -> str:
        return self.save(event.value, kind, colour, picture, visit)

    def _slider(self, result: Result, visit: Visit, background: Background) -> tuple[Path, Path]:
        with plain_errors():
            shown = result.preview_on(background)
        return (
            visit.write(result.preview.image, f"{result.stem}-input", lossy=True),
            visit.write(shown, f"{result.stem}-composite", lossy=True),
        )

    def _parts_picture(self, result: Result, background: Background) -> Any:
        if result.parts.count < 2:
            return None
        whole = replace(result.parts, dropped=frozenset())
        return outline_parts(result.keeping(whole).preview_on(background), result.parts)


def result_of(visit: Visit | None) -> Result:
    """The visit's result; raises `Problem` if it has none or has expired."""
    if visit is None or visit.result is None:
        raise Problem(text.ERROR_EXPIRED)
    return visit.result


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
