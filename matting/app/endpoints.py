"""The app's functions for programs and language models: stable names, plain parameters, no page."""

import inspect
import math
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import gradio as gr
import numpy as np

from matting.app import text
from matting.app.errors import Problem, plain_errors
from matting.app.results.background import BackgroundChoice
from matting.app.results.comparison import DEFAULT_METHODS, Photo, check_methods, metrics_of, run_method
from matting.app.results.downloads import ALPHA, CUTOUT, make_file
from matting.app.results.region import nearest_region, view_region
from matting.app.results.result import Result, file_stem, shrink
from matting.app.service import LONG_QUEUE, MODEL_QUEUE, SIZES, Service, Settings, read_ground_truth, read_photo
from matting.app.session import Session
from matting.app.stopping import StoppedError
from matting.app.uploads import PhotoInput
from matting.app.views.facts import refined_share
from matting.app.views.panels import region_mask
from matting.evaluation.methods import METHODS
from matting.evaluation.metrics import Metrics
from matting.evaluation.published import measured_rows, published_table
from matting.postprocess.bit_depth import to_8_bit


class Endpoints:
    """`/matte_image`, `/inspect_region`, `/compare_methods` and `/tables`.

    `/inspect_region` looks into what `/matte_image` made in the same session, or into a photo of its own: calls of language
    models share no session.
    """

    def __init__(self, service: Service, session: gr.State):
        self.service = service
        trigger = gr.Button(visible=False)
        photo = PhotoInput(label="image", visible=False)
        settings = [
            gr.Radio(SIZES, value="Auto", label="size", visible=False),
            gr.Slider(-3, 3, 0, label="unknown_bias", visible=False),
            gr.Checkbox(True, label="refine", visible=False),
            gr.Checkbox(True, label="cross_region", visible=False),
            gr.Checkbox(False, label="ignore_alpha", visible=False),
        ]
        outputs = [
            gr.Image(label="cutout", format="png", visible=False),
            gr.Image(label="alpha", format="png", visible=False),
            gr.JSON(label="facts", visible=False),
            gr.File(label="intermediate", file_count="multiple", visible=False),
            session,
        ]
        trigger.click(self.matte_image, [photo, *settings, session], outputs, **_named("matte_image", self.matte_image))
        point = [gr.Number(0.5, label="x", visible=False), gr.Number(0.25, label="y", visible=False)]
        region = gr.JSON(label="region", visible=False)
        inputs = [*point, PhotoInput(label="image", visible=False), session]
        trigger.click(self.inspect_region, inputs, [region, session], **_named("inspect_region", self.inspect_region))
        self._add_comparison(trigger, session)

    def _add_comparison(self, trigger: gr.Button, session: gr.State) -> None:
        inputs = [
            PhotoInput(label="image", visible=False),
            gr.CheckboxGroup(list(METHODS), value=list(DEFAULT_METHODS), label="methods", visible=False),
            PhotoInput(label="truth", visible=False),
            session,
        ]
        outputs = [
            gr.JSON(label="results", visible=False),
            gr.File(label="alphas", file_count="multiple", visible=False),
            session,
        ]
        trigger.click(self.compare_methods, inputs, outputs, **_named("compare_methods", self.compare_methods))
        table = gr.JSON(label="tables", visible=False)
        trigger.click(self.tables, None, table, **_named("tables", self.tables))

    def matte_image(
        self,
        image: str,
        size: str,
        unknown_bias: float,
        refine: bool,
        cross_region: bool,
        ignore_alpha: bool,
        session: Session | None,
        request: gr.Request,
    ) -> tuple[str, str, dict[str, Any], list[str], Session]:
        """Cut the people out of a photo.

        Args:
            image: the photo, JPEG, PNG, WebP, TIFF or HEIC, at most 50 megapixels.
            size: longer working side in pixels: Auto, 512, 1024, 1536 or Full.
            unknown_bias: region sensitivity, -3 to 3; 0 is the network as published.
            refine: whether unknown regions are redrawn.
            cross_region: whether regions look at their neighbours.
            ignore_alpha: whether the transparency that the photo came with is left aside.

        Returns:
            The cut-out (RGBA PNG, edge colours cleaned), the alpha (8-bit grey PNG), and facts: sizes in pixels, the
            window of the photo that was looked at (a part of it where people are small), how much a dark one was
            brightened for the network, regions and their share of the photo, seconds per stage, device, weights, and
            whether anybody was found. Last, what the stages gave, as grey PNG files of the photo's size: the coarse alpha, the
            trimap (0 background, 128 unknown, 255 foreground), and the refined regions in white.
        """
        if image is None:
            raise Problem(text.ERROR_NO_PHOTO)
        session = self.service.sessions.of(session, request)
        session.take(image)
        settings = Settings(size, unknown_bias, refine, cross_region, ignore_alpha)
        result = self.service.cut_out(image, None, settings, session)
        session.begin(result)
        cutout, alpha = (str(make_file(result, what, BackgroundChoice(), session)) for what in (CUTOUT, ALPHA))
        matte = result.matte
        stages = {"coarse": matte.coarse_8, "trimap": matte.trimap, "regions": np.uint8(255) * region_mask(matte)}
        intermediate = [str(session.write(pixels, f"{result.stem}-{name}")) for name, pixels in stages.items()]
        return cutout, alpha, self._facts(result), intermediate, session

    def inspect_region(
        self, x: float, y: float, request: gr.Request, image: str | None = None, session: Session | None = None
    ) -> tuple[dict[str, Any], Session]:
        """Look into the redrawn region nearest to a point of a photo.

        Args:
            x: place across the photo, 0 is the left edge and 1 the right.
            y: place down the photo, 0 is the top and 1 the bottom.
            image: the photo; may be left out in a session that has just called `matte_image`.

        Returns:
            The region's index, cell (row, column of 8x8 working pixels), neighbours, their cells, the attention of
            each head over itself and its neighbours, and its 8x8 pixels: photo, coarse alpha, refined alpha, and
            refined without neighbours.
        """
        session = self.service.sessions.of(session, request)
        result = session.result
        if image is not None:
            session.take(image)
            result = self.service.cut_out(image, None, Settings(), session)
            session.begin(result)
        if result is None:
            raise Problem(text.ERROR_NO_PHOTO)
        matte = result.matte
        with plain_errors():
            view = view_region(matte.regions, nearest_region(matte, x, y), self.service.model)
        values = {
            "region": view.index,
            "cell": list(view.cell),
            "neighbours": view.neighbours.tolist(),
            "neighbour_cells": view.neighbour_cells.tolist(),
            "attention": view.attention.round(4).tolist(),
            "photo": view.image.tolist(),
            "coarse_alpha": view.coarse.round(4).tolist(),
            "refined_alpha": view.refined.round(4).tolist(),
            "refined_alone": view.alone.round(4).tolist(),
            "mean_change": round(view.change, 4),
        }
        return values, session

    def compare_methods(
        self, image: str, methods: list[str], request: gr.Request, truth: str | None = None, session: Session | None = None
    ) -> tuple[list[dict[str, Any]], list[str], Session]:
        """Run several matting methods on one photo, scaled to at most 1280 pixels.

        Args:
            image: the photo.
            methods: names, for example ours, coarse, no-cra, no-closed-form, no-guided-filter, closed-form, knn, grabcut,
                modnet, birefnet-lite; the last two download their weights first.
            truth: true alpha, a grey picture of the photo's size; with it, errors are measured. May be left out.

        Returns:
            Per method: name, title, seconds, metrics (P3M convention) or null, and why it failed or null; and the alphas
            as 8-bit PNG files named after the methods.
        """
        if image is None:
            raise Problem(text.ERROR_NO_PHOTO)
        check_methods(methods)
        session = self.service.sessions.of(session, request)
        session.take(image, truth)
        pixels = read_photo(image)
        alpha = None if truth is None else shrink(read_ground_truth(truth, pixels))
        photo = Photo(file_stem(image), shrink(pixels), alpha)
        entries = [run_method(name, photo, self.service, session) for name in _until_stopped(methods, session)]
        metrics = metrics_of(entries, photo)
        results = [
            {
                "method": entry.name,
                "title": entry.title,
                "seconds": entry.seconds,
                "metrics": _numbers(metrics.get(entry.title)),
                "failure": entry.failure,
            }
            for entry in entries
        ]
        files = [
            str(session.write(to_8_bit(entry.alpha), f"{photo.stem}-{entry.name}"))
            for entry in entries
            if entry.alpha is not None
        ]
        return results, files, session

    def tables(self) -> dict[str, Any]:
        """The paper's supplementary Table 1 as published, and what this project measured, kept apart.

        Returns:
            published: source, convention and rows; measured: rows with the command that prints them; measured_common: the
            same of all methods on the images that every one of them was given.
        """
        table = published_table()
        published = [{**asdict(row), "scores": {name: s._asdict() for name, s in row.scores.items()}} for row in table.rows]
        return {
            "published": {"source": table.source, "convention": table.convention, "rows": published},
            "measured": [asdict(row) for row in measured_rows()],
            "measured_common": [asdict(row) for row in measured_rows(part="common")],
        }

    def _facts(self, result: Result) -> dict[str, Any]:
        matte = result.matte
        return {
            "size_px": list(matte.size[::-1]),
            "working_size_px": list(matte.working_size[::-1]),
            "crop_px": matte.crop._asdict(),
            "brightening": round(matte.brightening, 2),
            "regions": len(matte.regions.cells),
            "refined_share": round(refined_share(result), 4),
            "seconds": {stage: round(seconds, 4) for stage, seconds in matte.seconds.items()},
            "device": self.service.device,
            "weights": self.service.weights,
            "found_somebody": result.found_somebody,
        }


def _until_stopped(methods: list[str], session: Session) -> Iterator[str]:
    """Each method in turn; raises `StoppedError` before the next one if nobody waits for it any more."""
    for name in methods:
        if session.closed or (name != methods[0] and session.stop.is_set()):
            raise StoppedError
        yield name


def _numbers(metrics: Metrics | None) -> dict[str, float | None] | None:
    """As JSON knows them: NaN becomes null."""
    if metrics is None:
        return None
    return {name: None if math.isnan(value) else round(value, 6) for name, value in metrics._asdict().items()}


def _named(name: str, function: Any) -> dict[str, Any]:
    queue = {"tables": {}, "compare_methods": LONG_QUEUE}.get(name, MODEL_QUEUE)
    return {"api_name": name, "api_description": inspect.getdoc(function), **queue}
