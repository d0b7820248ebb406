"""Tab "Clip": a clip in, a clip with transparency out; and the same for programs as `/matte_clip`."""

import inspect
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import gradio as gr
import numpy as np
from PIL import Image

from matting.app import text
from matting.app.device import ClipStep
from matting.app.errors import Problem, plain_errors, without_folders
from matting.app.results.background import BLUR, parse_colour
from matting.app.results.clip_start import ClipStart, parse_place, read_first_frame
from matting.app.results.result import file_stem
from matting.app.scripts import HOLD
from matting.app.service import LATEST, LONG_QUEUE, MODEL_QUEUE, PICKED, QUICK, UNQUEUED, Service, make_background
from matting.app.session import Session
from matting.app.stopping import StoppedError, stoppable
from matting.app.views.clip_drawing import clip_chart_html, clip_facts_html, progress_html, strip_html
from matting.app.views.clip_page import ALWAYS, CHOICES, FIRST_CHOICE, SIZES, build_clip_page
from matting.app.views.clip_start import first_frame_html, live_html
from matting.app.views.photo_page import note_html
from matting.app.views.swatches import picture_box
from matting.inference.clip import ClipReport, ClipSettings
from matting.inference.matte import BackgroundSource
from matting.inference.people import NobodyThereError
from matting.inference.temporal import flickery_frames
from matting.media.export import EXPORT_FORMATS, export_path
from matting.media.reader import ClipReader

MAX_SECONDS = 20
MAX_FRAMES = 600
MAX_FRAME_PIXELS = 1920 * 1088
_PAUSE_S = 0.25  # between two messages about the progress

Update = dict[Any, Any]


class ClipResult(NamedTuple):
    """What the page shows of the last clip; `looks` are paths of clips to play, by export format."""

    report: ClipReport
    looks: dict[str, Path]


class ClipTab:
    """Handlers of the tab and of its endpoint."""

    def __init__(self, service: Service, session: gr.State):
        self.service = service
        self.session = session
        waiting = text.CLIP_WAITING.format(seconds=MAX_SECONDS)
        self.page = build_clip_page(service.example_clip is not None, waiting)
        self._wire()
        self._wire_endpoint()

    def _wire(self) -> None:
        page = self.page
        choices = [page.size, page.steady, page.ignore_alpha, page.behind, page.picture, page.products, self.session]
        outputs = [self.session, page.note, page.stop, page.live, page.files, page.look, page.preview, page.facts]
        outputs += [page.people, page.chart, page.strip]
        model: dict[str, Any] = {**LONG_QUEUE, "outputs": outputs, "api_visibility": "private", "show_progress": "hidden"}
        checked = page.run.click(self.check, [page.clip, self.session], None, **QUICK)  # before it waits for its turn
        runs: list[dict[str, Any]] = [
            checked.success(self.matte_upload, [page.clip, *choices], **model),
            page.example.click(self.matte_example, choices, **model),
        ]
        page.stop.click(self.stop_work, None, None, cancels=runs, **UNQUEUED).then(
            lambda: (note_html(text.CLIP_STOPPED), gr.Button(visible=False)), None, [page.note, page.stop], **UNQUEUED
        )
        given: dict[str, Any] = {**model, **MODEL_QUEUE, **LATEST}
        page.clip.change(self.take_clip, [page.clip, self.session], **given)
        page.people.select(self.choose_person, self.session, page.people, **PICKED)
        page.look.input(self.change_look, [page.look, self.session], page.preview, **QUICK)
        opened = page.chart.select(self.open_frame, self.session, [page.chart, page.strip, page.preview], **PICKED)
        opened.success(None, None, None, js=HOLD, api_visibility="private")
        page.behind.select(picture_box, page.behind, page.picture, **UNQUEUED)

    def _wire_endpoint(self) -> None:
        trigger = gr.Button(visible=False)
        inputs = [
            gr.Video(label="clip", include_audio=True, visible=False),
            gr.Radio(SIZES, value=SIZES[0], label="size", visible=False),
            gr.Checkbox(True, label="steady", visible=False),
            gr.Textbox("#3f5f5a", label="background", visible=False),
            gr.CheckboxGroup(CHOICES, value=list(FIRST_CHOICE), label="products", visible=False),
            gr.Checkbox(False, label="ignore_alpha", visible=False),
            gr.Textbox("", label="person", visible=False),
            self.session,
        ]
        outputs = [
            gr.File(label="files", file_count="multiple", visible=False),
            gr.JSON(label="facts", visible=False),
            self.session,
        ]
        trigger.click(
            self.matte_clip,
            inputs,
            outputs,
            api_name="matte_clip",
            api_description=inspect.getdoc(self.matte_clip),
            **LONG_QUEUE,
        )

    # A clip is given

    def take_clip(self, clip: str | None, session: Session | None, request: gr.Request) -> Iterator[Update]:
        """What there was of the last clip goes, its work as well; the new one is looked at: its limits, and who is in it."""
        page, session = self.page, self.service.sessions.of(session, request)
        session.take(clip)
        turn, waiting = session.forget_clip(), text.CLIP_WAITING.format(seconds=MAX_SECONDS)
        yield {
            self.session: session,
            page.note: note_html(waiting if clip is None else text.CLIP_STARTING),
            page.stop: gr.Button(visible=False),
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

    def check(self, clip: str | None, session: Session | None) -> None:
        """Raises `Problem` if this is no clip, or more than the limits allow."""
        start = None if session is None else session.clip_start
        problem = find_problem(clip) if start is None or clip is None or start.path != Path(clip) else ""
        if problem:
            raise Problem(problem)

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

    def matte_clip(
        self,
        clip: str,
        size: str,
        steady: bool,
        background: str,
        products: list[str],
        ignore_alpha: bool,
        person: str,
        session: Session | None,
        request: gr.Request,
    ) -> tuple[list[str], dict[str, Any], Session]:
        """Cut the people out of a clip.

        Args:
            clip: the clip, MP4, MOV, WebM, MKV or GIF, at most 20 seconds, 600 frames and full HD.
            size: longer working side in pixels: 512, 768 or 1024.
            steady: whether the alpha is steadied over time.
            background: behind the person in "composite": a colour such as #3f5f5a, or "blur".
            products: what to make: webm, prores, png, composite, alpha, foreground.
            ignore_alpha: whether the transparency that the clip came with is left aside.
            person: place of somebody in the first frame, as shares of its width and height, such as 0.3, 0.5: only they are
                kept, up to the first scene cut. Empty keeps everybody.

        Returns:
            The files, and facts: frames, sizes in pixels, share of the pixels redrawn, seconds per stage and in all, and the
            numbers of the frames that flicker, counted from 0; notes say where the sound or the person was lost.
        """
        session = self.service.sessions.of(session, request)
        session.take(clip)
        problem = find_problem(clip)
        if problem:
            raise Problem(problem)
        with plain_errors(text.ERROR_CLIP):
            behind = background if background == BLUR else parse_colour(background)
        with plain_errors():
            place = parse_place(person)
        settings = ClipSettings(int(size), temporal=steady, ignore_alpha=ignore_alpha, person=place)
        *_, last = self._steps(Path(clip), settings, behind, _outputs(clip, products, session), session)
        report = last.progress.final_report
        return [str(path) for path in report.paths.values()], facts_of(report), session

    def stop_work(self, request: gr.Request) -> None:
        self.service.sessions.stop(request)

    def _run(
        self, clip: Path, settings: ClipSettings, backdrop: tuple, products: list[str], session: Session
    ) -> Iterator[Update]:
        """Progress, then everything there is to see."""
        page, turn = self.page, object()
        session.clip_turn = turn
        started = {page.note: note_html(text.CLIP_STARTING), page.stop: gr.Button(visible=True)}
        yield {self.session: session, **self._nothing(), **started}
        told = 0.0
        try:
            outputs = _outputs(clip, [*products, *ALWAYS], session)
            for step, look in self._steps(clip, settings, _background(*backdrop), outputs, session):
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
        return {page.note: note_html(message), page.stop: gr.Button(visible=False), page.live: "", page.people: people}

    def _steps(
        self, clip: Path, settings: ClipSettings, background: BackgroundSource, outputs: dict[str, Path], session: Session
    ) -> Iterator[ClipStep]:
        """`iterate_clip` on the device, in plain words; raises `StoppedError` if the visitor changes their mind."""
        turn = session.clip_turn
        with _clip_errors(), closing(self.service.work.matte_clip(clip, outputs, settings, background)) as steps:
            begin = True
            while True:
                with stoppable(self.service.model, session, begin=begin):
                    step = next(steps, None)
                if step is None:
                    return
                if session.stop.is_set() or session.clip_turn is not turn:
                    raise StoppedError
                begin = False
                yield step

    def _result_update(self, result: ClipResult, session: Session) -> Update:
        page, (report, looks) = self.page, result
        files = [str(path) for product, path in report.paths.items() if product not in ALWAYS]
        return {
            page.note: note_html(_done_text(report)),
            page.stop: gr.Button(visible=False),
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


def find_problem(clip: str | None) -> str:
    """What is wrong with an upload and what to do about it; empty if nothing is."""
    if clip is None:
        return text.ERROR_NO_CLIP
    try:
        with ClipReader(clip) as reader:
            info = reader.info
    except (ValueError, OSError) as error:
        return text.ERROR_CLIP.format(reason=without_folders(error))
    if info.width * info.height > MAX_FRAME_PIXELS:
        return text.ERROR_CLIP_LARGE.format(width=info.width, height=info.height, limit=MAX_FRAME_PIXELS / 1e6)
    if info.duration > MAX_SECONDS or info.frames > MAX_FRAMES:
        return text.ERROR_CLIP_LONG.format(got=info.duration, frames=info.frames, seconds=MAX_SECONDS, most=MAX_FRAMES)
    return ""


@contextmanager
def _clip_errors() -> Iterator[None]:
    """What goes wrong with a clip, in plain words."""
    with plain_errors(text.ERROR_CLIP):
        try:
            yield
        except NobodyThereError:
            raise Problem(text.CLIP_NOBODY_THERE) from None


def _done_text(report: ClipReport) -> str:
    done = text.CLIP_DONE.format(frames=len(report.frames), seconds=report.wall)
    return " ".join([done, *(f"{note[:1].upper()}{note[1:]}." for note in report.notes)])


def facts_of(report: ClipReport) -> dict[str, Any]:
    """A report as plain JSON values."""
    return {
        "frames": len(report.frames),
        "size_px": [report.info.width, report.info.height],
        "working_size_px": list(report.working_size[::-1]),
        "refined_share": round(float(np.mean([frame.unknown_share for frame in report.frames])), 4),
        "seconds": {**{stage: round(value, 3) for stage, value in report.seconds.items()}, "wall": round(report.wall, 3)},
        "notes": list(report.notes),
        "flickery_frames": flickery_frames([frame.change for frame in report.frames]),
    }


def _outputs(clip: str | Path, products: list[str], session: Session) -> dict[str, Path]:
    """A path for each product; raises `Problem` if there is none."""
    if not [product for product in products if product not in ALWAYS]:
        raise Problem(text.ERROR_CLIP_FILES)
    folder = session.begin_clip()
    return {product: export_path(folder, file_stem(clip), product) for product in products if product in EXPORT_FORMATS}


def _background(choice: str, picture: str | None) -> BackgroundSource:
    chosen = make_background(choice, picture)
    if chosen.picture is None:
        return BLUR if chosen.kind == BLUR else parse_colour(chosen.colour)
    pixels = Image.fromarray(chosen.picture)
    pixels.thumbnail((1920, 1920))  # no frame is larger
    return np.asarray(pixels)
