"""The desk of the tab Live: one stream of frames at a time, the others in the order they came; nothing is written anywhere.

Frames do not go through Gradio's queue, which writes every picture it passes on to disk.
"""

import asyncio
import io
import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import cv2
import numpy as np
from PIL import Image
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from matting.app import limits, text
from matting.app.errors import Problem, plain_errors
from matting.inference.live import LIVE_SETTINGS, LiveMatte, LiveMatting
from matting.network import MattingNetwork
from matting.postprocess.bit_depth import to_8_bit

SIDES = (256, 384, 512, 640)  # working sizes, of which the browser chooses one that keeps its frame rate
_MOST_PIXELS = 1280 * 1280  # of a frame
_MOST_WAITING_FRAMES = 3  # of the stream, beside the one that is worked on
_TICKET = "x-live-ticket"


class GoneError(Exception):
    """It is not, or no longer, this ticket's turn."""


@dataclass
class _Stream:
    """Whose turn it is."""

    ticket: str
    matting: LiveMatting
    begun: float
    heard: float
    waiting: int = 0


@dataclass
class LiveDesk:
    """Who may send frames. Used by one thread, that of the event loop; frames are worked on in another.

    Attributes:
        model: the network.
        clock: seconds, monotonic.
    """

    model: MattingNetwork
    clock: Callable[[], float] = time.monotonic
    _stream: _Stream | None = None
    _line: dict[str, tuple[str, float]] = field(default_factory=dict)  # address and when last heard of, by ticket
    _worker: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "live"))

    def ask(self, ticket: str, address: str) -> tuple[str, int]:
        """Ask for a turn, again every few seconds while it is not there.

        Args:
            ticket: from the last answer; empty at first.
            address: of the visitor.

        Returns:
            The ticket, and how many are before it; 0 means that frames may be sent.

        Raises:
            Problem: if too many wait.
        """
        self.sweep()
        now = self.clock()
        if self._stream is not None and self._stream.ticket == ticket:
            self._stream.heard = now
            return ticket, 0
        if ticket not in self._line:
            ticket = self._join(address)
        self._line[ticket] = (address, now)
        if self._stream is None and next(iter(self._line)) == ticket:
            del self._line[ticket]
            self._stream = _Stream(ticket, LiveMatting(self.model), now, now)
            return ticket, 0
        return ticket, [*self._line].index(ticket) + 1

    def _join(self, address: str) -> str:
        own = sum(other == address for other, _ in self._line.values()) if limits.per_address() and address else 0
        if len(self._line) >= limits.LIVE_WAITING or own >= limits.LIVE_WAITING_EACH:
            raise Problem(text.LIVE_FULL)
        return secrets.token_urlsafe(24)

    def turn(self, ticket: str) -> _Stream:
        """The stream of a ticket.

        Raises:
            GoneError: if it is over: left, not heard of, or long enough while others wait.
        """
        self.sweep()
        stream = self._stream
        if stream is None or not secrets.compare_digest(stream.ticket.encode(), ticket.encode()):
            raise GoneError
        if self._line and self.clock() - stream.begun > limits.LIVE_TURN_S:
            self._stream = None
            raise GoneError
        stream.heard = self.clock()
        return stream

    def leave(self, ticket: str) -> None:
        """Forget a visitor and what is held of the frames."""
        self._line.pop(ticket, None)
        if self._stream is not None and self._stream.ticket == ticket:
            self._stream = None

    def sweep(self) -> None:
        """Forget those who are not heard of."""
        late = self.clock() - limits.LIVE_IDLE_S
        self._line = {ticket: (address, heard) for ticket, (address, heard) in self._line.items() if heard > late}
        if self._stream is not None and self._stream.heard <= late:
            self._stream = None

    @property
    def busy(self) -> bool:
        """Whether anything is held of anybody's frames."""
        return self._stream is not None

    def routes(self) -> list[Route]:
        """What the page calls."""
        prefix = "/gradio_api/live"
        return [
            Route(f"{prefix}/ask", self._answer_ask, methods=["POST"]),
            Route(f"{prefix}/frame", self._answer_frame, methods=["POST"]),
            Route(f"{prefix}/leave", self._answer_leave, methods=["POST"]),
        ]

    async def _answer_ask(self, request: Request) -> Response:
        try:
            ticket, before = self.ask(request.headers.get(_TICKET, ""), str(request.scope.get("visitor", "")))
        except Problem as problem:
            return PlainTextResponse(problem.message, 429)
        return JSONResponse({"ticket": ticket, "before": before})

    async def _answer_leave(self, request: Request) -> Response:
        self.leave(request.headers.get(_TICKET, ""))
        return Response(status_code=204)

    async def _answer_frame(self, request: Request) -> Response:
        query = request.query_params
        try:
            stream = self.turn(request.headers.get(_TICKET, ""))
            number, side = int(query["number"]), int(query["side"])
            if side not in SIDES:
                raise ValueError
        except GoneError:
            return PlainTextResponse(text.LIVE_OVER, 409)
        except (KeyError, ValueError):
            return PlainTextResponse(text.ERROR_VALUES, 400)
        if stream.waiting >= _MOST_WAITING_FRAMES:
            return PlainTextResponse(text.LIVE_SLOWER, 429)
        stream.waiting += 1
        settings = replace(LIVE_SETTINGS, max_side=side, refine=query.get("refine") != "0")
        try:
            body = await request.body()
            work = self._worker.submit(_work, stream.matting, body, number, settings)
            return await asyncio.wrap_future(work)
        finally:
            stream.waiting -= 1


def _work(matting: LiveMatting, body: bytes, number: int, settings: Any) -> Response:
    """The answer to a frame: the matte of the one before as a picture whose alpha it is."""
    began = time.perf_counter()
    try:
        with plain_errors():
            matte = matting.push(_read_frame(body), number, settings)
    except Problem as problem:
        return PlainTextResponse(problem.message, 400)
    if matte is None:
        return Response(status_code=204)
    picture = _write_matte(matte)
    facts = {"X-Live-Number": str(matte.number), "X-Live-Seconds": f"{time.perf_counter() - began:.4f}"}
    return Response(picture, media_type="image/png", headers={**facts, "Cache-Control": "no-store"})


def _read_frame(body: bytes) -> np.ndarray:
    """(H, W, 3) uint8 of a JPEG; raises ValueError if it is none, or too large."""
    try:
        with Image.open(io.BytesIO(body), formats=["JPEG"]) as picture:
            if picture.width * picture.height > _MOST_PIXELS or min(picture.size) < 16:
                raise ValueError(f"a frame has at most {_MOST_PIXELS} pixels, got {picture.width} x {picture.height}")
            return np.asarray(picture.convert("RGB"))
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError("a frame must be a JPEG") from error


def _write_matte(matte: LiveMatte) -> bytes:
    """PNG of black with the alpha as its opacity, which a canvas can mask with."""
    alpha = to_8_bit(matte.alpha)
    pixels = np.zeros((*alpha.shape, 4), np.uint8)
    pixels[..., 3] = alpha
    _, encoded = cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    return encoded.tobytes()
