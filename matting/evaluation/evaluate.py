"""Measure methods on a data set.

    python -m matting.evaluation.evaluate --dataset portraits --root DATA
    python -m matting.evaluation.evaluate --dataset p3m-500-np --root DATA --methods ours,coarse --out results/

Prints a summary. With --out, a CSV row per image and method is written as soon as it is known, so that the same command resumes
an interrupted run, and JSON and Markdown summaries at the end.
"""

import argparse
import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from PIL import Image
from tqdm import tqdm

from matting.evaluation.datasets import DATASETS, Item, find_items
from matting.evaluation.methods import METHODS, OFFLINE, RESIZE_MODES, Resources, choose
from matting.evaluation.onnx_network import IMAGENET_MEAN, IMAGENET_STD, Preprocessing
from matting.evaluation.records import Record, append_records, resume
from matting.evaluation.report import Run, terminal_lines, write_report
from matting.evaluation.runner import Setup, Task, run_tasks
from matting.evaluation.summary import complete, summarise
from matting.evaluation.worst import worst_sheet
from matting.weights import load_model, locate
from matting.weights.hub import DownloadError, fetch, sha256_of

WORST_IMAGES = 12
_PRODUCT_DATASETS = ("portraits", "folders")
_ID_LENGTH = 12


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns 0, or 1 if a download or a method failed. Wrong arguments exit with 2."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    try:
        return evaluate(options)
    except ValueError as error:
        parser.error(str(error))


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m matting.evaluation.evaluate", description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--dataset", choices=DATASETS, required=True)
    add("--root", type=Path, required=True, metavar="DIR", help="folder that contains the data set")
    add("--methods", default="ours,coarse", help=f"comma-separated, or 'offline' for all but downloads: {', '.join(METHODS)}")
    add("--weights", default="bundled", help="of this network: bundled, a file, or hub:OWNER/REPO (default: %(default)s)")
    add("--device", default="auto", help="of this network (default: %(default)s)")
    add("--resize", choices=RESIZE_MODES, help="working size of this network (default: paper for benchmarks, auto otherwise)")
    add("--limit", type=_count, metavar="N", help="only the first N images of each subset")
    add("--slow-limit", type=_count, metavar="N", help="only the first N images of each subset for slow methods")
    add("--out", type=Path, metavar="DIR", help="write CSV, JSON and Markdown there; an interrupted run is resumed")
    add("--worst", action="store_true", help=f"with --out: a sheet of the {WORST_IMAGES} worst images of each method")
    add("--workers", type=_count, default=1, metavar="N", help="parallel processes, on the cluster with --ray")
    add("--ray", metavar="ADDRESS", help="run on this Ray cluster ('auto', 'ray://host:10001', 'local'); needs ray[data]")
    onnx = parser.add_argument_group("your own ONNX network")
    onnx.add_argument("--onnx", type=Path, metavar="FILE", help="compare this network too")
    onnx.add_argument("--onnx-size", type=_count, default=512, metavar="PIXELS", help="side of the input (%(default)s)")
    onnx.add_argument(
        "--onnx-keep-aspect", action="store_true", help="--onnx-size is the shorter side, sides are multiples of 32"
    )
    onnx.add_argument("--onnx-imagenet", action="store_true", help="normalise with ImageNet's mean and std instead of 0.5, 0.5")
    onnx.add_argument("--onnx-output", metavar="NAME", help="name of the output with the alpha (default: the first)")
    onnx.add_argument("--onnx-sigmoid", action="store_true", help="the output is a logit")
    return parser


def evaluate(options: argparse.Namespace) -> int:
    """Evaluate as the parsed options say; returns the exit code.

    Raises:
        ValueError: if the data set is incomplete, or a name is unknown.
    """
    if options.worst and options.out is None:
        raise ValueError("--worst needs --out, a folder to write the sheets to")
    items = limit_items(find_items(options.dataset, options.root.resolve()), options.limit)
    setup, missing = prepare(options)
    csv_path = options.out / f"{options.dataset}.csv" if options.out else None
    done = resume(csv_path, setup.weights_id, setup.resize) if csv_path else []
    wanted = {(subset, name, method) for subset, name, method in wanted_keys(items, setup, options.slow_limit)}
    records = [record for record in done if record.key in wanted]
    tasks = open_tasks(items, wanted - {record.key for record in records})
    with tqdm(total=len(wanted), initial=len(records), unit="alpha", disable=None) as bar:
        for fresh in run_tasks(tasks, setup, options.workers, options.ray):
            if csv_path:
                append_records(csv_path, fresh)
            records += fresh
            bar.update(len(fresh))
    records = in_order(records, items, setup)
    command = command_line(options)
    weights = shown_source(options.weights)
    run = Run(setup.dataset, command, weights, setup.weights_id, setup.resize, options.limit, options.slow_limit)
    print("\n".join(terminal_lines(run, summarise(complete(records)))))
    if options.out:
        print("written: " + ", ".join(str(path) for path in [csv_path, *write_report(options.out, run, records)]))
    if options.worst:
        draw_worst(options.out, items, setup, records)
    return report_failures(records, missing)


def prepare(options: argparse.Namespace) -> tuple[Setup, list[str]]:
    """Locate weights and download methods; one that cannot be downloaded is reported on stderr and left out.

    Returns:
        The setup, and the names of the methods left out.
    """
    names = list(OFFLINE) if options.methods == "offline" else [name.strip() for name in options.methods.split(",")]
    missing = []
    for method in choose(names):
        try:
            if method.download:
                print(f"{method.title}: {method.download.size} from {method.download.repo} ({method.licence})", file=sys.stderr)
                fetch(method.download)
        except DownloadError as error:
            print(f"left out {method.name}: {error}", file=sys.stderr)
            missing.append(method.name)
    onnx = ((str(options.onnx.resolve()), onnx_preprocessing(options)),) if options.onnx else ()
    setup = Setup(
        dataset=options.dataset,
        weights=str(Path(options.weights).resolve()) if Path(options.weights).is_file() else options.weights,
        weights_id=sha256_of(locate(options.weights))[:_ID_LENGTH],
        methods=tuple(name for name in dict.fromkeys(names) if name not in missing),
        resize=options.resize or ("auto" if options.dataset in _PRODUCT_DATASETS else "paper"),
        device=options.device,
        onnx=onnx,
        threads=1 if options.workers > 1 or options.ray else None,
    )
    return setup, missing


def onnx_preprocessing(options: argparse.Namespace) -> Preprocessing:
    """The declared pre-processing of the user's own network."""
    declared = Preprocessing(
        options.onnx_size, options.onnx_keep_aspect, output=options.onnx_output, sigmoid=options.onnx_sigmoid
    )
    return replace(declared, mean=IMAGENET_MEAN, std=IMAGENET_STD) if options.onnx_imagenet else declared


def limit_items(items: Sequence[Item], limit: int | None) -> list[Item]:
    """The first `limit` items of each subset; all of them if None."""
    counts: dict[str, int] = {}
    kept = []
    for item in items:
        counts[item.subset] = counts.get(item.subset, 0) + 1
        if limit is None or counts[item.subset] <= limit:
            kept.append(item)
    return kept


def wanted_keys(items: Sequence[Item], setup: Setup, slow_limit: int | None) -> list[tuple[str, str, str]]:
    """(subset, image, method) of every evaluation to make, in order; slow methods only on the first `slow_limit` images."""
    few = {(item.subset, item.name) for item in limit_items(items, slow_limit)}
    return [
        (item.subset, item.name, method.name)
        for item in items
        for method in setup.all_methods()
        if not method.slow or (item.subset, item.name) in few
    ]


def open_tasks(items: Sequence[Item], keys: set[tuple[str, str, str]]) -> list[Task]:
    """One task per image with at least one method left to run."""
    methods: dict[tuple[str, str], list[str]] = {}
    for subset, name, method in sorted(keys):
        methods.setdefault((subset, name), []).append(method)
    return [Task(item, tuple(methods[item.subset, item.name])) for item in items if (item.subset, item.name) in methods]


def in_order(records: Sequence[Record], items: Sequence[Item], setup: Setup) -> list[Record]:
    """Records sorted by the order of the data set, then of the methods."""
    places = {(item.subset, item.name): index for index, item in enumerate(items)}
    ranks = {method.name: index for index, method in enumerate(setup.all_methods())}
    return sorted(records, key=lambda record: (places[record.subset, record.image], ranks[record.method]))


def draw_worst(folder: Path, items: Sequence[Item], setup: Setup, records: Sequence[Record]) -> None:
    """Write DATASET-worst-METHOD.png for each method that succeeded somewhere."""
    resources = Resources(load_model(setup.weights, setup.device), setup.resize)
    for method in setup.all_methods():
        own = [record for record in records if record.method == method.name]
        if any(not record.error for record in own):
            sheet = worst_sheet(own, items, method.load(resources), method.uses_trimap, WORST_IMAGES)
            path = folder / f"{setup.dataset}-worst-{method.name}.png"
            Image.fromarray(sheet).save(path)
            print(f"written: {path}")


def report_failures(records: Sequence[Record], missing: Sequence[str]) -> int:
    """Report failures on stderr; returns the exit code."""
    failed = [record for record in records if record.error]
    for record in failed:
        print(f"failed: {record.method} on {record.subset} {record.image}: {record.error}", file=sys.stderr)
    return 1 if failed or missing else 0


def command_line(options: argparse.Namespace) -> str:
    """The command that reproduces these results, with DATA for the local path of the data."""
    words = ["python -m matting.evaluation.evaluate", f"--dataset {options.dataset}", "--root DATA"]
    words += [f"--methods {shlex.quote(options.methods)}", f"--weights {shlex.quote(shown_source(options.weights))}"]
    for name in ("resize", "limit", "slow_limit"):
        value = getattr(options, name)
        words += [f"--{name.replace('_', '-')} {value}"] if value is not None else []
    return " ".join(words)


def shown_source(weights: str) -> str:
    """The source of weights, a file without its folder."""
    return Path(weights).name if Path(weights).is_file() else weights


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, got {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
