"""Train all phases of a recipe: python -m matting.training.recipe --config lite-quick --data DATA --out runs/x.

With --max-minutes the phases share that time (see `time_share` in matting/training/config_files.py), and each phase's learning
rate falls to its end within its share. Options that this command has not, such as --device, go to every phase. The folder gets
one of each phase, the last one's weights as `weights.safetensors`, all losses as `losses.csv`, and `sheet.jpg`.

With --pack ARCHIVE nothing is trained: the data is packed into one file for another machine, where --data ARCHIVE reads it.
"""

import argparse
import csv
import math
import shutil
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from matting.media.atomic import AtomicFile
from matting.training.average_checkpoints import mean_weights
from matting.training.config_files import Phase, as_arguments, find_config, read_config
from matting.training.options import parse_arguments
from matting.training.pack import MOST_MEBIBYTES, pack
from matting.training.run import AVERAGED
from matting.training.sheet import recipe_sheet
from matting.training.train import train

WEIGHTS = "weights.safetensors"
LOSSES = "losses.csv"
SHEET = "sheet.jpg"


def train_recipe(
    phases: list[Phase], data: Path, out: Path, max_minutes: float = math.inf, more: list[str] | None = None
) -> None:
    """Train the phases of a recipe; phases that are complete in `out` are not trained again.

    Args:
        phases: see `matting.training.config_files`.
        data: folder of the data; its `objects` and `furniture` are used if they are there.
        out: folder of the results.
        max_minutes: for all phases together.
        more: further arguments of every phase.

    Raises:
        ValueError: if an option or the data is wrong.
    """
    out.mkdir(parents=True, exist_ok=True)
    given = [word for name in ("objects", "furniture") if (data / name).is_dir() for word in (f"--{name}", str(data / name))]
    began = time.monotonic()
    for index, phase in enumerate(phases):
        weights = out / phase.name / AVERAGED
        if phase.is_mean:
            _average(phase, out)
        elif not (out / phase.name / "done").exists():
            minutes = _minutes(phases[index:], max_minutes - (time.monotonic() - began) / 60)
            options = _with_weights(phase.options, out)
            if math.isfinite(minutes):
                options["time_budget"] = minutes
            tqdm.write(f"phase {phase.name}" + (f", {minutes:.1f} minutes" if math.isfinite(minutes) else ""))
            own = ["--data", str(data), "--out", str(out / phase.name), "--cache", str(out / "cache"), "--allow-changes"]
            train(parse_arguments(as_arguments(options) + given + own + (more or [])))
            (out / phase.name / "done").touch()
        last = weights
    with AtomicFile(out / WEIGHTS) as part:
        shutil.copyfile(last, part)
    _join_losses([phase.name for phase in phases if not phase.is_mean], out)
    recipe_sheet(out / WEIGHTS, data).save(out / SHEET, quality=90)


def _minutes(phases: list[Phase], left: float) -> float:
    """What the first of the phases that are left gets of the minutes that are left."""
    shares = [phase.time_share for phase in phases if not phase.is_mean]
    return max(left, 0.0) * shares[0] / sum(shares)


def _with_weights(options: dict[str, Any], out: Path) -> dict[str, Any]:
    """Options in which the name of an earlier phase is the file of its weights."""
    start = options.get("init_from")
    known = start is not None and (out / str(start) / AVERAGED).exists()
    return {**options, "init_from": str(out / str(start) / AVERAGED)} if known else dict(options)


def _average(phase: Phase, out: Path) -> None:
    first, second = (str(out / name / AVERAGED) for name in phase.options["average"])
    (out / phase.name).mkdir(exist_ok=True)
    mean_weights(first, second, out / phase.name / AVERAGED, phase.options.get("share", 0.5), phase.options.get("part", ""))


def _join_losses(names: list[str], out: Path) -> None:
    """The logs of all phases in one table, with the phase in front."""
    rows = []
    for name in names:
        with (out / name / "log.csv").open(newline="") as file:
            rows += [{"phase": name, **row} for row in csv.DictReader(file)]
    with AtomicFile(out / LOSSES) as part, part.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


@contextmanager
def unpacked(data: Path) -> Iterator[Path]:
    """The folder of the data: itself, or of a packed archive in a temporary folder.

    Raises:
        ValueError: if it is neither.
    """
    if data.is_dir():
        yield data
        return
    if not zipfile.is_zipfile(data):
        raise ValueError(f"expected a folder or an archive made with --pack, got {data}")
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(data) as archive:
            archive.extractall(folder)
        yield Path(folder)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m matting.training.recipe", description=__doc__)
    parser.add_argument("--config", required=True, help="a name in matting/training/configs, or a YAML file")
    parser.add_argument("--data", type=Path, required=True, help="folder of the data, or an archive made with --pack")
    parser.add_argument("--out", type=Path, help="folder of the results")
    parser.add_argument("--max-minutes", type=float, default=math.inf, help="of all phases together")
    parser.add_argument("--pack", type=Path, metavar="ARCHIVE", help="pack the data into one file instead of training")
    parser.add_argument("--pack-mebibytes", type=float, default=MOST_MEBIBYTES, help="of the file at most")
    parser.add_argument("--threads", type=int, help="of the trainer")
    options, more = parser.parse_known_args(arguments)
    if (options.out is None) == (options.pack is None):
        parser.error("expected either --out or --pack")
    if options.threads:
        torch.set_num_threads(options.threads)
    phases = read_config(find_config(options.config))
    if options.pack:
        print(pack(options.data, options.pack, options.pack_mebibytes))
        return
    with unpacked(options.data) as data:
        train_recipe(phases, data, options.out, options.max_minutes, more)


if __name__ == "__main__":
    main()
