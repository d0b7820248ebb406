"""Tab "Clip": a clip in, a clip with transparency out."""

from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import gradio as gr
import numpy as np
from PIL import Image

from matting.app import text
from matting.app.errors import Problem, plain_errors
from matting.app.results.background import BLUR, parse_colour
from matting.app.results.clip_start import ClipStart, read_first_frame
from matting.app.scripts import HOLD
from matting.app.service import EVERY, LATEST, LONG_QUEUE, MODEL_QUEUE, PICKED, QUICK, UNQUEUED, Service, make_background
from matting.app.session import Session
from matting.app.stopping import StoppedError, stoppable
from matting.app.tabs.clip_work import MAX_SECONDS, clip_outputs, find_problem, run_clip
from matting.app.views.clip_drawing import clip_chart_html, clip_facts_html, progress_html, strip_html
from matting.app.views.clip_page import ALWAYS, build_clip_page
from matting.app.views.clip_start import first_frame_html, live_html
from matting.app.views.photo_page import note_html
from matting.app.views.swatches import picture_box
from matting.inference.clip import ClipReport, ClipSettings
from matting.inference.matte import BackgroundSource

_PAUSE_S = 0.25  # between two messages about the progress

Update = dict[Any, Any]


class ClipResult(NamedTuple):
    """What the page shows of the last clip; `looks` are paths of clips to play, by export format."""

    report: ClipReport
    looks: dict[str, Path]


class ClipTab:
    """Handlers of the tab."""

    def __init__(self, service: Service, session: gr.State):
        self.service = service
        self.session = session
        waiting = text.CLIP_WAITING.format(seconds=MAX_SECONDS)
        self.page = build_clip_page(service.example_clip is not None, waiting)
        self._wire()

    def _wire(self) -> None:
        page = self.page
        choices = [page.size, page.steady, page.ignore_alpha, page.behind, page.picture, page.products, self.session]
        buttons = [page.run, page.example, page.stop, page.products]
        outputs = [self.session, page.note, *buttons, page.live, page.files, page.look, page.preview, page.facts]
        outputs += [page.people, page.chart, page.strip]
        model: dict[str, Any] = {**LONG_QUEUE, "outputs": outputs, "api_visibility": "private", "show_progress": "hidden"}
        once: dict[str, Any] = {**QUICK, "trigger_mode": "once"}
        checked = page.run.click(self.check, [page.clip, self.session], buttons, **once)  # before it waits for its turn
        asked = page.example.click(lambda: self._buttons(at_work=True), None, buttons, **once)
        run = {**model, **EVERY}  # also while what was stopped is still ending; else the buttons are asleep
        runs: list[dict[str, Any]] = [
            checked.success(self.matte_upload, [page.clip, *choices], **run),
            asked.success(self.matte_example, choices, **run),
        ]
        page.stop.click(self.stop_work, None, None, cancels=runs, **UNQUEUED).then(
            self.show_stopped, None, [page.note, *buttons, page.live], **UNQUEUED
        )
        given: dict[str, Any] = {**model, **MODEL_QUEUE, **LATEST}
        page.clip.change(self.take_clip, [page.clip, self.session], **given)
        page.people.select(self.choose_person, self.session, page.people, **PICKED)
        page.look.input(self.change_look, [page.look, self.session], page.preview, **QUICK)
        opened = page.chart.select(self.open_frame, self.session, [page.chart, page.strip, page.preview], **PICKED)
        opened.success(None, None, None, js=HOLD, api_visibility="private")
        page.behind.select(picture_box, page.behind, page.picture, **UNQUEUED)

    # A clip is given

    def take_clip(self, clip: str | None, session: Session | None, request: gr.Request) -> Iterator[Update]:
        """What there was of the last clip goes, its work as well; the new one is looked at: its limits, and who is in it."""
        page, session = self.page, self.service.sessions.of(session, request)
        session.take(clip)
        turn, waiting = session.forget_clip(), text.CLIP_WAITING.format(seconds=MAX_SECONDS)
        yield {
            self.session: session,
            page.note: note_html(waiting if clip is None else text.CLIP_STARTING),
            **self._buttons(at_work=False),
            **self._nothing(),
        }
        if clip is None:
            return
        problem = find_problem(clip)
        if not problem:
            with plain_errors(text.ERROR_CLIP), stoppable(self.service.model, session):
                info, image = read_first_frame(Path(clip))
                start = ClipStart(Path(clip), info, image, self.service.work.find_people(image))
        if session.clip_turn is not turn:
            return
        if problem:
            yield {page.note: note_html(problem, "calm")}
            return
        session.clip_start = start
        sizes = {"frames": info.frames, "seconds": info.duration, "width": info.width, "height": info.height}
        yield {page.note: note_html(text.CLIP_READY.format(**sizes)), page.people: first_frame_html(start)}

    def check(self, clip: str | None, session: Session | None) -> Update:
        """Raises `Problem` if this is no clip, or more than the limits allow; else it waits for its turn."""
        start = None if session is None else session.clip_start
        problem = find_problem(clip) if start is None or clip is None or start.path != Path(clip) else ""
        if problem:
            raise Problem(problem)
        return self._buttons(at_work=True)

    def choose_person(self, session: Session | None, event: gr.EventData) -> str:
        """Somebody in the first frame was clicked."""
        if session is None or session.clip_start is None:
            raise Problem(text.CLIP_EXPIRED)
        with plain_errors():
            session.clip_start = session.clip_start.toggled(int(event.value))
        return first_frame_html(session.clip_start)

    def _nothing(self) -> Update:
        page = self.page
        return {
            page.live: "",
            page.files: gr.File(visible=False),
            page.look: gr.Radio(visible=False),
            page.preview: gr.Video(None, visible=False),
            page.facts: "",
            page.people: "",
            page.chart: "",
            page.strip: "",
        }

    # Runs of the network

    def matte_upload(
        self,
        clip: str | None,
        size: str,
        steady: bool,
        ignore_alpha: bool,
        behind: str,
        picture: str | None,
        products: list[str],
        session: Session | None,
        request: gr.Request,
    ) -> Iterator[Update]:
        """The visitor's clip."""
        session = self.service.sessions.of(session, request)
        if clip is None:  # `check` has said so
            raise Problem(text.ERROR_NO_CLIP)
        session.take(clip, picture)
        start = session.clip_start
        person = start.point() if start is not None and start.path == Path(clip) else None
        settings = ClipSettings(int(size), temporal=steady, ignore_alpha=ignore_alpha, person=person)
        yield from self._run(Path(clip), settings, (behind, picture), products, session)

    def matte_example(
        self,
        size: str,
        steady: bool,
        ignore_alpha: bool,
        behind: str,
        picture: str | None,
        products: list[str],
        session: Session | None,
        request: gr.Request,
    ) -> Iterator[Update]:
        """Our own clip."""
        session = self.service.sessions.of(session, request)
        if self.service.example_clip is None:  # the page has no button for it then
            raise Problem(text.ERROR_NO_CLIP)
        session.take(picture)
        settings = ClipSettings(int(size), temporal=steady, ignore_alpha=ignore_alpha)
        yield from self._run(self.service.example_clip, settings, (behind, picture), products, session)

    def stop_work(self, request: gr.Request) -> None:
        self.service.sessions.stop(request)

    def show_stopped(self) -> Update:
        return {self.page.note: note_html(text.CLIP_STOPPED), **self._buttons(at_work=False), self.page.live: ""}

    def _buttons(self, *, at_work: bool) -> Update:
        page, awake = self.page, not at_work
        return {
            page.run: gr.Button(interactive=awake),
            page.example: gr.Button(interactive=awake),
            page.stop: gr.Button(visible=at_work),
            page.products: gr.CheckboxGroup(interactive=awake),  # what is made was chosen before
        }

    def _run(
        self, clip: Path, settings: ClipSettings, backdrop: tuple, products: list[str], session: Session
    ) -> Iterator[Update]:
        """Progress, then everything there is to see."""
        page, turn = self.page, object()
        session.clip_turn = turn
        started = {page.note: note_html(text.CLIP_STARTING), **self._buttons(at_work=True)}
        yield {self.session: session, **self._nothing(), **started}
        told = 0.0
        try:
            outputs = clip_outputs(clip, [*products, *ALWAYS], session)
            for step, look in run_clip(self.service, session, clip, settings, _background(*backdrop), outputs):
                live = {} if look is None else {page.live: live_html(look, step.done)}
                if step.report is None and (live or perf_counter() - told > _PAUSE_S):
                    told = perf_counter()
                    yield {page.note: progress_html(step), **live}
        except StoppedError:
            yield self._ended(session, turn, text.CLIP_STOPPED)
        except Exception:
            yield self._ended(session, turn, text.CLIP_WAITING.format(seconds=MAX_SECONDS))
            if session.clip_turn is turn:  # else its files were taken away under it
                raise
        else:
            session.clip = ClipResult(step.final_report, {name: outputs[name] for name in ALWAYS})
            yield self._result_update(session.clip, session)

    def _ended(self, session: Session, turn: object, message: str) -> Update:
        """Nothing came of a run; another one, or another clip, may have taken its place."""
        if session.clip_turn is not turn:
            return {self.session: session}
        page, start = self.page, session.clip_start
        people = "" if start is None else first_frame_html(start)
        return {page.note: note_html(message), **self._buttons(at_work=False), page.live: "", page.people: people}

    def _result_update(self, result: ClipResult, session: Session) -> Update:
        page, (report, looks) = self.page, result
        files = [str(path) for product, path in report.paths.items() if product not in ALWAYS]
        return {
            page.note: note_html(_done_text(report)),
            **self._buttons(at_work=False),
            page.live: "",
            page.files: gr.File(files, visible=bool(files)),
            page.look: gr.Radio(value=ALWAYS[0], visible=True),
            page.preview: gr.Video(str(looks[ALWAYS[0]]), visible=True),
            page.facts: clip_facts_html(report, self.service.weights),
            page.people: "" if session.clip_start is None else first_frame_html(session.clip_start),
            page.chart: clip_chart_html(report),
            page.strip: "",
        }

    # Quick answers

    def change_look(self, look: str, session: Session | None) -> str:
        """The cut-out, or all steps beside each other."""
        if session is None or session.clip is None or look not in session.clip.looks:
            raise Problem(text.CLIP_EXPIRED)
        return str(session.clip.looks[look])

    def open_frame(self, session: Session | None, event: gr.EventData) -> Update:
        """A frame that flickers, between its neighbours; the preview jumps to it."""
        if session is None or session.clip is None:
            raise Problem(text.CLIP_EXPIRED)
        report, looks = session.clip
        frame = int(event.value)
        if not 0 <= frame < len(report.frames):
            raise Problem(text.CLIP_EXPIRED)
        return {
            self.page.chart: clip_chart_html(report, frame),
            self.page.strip: strip_html(report, looks["preview"], frame),
            self.page.preview: gr.Video(playback_position=report.frames[frame].time, autoplay=False),
        }


def _done_text(report: ClipReport) -> str:
    done = text.CLIP_DONE.format(frames=len(report.frames), seconds=report.wall)
    return " ".join([done, *(f"{note[:1].upper()}{note[1:]}." for note in report.notes)])


def _background(choice: str, picture: str | None) -> BackgroundSource:
    chosen = make_background(choice, picture)
    if chosen.picture is None:
        return BLUR if chosen.kind == BLUR else parse_colour(chosen.colour)
    pixels = Image.fromarray(chosen.picture)
    pixels.thumbnail((1920, 1920))  # no frame is larger
    return np.asarray(pixels)
