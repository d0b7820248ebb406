"""A folder worked on as files arrive in it: matting watch IN OUT."""

import argparse
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from matting.cli.plan import check_folder, list_folder, plan_jobs
from matting.cli.terminal import printable

_PAUSE_S = 1.0
State = tuple[int, int]  # bytes and time of the last change in ns


def watch(options: argparse.Namespace) -> int:
    """Work on files of a folder whose results do not exist yet, until interrupted.

    Raises:
        ValueError: if there is no such folder, or the network cannot be loaded.
    """
    folder = options.inputs[0]
    if not folder.is_dir():
        raise ValueError(f"there is no folder {folder}")
    if folder.resolve() == options.output.resolve():
        raise ValueError("the results need another folder than the one that is watched")
    try:
        options.output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"{options.output} cannot be written to: {error.strerror}") from error
    check_folder(options.output)
    from matting.cli.run import report, run_job  # takes seconds to load, so mistakes are found before
    from matting.weights import load_model

    options.skip_existing = not options.overwrite
    model = load_model(options.weights, options.device, options.backend)
    print(printable(f"watching {folder}; Ctrl-C ends it"), file=sys.stderr)
    for file in arrivals(folder):
        options.inputs = [file]
        try:
            jobs = plan_jobs(options)
        except ValueError as error:
            print(printable(f"failed: {error}"), file=sys.stderr)
            continue
        for job in jobs:
            report(run_job(job, model, options), options)
    return 0


def arrivals(folder: Path, pause_s: float = _PAUSE_S) -> Iterator[Path]:
    """Photos and clips of a folder, each once it has stopped to grow, and again when it has changed; never ends."""
    seen: dict[Path, State] = {}
    done: dict[Path, State] = {}
    while True:
        now = {}
        for file in list_folder(folder, quiet=True):
            try:
                status = os.stat(file)
            except FileNotFoundError:  # gone in between
                continue
            now[file] = status.st_size, status.st_mtime_ns
        for file, state in now.items():
            if seen.get(file) == state != done.get(file):
                done[file] = state
                yield file
        seen = now
        time.sleep(pause_s)
