"""Requests as they arrive: how much, how fast, and of what make."""

import asyncio
import time
from collections.abc import Callable

from starlette.types import Message, Receive

from matting.app import limits


class RefusedError(Exception):
    """What is wrong with a request.

    Attributes:
        status: of the answer.
        message: for the visitor.
    """

    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status, self.message = status, message


TOO_LARGE = "This request is too large."
TOO_SLOW = "This request took too long to arrive."


class Arrival:
    """Takes a request piece by piece; raises `RefusedError` if it stalls or takes too long in all."""

    def __init__(self, receive: Receive, seconds: float):
        self._receive, self._more = receive, True
        self._deadline = time.monotonic() + seconds

    async def next(self) -> Message:
        left = min(limits.BODY_IDLE_S, self._deadline - time.monotonic())
        try:
            message = await asyncio.wait_for(self._receive(), max(left, 0.001))
        except asyncio.TimeoutError:
            raise RefusedError(408, TOO_SLOW) from None
        self._more = bool(message.get("more_body"))
        return message

    async def drain(self, most: int) -> None:
        """Read on without keeping anything, so that who still sends gets to read the answer."""
        while self._more and most > 0:
            most -= len((await self.next()).get("body", b""))


async def read_json(receive: Receive, declared: int, most: int) -> bytes | None:
    """The body of a request that is no upload; None if the sender has left.

    Raises:
        RefusedError: if it is too large, too slow, or made to take long to read.
    """
    arrival, pieces, size = Arrival(receive, limits.JSON_S), [], 0
    if declared > most:
        await arrival.drain(limits.UPLOAD_BYTES)
        raise RefusedError(413, TOO_LARGE)
    while True:
        message = await arrival.next()
        if message["type"] == "http.disconnect":
            return None
        pieces.append(message.get("body", b""))
        size += len(pieces[-1])
        if size > most:
            await arrival.drain(limits.UPLOAD_BYTES)
            raise RefusedError(413, TOO_LARGE)
        if not message.get("more_body"):
            break
    body = b"".join(pieces)
    if body.count(b",") + body.count(b"[") + body.count(b"{") > limits.JSON_MARKS:
        raise RefusedError(413, TOO_LARGE)
    return body


def replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body at once, and then what happens next."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


class Upload:
    """An upload on its way to Gradio, ended where it breaks a limit.

    Attributes:
        refused: why it was ended; None if it was not.
    """

    def __init__(self, receive: Receive, declared: int, count: Callable[[int], None], room: Callable[[], str]):
        self.refused: RefusedError | None = None
        self._arrival = Arrival(receive, limits.UPLOAD_S)
        self._declared, self._size, self._asked = declared, 0, 0
        self._count, self._room = count, room

    async def receive(self) -> Message:
        """The next piece; after a refusal, that the sender has left."""
        try:
            return await self._next()
        except RefusedError as error:
            self.refused = error
            return {"type": "http.disconnect"}

    async def _next(self) -> Message:
        most = limits.UPLOAD_BYTES + limits.MB  # names and boundaries
        if self._declared > most:
            await self._arrival.drain(2 * most)
            raise RefusedError(413, TOO_LARGE)
        message = await self._arrival.next()
        size = len(message.get("body", b""))
        self._size += size
        self._count(size)
        if self._size > most:
            await self._arrival.drain(most)
            raise RefusedError(413, TOO_LARGE)
        if self._size // limits.MB >= self._asked:  # once a megabyte
            self._asked = self._size // limits.MB + 1
            if reason := self._room():
                raise RefusedError(429, reason)
        return message
