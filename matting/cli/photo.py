"""The command line: python -m matting INPUT... [-o OUT], watch IN OUT, serve."""

import argparse
import runpy
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from matting.cli.arguments import parse
from matting.cli.plan import plan_jobs
from matting.cli.terminal import printable

NOBODY_FOUND = 3
_LEAST_SIDE = 128  # matting.network.SIDE_MULTIPLE, which takes seconds to load
_APP = Path(__file__).parents[2] / "app.py"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code.

    Returns:
        0, 1 if something failed, 3 if nobody was found with --strict, 130 if interrupted. Wrong arguments exit with 2.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if given[:1] == ["serve"]:
            return serve(given[1:])
        if given[:1] == ["watch"]:
            from matting.cli.watch import watch

            return watch(parse(given[1:], watches=True))
        return run_command(parse(given))
    except ValueError as error:
        print(printable(f"error: {error}"), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; the file in progress was not written", file=sys.stderr)
        return 130


def run_command(options: argparse.Namespace) -> int:
    """Plan the jobs and run them; raises ValueError if nothing can be done."""
    if options.ray:
        options.inputs = [path.resolve() for path in options.inputs]
        options.output = options.output and options.output.resolve()
    warn(options)
    jobs = plan_jobs(options)
    if not jobs:
        print("nothing to do: all results exist already", file=sys.stderr)
        return 0
    from matting.cli.run import run  # takes seconds to load, so mistakes are found before

    outcomes = run(jobs, options)
    failed = sum(bool(outcome.failure) for outcome in outcomes)
    if len(jobs) > 1:
        place = f", in {options.output}" if options.output else ""
        told = f"{len(jobs) - failed} of {len(jobs)} files done{place}"
        print(printable(told), file=sys.stderr if options.json else sys.stdout)
    if failed:
        return 1
    return NOBODY_FOUND if options.strict and any(outcome.nobody for outcome in outcomes) else 0


def warn(options: argparse.Namespace) -> None:
    """Say what an option does not do."""
    if options.max_side is not None and options.max_side < _LEAST_SIDE:
        print(f"--max-side {options.max_side} is below {_LEAST_SIDE}, the least that the network takes", file=sys.stderr)


def serve(arguments: Sequence[str]) -> int:
    """Start the app; it takes no arguments but those of its environment."""
    if arguments:
        raise ValueError(f"serve takes no arguments, got {arguments[0]!r}; see the variables in README.md, The app")
    if not _APP.is_file():
        raise ValueError(f"the app is part of the repository, not of the installed package: there is no {_APP}")
    runpy.run_path(str(_APP), run_name="__main__")
    return 0


def command() -> int:
    """The command `matting`: being asked to end is treated like Ctrl-C, so that unfinished files are removed."""
    signal.signal(signal.SIGTERM, interrupt)
    return main()


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt
