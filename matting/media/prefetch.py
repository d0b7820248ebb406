"""Prefetching: compute the next items of a generator in a thread while the caller works with the current one."""

import inspect
import time
from collections import deque
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, cast

_END = object()
_POLL_S = 0.01
T = TypeVar("T")


def prefetch(items: Generator[T, None, None], depth: int = 1) -> Generator[T, None, None]:
    """Yield the same items in the same order, `depth` of them computed ahead in one thread.

    An error of `items` is raised where its item would have been yielded. Closing the generator stops the thread after the item
    it is computing and closes `items`.
    """
    try:
        with ThreadPoolExecutor(max_workers=1) as pool:
            try:
                coming = deque(pool.submit(next, items, _END) for _ in range(depth))
                while (item := coming.popleft().result()) is not _END:
                    coming.append(pool.submit(next, items, _END))
                    yield cast(T, item)
            finally:
                pool.shutdown(cancel_futures=True)
    finally:
        while (
            inspect.getgeneratorstate(items) == inspect.GEN_RUNNING
        ):  # an interrupt came while the thread was being started, so the pool did not wait for it
            time.sleep(_POLL_S)
        items.close()
