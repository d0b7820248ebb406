"""Train the network: python -m matting.training.train --preset lite --data DATA --out runs/x.

A run can be stopped at any time and resumes from its last checkpoint when started again with the same --out. Several
processes: torchrun --standalone --local-addr 127.0.0.1 --nproc-per-node 2 -m matting.training.train ...
"""

import argparse
import csv
import math
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import cv2
import torch
from torch import distributed, nn
from torch.optim.swa_utils import AveragedModel
from tqdm import tqdm

from matting.media.atomic import AtomicFile
from matting.network import PRESETS, MattingNetwork
from matting.network.efficientnet import EfficientNetEncoder
from matting.training.average_checkpoints import trained_steps
from matting.training.close_ups import SIDE
from matting.training.dataset import PHOTO_LIST, PORTRAIT_SETS, Arena, Sampler, load_portraits
from matting.training.distillation import FeatureTeacher
from matting.training.features import Features
from matting.training.hard_examples import favour, photo_errors
from matting.training.loader import Drawn, Draws, feed, repeat
from matting.training.objective import Objective, StepResult
from matting.training.optimiser import build_optimiser, moving_average, schedule
from matting.training.pretrained import load_imagenet_start, take_over
from matting.training.validation import picture_sheet, validate
from matting.weights import load_model, save_weights

LOG_EVERY = 20
OLD_NAMES = (
    "Names of before, understood until the next release: --things for --objects, --start for --init-from, --guided for "
    "--guided-loss, --plain for --full-photo-prob, --mine for --hard-examples."
)
TEACHER_BATCHES = 12  # of eight images, from which the principal components of its features are computed


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m matting.training.train", description=__doc__, epilog=OLD_NAMES)
    parser.add_argument("--preset", choices=sorted(PRESETS), default="lite")
    parser.add_argument("--data", type=Path, required=True, help="folder of the portrait sets, or one set (P3M-10k/train)")
    parser.add_argument("--backgrounds", type=Path, help="pictures without people (BG-20k/train); default DATA/backgrounds")
    parser.add_argument(
        "--objects", "--things", type=Path, help="folder of transparent PNGs to stand behind people or be held by them"
    )
    parser.add_argument("--furniture", type=Path, help="folder of transparent PNGs for people to sit on and lean against")
    parser.add_argument("--shares", type=parse_share, nargs="+", metavar="SET=SHARE", help="of the sets in what is drawn")
    parser.add_argument("--photos", type=Path, default=PHOTO_LIST, help="list of photos left out or shown less often")
    parser.add_argument("--cache", type=Path, help="folder that keeps the estimated colours between runs")
    parser.add_argument("--on-disk", action="store_true", help="photos lie decoded in a file in --cache instead of memory")
    parser.add_argument("--out", type=Path, required=True, help="folder of checkpoints, log and sheets")
    parser.add_argument("--init-from", "--start", help="weights to begin with; default: ImageNet for lite, random for paper")
    parser.add_argument(
        "--teacher",
        help="weights, such as bundled, whose encoder's features are distilled; without --init-from, training starts from "
        "their decoder",
    )
    parser.add_argument("--size", type=int, nargs="+", default=[512], help="square sides, multiples of 128; a batch draws one")
    parser.add_argument("--batch", type=int, default=8, help="square pictures of the first size per step and process")
    parser.add_argument("--repeat", type=int, default=1, help="how often a batch is used, shuffled among others")
    parser.add_argument("--pool", type=int, default=32, help="with --repeat: batches kept in memory to be used again")
    parser.add_argument(
        "--cache-features",
        action="store_true",
        help="train the first stage above R16 only, on kept maps of what is below; the refinement learns so with --close-ups",
    )
    parser.add_argument("--accumulate", type=int, default=1, help="batches per optimiser step")
    parser.add_argument("--steps", type=int, default=20_000, help="planned optimiser steps; the cosine ends there")
    parser.add_argument("--max-minutes", type=float, default=math.inf, help="stop (to be resumed) after this time")
    parser.add_argument("--max-regions", type=int, default=768, help="refined regions per batch; 0: coarse stage only")
    parser.add_argument("--refine-only", action="store_true", help="leave the first stage and all norms' statistics alone")
    parser.add_argument(
        "--close-ups",
        type=int,
        default=0,
        help="square crops per batch on which the refinement is trained, instead of whole images",
    )
    parser.add_argument(
        "--guided-loss",
        "--guided",
        action="store_true",
        help="average the refinement's losses over its alpha before and after the guided filter",
    )
    parser.add_argument(
        "--full-photo-prob",
        "--plain",
        type=float,
        default=0.0,
        help="share of batches of whole photos without synthetic additions, for a last phase",
    )
    parser.add_argument("--gap-weight", type=float, default=0.0, help="how much more narrow gaps through people count")
    parser.add_argument(
        "--hard-examples",
        "--mine",
        action="store_true",
        help="sample photos more often on which the initial weights have a large error",
    )
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--encoder-rate", type=float, default=0.3, help="share of the rate for the encoder")
    parser.add_argument("--decoder-rate", type=float, default=1.0, help="share of the rate for the decoder and its heads")
    parser.add_argument("--ema", type=float, default=0.998, help="decay of the weight average")
    parser.add_argument(
        "--freeze-filters", action="store_true", help="leave the encoder's depthwise filters and those down to R4 alone"
    )
    parser.add_argument("--bfloat16", action="store_true", help="as on CUDA; with --freeze-filters faster where there is AMX")
    parser.add_argument("--checkpoint-minutes", type=float, default=5)
    parser.add_argument("--threads", type=int, help="of the trainer; fewer than cores where others work on the machine")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options = parser.parse_args(arguments)
    if options.refine_only and options.max_regions == 0:
        parser.error("--refine-only needs regions to refine, got --max-regions 0")
    if options.close_ups and not options.refine_only:
        parser.error("--close-ups needs --refine-only: the first stage is trained on whole images")
    if options.cache_features and (options.refine_only or options.max_regions or options.preset != "lite"):
        parser.error("--cache-features trains the first stage of lite alone: it needs --max-regions 0 and no --refine-only")
    if options.on_disk and not options.cache:
        parser.error("--on-disk needs --cache, a folder on a disk")
    if options.close_ups and min(options.size) < SIDE:
        parser.error(f"--close-ups needs pictures of at least {SIDE} pixels, got --size {min(options.size)}")
    return options


def parse_share(text: str) -> tuple[str, float]:
    """A set and its share from the command line."""
    name, _, share = text.partition("=")
    try:
        if name not in PORTRAIT_SETS or not float(share) > 0:
            raise ValueError
    except ValueError:
        expected = f"one of {', '.join(PORTRAIT_SETS)}, = and a number above 0"
        raise argparse.ArgumentTypeError(f"expected {expected}, got {text!r}") from None
    return name, float(share)


class Run:
    """The state of a training run: network, weight average, optimiser, data, step."""

    def __init__(self, arguments: argparse.Namespace):
        self.arguments = arguments
        self.rank = int(os.environ.get("RANK", 0))
        self.processes = int(os.environ.get("WORLD_SIZE", 1))
        self.device = torch.device(arguments.device)
        if self.device.type == "cuda" and self.processes > 1:
            self.device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        self.step = 0
        self.trained_before = trained_steps(arguments.init_from) if arguments.init_from else 0
        self.model = start_model(arguments)
        self.model = self.model.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # not in torch's types
        self.sampler = self._load_data()
        self.teacher = self._load_teacher() if arguments.teacher else None
        self.average = AveragedModel(self.model, multi_avg_fn=moving_average(arguments.ema), use_buffers=True)
        objective = Objective(self.model, arguments.max_regions, self.teacher, arguments.guided_loss, arguments.gap_weight)
        self.objective: nn.Module = objective
        self.optimiser = build_optimiser(objective, arguments)
        self._resume()
        if self.processes > 1:
            self.objective = nn.parallel.DistributedDataParallel(self.objective, find_unused_parameters=True)

    def _load_data(self) -> Sampler:
        cv2.setNumThreads(1)  # OpenCV's threads do not survive the fork of the process that draws
        data = self.arguments.data
        backgrounds = self.arguments.backgrounds or (data / "backgrounds" if (data / "backgrounds").is_dir() else None)
        options, pasted = self.arguments, (self.arguments.objects, self.arguments.furniture)
        arena = Arena(options.cache) if options.on_disk else None
        shares = dict(options.shares) if options.shares else PORTRAIT_SETS
        collection = load_portraits(data, backgrounds, options.cache, self.device, *pasted, options.photos, arena, shares)
        sampler = Sampler(collection, self.arguments.seed * 1000 + self.rank, self.arguments.full_photo_prob)
        if self.arguments.hard_examples:
            errors = photo_errors(self.model, sampler, self.arguments.out / f"errors-{self.rank}.npy")
            sampler.chances = favour(sampler.chances, errors)
        return sampler

    def _load_teacher(self) -> FeatureTeacher:
        side = self.arguments.size[0]
        pictures = [self.sampler.draw(2**62 + index, 8, (side, side)).image for index in range(TEACHER_BATCHES)]
        network = load_model(self.arguments.teacher, device="cpu").to(self.device)
        teacher = FeatureTeacher(network, self.model.coarse.encoder.channels, torch.cat(pictures))
        if not self.arguments.init_from:
            teacher.hand_over(self.model)
        return teacher.to(self.device)

    def _resume(self) -> None:
        path = self.arguments.out / "state.pt"
        if not path.exists():
            return
        state = torch.load(path, map_location=self.device, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step = state["step"]

    @property
    def averaged(self) -> MattingNetwork:
        """The network with the averaged weights."""
        return cast(MattingNetwork, self.average.module)  # a copy of the model

    def save(self) -> None:
        """Write the state to resume from, and the averaged weights."""
        self.arguments.out.mkdir(parents=True, exist_ok=True)
        state = {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
        }
        with AtomicFile(self.arguments.out / "state.pt") as part:
            torch.save(state, part)
        steps = {"step": str(self.trained_before + self.step)}
        save_weights(self.averaged, self.arguments.out / "ema.safetensors", steps, torch.float32)

    def time_is_up(self, seconds: float) -> bool:
        """Whether `--max-minutes` are over by the clock of rank 0, so that all ranks stop after the same step."""
        over = torch.tensor(seconds >= self.arguments.max_minutes * 60, dtype=torch.uint8, device=self.device)
        if self.processes > 1 and math.isfinite(self.arguments.max_minutes):
            distributed.broadcast(over, src=0)
        return bool(over)

    def batches(self) -> Iterator[Drawn]:
        """Batches of all remaining steps, prefetched."""
        times = self.arguments.repeat
        first = self.step * self.arguments.accumulate // times
        batches = feed(Draws(self.sampler, self.arguments, self.model.coarse), first, self.device.type == "cuda")
        generator = torch.Generator().manual_seed(self.arguments.seed + self.step)
        return repeat(batches, times, self.arguments.pool, generator) if times > 1 else batches

    def optimise(self, batches: Iterator[Drawn]) -> tuple[StepResult, Drawn, float]:
        """One optimiser step; also returns the seconds spent waiting for data."""
        arguments, waited = self.arguments, 0.0
        for group in self.optimiser.param_groups:
            group["lr"] = group["peak"] * schedule(self.step, arguments.steps)
        torch.manual_seed(arguments.seed + self.step)
        self.objective.train()
        if arguments.refine_only:
            self.model.eval()
        elif isinstance(self.model.coarse.encoder, EfficientNetEncoder):
            self.model.coarse.encoder.freeze_statistics()
        for _ in range(arguments.accumulate):
            began = time.perf_counter()
            batch = next(batches)
            waited += time.perf_counter() - began
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda" or arguments.bfloat16):
                result = self.objective(batch)
            (result.total / arguments.accumulate).backward()
        nn.utils.clip_grad_norm_(self.objective.parameters(), 2.0)
        self.optimiser.step()
        self.optimiser.zero_grad()
        self.average.update_parameters(self.model)
        self.step += 1
        return result, batch, waited


def start_model(arguments: argparse.Namespace) -> MattingNetwork:
    torch.manual_seed(arguments.seed)
    model = MattingNetwork(PRESETS[arguments.preset])
    if arguments.init_from:
        take_over(model, load_model(arguments.init_from, device="cpu"))
        return model
    if isinstance(model.coarse.encoder, EfficientNetEncoder):
        load_imagenet_start(model.coarse.encoder)
    return model


def train(arguments: argparse.Namespace) -> None:
    """Train until the planned steps or the maximal minutes are reached."""
    run = Run(arguments)
    began = saved = time.monotonic()
    last: tuple[StepResult, Drawn] | None = None
    arguments.out.mkdir(parents=True, exist_ok=True)
    bar = tqdm(total=arguments.steps, initial=run.step, unit="step", disable=run.rank > 0, mininterval=5)
    waited, batches = 0.0, run.batches()
    with saved_on_failure(run):
        while run.step < arguments.steps and not run.time_is_up(time.monotonic() - began):
            result, batch, wait = run.optimise(batches)
            last, waited = (result, batch), waited + wait
            bar.update()
            if run.rank == 0 and (run.step % LOG_EVERY == 0 or run.step == arguments.steps):
                share = waited / (time.monotonic() - began)
                log(arguments.out / "log.csv", run, result, len(batch.alpha), share)
                bar.set_postfix(loss=f"{float(result.total.detach()):.3f}", data=f"{share:.0%}")
            if run.rank == 0 and time.monotonic() - saved > arguments.checkpoint_minutes * 60:
                checkpoint(run, last)
                saved = time.monotonic()
    if run.rank == 0 and last:
        checkpoint(run, last)
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


def log(path: Path, run: Run, result: StepResult, images: int, data_share: float) -> None:
    """Append one row: the terms of the loss, the rate, regions per image, the share of time spent waiting for data."""
    row = {"step": run.step, "rate": run.optimiser.param_groups[0]["lr"]}
    row |= {name: float(value.detach()) for name, value in result.loss._asdict().items()}
    row |= {"features": float(result.features.detach()), "regions_per_image": result.regions / images, "data_share": data_share}
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, row)
        if new:
            writer.writeheader()
        writer.writerow(row)


def checkpoint(run: Run, last: tuple[StepResult, Drawn]) -> None:
    """Save, draw a sheet of the last batch, validate the averaged weights."""
    run.save()
    result, batch = last
    if not isinstance(batch, Features):
        picture_sheet(result, batch).save(run.arguments.out / f"sheet-{run.step:06d}.jpg", quality=88)
    score = validate(run.averaged, run.arguments.data, run.device)
    tqdm.write(f"step {run.step}: " + ", ".join(f"{name} {value:.4f}" for name, value in score.items()))


def main() -> None:
    arguments = parse_arguments()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    if int(os.environ.get("WORLD_SIZE", 1)) > 1:
        distributed.init_process_group("nccl" if arguments.device == "cuda" else "gloo")
    train(arguments)
    if distributed.is_initialized():
        distributed.destroy_process_group()


if __name__ == "__main__":
    main()
