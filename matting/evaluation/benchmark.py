"""Cost of the network on the CPU: seconds, memory and multiply-accumulates per stage.

    python -m matting.evaluation.benchmark --preset paper --threads 2
    python -m matting.evaluation.benchmark --photo PHOTO              # of a whole photo: see `matting.evaluation.speed`

Complete forward passes are measured, with a synthetic trimap in place of the predicted one, so that a given share of the cells
is unknown.
"""

import argparse
import multiprocessing
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from matting.evaluation.speed import print_backends, print_full, time_backends, time_full
from matting.media.image import load_image
from matting.network.coarse import CoarsePrediction
from matting.network.model import PRESETS, MattingNetwork
from matting.network.regions import REGION_SIZE
from matting.weights import load_model

STAGES = ("coarse", "regions", "refine", "replace")
SIZES = ((512, 512), (1024, 1024), (1152, 1792), (2304, 3456))
UNKNOWN_SHARES = (0.05, 0.15)


@dataclass(frozen=True)
class Cost:
    """Cost of one forward pass of one image.

    Attributes:
        regions: number of unknown regions.
        seconds: per stage, the median over the repetitions.
        gmac: per stage, in 10^9 multiply-accumulates.
        peak_mb: peak memory of the process, in 10^6 bytes.
    """

    regions: int
    seconds: dict[str, float]
    gmac: dict[str, float]
    peak_mb: float


def ring_trimap(height: int, width: int, unknown_share: float) -> Tensor:
    """Trimap probabilities (1, 3, height, width), 0 or 1, whose unknown cells form a closed band, as around a person."""
    y = torch.linspace(-1, 1, height)[:, None]
    x = torch.linspace(-1, 1, width)[None, :]
    offset = (y.square() + x.square()).sqrt() - 0.6  # below 0 inside
    count = round(unknown_share * height * width)
    unknown = torch.zeros(height * width, dtype=torch.bool)
    unknown[offset.abs().flatten().argsort(stable=True)[:count]] = True
    unknown = unknown.view(height, width)
    return torch.stack([~unknown & (offset >= 0), unknown, ~unknown & (offset < 0)])[None].float()


@contextmanager
def fixed_trimap(model: MattingNetwork, trimap: Tensor) -> Iterator[None]:
    """Replace the model's predicted trimap by this one, for the duration of the context."""

    def swap(module: torch.nn.Module, args: tuple, output: CoarsePrediction) -> CoarsePrediction:
        return replace(output, trimap=trimap)

    handle = model.coarse.register_forward_hook(swap)
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def stage_clock(model: MattingNetwork) -> Iterator[Callable[[Tensor], dict[str, float]]]:
    """Provide a function that runs the model on an image and returns the seconds of each stage."""
    marks: list[float] = []

    def mark(*_: object) -> None:
        marks.append(time.perf_counter())

    handles = [
        model.coarse.register_forward_hook(mark),
        model.refine.register_forward_pre_hook(mark),
        model.refine.register_forward_hook(mark),
    ]

    def run(image: Tensor) -> dict[str, float]:
        marks[:] = [time.perf_counter()]
        model(image)
        mark()
        return dict(zip(STAGES, (after - before for before, after in pairwise(marks)), strict=True))

    try:
        yield run
    finally:
        for handle in handles:
            handle.remove()


def count_gmac(model: MattingNetwork, image: Tensor) -> dict[str, float]:
    """Multiply-accumulates per stage in 10^9: half of what PyTorch counts as floating point operations."""
    counter = FlopCounterMode(display=False)
    with counter, sdpa_kernel(SDPBackend.MATH):  # the fused CPU attention is not counted
        model(image)
    counts = counter.get_flop_counts()
    return {stage: sum(counts.get(f"MattingNetwork.{stage}", {}).values()) / 2e9 for stage in STAGES}


def measure(preset: str, size: tuple[int, int], unknown_share: float, threads: int, repeats: int) -> Cost:
    """Measure forward passes at one size; call it in a process of its own, since peak memory never falls."""
    torch.set_num_threads(threads)
    model, image, trimap = build(preset, size, unknown_share)
    with torch.inference_mode(), fixed_trimap(model, trimap):
        with stage_clock(model) as run:
            run(image)
            runs = [run(image) for _ in range(repeats)]
        seconds = {stage: statistics.median(run[stage] for run in runs) for stage in STAGES}
        return Cost(int(trimap[:, 1].sum()), seconds, count_gmac(model, image), peak_bytes() / 1e6)


def peak_bytes(process: int | str = "self") -> int:
    """Peak resident memory of a process in bytes; of another process only on Linux.

    On Linux it is read from /proc, because `getrusage` includes the peak of the parent process there.
    """
    status = Path(f"/proc/{process}/status")
    if process != "self" or status.exists():
        return next(int(line.split()[1]) * 1024 for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def build(preset: str, size: tuple[int, int], unknown_share: float) -> tuple[MattingNetwork, Tensor, Tensor]:
    """A network with random weights, a random image (1, 3, height, width), and the trimap to replace its own by."""
    torch.manual_seed(0)
    height, width = size
    model = MattingNetwork(PRESETS[preset]).eval()
    return model, torch.rand(1, 3, height, width), ring_trimap(height // REGION_SIZE, width // REGION_SIZE, unknown_share)


def print_costs(costs: Iterator[tuple[tuple[int, int], float, Cost]]) -> None:
    """Print one row per size and share of unknown regions."""
    titles = [f"{stage} s" for stage in STAGES] + ["total s", "coarse GMAC", "refine GMAC", "total GMAC", "peak MB"]
    print(f"{'size':>11} {'unknown':>8} {'regions':>8} " + " ".join(f"{title:>11}" for title in titles))
    for (height, width), share, cost in costs:
        values = [*cost.seconds.values(), sum(cost.seconds.values())]
        gmac = [cost.gmac["coarse"], cost.gmac["refine"], sum(cost.gmac.values())]
        print(
            f"{f'{height}x{width}':>11} {share:>8.0%} {cost.regions:>8} "
            + " ".join([*(f"{value:>11.4f}" for value in values), *(f"{value:>11.2f}" for value in gmac)])
            + f" {cost.peak_mb:>11.0f}",
            flush=True,
        )


def parse_size(text: str) -> tuple[int, int]:
    height, _, width = text.partition("x")
    return int(height), int(width or height)


def time_photo(options: argparse.Namespace) -> None:
    """Print the times of a photo; raises ValueError if it or a backend is not there."""
    image = load_image(options.photo)
    models = {name: load_model(options.weights, "cpu", name) for name in ("torch", "onnx")}
    print(
        f"{options.photo.name}, median of {options.repeats}, PyTorch {torch.__version__}, onnxruntime {version('onnxruntime')}"
    )
    print_backends(time_backends(image, models, options.repeats))
    torch.set_num_threads(options.threads)
    for name, model in models.items():
        print(f"\n{options.megapixels:g} megapixels at their full size, {options.threads} threads, {name}")
        print_full(time_full(image, model, options.megapixels, max(1, options.repeats // 2)))


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m matting.evaluation.benchmark", description=__doc__.splitlines()[0])
    parser.add_argument("--preset", choices=sorted(PRESETS), default="paper")
    parser.add_argument("--sizes", type=parse_size, nargs="*", default=SIZES, metavar="HEIGHTxWIDTH")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument(
        "--photo", type=Path, help="time this photo instead: PyTorch beside onnxruntime, and every step at full size"
    )
    parser.add_argument("--megapixels", type=float, default=12, help="of the full size (%(default)g)")
    parser.add_argument("--weights", default="bundled", help="for --photo (%(default)s)")
    options = parser.parse_args(argv)
    if options.photo:
        try:
            time_photo(options)
        except ValueError as error:
            parser.error(str(error))
        return
    print(f"preset {options.preset}, {options.threads} threads, median of {options.repeats}, PyTorch {torch.__version__}")
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        cases = [(size, share) for size in options.sizes for share in UNKNOWN_SHARES]
        print_costs(
            (size, share, pool.apply(measure, (options.preset, size, share, options.threads, options.repeats)))
            for size, share in cases
        )


if __name__ == "__main__":
    main()
