"""The same work on many machines: an existing Ray cluster runs it through Ray Data. Needs the package ray[data].

Every machine must see the same files under the same paths, and have this package installed.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class _Actor:
    """Lives on a worker of the cluster: makes the function once, then calls it for each row."""

    def __init__(self, make: Callable[[], Callable[[Any], Any]]):
        self.function = make()

    def __call__(self, row: dict[str, bytes]) -> dict[str, bytes]:
        from ray import cloudpickle

        return {"result": cloudpickle.dumps(self.function(cloudpickle.loads(row["item"])))}


def map_on_ray(
    items: Sequence[Item], make: Callable[[], Callable[[Item], Result]], address: str, workers: int
) -> Iterator[Result]:
    """Apply a function to items on a Ray cluster, and give the results in the order in which they come.

    Args:
        items: what to work on; pickled by Ray, which also knows what the program's own `__main__` defines.
        make: called once in each worker, gives the function; pickled too.
        address: of the cluster, e.g. "auto" or "ray://host:10001"; "local" starts one on this machine.
        workers: how many copies of the function work side by side.

    Raises:
        ValueError: if ray is not installed or workers is below 1.
    """
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
    """Join the cluster, or start one that needs no more than the loopback address, and hand it this package."""
    import ray.data

    options: dict[str, Any] = {"runtime_env": {"py_modules": [str(Path(__file__).parents[1])]}, "log_to_driver": False}
    if address == "local":
        options |= {"num_cpus": workers, "include_dashboard": False, "_node_ip_address": "127.0.0.1"}
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    ray.init(address=address, logging_level=logging.ERROR, **options)
