"""Compute what comes next in a thread, while the caller works with what is there."""

from collections import deque
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TypeVar, cast

_END = object()
T = TypeVar("T")


def prefetch(items: Generator[T, None, None], depth: int = 1) -> Generator[T, None, None]:
    """The same items in the same order, `depth` of them computed ahead in one thread; errors arrive in their place.

    Closing it stops the work after the item in hand and closes `items`.
    """
    with closing(items), ThreadPoolExecutor(max_workers=1) as pool:
        try:
            coming = deque(pool.submit(next, items, _END) for _ in range(depth))
            while (item := coming.popleft().result()) is not _END:
                coming.append(pool.submit(next, items, _END))
                yield cast(T, item)
        finally:
            pool.shutdown(cancel_futures=True)
