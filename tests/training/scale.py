"""A made P3M-10k and BG-20k, and what training needs with them: memory, start-up, waiting, loader speed, two processes.

python tests/training/scale.py FOLDER             # everything, half an hour on two cores
python tests/training/scale.py FOLDER --parts training --train-size 896    # one part, with large pictures
python tests/training/scale.py FOLDER --people 5 --pictures 3 --side 200 --steps 2 --size 128 --batch 2    # to see that it runs

The sets are hard links of a few pictures of the size that P3M-10k's have, and so is the cache of foreground colours, in which
only the few are solved. FOLDER is kept, so that a second run finds it prepared.
"""

import argparse
import csv
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image

PROJECT = Path(__file__).parents[2]
sys.path.insert(0, str(PROJECT))

from matting.training.data import load_data  # noqa: E402
from matting.training.dataset import Sampler  # noqa: E402
from matting.training.decode import look_at, prepare  # noqa: E402
from matting.training.loader import Draws, feed, largest_batch  # noqa: E402  # it is in PROJECT
from matting.training.options import parse_arguments  # noqa: E402
from matting.training.pairs import list_people, list_pictures  # noqa: E402
from matting.training.train import memory_gigabytes  # noqa: E402

PEOPLE, PICTURES = 9421, 15_000  # of P3M-10k's and BG-20k's training parts
SIDE = 1080  # pixels of the shorter side
SMALL = ["--batch", "2", "--max-regions", "16"]
PARTS = ("loader", "training", "two")
EXAMPLES = ("curls", "silver", "windswept", "headwrap")


def make_sets(folder: Path, people: int, pictures: int, side: int = SIDE) -> None:
    """P3M-10k and BG-20k below a folder, and `cache` with the foregrounds of all people; `side` pixels is the shorter one."""
    sources = folder / "sources"
    sources.mkdir(parents=True, exist_ok=True)
    photos, masks, cache = folder / "P3M-10k/train/blurred_image", folder / "P3M-10k/train/mask", folder / "cache"
    for part in (photos, masks, folder / "BG-20k/train"):
        part.mkdir(parents=True, exist_ok=True)
    for index, name in enumerate(EXAMPLES):
        for path, kind, target in ((f"{name}.jpg", "RGB", f"{index}.jpg"), (f"alpha/{name}.png", "L", f"{index}.png")):
            with Image.open(PROJECT / "examples" / path) as file:
                scale = side / min(file.size)
                size = [round(side * scale) for side in file.size]
                if not (sources / target).exists():
                    file.convert(kind).resize(size, Image.Resampling.LANCZOS).save(sources / target, quality=92)
    for index in range(people):
        source = index % len(EXAMPLES)
        link(sources / f"{source}.jpg", photos / f"p_{index:06d}.jpg")
        link(sources / f"{source}.png", masks / f"p_{index:06d}.png")
    for index in range(pictures):
        link(sources / f"{index % len(EXAMPLES)}.jpg", folder / f"BG-20k/train/bg_{index:06d}.jpg")
    prepare(list_people(folder / "P3M-10k").pairs[: len(EXAMPLES)], cache, "closed-form", workers=1)
    for index in range(people):
        link(cache / f"P3M-10k-p_{index % len(EXAMPLES):06d}.npz", cache / f"P3M-10k-p_{index:06d}.npz")
    look_at(list_pictures(folder / "BG-20k")[: len(EXAMPLES)], cache, workers=1)
    for index in range(pictures):
        link(cache / f"BG-20k-train-bg_{index % len(EXAMPLES):06d}.seen", cache / f"BG-20k-train-bg_{index:06d}.seen")


def link(source: Path, target: Path) -> None:
    if not target.exists():
        os.link(source, target)


def words(folder: Path, out: str, *more: str) -> list[str]:
    """Arguments of a training run with the sets."""
    data = ["--data", str(folder / "P3M-10k"), "--backgrounds", str(folder / "BG-20k"), "--cache", str(folder / "cache")]
    return [*data, "--out", str(folder / out), "--stream", "yes", "--device", "cpu", "--log-every", "1", *more]


def show_loader(folder: Path, steps: int, size: int, batch: int) -> None:
    """Draw batches without training: pictures per second and core, and the memory of a rank with four workers."""
    options = parse_arguments(words(folder, "loader", "--size", str(size), "--batch", str(batch), "--num-workers", "4"))
    began = time.monotonic()
    collection, _ = load_data(options, torch.device("cpu"))
    print(f"start-up of the data, prepared: {time.monotonic() - began:.1f} s", flush=True)
    sampler = Sampler(collection, 0, most=largest_batch(options))
    draws = Draws(sampler, options, None, torch.device("cpu"))  # type: ignore[arg-type]  # used for --cache-features only
    torch.set_num_threads(1)
    for name, draw in (("all", draws.__getitem__), ("without what a GPU does", draws.draft)):
        busy, pictures = time.process_time(), 0
        for index in range(2):
            pictures += len(draw(index).alpha)
        speed = pictures / (time.process_time() - busy)
        print(f"loader alone, {name}: {speed:.1f} pictures of {size} px per second and core", flush=True)
    batches = feed(draws, 0, workers=4)
    for _ in range(steps):
        next(batches)
    print(f"memory of a rank with 4 workers after {steps} batches of {batch}: {memory_gigabytes():.2f} GB", flush=True)


def show_training(folder: Path, steps: int, size: int) -> None:
    """Train with two pictures a step: start-up, waiting and memory."""
    out = f"trained-{size}"
    more = [*SMALL, "--size", str(size), "--num-workers", "4", "--steps", str(steps)]
    began = time.time()
    run = subprocess.run(
        [sys.executable, "-m", "matting.training.train", *words(folder, out, *more)],
        cwd=PROJECT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    first = (folder / out / "args.yaml").stat().st_mtime
    print(f"a run is ready to train after {first - began:.1f} s; after {steps} steps of {size} px: ", end="")
    print(run.stdout.splitlines()[-1], flush=True)


def show_two(folder: Path, steps: int) -> None:
    """Two processes with gloo, in one go and stopped half way: the same losses."""
    logs = []
    for out, stops in (("whole", [steps]), ("parts", [steps // 2, steps])):
        for stop in stops:
            train_two(stop, words(folder, out, *SMALL, "--size", "128", "--num-workers", "1", "--steps", str(steps)))
        logs.append(list(read_log(folder / out / "log.csv")))
    apart = max(abs(a - b) for one, other in zip(*logs, strict=True) for a, b in zip(one, other, strict=True))
    print(f"two processes, {len(logs[0])} steps in one go and stopped after {steps // 2}: losses at most {apart:.1e} apart")


def train_two(stop: int, arguments: list[str]) -> None:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--local-addr", "127.0.0.1"]
    command += ["--nproc-per-node", "2", str(Path(__file__)), "--stop-at", str(stop), *arguments]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    subprocess.run(command, cwd=PROJECT, env=environment, check=True, capture_output=True)


def read_log(path: Path) -> Iterator[list[float]]:
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            yield [float(row[name]) for name in ("step", "coarse", "trimap", "alpha", "pyramid", "composition")]


def train_until(step: int, arguments: list[str]) -> None:
    """A run that is stopped after a step, as by somebody."""
    from torch import distributed

    from matting.training import train as training

    run_again = training.Run.time_is_up
    training.Run.time_is_up = lambda run, seconds: run.step >= step or run_again(run, seconds)  # type: ignore[method-assign]
    distributed.init_process_group("gloo")
    training.train(parse_arguments(arguments))
    distributed.destroy_process_group()


def main() -> None:
    if sys.argv[1:2] == ["--stop-at"]:
        train_until(int(sys.argv[2]), sys.argv[3:])
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--pictures", type=int, default=PICTURES)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--size", type=int, default=896)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--side", type=int, default=SIDE, help="the shorter one of the photos, in pixels")
    parser.add_argument("--train-size", type=int, default=128, help="of the pictures that are trained on, two a step")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    options = parser.parse_args()
    make_sets(options.folder, options.people, options.pictures, options.side)
    print(f"made: {options.people:,} people and {options.pictures:,} pictures", flush=True)
    if "loader" in options.parts:
        show_loader(options.folder, options.steps, options.size, options.batch)
    if "training" in options.parts:
        show_training(options.folder, options.steps, options.train_size)
    if "two" in options.parts:
        show_two(options.folder, min(20, options.steps))


if __name__ == "__main__":
    np.random.seed(0)
    main()
