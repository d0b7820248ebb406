"""The endpoint `/matte_clip`: a clip in, files out, for programs."""

import inspect
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from matting.app import text
from matting.app.errors import Problem, plain_errors
from matting.app.results.background import BLUR, parse_colour
from matting.app.results.clip_start import parse_place
from matting.app.service import LONG_QUEUE, Service
from matting.app.session import Session
from matting.app.tabs.clip_work import clip_outputs, find_problem, run_clip
from matting.app.views.clip_page import CHOICES, FIRST_CHOICE, SIZES
from matting.inference.clip import ClipReport, ClipSettings
from matting.inference.temporal import flickery_frames


class ClipEndpoint:
    """The handler of the endpoint, and the hidden components that declare it."""

    def __init__(self, service: Service, session: gr.State):
        self.service = service
        self.session = session
        self._wire()

    def _wire(self) -> None:
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
        *_, last = run_clip(self.service, session, Path(clip), settings, behind, clip_outputs(clip, products, session))
        report = last.progress.final_report
        return [str(path) for path in report.paths.values()], facts_of(report), session


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
