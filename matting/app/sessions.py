"""The sessions of all open pages: found by the request, left, resumed after a reload, and swept when they hold too much."""

import hmac
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from weakref import WeakValueDictionary, finalize

import gradio as gr

from matting.app import limits
from matting.app.session import Session, remove_files


class Sessions:
    """Finds the session of a request. Holds only those of callers without one; the page's `gr.State` holds the others."""

    def __init__(self, root: Path):
        self._root = root
        self._by_hash: WeakValueDictionary[str, Session] = WeakValueDictionary()
        self._passing: dict[str, Session] = {}
        self._left: dict[str, Session] = {}  # by visit; nothing but the last result of each

    def of(self, session: Session | None, request: gr.Request) -> Session:
        """The page's session, begun if this is its first request or the last one has expired.

        Callers who send no session, and those of MCP, who all come as one, get a new one each time that nobody finds again.
        """
        key = _key(request)
        if key is None:
            session = self._begin(request)
            session.passing = True
            self._passing[session.folder.name] = session
            return session
        if session is None:
            session = self._by_hash.get(key)
        if session is None or session.closed:
            before, session = session, self._begin(request)
            session.visit = "" if before is None else before.visit  # what the tab knows
        session.used = time.monotonic()
        self._by_hash[key] = session
        return session

    def _begin(self, request: gr.Request) -> Session:
        address = request.request.scope.get("visitor", "") if request.request else ""
        session = Session(self._root / f"session-{secrets.token_urlsafe(24)}", address=address)
        finalize(session, remove_files, session.folders, session.uploads)  # if its first request fails
        return session

    def leave(self, request: gr.Request) -> None:
        """The page was closed, or is being loaded again: only the last result stays, for `limits.RELOAD_S`."""
        session = self._by_hash.pop(_key(request) or "", None)
        if session is None:
            return
        if session.visit and session.result is not None and not session.closed:
            self._left[session.visit] = Session(
                session.folder, session.result, session.comparison, address=session.address, visit=session.visit
            )
        session.clear()

    def resume(self, visit: str, session: Session) -> bool:
        """Give a page that was loaded again the last result of the page before it; whether there is one.

        Args:
            visit: what the browser's tab was told before. Whoever does not know it, or asks from another address, gets nothing.
            session: of the page that has just been opened.
        """
        open_pages = (other for other in self._by_hash.values() if hmac.compare_digest(other.visit.encode(), visit.encode()))
        before = self._left.get(visit) or next(open_pages, None)  # its end may be noticed later
        if not visit or before is None or before is session or before.result is None or session.passing:
            return False
        if before.address != session.address:
            return False
        self._left.pop(visit, None)
        session.begin(before.result)
        session.comparison, session.painting, session.turn = before.comparison, before.result.painting, object()
        return True

    def stop(self, request: gr.Request, *, batch: bool = False) -> None:
        """The page no longer wants what it is waiting for: its batch, or anything else."""
        self.stop_work(_key(request), batch=batch)

    def stop_work(self, key: str | None, *, batch: bool | None = None) -> None:
        """Nobody waits any more for what the session of this hash is doing: its batch, anything else or, by default, both."""
        session = self._by_hash.get(key or "")
        if session is not None:
            if batch is not True:
                session.stop.set()
            if batch is not False:
                session.batch_stop.set()

    def at_work(self, *, batch: bool) -> list[Session]:
        """Sessions for which a thread is at work, whether anybody still waits for it or not.

        Args:
            batch: whether work on a batch counts.
        """
        return [session for session in self._all() if session.threads or (batch and session.batch_threads)]

    def batch_bytes(self, address: str | None = None) -> int:
        """On disk of what was made of the batches of one address, or of all."""
        batches = [session.batch for session in self._all() if session.batch and address in (None, session.address)]
        return sum(batch.bytes for batch in batches)

    def _all(self) -> list[Session]:
        return [*self._by_hash.values(), *self._passing.values()]

    def sweep(self, attended: Callable[[str], bool], now: float | None = None) -> None:
        """Forget what nobody comes back for and, the oldest first, what is more than `limits` allows.

        Args:
            attended: whether the page or program with a session hash is connected.
            now: time on the monotonic clock.
        """
        now = time.monotonic() if now is None else now
        for name, session in [*self._passing.items()]:
            if now - session.used > limits.PASSING_S:
                session.clear()
                del self._passing[name]
        for key, session in [*self._by_hash.items()]:
            if now - session.used > limits.UNATTENDED_S and not attended(key):
                session.clear()
        for visit, session in [*self._left.items()]:
            if session.closed or now - session.used > limits.RELOAD_S:
                session.clear()
                del self._left[visit]
        remembered = sorted([*self._by_hash.values(), *self._left.values()], key=lambda session: session.used)
        held = [(session, session.held_bytes) for session in remembered]
        if limits.per_address():
            for address in {session.address for session, _ in held}:
                _make_room([entry for entry in held if entry[0].address == address], limits.RESULTS_BYTES_EACH)
        _make_room([entry for entry in held if not entry[0].closed], limits.RESULTS_BYTES)


def _make_room(held: list[tuple[Session, int]], most: int) -> None:
    """Clear sessions from the start of the list until the rest hold at most so many bytes; the last one stays."""
    total = sum(size for _, size in held)
    for session, size in held[:-1]:
        if total <= most:
            return
        if size:
            session.clear()
            total -= size


def _key(request: gr.Request) -> str | None:
    """By what a session is found again; None for callers who have none of their own."""
    mcp = request.request is not None and request.request.headers.get("x-gradio-user") == "mcp"
    return None if mcp else request.session_hash or None


def session_state() -> gr.State:
    """The page's state; it expires, and what it held is forgotten then."""
    return gr.State(None, time_to_live=limits.TIME_TO_LIVE_S, delete_callback=lambda session: session and session.clear())
