"""What is read and what is written, decided before any work: the jobs of the command line."""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from matting.cli.arguments import PIPE, SUFFIXES
from matting.cli.clip import ClipJob, clip_endings, is_clip, plan_clip, plan_clip_in_folder
from matting.cli.outputs import distinct_stems
from matting.cli.terminal import printable
from matting.media.image import PHOTO_SUFFIXES, check_writable
from matting.media.names import fit_name


class Job(NamedTuple):
    """A photo to read and the file to write; either may be `PIPE`."""

    source: Path
    target: Path

    @property
    def targets(self) -> list[Path]:
        return [self.target]


AnyJob = Job | ClipJob


def plan_jobs(options: argparse.Namespace) -> list[AnyJob]:
    """Determine inputs and outputs, before any work starts.

    Raises:
        ValueError: if there is nothing to read, a result has no possible format, cannot be written or exists already, or a
            source would be overwritten.
    """
    folders = [path for path in options.inputs if path.is_dir()]
    several = len(options.inputs) > 1 or bool(folders)
    if options.output == PIPE and several:
        raise ValueError("standard output takes one photo, not several files or a folder")
    if folders and options.output is None:
        raise ValueError(f"{folders[0]} is a folder, so its results need one too: -o FOLDER")
    if several and options.output is not None and options.output.is_file():
        raise ValueError(f"there are several inputs, so the output must be a folder; {options.output} is a file")
    files = _find_files(options.inputs)
    jobs = _plan_many(files, options) if several else [_plan_one(files[0], options)]
    derived = several or options.output is None or options.output.is_dir()
    jobs = _without_existing(jobs, options) if derived and options.output != PIPE else jobs
    _check_targets(jobs)
    return jobs


def _find_files(inputs: Sequence[Path]) -> list[Path]:
    """All photos and clips that are named or lie in a folder that is named, each once."""
    files: list[Path] = []
    for path in inputs:
        if path.is_dir():
            files += list_folder(path)
        elif path == PIPE or path.is_file():
            files.append(path)
        else:
            raise ValueError(f"there is no file or folder {path}")
    return list(dict.fromkeys(files))


def list_folder(folder: Path, quiet: bool = False) -> list[Path]:
    """The photos and then the clips in a folder, by name; other entries are reported on stderr, links out of it too.

    Raises:
        ValueError: if there are none, unless `quiet`, which reports nothing either.
    """
    entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    files = [entry for entry in entries if entry.is_file() and not _leads_out(entry)]
    clips = [entry for entry in files if is_clip(entry)]
    photos = [entry for entry in files if entry.suffix.lower() in PHOTO_SUFFIXES and entry not in clips]
    for entry in [] if quiet else entries:
        if entry not in photos and entry not in clips:
            print(printable(f"left out {entry}: {_why_left_out(entry)}"), file=sys.stderr)
    if not photos and not clips and not quiet:
        raise ValueError(f"there are no photos or clips in {folder}")
    return photos + clips


def _leads_out(entry: Path) -> bool:
    """Whether it is a link to something outside of its folder, which whoever asked for the folder may not mean to read."""
    return entry.is_symlink() and not entry.resolve().is_relative_to(entry.parent.resolve())


def _why_left_out(entry: Path) -> str:
    if _leads_out(entry):
        return "a link that leads out of the folder"
    return "a folder" if entry.is_dir() else "not a photo or clip by its name"


def _plan_many(files: Sequence[Path], options: argparse.Namespace) -> list[AnyJob]:
    """A job for each file, all in the output folder, or beside each of them."""
    if PIPE in files:
        raise ValueError("standard input is one photo and goes with no other input")
    suffix = SUFFIXES[options.format or "png"]
    clips = {file for file in files if is_clip(file)}
    photos_first = [*(file for file in files if file not in clips), *(file for file in files if file in clips)]
    stems = distinct_stems(photos_first, lambda file: clip_endings(options) if file in clips else [suffix])
    jobs: list[AnyJob] = []
    for file in photos_first:
        stem = stems[file]
        jobs.append(_plan_clip(file, options, stem) if file in clips else Job(file, _photo_target(file, options, stem)))
        if not jobs[-1].targets[0].name.startswith(file.stem) or stem != file.stem:
            names = ", ".join(path.name for path in jobs[-1].targets)
            print(printable(f"named apart: {file.name} becomes {names}"), file=sys.stderr)
    return jobs


def _plan_one(file: Path, options: argparse.Namespace) -> AnyJob:
    if file != PIPE and is_clip(file):
        if options.output == PIPE:
            raise ValueError(f"standard output takes a photo; {file} is a clip")
        return _plan_clip(file, options, file.stem) if options.output is None else plan_clip(file, options.output, options)
    if options.output is None or options.output.is_dir():
        if file == PIPE and options.output is None:
            return Job(file, PIPE)
        return Job(file, _photo_target(file, options, "stdin" if file == PIPE else file.stem))
    if options.output != PIPE:
        check_writable(options.output, transparent=is_transparent(options))
    return Job(file, options.output)


def _plan_clip(file: Path, options: argparse.Namespace, stem: str) -> ClipJob:
    if options.output is None:
        raise ValueError(f"{file} is a clip, so its result needs a name: -o FILE or FOLDER")
    return plan_clip_in_folder(file, options.output, options, stem)


def _photo_target(file: Path, options: argparse.Namespace, stem: str) -> Path:
    """a.jpg -> a.png in the output folder, or a-cutout.png beside it."""
    suffix = SUFFIXES[options.format or "png"]
    if options.output is not None:
        target = options.output / fit_name(stem, suffix)
    else:
        what = options.result if options.background is None else "composite"
        target = file.with_name(fit_name(stem, f"-{what}{suffix}"))
    check_writable(target, transparent=is_transparent(options))
    return target


def is_transparent(options: argparse.Namespace) -> bool:
    """Whether a photo's result has an alpha channel."""
    return options.result == "cutout" and options.background is None


def _without_existing(jobs: list[AnyJob], options: argparse.Namespace) -> list[AnyJob]:
    """Without what is done already, if that is wanted; raises ValueError if files exist and nothing was said of them."""
    existing = [target for job in jobs for target in job.targets if target.exists()]
    sources = {job.source.resolve() for job in jobs}
    if options.skip_existing:
        return [job for job in jobs if not all(target.exists() for target in job.targets)]
    if existing and not options.overwrite and existing[0].resolve() not in sources:
        others = f" and {len(existing) - 1} more" if len(existing) > 1 else ""
        raise ValueError(f"{existing[0]}{others} exists already: add --overwrite or --skip-existing")
    return jobs


def _check_targets(jobs: Sequence[AnyJob]) -> None:
    """Raises ValueError if a source would be overwritten, or a folder cannot be written to."""
    sources = {job.source.resolve() for job in jobs if job.source != PIPE}
    targets = [target for job in jobs for target in job.targets if target != PIPE]
    for target in targets:
        if target.resolve() in sources:
            raise ValueError(f"{target} would overwrite a file that is read; choose another output")
        if target.is_dir():
            raise ValueError(f"{target} is a folder, expected the name of a file")
    for folder in {target.parent for target in targets}:
        check_folder(folder)


def check_folder(folder: Path) -> None:
    """Raises ValueError if no file can be made in a folder, or in the one that it would be made in."""
    present = next(path for path in (folder, *folder.resolve().parents) if path.exists())
    if not present.is_dir():
        raise ValueError(f"{folder} cannot be written to: {present} is a file")
    try:
        tempfile.TemporaryFile(dir=present).close()  # for the administrator, rights say nothing
    except OSError as error:
        raise ValueError(f"{folder} cannot be written to: {error.strerror} in {present}") from error
