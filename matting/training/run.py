"""The state of a training run, and its steps."""

import argparse
import math
import os
import time
from collections.abc import Iterator
from typing import Any, cast

import cv2
import torch
from torch import distributed, nn
from torch.optim.swa_utils import AveragedModel

from matting.media.atomic import AtomicFile
from matting.network import PRESETS, MattingNetwork
from matting.network.efficientnet import EfficientNetEncoder
from matting.training.average_checkpoints import trained_steps
from matting.training.data import load_data
from matting.training.dataset import Sampler
from matting.training.distillation import FeatureTeacher
from matting.training.hard_examples import favour, photo_errors
from matting.training.loader import Drawn, Draws, feed, largest_batch, repeat
from matting.training.objective import Objective, StepResult
from matting.training.optimiser import build_optimiser, moving_average, schedule
from matting.training.precision import autocast, scaler
from matting.training.pretrained import load_imagenet_start, take_over
from matting.training.records import write_record
from matting.weights import load_model, save_weights

STATE = "state.pt"
AVERAGED = "ema.safetensors"
BEST = "best.safetensors"
TEACHER_BATCHES = 12  # of eight images, from which the principal components of its features are computed


class Run:
    """The state of a training run: network, weight average, optimiser, data, step.

    Args:
        arguments: see `matting.training.options`.

    Raises:
        ValueError: if data or weights do not fit, or the run in the folder began with other arguments.
    """

    def __init__(self, arguments: argparse.Namespace):
        self.arguments = arguments
        self.rank = int(os.environ.get("RANK", 0))
        self.processes = int(os.environ.get("WORLD_SIZE", 1))
        self.device = torch.device(arguments.device)
        if self.device.type == "cuda" and self.processes > 1:
            self.device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        self.step = 0
        self.seconds = self.seconds_before = 0.0  # of training: until now, and before this process
        self.best = math.inf
        self.trained_before = trained_steps(arguments.init_from) if arguments.init_from else 0
        self.model = start_model(arguments)
        self.model = self.model.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # not in torch's types
        self.sampler = self._load_data()
        self.teacher = self._load_teacher() if arguments.teacher else None
        self.average = AveragedModel(self.model, multi_avg_fn=moving_average(arguments.ema), use_buffers=True)
        objective = Objective(self.model, arguments.max_regions, self.teacher, arguments.guided_loss, arguments.gap_weight)
        self.objective: nn.Module = objective
        self.optimiser = build_optimiser(objective, arguments)
        self.scaler = scaler(arguments, self.device)
        self._resume()
        if arguments.compile:
            self.model.coarse.compile()  # in place: names of weights stay; the number of regions changes with every batch
        if self.processes > 1:
            self.objective = nn.parallel.DistributedDataParallel(self.objective, find_unused_parameters=True)

    def _load_data(self) -> Sampler:
        cv2.setNumThreads(1)  # OpenCV's threads do not survive the fork of the processes that draw
        options = self.arguments
        collection, self.listing = load_data(options, self.device, self.rank, self.processes)
        most = largest_batch(options)
        sampler = Sampler(collection, options.seed, options.full_photo_prob, self.rank, self.processes, most)
        if options.hard_examples:
            errors = photo_errors(self.model, sampler, options.out / f"errors-{self.rank}.npy")
            sampler.epochs = sampler.epochs.with_chances(favour(collection.chances, errors))
        return sampler

    def _load_teacher(self) -> FeatureTeacher:
        side = self.arguments.size[0]
        pictures = [self.sampler.draw(2**62 + index, 8, (side, side)).image for index in range(TEACHER_BATCHES)]
        network = load_model(self.arguments.teacher, device="cpu").to(self.device)
        teacher = FeatureTeacher(network, self.model.coarse.encoder.channels, torch.cat(pictures).to(self.device))
        if not self.arguments.init_from:
            teacher.hand_over(self.model)
        return teacher.to(self.device)

    def _resume(self) -> None:
        path = self.arguments.out / STATE
        state: dict[str, Any] = {}
        if path.exists():
            state = torch.load(path, map_location=self.device, weights_only=True)
        if self.rank == 0:
            pictures = len(self.sampler.collection.pictures)
            write_record(self.arguments, self.processes, self.listing, pictures, state.get("step", 0))
        if not state:
            return
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.scaler.load_state_dict(state.get("scaler", {}) or self.scaler.state_dict())
        self.step, self.best = state["step"], state.get("best", math.inf)
        self.seconds = self.seconds_before = state.get("seconds", 0.0)

    @property
    def averaged(self) -> MattingNetwork:
        """The network with the averaged weights."""
        return cast(MattingNetwork, self.average.module)  # a copy of the model

    def save(self) -> None:
        """Write the state to resume from, and the averaged weights; where that fails, the last ones stay.

        Raises:
            OSError: if the disk is full.
        """
        self.arguments.out.mkdir(parents=True, exist_ok=True)
        state = {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "scaler": self.scaler.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
            "best": self.best,
        }
        with AtomicFile(self.arguments.out / STATE) as part:
            torch.save(state, part)
        self.save_averaged(AVERAGED)

    def save_averaged(self, name: str) -> None:
        """Write the averaged weights under a name."""
        steps = {"step": str(self.trained_before + self.step)}
        save_weights(self.averaged, self.arguments.out / name, steps, torch.float32)

    def time_is_up(self, seconds: float) -> bool:
        """Whether `--max-minutes` or `--time-budget` are over by the clock of rank 0, so that all ranks stop together.

        Args:
            seconds: since this process began to train.
        """
        clock = torch.tensor([seconds, self.seconds_before + seconds], dtype=torch.float64, device=self.device)
        limits = self.arguments.max_minutes * 60, self.arguments.time_budget * 60
        if self.processes > 1 and math.isfinite(min(limits)):
            distributed.broadcast(clock, src=0)
        now, self.seconds = clock.tolist()
        return now >= limits[0] or self.seconds >= limits[1]

    def batches(self) -> Iterator[Drawn]:
        """Batches of all remaining steps, prefetched."""
        times = self.arguments.repeat
        first = self.step // times
        draws = Draws(self.sampler, self.arguments, self.model.coarse, self.device)
        batches = feed(draws, first, self.arguments.num_workers)
        generator = torch.Generator().manual_seed(self.arguments.seed + self.step)
        return repeat(batches, times, self.arguments.pool, generator) if times > 1 else batches

    def optimise(self, batches: Iterator[Drawn]) -> tuple[StepResult, Drawn, float]:
        """One optimiser step; also returns the seconds spent waiting for data."""
        arguments = self.arguments
        for group in self.optimiser.param_groups:
            group["lr"] = group["peak"] * self._rate_share()
        torch.manual_seed(arguments.seed + self.step)
        self.objective.train()
        if arguments.refine_only:
            self.model.eval()
        elif isinstance(self.model.coarse.encoder, EfficientNetEncoder):
            self.model.coarse.encoder.freeze_statistics()
        began = time.perf_counter()
        batch = next(batches)
        waited = time.perf_counter() - began
        with autocast(arguments, self.device):
            result = self.objective(batch)
        self.scaler.scale(result.total).backward()
        self.scaler.unscale_(self.optimiser)
        nn.utils.clip_grad_norm_(self.objective.parameters(), arguments.clip)
        self.scaler.step(self.optimiser)
        self.scaler.update()
        self.optimiser.zero_grad()
        self.average.update_parameters(self.model)
        self.step += 1
        return result, batch, waited

    def _rate_share(self) -> float:
        """The schedule by steps or, if `--time-budget` will end earlier, by time."""
        steps = self.arguments.steps
        return schedule(max(self.step, self.seconds / (self.arguments.time_budget * 60) * steps), steps)


def start_model(arguments: argparse.Namespace) -> MattingNetwork:
    torch.manual_seed(arguments.seed)
    model = MattingNetwork(PRESETS[arguments.preset])
    if arguments.init_from:
        take_over(model, load_model(arguments.init_from, device="cpu"))
        return model
    if isinstance(model.coarse.encoder, EfficientNetEncoder):
        load_imagenet_start(model.coarse.encoder)
    return model
