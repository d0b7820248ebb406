"""Clips on the command line: options, names of output files, and matting of one clip."""

import argparse
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image, UnidentifiedImageError
from tqdm import tqdm

from matting.cli.terminal import printable
from matting.media.export import EXPORT_FORMATS, export_path
from matting.media.reader import CLIP_SUFFIXES

if TYPE_CHECKING:
    from matting.network import MattingNetwork

_BY_SUFFIX = {".webm": "webm", ".mov": "prores", ".zip": "png"}


def add_clip_options(parser: argparse.ArgumentParser) -> None:
    """Options that only clips have."""
    group = parser.add_argument_group("clips only")
    group.add_argument(
        "--save",
        nargs="+",
        choices=EXPORT_FORMATS,
        metavar="KIND",
        help="write a clip in these export formats: "
        + "; ".join(f"{name} ({kind.title})" for name, kind in EXPORT_FORMATS.items())
        + ". The output is a folder then. Without it, the ending of the output decides: .webm, .mov or .zip, "
        "and .mp4 with --alpha or --background",
    )
    group.add_argument(
        "--temporal",
        "--steady",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="temporal filter of the alpha: less flicker, one frame of look-ahead (--steady is its old name, accepted until "
        "the next release)",
    )


def is_clip(path: Path) -> bool:
    """Whether a file is a clip by its name; a GIF with one picture is a photo."""
    suffix = path.suffix.lower()
    return suffix in CLIP_SUFFIXES and not (suffix == ".gif" and _is_still(path))


def _is_still(path: Path) -> bool:
    try:
        with Image.open(path) as picture:
            return getattr(picture, "n_frames", 1) == 1
    except (UnidentifiedImageError, OSError, EOFError):
        return False  # the clip reader says what is wrong with it


class ClipJob(NamedTuple):
    """A clip to read and the file to write for each export format."""

    source: Path
    outputs: dict[str, Path]

    @property
    def targets(self) -> list[Path]:
        return list(self.outputs.values())


def plan_clip(source: Path, output: Path, options: argparse.Namespace) -> ClipJob:
    """The job of a single clip; the output is a file, or a folder if it exists as one or --save is given.

    Raises:
        ValueError: if the output's suffix belongs to no export format.
    """
    if options.save or output.is_dir():
        return plan_clip_in_folder(source, output, options, source.stem)
    name = _default_format(options)
    suffix = output.suffix.lower()
    if name == "webm" and suffix in _BY_SUFFIX:
        name = _BY_SUFFIX[suffix]
    elif suffix != Path(EXPORT_FORMATS[name].ending).suffix:
        if suffix == ".mp4":
            raise ValueError("mp4 holds no transparency: write .webm or .mov, or add --alpha or --background")
        endings = "an ending of .webm, .mov or .zip" if name == "webm" else "the ending .mp4"
        raise ValueError(f"{output} cannot be written: expected {endings} for a clip")
    return ClipJob(source, {name: output})


def plan_clip_in_folder(source: Path, folder: Path, options: argparse.Namespace, stem: str) -> ClipJob:
    """The job of a clip whose files go to a folder, where their names begin with `stem`."""
    return ClipJob(source, {name: export_path(folder, stem, name) for name in options.save or [_default_format(options)]})


def clip_endings(options: argparse.Namespace) -> list[str]:
    """What the names of the files of a clip end with."""
    return [EXPORT_FORMATS[name].ending for name in options.save or [_default_format(options)]]


def _default_format(options: argparse.Namespace) -> str:
    """The export format that corresponds to a photo's result with these options."""
    if options.crop or options.result not in ("cutout", "alpha"):
        raise ValueError("--crop, --trimap, --coarse and --regions are for photos, not for clips")
    if options.result == "alpha":
        return "alpha"
    return "webm" if options.background is None else "composite"


def cut_out_clip(job: ClipJob, model: "MattingNetwork", options: argparse.Namespace) -> None:
    """Matte a clip with a progress bar over its frames, then print `ClipReport.summary`.

    Raises:
        ValueError, OSError: as `matting.inference.clip.matte_clip`.
    """
    from matting.inference.clip import CLIP_MAX_SIDE, DEFAULT_BACKGROUND, ClipSettings, iterate_clip

    settings = ClipSettings(
        max_side=options.max_side or CLIP_MAX_SIDE, temporal=options.temporal, ignore_alpha=options.ignore_alpha
    )
    background = DEFAULT_BACKGROUND if options.background is None else options.background
    with (
        closing(iterate_clip(job.source, model, job.outputs, settings, background=background)) as steps,
        tqdm(unit="frame", desc=printable(job.source.name), leave=False) as bar,
    ):
        for step in steps:
            bar.total = step.total
            bar.update(step.done - bar.n)
    for note in step.final_report.notes:
        tqdm.write(printable(f"{job.source.name}: {note}"), file=sys.stderr)
    tqdm.write(printable(f"{job.source.name}: {step.final_report.summary()}"), file=sys.stderr)
