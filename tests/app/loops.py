"""Coroutines under test. The main thread has Playwright's own event loop as soon as a browser test has run."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def run_alone(coroutine: Coroutine[object, object, T]) -> T:
    """What a coroutine returns, run to its end in a thread with an event loop of its own."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()
