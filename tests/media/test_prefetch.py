"""Drawing ahead in a thread: order, errors, how far ahead, and where it ends."""

import threading
import time
from threading import Semaphore, get_ident

import pytest

from matting.media.prefetch import prefetch


@pytest.mark.parametrize("depth", [1, 3])
def test_items_and_errors_come_in_order(depth):
    def items():
        yield from range(4)
        raise ValueError("expected a fifth picture, got none")

    drawn = prefetch(items(), depth)
    assert [next(drawn) for _ in range(4)] == [0, 1, 2, 3]
    with pytest.raises(ValueError, match="fifth picture"):
        next(drawn)


@pytest.mark.parametrize("depth", [1, 3])
def test_so_many_items_are_computed_ahead_in_another_thread(depth):
    begun, threads = Semaphore(0), set()

    def items():
        for number in range(10):
            threads.add(get_ident())
            begun.release()
            yield number

    drawn = prefetch(items(), depth)
    assert next(drawn) == 0
    for _ in range(depth + 1):
        assert begun.acquire(timeout=10)
    assert not begun.acquire(timeout=0.1)
    assert list(drawn) == list(range(1, 10)) and get_ident() not in threads and len(threads) == 1


def test_closing_it_ends_the_work_and_closes_the_items():
    drawn_numbers, closed = [], []

    def items():
        try:
            for number in range(100):
                drawn_numbers.append(number)
                yield number
        finally:
            closed.append(True)

    drawn = prefetch(items(), 3)
    next(drawn)
    drawn.close()
    assert closed and len(drawn_numbers) <= 5


def test_an_interrupt_while_the_thread_is_started_waits_for_its_item(monkeypatch: pytest.MonkeyPatch):
    at_work, start = threading.Event(), threading.Thread.start
    ended = []

    def items():
        try:
            at_work.set()
            time.sleep(0.3)
            yield 1
        finally:
            ended.append(True)

    def interrupted(thread: threading.Thread) -> None:
        start(thread)
        at_work.wait(10)
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "start", interrupted)
    with pytest.raises(KeyboardInterrupt):
        next(prefetch(items()))
    assert ended == [True]
