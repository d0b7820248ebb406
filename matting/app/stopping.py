"""A flag that stops the network: whoever waits for its work changed their mind or left."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING
from weakref import WeakSet

from torch import nn

if TYPE_CHECKING:  # for its type only: a session's own module raises what is here
    from matting.app.session import Session


_STOP: ContextVar[threading.Event | None] = ContextVar("stop", default=None)  # of the session whose work this is
_WATCHED: WeakSet[nn.Module] = WeakSet()


class StoppedError(Exception):
    """The visitor pressed stop, sent another photo or left."""


@contextmanager
def stoppable(model: nn.Module, session: "Session", *, begin: bool = True, batch: bool = False) -> Iterator[None]:
    """Within this block the model gives up, with `StoppedError`, at the next layer after `session.stop` is set.

    Several sessions may be at work in threads of their own; each is stopped by its own flag. No generator may pause in it.

    Args:
        model: the network.
        session: whose work this is.
        begin: whether this is new work, which an earlier stop does not concern.
        batch: whether it is work on a batch, which has a flag of its own.
    """
    for module in model.modules():
        if module not in _WATCHED:  # for good: others may be at work in it
            module.register_forward_pre_hook(_check)
            _WATCHED.add(module)
    stop, threads = (session.batch_stop, session.batch_threads) if batch else (session.stop, session.threads)
    if begin and not session.closed:
        stop.clear()
    token = _STOP.set(stop)
    threads.add(threading.get_ident())
    try:
        yield
    finally:
        threads.discard(threading.get_ident())
        _STOP.reset(token)


def _check(*_: object) -> None:
    stop = _STOP.get()
    if stop is not None and stop.is_set():
        raise StoppedError
