"""Tab "Clip": a clip in, a clip with transparency out; and the same for programs as `/matte_clip`."""

import inspect
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import gradio as gr
import numpy as np
from PIL import Image

from matting.app import text
from matting.app.errors import Problem, plain_errors, without_folders
from matting.app.results.background import BLUR, parse_colour
from matting.app.results.result import file_stem
from matting.app.scripts import HOLD
from matting.app.service import LONG_QUEUE, PICKED, UNQUEUED, Service, make_background
from matting.app.session import Session, StoppedError, stoppable
from matting.app.views.clip_drawing import clip_chart_html, clip_facts_html, progress_html, strip_html
from matting.app.views.clip_page import CHOICES, FIRST_CHOICE, SIZES, build_clip_page
from matting.app.views.photo_page import note_html
from matting.app.views.swatches import picture_box
from matting.inference.clip import ClipProgress, ClipReport, ClipSettings
from matting.inference.matte import BackgroundSource
from matting.inference.temporal import flickery_frames
from matting.media.export import EXPORT_FORMATS, export_path
from matting.media.reader import ClipReader

MAX_SECONDS = 20
MAX_FRAMES = 600
MAX_FRAME_PIXELS = 1920 * 1088
_PAUSE_S = 0.25  # between two messages about the progress

Update = dict[Any, Any]


class ClipResult(NamedTuple):
    """What the page shows of the last clip."""

    report: ClipReport
    preview: Path


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
        choices = [page.size, page.steady, page.behind, page.picture, page.products, self.session]
        outputs = [self.session, page.note, page.stop, page.preview, page.facts, page.files, page.chart, page.strip]
        model: dict[str, Any] = {**LONG_QUEUE, "outputs": outputs, "api_visibility": "private", "show_progress": "hidden"}
        runs: list[dict[str, Any]] = [
            page.run.click(self.matte_upload, [page.clip, *choices], validator=check_clip, **model),
            page.example.click(self.matte_example, choices, **model),
        ]
        page.stop.click(self.stop_work, None, None, cancels=runs, **UNQUEUED).then(
            lambda: (note_html(text.CLIP_STOPPED), gr.Button(visible=False)), None, [page.note, page.stop], **UNQUEUED
        )
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

    # Runs of the network

    def matte_upload(
        self,
        clip: str | None,
        size: str,
        steady: bool,
        behind: str,
        picture: str | None,
        products: list[str],
        session: Session | None,
        request: gr.Request,
    ) -> Iterator[Update]:
        """The visitor's clip."""
        session = self.service.sessions.of(session, request)
        if clip is None:  # the validator has said so to the page
            raise Problem(text.ERROR_NO_CLIP)
        session.take(clip, picture)
        yield from self._run(Path(clip), ClipSettings(int(size), temporal=steady), (behind, picture), products, session)

    def matte_example(
        self,
        size: str,
        steady: bool,
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
        settings = ClipSettings(int(size), temporal=steady)
        yield from self._run(self.service.example_clip, settings, (behind, picture), products, session)

    def matte_clip(
        self,
        clip: str,
        size: str,
        steady: bool,
        background: str,
        products: list[str],
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

        Returns:
            The files, and facts: frames, sizes in pixels, share of the pixels redrawn, seconds per stage and in all, and the
            numbers of the frames that flicker, counted from 0.
        """
        session = self.service.sessions.of(session, request)
        session.take(clip)
        problem = find_problem(clip)  # a validator would refuse with the same words, but programs would not see them
        if problem:
            raise Problem(problem)
        with plain_errors(text.ERROR_CLIP):
            behind = background if background == BLUR else parse_colour(background)
        settings = ClipSettings(int(size), temporal=steady)
        report = [*self._steps(Path(clip), settings, behind, _outputs(clip, products, session), session)][-1].final_report
        return [str(path) for path in report.paths.values()], facts_of(report), session

    def stop_work(self, request: gr.Request) -> None:
        self.service.sessions.stop(request)

    def _run(
        self, clip: Path, settings: ClipSettings, backdrop: tuple, products: list[str], session: Session
    ) -> Iterator[Update]:
        """Progress, then everything there is to see."""
        page = self.page
        gone = {page.preview: None, page.facts: "", page.files: gr.File(visible=False), page.chart: "", page.strip: ""}
        yield {self.session: session, page.note: note_html(text.CLIP_STARTING), page.stop: gr.Button(visible=True), **gone}
        told = 0.0
        try:
            outputs = _outputs(clip, [*products, "preview"], session)
            for step in self._steps(clip, settings, _background(*backdrop), outputs, session):
                if step.report is None and perf_counter() - told > _PAUSE_S:
                    told = perf_counter()
                    yield {page.note: progress_html(step)}
        except StoppedError:
            yield {page.note: note_html(text.CLIP_STOPPED), page.stop: gr.Button(visible=False)}
        except Exception:
            yield {page.note: note_html(text.CLIP_WAITING.format(seconds=MAX_SECONDS)), page.stop: gr.Button(visible=False)}
            raise
        else:
            session.clip = ClipResult(step.final_report, outputs["preview"])
            yield self._result_update(session.clip)

    def _steps(
        self, clip: Path, settings: ClipSettings, background: BackgroundSource, outputs: dict[str, Path], session: Session
    ) -> Iterator[ClipProgress]:
        """`iterate_clip` on the device, in plain words; raises `StoppedError` if the visitor changes their mind."""
        with plain_errors(text.ERROR_CLIP), closing(self.service.work.matte_clip(clip, outputs, settings, background)) as steps:
            begin = True
            while True:
                with stoppable(self.service.model, session, begin=begin):
                    step = next(steps, None)
                if step is None:
                    return
                if session.stop.is_set():
                    raise StoppedError
                begin = False
                yield step

    def _result_update(self, result: ClipResult) -> Update:
        page, report = self.page, result.report
        files = [str(path) for product, path in report.paths.items() if product != "preview"]
        return {
            page.note: note_html(_done_text(report)),
            page.stop: gr.Button(visible=False),
            page.preview: str(result.preview),
            page.facts: clip_facts_html(report, self.service.weights),
            page.files: gr.File(files, visible=bool(files)),
            page.chart: clip_chart_html(report),
            page.strip: "",
        }

    # Quick answers

    def open_frame(self, session: Session | None, event: gr.EventData) -> Update:
        """A frame that flickers, between its neighbours; the preview jumps to it."""
        if session is None or session.clip is None:
            raise Problem(text.CLIP_EXPIRED)
        report, preview = session.clip
        frame = int(event.value)
        if not 0 <= frame < len(report.frames):
            raise Problem(text.CLIP_EXPIRED)
        return {
            self.page.chart: clip_chart_html(report, frame),
            self.page.strip: strip_html(report, preview, frame),
            self.page.preview: gr.Video(playback_position=report.frames[frame].time, autoplay=False),
        }


def check_clip(clip: str | None, *others: Any) -> list[dict[str, Any]]:
    """Before anything is queued: is this a clip, and is it within the limits? One answer per input."""
    problem = find_problem(clip)
    return [gr.validate(not problem, problem), *(gr.validate(True, "") for _ in others)]


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
    if not [product for product in products if product != "preview"]:
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
