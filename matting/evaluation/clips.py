"""Measure clips: SAD and dtSSD against a true alpha, cost per frame, and memory. Prints Markdown.

python -m matting.evaluation.clips examples/clip.mp4 --truth examples/clip_alpha.mp4 --memory
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from matting.evaluation.benchmark import peak_bytes
from matting.evaluation.metrics import dtssd, sad
from matting.inference.clip import CLIP_MAX_SIDE, STAGES, ClipReport, ClipSettings, matte_clip, matte_frames
from matting.media.encoding import H264_MP4, Encoding
from matting.media.export import export_path
from matting.media.prefetch import prefetch
from matting.media.reader import ClipReader
from matting.media.writer import ClipWriter
from matting.network import MattingNetwork
from matting.weights import load_model

REFINE_EVERYTHING = 50.0  # a bias on the logit of unknown with which every cell becomes unknown
LOSSLESS = Encoding("matroska", "ffv1", "bgr0", {}, {}, (), "aac")
MEMORY_SIDES = 128, 256  # pixels, of the frames and of the working size; small, since only the clip's length matters
_FORMATS = ("webm", "alpha")


class Accuracy(NamedTuple):
    """Errors of a clip against its true alpha, lower is better: `dtssd`, and the mean of `sad` over the frames."""

    coarse_dtssd: float
    dtssd: float
    coarse_sad: float
    sad: float


class Cost(NamedTuple):
    """Means per frame: share of the cells that were refined, and seconds of the network with resizing."""

    refined_share: float
    seconds: float


def measure_accuracy(clip: Path, ground_truth: Path, model: MattingNetwork, settings: ClipSettings) -> Accuracy:
    """Matte a clip and compare every frame with its true alpha, a grey clip of the same size.

    Raises:
        ValueError: if the clips differ in size or number of frames.
    """
    with ClipReader(clip) as reader:
        batches = prefetch(matte_frames(reader, model, settings, dict.fromkeys(STAGES, 0.0)))
        frames = [(frame.coarse_alpha, frame.alpha) for batch in batches for frame in batch]
    ground_truths = read_alphas(ground_truth)
    coarse, refined = zip(*frames, strict=True)
    return Accuracy(
        dtssd(coarse, ground_truths),
        dtssd(refined, ground_truths),
        _mean_sad(coarse, ground_truths),
        _mean_sad(refined, ground_truths),
    )


def measure_cost(clip: Path, model: MattingNetwork, settings: ClipSettings, frames: int) -> Cost:
    """Time the network on the first frames of a clip, after one batch of warm-up; raises ValueError if there are no more."""
    seconds = dict.fromkeys(STAGES, 0.0)
    with ClipReader(clip) as reader:
        batches = matte_frames(reader, model, settings, seconds)
        next(batches)
        seconds["network"] = 0.0
        shares: list[float] = []
        while len(shares) < frames and (batch := next(batches, None)):
            shares += [frame.unknown_share for frame in batch]
        batches.close()
    if not shares:
        raise ValueError(f"{clip.name} is too short to be timed: it ends with the first batch, which is warm-up")
    return Cost(float(np.mean(shares)), seconds["network"] / len(shares))


def read_alphas(path: Path) -> list[NDArray[np.float32]]:
    """All frames of a grey clip, (H, W) float32 in [0, 1]."""
    with ClipReader(path) as reader:
        return [frame.image[..., 1] / np.float32(255) for frame in reader]


def measure_memory(clip: Path, weights: str, max_side: int) -> float:
    """Peak memory in MiB of a new process that mattes the clip and saves it."""
    options = ["--weights", weights, "--max-side", str(max_side), "--peak-of-one-run"]
    command = [sys.executable, "-m", "matting.evaluation.clips", str(clip), *options]
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return float(run.stdout)


def loop_clip(clip: Path, path: Path, count: int, encoding: Encoding, side: int | None = None) -> None:
    """Write `count` frames of a clip, which is repeated as often as needed, without sound.

    Args:
        clip: the source.
        path: the clip to write.
        count: frames.
        encoding: how to store them.
        side: longest side in pixels to which they are reduced; None keeps the size.
    """
    with ClipReader(clip) as reader:
        info = reader.info
        height, width = _reduced(info.height, info.width, side)
        step = max(1, round(1 / (info.frame_rate * info.time_base)))
        with ClipWriter(path, encoding, width, height, reader) as writer:
            for i, image in enumerate(islice(_endless_images(clip), count)):
                small = image if side is None else cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
                writer.write(small, i * step, step)


def _endless_images(clip: Path) -> Iterator[NDArray[np.uint8]]:
    while True:
        with ClipReader(clip) as reader:
            yield from (frame.image for frame in reader)


def main(arguments: Sequence[str] | None = None) -> None:
    options = build_parser().parse_args(arguments)
    model = load_model(options.weights, options.device)
    if options.peak_of_one_run:
        print_peak(options.clip, model, options.max_side)
        return
    with tempfile.TemporaryDirectory() as folder:
        clip, ground_truth = (path and shorten(path, Path(folder), options.frames) for path in (options.clip, options.truth))
        print_clip(options.clip, clip, model)
        if ground_truth:
            print_accuracy(clip, ground_truth, model, options.max_side)
        print_cost(clip, model, options.sides, options.timed_frames)
        print_shares(clip, model, options.max_side)
        if options.memory:
            print_memory(clip, options.weights, options.max_side, options.memory_seconds)


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m matting.evaluation.clips", description=__doc__.partition("\n")[0])
    parser.add_argument("clip", type=Path)
    parser.add_argument("--truth", type=Path, help="clip of the true alpha in grey, same size and frames")
    parser.add_argument("--frames", type=int, metavar="N", help="only the first N frames, for a quick look")
    parser.add_argument("--weights", default="bundled")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--max-side", type=int, default=CLIP_MAX_SIDE, help="working side of all but cost (%(default)s)")
    parser.add_argument("--sides", type=int, nargs="+", default=[512, 1024], help="working sides for cost (%(default)s)")
    parser.add_argument("--timed-frames", type=int, default=10, help="frames timed per row of cost (%(default)s)")
    parser.add_argument("--memory", action="store_true", help="also compare the memory of clips of two lengths")
    parser.add_argument(
        "--memory-seconds", type=float, nargs=2, default=[10, 100], metavar="S", help="lengths (%(default)s: takes minutes)"
    )
    parser.add_argument("--peak-of-one-run", action="store_true", help=argparse.SUPPRESS)
    return parser


def shorten(clip: Path, folder: Path, frames: int | None) -> Path:
    """The clip's first frames, stored without loss in the folder; the clip itself if no number is given."""
    if frames is None:
        return clip
    short = folder / f"{clip.stem}.mkv"
    with ClipReader(clip) as reader:
        loop_clip(clip, short, min(frames, reader.info.frames), LOSSLESS)
    return short


def print_clip(source: Path, clip: Path, model: MattingNetwork) -> None:
    with ClipReader(clip) as reader:
        info = reader.info
    device = next(model.parameters()).device.type
    where = f"{device}, {torch.get_num_threads()} threads" if device == "cpu" else device
    print(f"{source}: {info.frames} frames of {info.width}x{info.height} pixels; preset {model.config.preset}, {where}.")


def print_accuracy(clip: Path, ground_truth: Path, model: MattingNetwork, max_side: int) -> None:
    rows = [
        measure_accuracy(clip, ground_truth, model, ClipSettings(max_side, temporal=temporal)) for temporal in (False, True)
    ]
    print("\n| temporal filter | dtSSD coarse | dtSSD refined | SAD coarse | SAD refined |\n|---|---|---|---|---|")
    for name, row in zip(("off", "on"), rows, strict=True):
        print(f"| {name} | {' | '.join(f'{value:.3f}' for value in row)} |")
    changes = [f"{on / off - 1:+.1%}" for off, on in zip(*rows, strict=True)]
    print(f"| change | {' | '.join(changes)} |")


def print_cost(clip: Path, model: MattingNetwork, sides: Sequence[int], frames: int) -> None:
    print("\n| working side | what is refined | share of pixels | seconds per frame |\n|---|---|---|---|")
    for side in sides:
        for name, bias in (("unknown regions", 0.0), ("everything", REFINE_EVERYTHING)):
            cost = measure_cost(clip, model, ClipSettings(side, unknown_bias=bias), frames)
            print(f"| {side} | {name} | {cost.refined_share:.1%} | {cost.seconds:.3f} |", flush=True)


def print_shares(clip: Path, model: MattingNetwork, max_side: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        report = _matte(clip, model, max_side, Path(folder))
    busy = " | ".join(f"{report.seconds[stage] / report.wall:.0%}" for stage in STAGES)
    height, width = report.working_size
    per_frame = report.wall / len(report.frames)
    print("\n| whole run | working size | seconds per frame | decoding | network | colours and encoding |")
    print("|---|---|---|---|---|---|")
    print(f"| {' and '.join(_FORMATS)} | {width}x{height} | {per_frame:.3f} | {busy} |", flush=True)


def print_memory(clip: Path, weights: str, max_side: int, lengths: Sequence[float]) -> None:
    print("\n| clip | peak memory |\n|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as folder, ClipReader(clip) as reader:
        copy = Path(folder) / "clip.mp4"
        loop_clip(clip, copy, reader.info.frames, H264_MP4)
        print(f"| the whole run above | {measure_memory(copy, weights, max_side):.0f} MiB |", flush=True)
        peaks = []
        for seconds in lengths:
            loop_clip(clip, copy, round(seconds * reader.info.frame_rate), H264_MP4, MEMORY_SIDES[0])
            peaks.append(measure_memory(copy, weights, MEMORY_SIDES[1]))
            change = f" ({peaks[-1] / peaks[0] - 1:+.1%})" if len(peaks) > 1 else ""
            print(f"| {seconds:g} s, reduced to {MEMORY_SIDES[0]} pixels | {peaks[-1]:.0f} MiB{change} |", flush=True)


def print_peak(clip: Path, model: MattingNetwork, max_side: int) -> None:
    _matte(clip, model, max_side, clip.parent)
    print(peak_bytes() / 1024**2)


def _matte(clip: Path, model: MattingNetwork, max_side: int, folder: Path) -> ClipReport:
    outputs = {name: export_path(folder, "out", name) for name in _FORMATS}
    return matte_clip(clip, model, outputs, ClipSettings(max_side))


def _reduced(height: int, width: int, side: int | None) -> tuple[int, int]:
    """Even height and width of which the longer is at most `side`; None keeps them."""
    scale = 1.0 if side is None else min(1.0, side / max(height, width))
    if scale < 1:
        height, width = (max(2, round(length * scale / 2) * 2) for length in (height, width))
    return height, width


def _mean_sad(alphas: Sequence[NDArray[np.float32]], ground_truths: Sequence[NDArray[np.float32]]) -> float:
    return float(np.mean([sad(alpha, ground_truth) for alpha, ground_truth in zip(alphas, ground_truths, strict=True)]))


if __name__ == "__main__":
    main()
