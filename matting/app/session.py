"""What the server holds for one open page: its last result, a folder for its files, a flag that stops its work.

All of it goes when the page is closed, after `limits.TIME_TO_LIVE_S` without a new photo, and, the oldest first, when all
sessions together hold too much.
"""

import hmac
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from weakref import WeakSet, WeakValueDictionary, finalize

import gradio as gr
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from matting.app import limits
from matting.app.results.strokes import Painting

if TYPE_CHECKING:  # they hold a session only for their types
    from matting.app.results.batch import Batch
    from matting.app.results.clip_start import ClipStart
    from matting.app.results.comparison import Compared
    from matting.app.results.result import Result
    from matting.app.tabs.clip import ClipResult


class StoppedError(Exception):
    """The visitor pressed stop, sent another photo or left."""


@dataclass(eq=False)
class Session:
    """One open page.

    Attributes:
        folder: where its files are written; the name cannot be guessed.
        result: the last photo's `Result`, or None.
        clip: the last clip's result, or None.
        batch: the last batch of photos, or None; it has a flag of its own, so that a photo beside it does not end it.
        clip_start: the clip that was given last, or None.
        clip_turn: stands for the clip that was begun last, as `turn` does for photos.
        comparison: what several methods made of it, a tuple of `Compared`.
        view: how the comparison is looked at.
        uploads: files the browser sent, removed with the folder.
        stop: set when the work in progress is no longer wanted.
        batch_stop: the same of a batch.
        closed: whether it is over; nothing may be written for it any more.
        turn: stands for the photo begun last; an earlier one that is late must not take its place.
        given: the upload that is to be matted next or was last; the tray may be emptied under it by an answer on its way.
        painting: what the visitor has painted over the photo begun last, whether that was worked on or not.
        address: of the visitor.
        used: when its last request came, on the monotonic clock.
        visit: a secret of the browser's tab, by which its last result is found again after a reload; empty for programs.
        passing: whether it is for one request alone; it remembers no result.
        threads: that are at work for it.
        batch_threads: those at work on a batch.
    """

    folder: Path
    result: "Result | None" = None
    comparison: "tuple[Compared, ...]" = ()
    view: str = ""
    clip: "ClipResult | None" = None
    batch: "Batch | None" = None
    clip_start: "ClipStart | None" = None
    clip_turn: object = None
    uploads: set[Path] = field(default_factory=set)
    stop: threading.Event = field(default_factory=threading.Event)
    batch_stop: threading.Event = field(default_factory=threading.Event)
    closed: bool = False
    turn: object = None
    given: str | None = None
    painting: Painting = field(default_factory=Painting)
    address: str = ""
    used: float = field(default_factory=time.monotonic)
    visit: str = ""
    passing: bool = False
    threads: set[int] = field(default_factory=set)
    batch_threads: set[int] = field(default_factory=set)

    @property
    def held_bytes(self) -> int:
        """Of memory, for what is remembered."""
        held = (self.result, self.comparison, self.clip_start)
        arrays = {id(array): array.nbytes for array in _arrays_of(held)}  # some are held twice
        return sum(arrays.values())

    def clear(self) -> None:
        """Stop the work and forget everything."""
        self.closed = True
        self.stop.set()
        self.batch_stop.set()
        self.result = self.clip = self.batch = self.clip_start = None
        self.comparison = ()
        remove_files(self.folders, self.uploads)

    def touch(self) -> None:
        """It is in use: a long piece of work is not left alone."""
        self.used = time.monotonic()

    def forget(self) -> None:
        """The photo was taken away: nothing of it stays, and work on it that is late is not shown."""
        self.turn, self.given, self.result, self.comparison, self.painting = object(), None, None, (), Painting()
        shutil.rmtree(self.folder, ignore_errors=True)

    def take(self, *uploads: str | None) -> None:
        """Files the browser sent; they go with the folder.

        Raises:
            ValueError: if one of them is not below the folder of all sessions.
        """
        root = self.folder.parent.resolve()
        for path in (Path(upload).resolve() for upload in uploads if upload):
            if root not in path.parents:
                raise ValueError(f"expected an upload below {root}, got {path}")
            self.uploads.add(path)

    def begin(self, result: "Result") -> None:
        """A new photo: files made of the last one go. Raises `StoppedError` if the session is over."""
        if self.closed:
            raise StoppedError
        shutil.rmtree(self.folder, ignore_errors=True)
        self.result = None if self.passing else result
        self.comparison = ()

    @property
    def clip_folder(self) -> Path:
        """Where the files of the last clip are; a new photo leaves them alone."""
        return self.folder.with_name(f"{self.folder.name}-clip")

    def forget_clip(self) -> object:
        """The clip was taken away or another one was given; returns what stands for that one."""
        self.clip = self.clip_start = None
        shutil.rmtree(self.clip_folder, ignore_errors=True)
        self.clip_turn = object()
        return self.clip_turn

    def begin_clip(self) -> Path:
        """A new clip: files made of the last one go. Returns an empty folder; raises `StoppedError` if the session is over."""
        if self.closed:
            raise StoppedError
        self.clip = None
        shutil.rmtree(self.clip_folder, ignore_errors=True)
        folder = self.clip_folder / secrets.token_urlsafe(6)
        folder.mkdir(mode=0o700, parents=True)
        return folder

    @property
    def batch_folder(self) -> Path:
        """Where the files of the last batch are; new photos and clips leave them alone."""
        return self.folder.with_name(f"{self.folder.name}-batch")

    def begin_batch(self) -> Path:
        """A new batch: what was sent for the last one, and what was made of it, goes. As `begin_clip`."""
        if self.closed:
            raise StoppedError
        if self.batch is not None:
            remove_uploads(self.batch.uploads)
            self.uploads -= self.batch.uploads
        self.batch = None
        self.batch_stop.clear()
        shutil.rmtree(self.batch_folder, ignore_errors=True)
        folder = self.batch_folder / secrets.token_urlsafe(6)
        folder.mkdir(mode=0o700, parents=True)
        return folder

    @property
    def folders(self) -> tuple[Path, ...]:
        """All it has on disk beside the uploads."""
        return self.folder, self.clip_folder, self.batch_folder

    def path(self, name: str) -> Path:
        """A path for a new file of this page, in a folder of its own so that no browser shows an older one.

        Raises:
            StoppedError: if the session is over.
        """
        if self.closed:
            raise StoppedError
        folder = self.folder / secrets.token_urlsafe(6)
        folder.mkdir(mode=0o700, parents=True)
        return folder / name

    def write(self, pixels: NDArray[np.uint8], stem: str, *, lossy: bool = False) -> Path:
        """Write a picture to look at; lossy only where no alpha is shown."""
        path = self.path(f"{stem}.jpg" if lossy else f"{stem}.png")
        options: dict[str, Any] = {"quality": 92, "subsampling": 0} if lossy else {"compress_level": 3}
        Image.fromarray(pixels).save(path, **options)
        return path


def remove_files(folders: tuple[Path, ...], uploads: set[Path]) -> None:
    """Remove what a session has on disk."""
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    remove_uploads(uploads)
    uploads.clear()


def remove_uploads(uploads: Iterable[Path]) -> None:
    """Remove files that the browser sent."""
    for path in uploads:
        if path.is_file():  # a request may name a folder
            path.unlink(missing_ok=True)
            with suppress(OSError):  # something else lies there
                path.parent.rmdir()


def address_of(path: Path) -> str:
    """Where the browser finds a file of a session."""
    return f"gradio_api/file={quote(str(path))}"


def _arrays_of(value: Any) -> Iterator[np.ndarray]:
    """All arrays in a result; those of our own pictures are everybody's and left out."""
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, tuple) or (is_dataclass(value) and getattr(value, "example", None) is None):
        for part in value if isinstance(value, tuple) else [*vars(value).values()]:
            yield from _arrays_of(part)


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


_STOP: ContextVar[threading.Event | None] = ContextVar("stop", default=None)  # of the session whose work this is
_WATCHED: WeakSet[nn.Module] = WeakSet()


@contextmanager
def stoppable(model: nn.Module, session: Session, *, begin: bool = True, batch: bool = False) -> Iterator[None]:
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
