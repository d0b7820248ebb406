"""Parallel work on many machines, by Ray Data on a Ray cluster. Needs the package ray[data].

Every machine must have the same files under the same paths, and this project's requirements installed.
"""

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class _Actor:
    """Stateful worker on the cluster: makes the function once, then calls it for each row."""

    def __init__(self, make: Callable[[], Callable[[Any], Any]]):
        self.function = make()

    def __call__(self, row: dict[str, bytes]) -> dict[str, bytes]:
        from ray import cloudpickle

        return {"result": cloudpickle.dumps(self.function(cloudpickle.loads(row["item"])))}


def map_on_ray(
    items: Sequence[Item], make: Callable[[], Callable[[Item], Result]], address: str, workers: int
) -> Iterator[Result]:
    """Apply a function to items on a Ray cluster.

    Args:
        items: arguments; serialised by cloudpickle, which handles objects defined in `__main__`.
        make: called once in each worker, returns the function; serialised too.
        address: of the cluster, e.g. "auto" or "ray://host:10001"; "local" starts one on this machine.
        workers: number of parallel workers.

    Yields:
        The results, as they complete.

    Raises:
        ValueError: if ray is not installed or workers is below 1.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # Ray reports to its makers otherwise
    try:
        import ray
        from ray import cloudpickle
    except ImportError as error:
        raise ValueError("working on a cluster needs Ray: pip install 'ray[data]'") from error
    if workers < 1:
        raise ValueError(f"workers must be at least 1, got {workers}")
    if not items:
        return
    started = not ray.is_initialized()
    if started:
        _connect(address, workers)
    ray.data.DataContext.get_current().enable_progress_bars = False
    try:
        rows = ray.data.from_items([{"item": cloudpickle.dumps(item)} for item in items], override_num_blocks=len(items))
        done = rows.map(_Actor, fn_constructor_args=(make,), compute=ray.data.ActorPoolStrategy(size=workers))
        for row in done.iter_rows():
            yield cloudpickle.loads(row["result"])
    finally:
        if started:
            ray.shutdown()


def _connect(address: str, workers: int) -> None:
    """Connect to the cluster, or start one on the loopback address, and send it this package."""
    import ray.data

    options: dict[str, Any] = {"runtime_env": {"py_modules": [str(Path(__file__).parents[1])]}, "log_to_driver": False}
    if address == "local":
        options |= {"num_cpus": workers, "include_dashboard": False, "_node_ip_address": "127.0.0.1"}
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    ray.init(address=address, logging_level=logging.ERROR, **options)
