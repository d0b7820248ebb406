"""Train the network: python -m matting.training.train --preset lite --data DATA --out runs/x.

A run can be stopped at any time and resumes from its last checkpoint when started again with the same --out. Several
processes: torchrun --standalone --local-addr 127.0.0.1 --nproc-per-node 2 -m matting.training.train ...
"""

import argparse
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import distributed
from tqdm import tqdm

from matting.evaluation.datasets import Item
from matting.training.data import load_data
from matting.training.features import Features
from matting.training.loader import Drawn
from matting.training.monitor import Monitor
from matting.training.objective import StepResult
from matting.training.options import parse_arguments
from matting.training.run import BEST, Run
from matting.training.sheet import picture_sheet
from matting.training.validation import default_folders, find_validation, overall, validate


def train(arguments: argparse.Namespace) -> None:
    """Train until the planned steps or the maximal minutes are reached.

    Raises:
        ValueError: if data, weights or validation photos cannot be used, or the run in the folder began with other arguments.
    """
    sets = find_validation(arguments.val or default_folders(arguments.data), arguments.val_photos)
    run = Run(arguments)
    began = saved = time.monotonic()
    last: tuple[StepResult, Drawn] | None = None
    arguments.out.mkdir(parents=True, exist_ok=True)
    monitor = Monitor(arguments.out) if run.rank == 0 else None
    bar = tqdm(total=arguments.steps, initial=run.step, unit="step", disable=run.rank > 0, mininterval=5)
    waited, batches = 0.0, run.batches()
    with saved_on_failure(run):
        while run.step < arguments.steps and not run.time_is_up(time.monotonic() - began):
            result, batch, wait = run.optimise(batches)
            last, waited = (result, batch), waited + wait
            bar.update()
            if monitor and (run.step % arguments.log_every == 0 or run.step == arguments.steps):
                share = waited / (time.monotonic() - began)
                monitor.losses(run.step, describe(run, result, len(batch.alpha), share))
                bar.set_postfix(loss=f"{float(result.total.detach()):.3f}", data=f"{share:.0%}")
            if monitor and time.monotonic() - saved > arguments.checkpoint_minutes * 60:
                checkpoint(run, last, sets, monitor)
                saved = time.monotonic()
    if monitor and last:
        checkpoint(run, last, sets, monitor)
        share = waited / (time.monotonic() - began)
        tqdm.write(f"waited for data {share:.0%} of the time; {memory_gigabytes():.1f} GB in this process and its workers")
    if monitor:
        monitor.close()
    if run.processes > 1:
        distributed.barrier()


@contextmanager
def saved_on_failure(run: Run) -> Iterator[None]:
    """Save the state if the block ends with an exception, such as an interruption."""
    try:
        yield
    except BaseException:
        if run.rank == 0:
            run.save()
        raise


def describe(run: Run, result: StepResult, images: int, data_share: float) -> dict[str, float]:
    """What log.csv says of a step: terms of the loss, rate, regions per image, the share of time spent waiting for data."""
    row = {"rate": run.optimiser.param_groups[0]["lr"]}
    row |= {name: float(value.detach()) for name, value in result.loss._asdict().items()}
    return row | {
        "features": float(result.features.detach()),
        "regions_per_image": result.regions / images,
        "data_share": data_share,
    }


def checkpoint(run: Run, last: tuple[StepResult, Drawn], sets: dict[str, list[Item]], monitor: Monitor) -> None:
    """Validate the averaged weights, save, keep them if they are the best ones so far, draw a sheet of the last batch."""
    result, batch = last
    if sets:
        scores = validate(run.averaged, sets, run.arguments.val_side, run.device)
        monitor.validation(run.step, scores)
        found = overall(scores, coarse_only=run.arguments.max_regions == 0)
        if found < run.best:
            run.best = found
            run.save_averaged(BEST)
        shown = (f"{name} SAD {both.coarse.sad:.2f} coarse, {both.refined.sad:.2f}" for name, both in scores.items())
        tqdm.write(f"step {run.step}: {'; '.join(shown)}")
    run.save()
    if not isinstance(batch, Features):
        monitor.sheet(run.step, picture_sheet(result, batch))


def memory_gigabytes() -> float:
    """Memory of this process and the ones it started, what they share counted once; 0 where the system does not say."""
    total = 0
    for process in (os.getpid(), *_children(os.getpid())):
        try:
            with open(f"/proc/{process}/smaps_rollup") as facts:
                total += next(int(line.split()[1]) for line in facts if line.startswith("Pss:"))
        except (OSError, StopIteration):  # it has ended, or this is not Linux
            continue
    return total * 1024 / 1e9


def _children(process: int) -> list[int]:
    try:
        with open(f"/proc/{process}/task/{process}/children") as file:
            return [int(one) for one in file.read().split()]
    except OSError:
        return []


def main() -> None:
    arguments = parse_arguments(description=__doc__)
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    if arguments.prepare_only:
        load_data(arguments, torch.device("cpu"), int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1)))
        return
    if int(os.environ.get("WORLD_SIZE", 1)) > 1:
        distributed.init_process_group("nccl" if arguments.device == "cuda" else "gloo")
    train(arguments)
    if distributed.is_initialized():
        distributed.destroy_process_group()


if __name__ == "__main__":
    main()
