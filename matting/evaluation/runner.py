"""Run an evaluation's methods on its images: in this process, in several, or on a Ray cluster."""

import math
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
import torch

from matting.evaluation.datasets import Example, Item, limit_area
from matting.evaluation.methods import Estimator, Method, Resources, Timed, choose, onnx_method, run
from matting.evaluation.metrics import measure
from matting.evaluation.onnx_network import Preprocessing
from matting.evaluation.ours import Estimate
from matting.evaluation.ray import map_on_ray
from matting.evaluation.records import NO_METRICS, Record
from matting.weights import load_model

_WARM_UP_SIDE_PX = 64


@dataclass(frozen=True)
class Setup:
    """Everything a worker needs to evaluate; picklable, so that it can be sent to another process.

    Attributes:
        dataset: name, for the records.
        weights: source of this project's weights, see `load_model`.
        weights_id: for the records.
        methods: names of the methods.
        resize: see `Resources`.
        device: of this project's network.
        onnx: the user's own networks: (file, pre-processing).
        threads: number of threads of torch and of OpenCV in one worker; None leaves their defaults.
    """

    dataset: str
    weights: str
    weights_id: str
    methods: tuple[str, ...]
    resize: str
    device: str = "auto"
    onnx: tuple[tuple[str, Preprocessing], ...] = ()
    threads: int | None = None

    def all_methods(self) -> list[Method]:
        """The chosen methods and the user's own."""
        return [*choose(list(self.methods)), *(onnx_method(path, preprocessing) for path, preprocessing in self.onnx)]


@dataclass(frozen=True)
class Task:
    """One image, and the methods that are still to be run on it."""

    item: Item
    methods: tuple[str, ...]


class Evaluator:
    """The loaded methods as a function: task -> one record per method."""

    def __init__(self, setup: Setup):
        """Raises DownloadError or ValueError if a method cannot be loaded."""
        if setup.threads:
            torch.set_num_threads(setup.threads)
            cv2.setNumThreads(setup.threads)
        self.setup = setup
        resources = Resources(load_model(setup.weights, setup.device), setup.resize)
        self.methods = {method.name: method for method in setup.all_methods()}
        self.estimators = {name: method.load(resources) for name, method in self.methods.items()}
        for estimator in self.estimators.values():
            _warm_up(estimator)

    def __call__(self, task: Task) -> list[Record]:
        """Load the image, run the methods, measure; a method's ValueError goes into its record.

        Raises:
            ValueError: if the image, its alpha or its trimap cannot be read.
        """
        example = task.item.load()
        height, width = example.ground_truth.shape
        records = []
        for name in task.methods:
            seconds, gmac, metrics, error = math.nan, math.nan, NO_METRICS, ""
            try:
                max_area_px = task.item.max_area_px
                (alpha, counted), seconds = run_on(example, self.estimators[name], self.methods[name].uses_trimap, max_area_px)
                gmac = math.nan if counted is None else counted
                metrics = measure(alpha, example.ground_truth, example.trimap)
            except ValueError as failure:
                error = " ".join(str(failure).split())
            records.append(
                Record(
                    self.setup.dataset, task.item.subset, task.item.name, name, self.setup.weights_id, self.setup.resize,
                    width, height, seconds, gmac, metrics, error,
                )
            )  # fmt: skip
        return records


def run_on(example: Example, estimator: Estimator, uses_trimap: bool, max_area_px: int | None) -> Timed:
    """Run a method on an example, scaled down to an area if it is larger; the alpha is scaled back to the example's size.

    Args:
        example: image and trimap.
        estimator: the method.
        uses_trimap: whether it is given the trimap.
        max_area_px: largest area in pixels, see `Item`; None for no limit.

    Returns:
        The estimate and its seconds, without this scaling.

    Raises:
        ValueError: if the method cannot handle the image.
    """
    image, trimap = limit_area(example.image, max_area_px), example.trimap
    if image is example.image:
        return run(estimator, image, trimap if uses_trimap else None)
    trimap = cv2.resize(trimap, image.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    (alpha, gmac), seconds = run(estimator, image, trimap if uses_trimap else None)
    height, width = example.ground_truth.shape
    alpha = cv2.resize(alpha, (width, height), interpolation=cv2.INTER_LINEAR).clip(0, 1)
    return Timed(Estimate(alpha, gmac), seconds)


def run_tasks(tasks: Sequence[Task], setup: Setup, workers: int = 1, ray_address: str | None = None) -> Iterator[list[Record]]:
    """Evaluate tasks.

    Args:
        tasks: images and the methods to run on each.
        setup: weights and methods.
        workers: number of processes on this machine, or on the cluster.
        ray_address: see `map_on_ray`; None for this machine alone.

    Yields:
        The records of each task, in any order if there are several workers.
    """
    make = partial(Evaluator, setup)
    if ray_address is not None:
        yield from map_on_ray(tasks, make, ray_address, workers)
    elif workers > 1:
        yield from _run_processes(tasks, make, workers)
    else:
        yield from map(make(), tasks)


_evaluator: Evaluator  # of this worker process, set by `_start_worker`


def _start_worker(make: Callable[[], Evaluator]) -> None:
    global _evaluator
    _evaluator = make()


def _work(task: Task) -> list[Record]:
    return _evaluator(task)


def _run_processes(tasks: Sequence[Task], make: Callable[[], Evaluator], workers: int) -> Iterator[list[Record]]:
    context = multiprocessing.get_context("spawn")  # torch's threads do not survive a fork
    with ProcessPoolExecutor(workers, context, _start_worker, (make,)) as pool:
        futures = [pool.submit(_work, task) for task in tasks]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _warm_up(estimator: Estimator) -> None:
    """Run a method once on a small synthetic picture before it is timed, for what happens only once, such as compilation."""
    image = np.zeros((_WARM_UP_SIDE_PX, _WARM_UP_SIDE_PX, 3), np.uint8)
    image[:, 24:] = 255
    trimap = np.zeros(image.shape[:2], np.uint8)
    trimap[:, 16:32] = 128
    trimap[:, 32:] = 255
    try:
        estimator(image, trimap)
    except ValueError:
        return  # GrabCut and the like fail where the network finds no person; warmed up all the same
