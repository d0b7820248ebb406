"""Time of a whole photo: PyTorch and onnxruntime side by side, and the steps at full resolution.

`python -m matting.evaluation.benchmark --photo PHOTO` prints both.
"""

import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from matting.inference.photo import matte_image
from matting.inference.working_size import working_size
from matting.network import MattingNetwork
from matting.postprocess.upsample import to_tensor

_NETWORK_STEPS = ("coarse", "regions", "refine")
_THREADS = (1, 2)


class BackendTime(NamedTuple):
    """Medians for one photo, the backends taking turns.

    Attributes:
        threads: of PyTorch and of onnxruntime.
        network: seconds of both stages, by backend.
        photo: seconds of `matte_image`, by backend.
        difference: largest between the alphas of both networks, in [0, 1].
    """

    threads: int
    network: dict[str, float]
    photo: dict[str, float]
    difference: float


def time_backends(
    image: NDArray[np.uint8], models: dict[str, MattingNetwork], repeats: int, threads: Sequence[int] = _THREADS
) -> Iterator[BackendTime]:
    """Time `matte_image` with each backend, for each number of threads.

    Args:
        image: (H, W, 3) uint8.
        models: "torch" and "onnx", from `load_model`.
        repeats: counted runs of each, after one that is not.
        threads: numbers to try.
    """
    for count in threads:
        with _threads(count):
            network, photo = ({name: list[float]() for name in models} for _ in range(2))
            for turn in range(repeats + 1):
                for name, model in models.items():
                    began = time.perf_counter()
                    matte = matte_image(image, model)
                    if turn:
                        photo[name].append(time.perf_counter() - began)
                        network[name].append(sum(matte.seconds[step] for step in _NETWORK_STEPS))
            difference = _difference(image, models)
        yield BackendTime(count, _medians(network), _medians(photo), difference)


def time_full(image: NDArray[np.uint8], model: MattingNetwork, megapixels: float, repeats: int) -> dict[str, float]:
    """Median seconds of each step, and of `cutout`, for a photo enlarged to this size, with its longer side as working size.

    Args:
        image: (H, W, 3) uint8.
        model: from `load_model`.
        megapixels: 10^6 pixels.
        repeats: runs; a photo of this size takes too long to leave one out.
    """
    scale = (megapixels * 1e6 / (image.shape[0] * image.shape[1])) ** 0.5
    size = round(image.shape[1] * scale), round(image.shape[0] * scale)
    large = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.LANCZOS))
    runs: dict[str, list[float]] = {}
    for _ in range(repeats):
        matte = matte_image(large, model, max(size))
        began = time.perf_counter()
        matte.cutout()
        for step, seconds in {**matte.seconds, "cutout": time.perf_counter() - began}.items():
            runs.setdefault(step, []).append(seconds)
    return _medians(runs)


def print_backends(times: Iterator[BackendTime]) -> None:
    """One row for each number of threads."""
    print(f"{'threads':>7} {'':>8} {'torch s':>8} {'onnx s':>8} {'onnx/torch':>10} {'difference':>10}")
    for row in times:
        for name, seconds in (("network", row.network), ("photo", row.photo)):
            ratio = seconds["onnx"] / seconds["torch"]
            both = f"{seconds['torch']:>8.3f} {seconds['onnx']:>8.3f}"
            print(f"{row.threads:>7} {name:>8} {both} {ratio:>10.2f} {row.difference:>10.1e}", flush=True)


def print_full(seconds: dict[str, float]) -> None:
    """One row for each step, with its share of the first stage."""
    print(f"{'step':>13} {'seconds':>8} {'of coarse':>10}")
    for step, value in seconds.items():
        print(f"{step:>13} {value:>8.2f} {value / seconds['coarse']:>10.2f}")


@torch.inference_mode()
def _difference(image: NDArray[np.uint8], models: dict[str, MattingNetwork]) -> float:
    height, width = image.shape[:2]
    tensor = to_tensor(image, working_size(height, width), torch.device("cpu"))
    return float((models["torch"](tensor).alpha - models["onnx"](tensor).alpha).abs().max())


def _medians(runs: dict[str, list[float]]) -> dict[str, float]:
    return {name: statistics.median(values) for name, values in runs.items()}


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
