"""The work of the command line: photos and clips matted, written, and reported."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from matting.cli.arguments import COLOUR_SPACES, PIPE, SUFFIXES
from matting.cli.clip import ClipJob, cut_out_clip
from matting.cli.plan import AnyJob, Job
from matting.cli.terminal import printable
from matting.evaluation.ray import map_on_ray
from matting.inference.matte import BackgroundSource, Matte
from matting.inference.photo import matte_image
from matting.media.colour import SRGB, ColourSpace, convert
from matting.media.image import load_picture, save_image
from matting.media.metadata import read_metadata
from matting.network import REGION_SIZE, MattingNetwork
from matting.postprocess.bit_depth import to_8_bit
from matting.postprocess.box import bounding_box
from matting.weights import load_model

_FOUND = 0.5  # alpha from which on a pixel counts as somebody


class Outcome(NamedTuple):
    """What became of a job.

    Attributes:
        source: what was read.
        targets: what was written.
        failure: why nothing was written, or an empty text.
        nobody: whether nobody was found.
        facts: further entries of the line of JSON.
    """

    source: Path
    targets: list[Path]
    failure: str
    nobody: bool
    facts: dict[str, Any]

    def to_json(self) -> str:
        status = {"error": self.failure} if self.failure else {"nobody_found": self.nobody}
        return json.dumps({"source": str(self.source), "targets": [str(path) for path in self.targets], **status, **self.facts})


def run(jobs: Sequence[AnyJob], options: argparse.Namespace) -> list[Outcome]:
    """Do all jobs, here or on a Ray cluster, and report each.

    Raises:
        ValueError: if the network cannot be loaded, or the cluster not be used.
    """
    if options.ray:
        outcomes: Iterable[Outcome] = map_on_ray(jobs, partial(make_worker, options), options.ray, options.workers)
    else:
        model = load_model(options.weights, options.device, options.backend)
        outcomes = (run_job(job, model, options) for job in jobs)
    done = []
    for outcome in tqdm(outcomes, total=len(jobs), unit="file", disable=len(jobs) == 1):
        report(outcome, options)
        done.append(outcome)
    return done


def make_worker(options: argparse.Namespace) -> Callable[[AnyJob], Outcome]:
    """Gives `run_job` with a network of its own."""
    return partial(run_job, model=load_model(options.weights, options.device, options.backend), options=options)


def report(outcome: Outcome, options: argparse.Namespace) -> None:
    """Say on stdout what was written, and on stderr what failed or held nobody."""
    if options.json and PIPE not in outcome.targets:
        tqdm.write(outcome.to_json())
    elif not outcome.failure:
        for target in outcome.targets:
            if target != PIPE:
                tqdm.write(printable(target))
    if outcome.failure:
        tqdm.write(printable(f"failed: {outcome.failure}"), file=sys.stderr)
    elif outcome.nobody:
        tqdm.write(printable(f"nobody found in {outcome.source}"), file=sys.stderr)


def run_job(job: AnyJob, model: MattingNetwork, options: argparse.Namespace) -> Outcome:
    """Do one job; a failure becomes part of its outcome."""
    began = time.perf_counter()
    try:
        for target in job.targets:
            target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(job, ClipJob):
            cut_out_clip(job, model, options)
            return Outcome(job.source, job.targets, "", False, {"seconds": round(time.perf_counter() - began, 3)})
        return cut_out_photo(job, model, options)
    except (ValueError, OSError, MemoryError) as error:
        return Outcome(job.source, [], f"{job.source}: {str(error) or type(error).__name__}", False, {})
    except Exception as error:  # noqa: BLE001 - whatever it is, it is this file's failure, and the others are done
        return Outcome(job.source, [], f"{job.source}: unexpected {type(error).__name__}: {error}", False, {})


def cut_out_photo(job: Job, model: MattingNetwork, options: argparse.Namespace) -> Outcome:
    """Matte one photo and write what was asked for."""
    began = time.perf_counter()
    space = COLOUR_SPACES[options.colour_space]
    data = sys.stdin.buffer.read() if job.source == PIPE else None

    def source() -> Path | BytesIO:
        return job.source if data is None else BytesIO(data)

    matte = matte_image(source(), model, options.max_side, ignore_alpha=options.ignore_alpha)
    if space != SRGB:  # the network has seen sRGB, which it knows; the colours that are written are read once more
        picture = load_picture(source(), space)
        matte = replace(matte, image=picture.on((255, 255, 255)) if options.ignore_alpha else picture.image)
    result = draw_result(matte, options, space)
    if options.crop and (shown := to_8_bit(matte.alpha) > 0).any():
        rows, columns = bounding_box(shown)
        result = result.crop((columns.start, rows.start, columns.stop, rows.stop))
    if job.target == PIPE:
        _write_to_pipe(result, options.format or "png")
    else:
        save_image(result, job.target, read_metadata(source(), notes=options.keep_metadata), space)
    facts = {
        "size": [matte.alpha.shape[1], matte.alpha.shape[0]],
        "result_size": list(result.size),
        "working_size": [matte.working_size[1], matte.working_size[0]],
        "regions": len(matte.regions.cells),
        "seconds": round(time.perf_counter() - began, 3),
    }
    return Outcome(job.source, [job.target], "", not bool((matte.alpha > _FOUND).any()), facts)


def draw_result(matte: Matte, options: argparse.Namespace, space: ColourSpace) -> Image.Image:
    """The image that the options ask for, of the photo's size."""
    if options.background is not None:
        return Image.fromarray(matte.composite(_in_space(options.background, space)))
    if options.result == "cutout":
        return matte.cutout()
    if options.result == "trimap":
        return Image.fromarray(matte.trimap)
    if options.result == "regions":
        return Image.fromarray(_draw_regions(matte))
    return Image.fromarray(to_8_bit(matte.alpha if options.result == "alpha" else matte.coarse_alpha))


def _in_space(background: BackgroundSource, space: ColourSpace) -> BackgroundSource:
    """A colour or picture of sRGB in the colours that are written."""
    if space == SRGB or isinstance(background, str | Image.Image):
        return background
    pixels = convert(np.array(background, np.uint8).reshape(-1, 1, 3), SRGB, space)
    if isinstance(background, tuple):
        red, green, blue = pixels.ravel().tolist()
        return red, green, blue
    return pixels.reshape(background.shape)


def _draw_regions(matte: Matte) -> NDArray[np.uint8]:
    """(H, W), 255 where a region was refined."""
    height, width = matte.working_size
    cells = np.zeros((height // REGION_SIZE, width // REGION_SIZE), np.uint8)
    cells[tuple(matte.regions.cells.T)] = 255
    rows, columns = matte.crop.bottom - matte.crop.top, matte.crop.right - matte.crop.left
    part = np.asarray(Image.fromarray(cells).resize((columns, rows), Image.Resampling.NEAREST))
    return matte.crop.fill(part, *matte.alpha.shape)


def _write_to_pipe(result: Image.Image, name: str) -> None:
    data = BytesIO()
    result.save(data, Image.registered_extensions()[SUFFIXES[name]])
    sys.stdout.buffer.write(data.getvalue())
    sys.stdout.buffer.flush()
