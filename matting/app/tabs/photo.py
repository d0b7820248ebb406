"""Tab "Photo": drop a photo, get the person."""

from collections.abc import Callable, Iterator
from secrets import token_hex, token_urlsafe
from time import perf_counter
from typing import Any

import gradio as gr

from matting.app import text
from matting.app.errors import Problem, plain_errors
from matting.app.results.framing import Look
from matting.app.results.result import Result
from matting.app.results.strokes import Painting, read_painting
from matting.app.scripts import COPY, FAILED, FOLLOW, RETURNED, SAVE
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
    check_pixels,
    latest,
)
from matting.app.session import Session
from matting.app.stopping import StoppedError
from matting.app.tabs.photo_answers import PhotoAnswers
from matting.app.tabs.photo_controls import Controls, seen_look
from matting.app.views import actions
from matting.app.views.photo_page import build_photo_page, note_html
from matting.app.views.photo_shown import PhotoShown, Update, browsers_show, done_note
from matting.app.views.swatches import picture_box
from matting.app.views.viewer import show_result
from matting.media.image import Picture


class PhotoTab:
    """Handlers that run the network. They yield twice: the cut-out first, then how it came about."""

    def __init__(self, demo: gr.Blocks, service: Service, session: gr.State):
        self.service = service
        self.session = session
        self.page = build_photo_page(service.examples)
        self.shown = PhotoShown(self.page, service)
        self._wire(demo)

    def _wire(self, demo: gr.Blocks) -> None:
        page, answers = self.page, PhotoAnswers(self.page, self.shown)
        settings = [page.size, page.bias, page.refine, page.cross, page.ignore_alpha]
        look = [page.behind, page.picture, page.framing]
        outputs: list[Any] = [
            self.session,
            page.photo,
            page.truth_file,
            page.examples,
            page.note,
            page.stop,
            page.viewer,
            page.actions,
        ]
        outputs += [page.facts, page.parts, page.parts_title, page.parts_picture, page.magnifier]
        outputs += [page.panels, page.truth, page.headline]
        model = {**MODEL_QUEUE, "outputs": outputs, "api_visibility": "private", "show_progress_on": page.viewer, **LATEST}
        example = {**model, **EXAMPLE_QUEUE}

        opened = {**example, "outputs": [*outputs, page.visit], "js": RETURNED}
        first = demo.load(self.show_first, [page.visit, self.session], **opened)
        inputs = [self.session, page.photo, page.truth_file, *settings, *look]
        new_photo = page.photo.input(self.announce, [page.photo, self.session], outputs, **QUICK)
        runs = [new_photo.success(self.cut_out, inputs, **model)]
        rerun = [page.size.input, page.bias.release, page.refine.input, page.cross.input, page.ignore_alpha.input]
        again = gr.on(rerun, self.stop_work, None, None, **UNQUEUED)
        runs.append(again.success(self.run_again, [self.session, page.truth_file, *settings, *look], **model))
        painted = {**model, **EVERY, "show_progress": "hidden"}  # the stage shows it
        painting = page.viewer.input(self.touch_up, [self.session, *settings, *look], **painted)
        picked = {**example, **EVERY}
        shown = page.examples.select(
            self.show_example, [*look, self.session], **picked
        )  # not stopped: it is kept for everybody
        stopped = page.stop.click(self.stop_work, None, None, cancels=runs, **UNQUEUED).then(
            self.show_kept, [self.session, *look], outputs, **UNQUEUED
        )
        for ended in (first, *runs, painting, shown, stopped):
            ended.then(None, None, None, js=FOLLOW, api_visibility="private", show_progress="hidden")

        reading: dict[str, Any] = {**QUICK, **READING}
        page.behind.select(picture_box, page.behind, page.picture, **UNQUEUED)
        chosen = [page.viewer, page.parts_picture, page.picture]
        changed = [page.behind.select, page.picture.input, page.framing.select]
        gr.on(changed, answers.change_look, [*look, self.session], chosen, **reading)
        page.viewer.select(answers.show_full_size, [*look, self.session], page.viewer, **{**reading, **EVERY})
        stage = [page.viewer, page.parts_picture, page.magnifier]
        toggled = page.parts_picture.select(answers.toggle_part, [*look, self.session], stage, **PICKED)
        toggled.success(answers.measure_again, self.session, [page.truth, page.headline], **QUICK)
        page.magnifier.select(answers.move_magnifier, self.session, page.magnifier, **PICKED)
        truth = [page.truth_file, page.truth, page.headline]
        page.truth_file.input(answers.compare_truth, [page.truth_file, self.session], truth, **reading)
        self._save_on(page.actions.select, answers.save, look, page.sink, SAVE)
        self._save_on(page.panels.select, answers.save, look, page.sink, SAVE)
        self._save_on(page.truth.select, answers.save, look, page.sink, SAVE)
        self._save_on(page.actions.input, answers.copy, look, page.copied, COPY)

    def _save_on(self, event: Any, handler: Any, look: list, sink: gr.File, js: str) -> None:
        hidden = {"api_visibility": "private", "show_progress": "hidden"}
        made = event(handler, [*look, self.session], sink, **hidden)
        made.success(None, sink, None, js=js, **hidden)
        made.failure(None, None, None, js=FAILED, **hidden)

    def announce(self, photo: str | None, session: Session | None, request: gr.Request) -> Iterator[Update]:
        """Say at once that work has begun or why it will not, and end earlier work. Without a photo, forget the last one."""
        session = self.service.sessions.of(session, request)
        session.take(photo)
        if photo is None:
            self.service.sessions.stop(request)
            session.forget()
            yield {self.session: session, **self.shown.nothing()}
            return
        try:
            check_pixels(photo)
        except Problem:
            yield {self.session: session, **self.shown.tray(session)}
            raise
        self.service.sessions.stop(request)
        session.turn, session.given = object(), photo  # what was begun before is not shown any more
        asleep = {self.page.actions: actions.NOTHING}  # the tray shows the new photo, the stage still the last one
        yield {
            self.session: session,
            self.page.note: note_html(text.WORKING),
            self.page.stop: gr.Button(visible=True),
            **asleep,
        }

    def stop_work(self, request: gr.Request) -> None:
        self.service.sessions.stop(request)

    def _returned(self, session: Session) -> Update:
        """The last result, on a page that knows nothing of it."""
        _, result = latest(session)
        return {
            **self.shown.stage(result, session, Look()),
            **self.shown.result(result, session, None),
            **self.shown.details(result, session),
            **self.shown.tray(session),
            self.page.note: note_html(text.EXAMPLE_NOTE if result.example else text.RETURNED),
        }

    def show_kept(self, session: Session | None, choice: str, picture: str | None, framing: str) -> Update:
        """The work was stopped: the page shows what there was before it, whatever it shows now."""
        if session is not None:
            session.given = None
        if session is None or session.result is None:
            return {**self.shown.nothing(), self.page.note: note_html(text.STOPPED)}
        session.turn = object()
        session.painting = session.result.painting
        return {
            **self.shown.stage(session.result, session, seen_look(choice, picture, framing)),
            **self.shown.result(session.result, session, None),
            **self.shown.details(session.result, session),
            **self.shown.tray(session),
            self.page.note: note_html(text.STOPPED),
        }

    def cut_out(
        self, request: gr.Request, session: Session | None, photo: str | None, truth: str | None, *controls: Any
    ) -> Iterator[Update]:
        """A new photo: the one that was announced last, whatever an answer on its way has left in the tray."""
        session = self.service.sessions.of(session, request)
        yield from self._cut_out_given(session, truth, Controls(*controls), lost=photo is None or not browsers_show(photo))

    def _cut_out_given(self, session: Session, truth: str | None, controls: Controls, *, lost: bool) -> Iterator[Update]:
        given = session.given
        if given is None:  # taken away, or done, as the page shows. A handler that yields nothing would empty it
            yield {self.session: session}
            return
        session.take(given, truth, controls.picture)
        started = perf_counter()

        def compute() -> Result:
            return self.service.cut_out(given, truth, controls.settings(), session)

        yield from self._run(compute, session, controls.look(), started, lost=lost, truth=truth)

    def run_again(self, request: gr.Request, session: Session | None, truth: str | None, *controls: Any) -> Iterator[Update]:
        """The same photo, or the new one that was just worked on, with other settings; `controls` are those of `Controls`."""
        session = self.service.sessions.of(session, request)
        if session.given is not None:
            yield from self._cut_out_given(session, truth, Controls(*controls), lost=not browsers_show(session.given))
            return
        yield from self._redo(session, Controls(*controls))

    def touch_up(self, request: gr.Request, event: gr.EventData, session: Session | None, *controls: Any) -> Iterator[Update]:
        """The same photo, painted over; `controls` are those of `Controls`."""
        session = self.service.sessions.of(session, request)
        with plain_errors():
            painting = read_painting(event.value)
        before = session.turn is not None and painting.photo != session.painting.photo
        if before or session.given is not None:  # painted on the photo before
            yield {self.session: session}
            return
        session.painting = painting
        yield from self._redo(session, Controls(*controls))

    def _redo(self, session: Session, controls: Controls) -> Iterator[Update]:
        if session.result is None and session.turn is not None:  # taken away; settings are for the next photo
            yield {self.session: session}
            return
        (_, last), painting = latest(session), session.painting

        def compute() -> Result:
            picture = last.picture.picture() if last.picture else Picture(last.matte.image)
            matte = self.service.matte(picture, controls.settings(), session, painting.strokes)
            return last.again(matte, controls.bias, painting)

        yield from self._run(compute, session, controls.look(), perf_counter(), fresh=False)

    def show_example(
        self, choice: str, picture: str | None, framing: str, session: Session | None, request: gr.Request, event: gr.EventData
    ) -> Iterator[Update]:
        """One of our own pictures; its result is computed once for everybody."""
        session = self.service.sessions.of(session, request)
        session.given = None
        number = int(event.value)
        compute = lambda: self.service.example(number)  # noqa: E731
        yield from self._run(compute, session, seen_look(choice, picture, framing), perf_counter())

    def show_first(self, visit: str, session: Session | None, request: gr.Request) -> Iterator[Update]:
        """The page has just been opened: show its last result if it was loaded again, or what it does on the first example."""
        session = self.service.sessions.of(session, request)
        session.visit = session.visit or token_urlsafe(24)
        yield {self.session: session, self.page.visit: session.visit}
        if session.turn is None and visit and self.service.sessions.resume(visit, session):
            yield {self.session: session, **self._returned(session)}
            return
        if not self.service.examples or session.turn is not None:  # the visitor was faster
            yield {self.session: session}
            return
        yield from self._run(lambda: self.service.example(0), session, Look(), perf_counter())

    def _run(
        self,
        compute: Callable[[], Result],
        session: Session,
        look: Look,
        started: float,
        *,
        fresh: bool = True,
        lost: bool = False,
        truth: str | None = None,
    ) -> Iterator[Update]:
        """Compute a result and show it.

        Args:
            compute: makes the result.
            session: of the page.
            look: how it is shown.
            started: on the clock of `perf_counter`.
            fresh: whether it is of another photo than the last one.
            lost: whether the tray does not show the photo.
            truth: the true alpha given for it.
        """
        turn = session.turn = object()
        before = session.painting
        if fresh:
            session.painting = Painting(token_hex(4))
        try:
            result = compute()
            if session.turn is turn:
                session.given = None
                result = result.painted(session.painting) if fresh else result
                session.begin(result)
                yield {self.session: session, **self._done(result, session, look, started, truth)}
            yield self._rest(result, session, lost) if session.turn is turn else {self.session: session}
        except StoppedError:
            yield {self.session: session, **self._keep(session, turn, before, look)}
        except Exception as error:
            if session.turn is turn:
                session.given = None
            reason = text.KEPT_BECAUSE.format(reason=error.message) if isinstance(error, Problem) else text.KEPT
            note = text.WAITING if session.result is None else reason
            ended = {self.page.note: note_html(note), self.page.stop: gr.Button(visible=False)}
            yield {**ended, **self._keep(session, turn, before, look)}
            raise

    def _done(self, result: Result, session: Session, look: Look, started: float, truth: str | None) -> Update:
        """The cut-out. The clock that the visitor is told ends when its pictures are ready to be sent."""
        misfit = truth is not None and result.ground_truth is None
        files = {self.page.photo: None, self.page.truth_file: None} if result.example else {}
        if misfit:
            files = {self.page.truth_file: None}
        stage = self.shown.stage(result, session, look)
        seconds = perf_counter() - started
        waited = None if result.example else seconds
        note = done_note(result, seconds, misfit)
        return {**self.shown.result(result, session, waited), **stage, self.page.note: note, **files}

    def _rest(self, result: Result, session: Session, lost: bool) -> Update:
        tray = self.shown.tray(session) if lost else {}
        return {**self.shown.details(result, session), **tray}

    def _keep(self, session: Session, turn: object, painting: Painting, look: Look) -> Update:
        """Nothing came of a turn: if no other one has begun, the last result stays, in the tray as well."""
        if session.turn is not turn or session.closed:
            return {}
        if session.result is None:
            return self.shown.tray(session)
        if session.painting.photo != painting.photo:
            session.painting = painting
        stage = show_result(session.result, session, *look, version=session.painting.version)
        saves = actions.actions_value(session.result)
        return {self.page.viewer: stage, self.page.actions: saves, **self.shown.tray(session)}
