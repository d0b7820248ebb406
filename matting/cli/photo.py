"""The command line: python -m matting PHOTO|CLIP|FOLDER -o OUT."""

import argparse
import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageColor
from tqdm import tqdm

from matting.cli.clip import ClipJob, add_clip_options, clip_endings, cut_out_clip, is_clip, plan_clip, plan_clip_in_folder
from matting.cli.outputs import distinct_stems
from matting.cli.terminal import Parser, printable
from matting.evaluation.ray import map_on_ray
from matting.inference.matte import BackgroundSource
from matting.inference.photo import matte_image
from matting.media.colour import DISPLAY_P3, SRGB, ColourSpace, convert
from matting.media.image import PHOTO_SUFFIXES, check_writable, load_image, load_picture, save_image
from matting.media.metadata import read_metadata
from matting.media.names import fit_name
from matting.network import MattingNetwork
from matting.postprocess.bit_depth import to_8_bit
from matting.weights import load_model

_COLOUR_SPACES = {"srgb": SRGB, "display-p3": DISPLAY_P3}


class Job(NamedTuple):
    """A photo to read and the file to write."""

    source: Path
    target: Path

    @property
    def targets(self) -> list[Path]:
        return [self.target]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code: 0, 1 if any file failed, 130 if interrupted. Wrong arguments exit with 2."""
    try:
        return run_command(build_parser(), arguments)
    except KeyboardInterrupt:
        print("interrupted; the file in progress was not written", file=sys.stderr)
        return 130


def run_command(parser: argparse.ArgumentParser, arguments: Sequence[str] | None) -> int:
    """Plan the jobs, load the network and run them; returns 0, or 1 if any file failed."""
    options = parser.parse_args(arguments)
    try:
        if options.ray:
            options.input, options.output = options.input.resolve(), options.output.resolve()
        jobs = plan_jobs(options)
        run = (
            partial(run_jobs_on_ray, jobs, options)
            if options.ray
            else partial(run_jobs, jobs, load_model(options.weights, options.device), options)
        )
    except ValueError as error:
        parser.error(str(error))
    try:
        failed = run()
    except ValueError as error:  # from the cluster; errors of single files are counted instead
        parser.error(str(error))
    if len(jobs) > 1:
        print(printable(f"{len(jobs) - failed} of {len(jobs)} files done, in {jobs[0].targets[0].parent}"))
    return 1 if failed else 0


def build_parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="python -m matting",
        description="Cut the people out of a photo or a clip, or of all of them in a folder. The result is a PNG or WebM with "
        "transparency, its edges free of the old background, unless --alpha or --background says otherwise.",
    )
    parser.add_argument("input", type=Path, help="photo, clip or folder")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT", help="file (for a folder: folder) to write")
    result = parser.add_mutually_exclusive_group()
    result.add_argument("--alpha", action="store_true", help="write the alpha in grey instead of the cut-out")
    result.add_argument(
        "--background",
        type=read_background,
        metavar="COLOUR|IMAGE|blur",
        help="write the people in front of this instead of the cut-out: a colour (white, '#30a060'), a picture, "
        "or the photo's own background out of focus",
    )
    parser.add_argument(
        "--max-side",
        type=read_pixels,
        metavar="PIXELS",
        help="longer side of the network's input; larger resolves finer hair and takes longer (default: 896 for photos, where "
        "people who are small are matted in a crop, and 768 for clips). The result always has the photo's size",
    )
    parser.add_argument(
        "--ignore-alpha",
        action="store_true",
        help="put photos and clips that are transparent already on white first (default: their transparency is kept, and the "
        "people in them cut out)",
    )
    parser.add_argument(
        "--keep-metadata",
        action="store_true",
        help="keep the artist, copyright and date of a photo; never its place or the camera's number (default: only its "
        "resolution in dots per inch)",
    )
    parser.add_argument(
        "--colour-space",
        choices=_COLOUR_SPACES,
        default="srgb",
        help="of the colours of photos that are written, with its profile (default: %(default)s)",
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1 ... (default: %(default)s)")
    parser.add_argument(
        "--weights",
        default="bundled",
        help="bundled, bundled:PRESET, a .safetensors file, an authors' .pth, or hub:OWNER/REPO[@REVISION][:FILE] "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--ray",
        metavar="ADDRESS",
        help="run on this Ray cluster ('auto', 'ray://host:10001', or 'local' for one on this machine), whose machines have "
        "the same files under the same paths; needs the package ray[data]",
    )
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="parallel workers with --ray (%(default)s)")
    add_clip_options(parser)
    return parser


def read_background(text: str) -> BackgroundSource:
    """ "blur", an (R, G, B) colour, or the pixels of a picture; raises ArgumentTypeError if it is none of them."""
    if text == "blur":
        return text
    try:
        colour = ImageColor.getrgb(text)
    except ValueError:
        pass
    else:
        if len(colour) == 3:
            return colour
    try:
        return load_image(text)
    except ValueError as error:
        reason = f"expected 'blur', a colour such as white or '#30a060', or a picture; {error}"
        raise argparse.ArgumentTypeError(reason) from error


def read_pixels(text: str) -> int:
    """A positive whole number; raises ArgumentTypeError if it is not."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a number of pixels of at least 1, got {text!r}")
    return int(text)


def plan_jobs(options: argparse.Namespace) -> list[Job | ClipJob]:
    """Determine inputs and outputs, before any work starts.

    Raises:
        ValueError: if there is nothing to read, the result has no possible format, or a source would be overwritten.
    """
    source, output = options.input, options.output
    if source.is_dir():
        jobs = plan_folder(source, output, options)
    elif source.is_file() and is_clip(source):
        jobs = [plan_clip(source, output, options)]
    elif source.is_file():
        jobs = [Job(source, output / fit_name(source.stem, ".png") if output.is_dir() else output)]
        check_writable(jobs[0].targets[0], transparent=not options.alpha and options.background is None)
    else:
        raise ValueError(f"there is no file or folder {source}")
    sources = {job.source.resolve() for job in jobs}
    for target in (target for job in jobs for target in job.targets):
        if target.resolve() in sources:
            raise ValueError(f"{target} would overwrite a file that is read; choose another output")
    return jobs


def plan_folder(folder: Path, output: Path, options: argparse.Namespace) -> list[Job | ClipJob]:
    """A job for every photo and clip in the folder; other entries are reported on stderr, links out of the folder too."""
    if output.is_file():
        raise ValueError(f"the input is a folder, so the output must be one too; {output} is a file")
    entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    files = [entry for entry in entries if entry.is_file() and not _leads_out(entry)]
    clips = [entry for entry in files if is_clip(entry)]
    photos = [entry for entry in files if entry.suffix.lower() in PHOTO_SUFFIXES and entry not in clips]
    for entry in entries:
        if entry not in photos and entry not in clips:
            print(printable(f"left out {entry}: {_why_left_out(entry)}"), file=sys.stderr)
    if not photos and not clips:
        raise ValueError(f"there are no photos or clips in {folder}")
    stems = distinct_stems([*photos, *clips], lambda file: clip_endings(options) if file in clips else [".png"])
    jobs: list[Job | ClipJob] = [Job(photo, output / fit_name(stems[photo], ".png")) for photo in photos]
    jobs += [plan_clip_in_folder(clip, output, options, stems[clip]) for clip in clips]
    for job in jobs:
        if not job.targets[0].name.startswith(job.source.stem) or stems[job.source] != job.source.stem:
            targets = ", ".join(path.name for path in job.targets)
            print(printable(f"named apart: {job.source.name} becomes {targets}"), file=sys.stderr)
    return jobs


def _leads_out(entry: Path) -> bool:
    """Whether it is a link to something outside of its folder, which whoever asked for the folder may not mean to read."""
    return entry.is_symlink() and not entry.resolve().is_relative_to(entry.parent.resolve())


def _why_left_out(entry: Path) -> str:
    if _leads_out(entry):
        return "a link that leads out of the folder"
    return "a folder" if entry.is_dir() else "not a photo or clip by its name"


def run_jobs(jobs: Iterable[Job | ClipJob], model: MattingNetwork, options: argparse.Namespace) -> int:
    """Run all jobs, report every failure on stderr, and return their number."""
    jobs = list(jobs)
    return count_failures((run_job(job, model, options) for job in jobs), len(jobs))


def run_jobs_on_ray(jobs: Sequence[Job | ClipJob], options: argparse.Namespace) -> int:
    """As `run_jobs`, on a Ray cluster whose workers load the network once each."""
    return count_failures(map_on_ray(jobs, partial(make_worker, options), options.ray, options.workers), len(jobs))


def make_worker(options: argparse.Namespace) -> Callable[[Job | ClipJob], str]:
    """`run_job` with a network that is loaded now."""
    return partial(run_job, model=load_model(options.weights, options.device), options=options)


def run_job(job: Job | ClipJob, model: MattingNetwork, options: argparse.Namespace) -> str:
    """Run one job; returns the reason of a failure, or an empty string."""
    try:
        job.targets[0].parent.mkdir(parents=True, exist_ok=True)
        if isinstance(job, ClipJob):
            cut_out_clip(job, model, options)
        else:
            cut_out_photo(job, model, options)
    except (ValueError, OSError, MemoryError) as error:
        return f"{job.source}: {error or type(error).__name__}"
    except Exception as error:  # noqa: BLE001 - whatever it is, it is this file's failure, and the others are done
        return f"{job.source}: unexpected {type(error).__name__}: {error}"
    return ""


def count_failures(reasons: Iterable[str], total: int) -> int:
    """Show progress, report every failure on stderr, and return their number."""
    failed = 0
    for reason in tqdm(reasons, total=total, unit="file", disable=total == 1):
        if reason:
            failed += 1
            tqdm.write(printable(f"failed: {reason}"), file=sys.stderr)
    return failed


def cut_out_photo(job: Job, model: MattingNetwork, options: argparse.Namespace) -> None:
    """Matte one photo and write its alpha, composite or cutout, as the options say."""
    matte = matte_image(job.source, model, options.max_side, ignore_alpha=options.ignore_alpha)
    space = _COLOUR_SPACES[options.colour_space]
    if space != SRGB:  # the network has seen sRGB, which it knows; the colours that are written are read once more
        picture = load_picture(job.source, space)
        matte = replace(matte, image=picture.on((255, 255, 255)) if options.ignore_alpha else picture.image)
    if options.alpha:
        result = Image.fromarray(to_8_bit(matte.alpha))
    elif options.background is not None:
        result = Image.fromarray(matte.composite(_in_space(options.background, space)))
    else:
        result = matte.cutout()
    save_image(result, job.target, read_metadata(job.source, notes=options.keep_metadata), space)


def _in_space(background: BackgroundSource, space: ColourSpace) -> BackgroundSource:
    """A colour or picture of sRGB in the colours that are written."""
    if space == SRGB or isinstance(background, str | Image.Image):
        return background
    pixels = convert(np.array(background, np.uint8).reshape(-1, 1, 3), SRGB, space)
    if isinstance(background, tuple):
        red, green, blue = pixels.ravel().tolist()
        return red, green, blue
    return pixels.reshape(background.shape)


def command() -> int:
    """The command `matting`: SIGTERM is treated like Ctrl-C, so that unfinished files are removed."""
    signal.signal(signal.SIGTERM, interrupt)
    return main()


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt
