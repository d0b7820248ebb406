"""What the server holds for one open page: its last result, a folder for its files, a flag that stops its work.

All of it goes when the page is closed, and after `TIME_TO_LIVE_S` without a new photo.
"""

import secrets
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from weakref import WeakValueDictionary, finalize

import gradio as gr
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from matting.app.results.strokes import Painting

if TYPE_CHECKING:  # they hold a session only for their types
    from matting.app.results.comparison import Compared
    from matting.app.results.result import Result
    from matting.app.tabs.clip import ClipResult

TIME_TO_LIVE_S = 30 * 60


class StoppedError(Exception):
    """The visitor pressed stop, sent another photo or left."""


@dataclass(eq=False)
class Session:
    """One open page.

    Attributes:
        folder: where its files are written; the name cannot be guessed.
        result: the last photo's `Result`, or None.
        clip: the last clip's result, or None.
        comparison: what several methods made of it, a tuple of `Compared`.
        view: how the comparison is looked at.
        uploads: files the browser sent, removed with the folder.
        stop: set when the work in progress is no longer wanted.
        closed: whether it is over; nothing may be written for it any more.
        turn: stands for the photo begun last; an earlier one that is late must not take its place.
        painting: what the visitor has painted over the photo begun last, whether that was worked on or not.
    """

    folder: Path
    result: "Result | None" = None
    comparison: "tuple[Compared, ...]" = ()
    view: str = ""
    clip: "ClipResult | None" = None
    uploads: set[Path] = field(default_factory=set)
    stop: threading.Event = field(default_factory=threading.Event)
    closed: bool = False
    turn: object = None
    painting: Painting = Painting()

    def clear(self) -> None:
        """Stop the work and forget everything."""
        self.closed = True
        self.stop.set()
        self.result = self.clip = None
        remove_files(self.folder, self.clip_folder, self.uploads)

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
        self.result = result
        self.comparison = ()

    @property
    def clip_folder(self) -> Path:
        """Where the files of the last clip are; a new photo leaves them alone."""
        return self.folder.with_name(f"{self.folder.name}-clip")

    def begin_clip(self) -> Path:
        """A new clip: files made of the last one go. Returns an empty folder; raises `StoppedError` if the session is over."""
        if self.closed:
            raise StoppedError
        self.clip = None
        shutil.rmtree(self.clip_folder, ignore_errors=True)
        folder = self.clip_folder / secrets.token_urlsafe(6)
        folder.mkdir(mode=0o700, parents=True)
        return folder

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


def remove_files(folder: Path, clip_folder: Path, uploads: set[Path]) -> None:
    """Remove what a session has on disk."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(clip_folder, ignore_errors=True)
    for path in uploads:
        if path.is_file():  # a request may name a folder
            path.unlink(missing_ok=True)
    uploads.clear()


def address_of(path: Path) -> str:
    """Where the browser finds a file of a session."""
    return f"gradio_api/file={quote(str(path))}"


class Sessions:
    """Finds the session of a request. Holds no session itself: the page's `gr.State` does."""

    def __init__(self, root: Path):
        self._root = root
        self._by_hash: WeakValueDictionary[str, Session] = WeakValueDictionary()

    def of(self, session: Session | None, request: gr.Request) -> Session:
        """The page's session, begun if this is its first request or the last one has expired."""
        if session is None:
            session = self._by_hash.get(str(request.session_hash))
        if session is None or session.closed:
            session = Session(self._root / f"session-{secrets.token_urlsafe(24)}")
            finalize(session, remove_files, session.folder, session.clip_folder, session.uploads)  # if its first request fails
        self._by_hash[str(request.session_hash)] = session
        return session

    def leave(self, request: gr.Request) -> None:
        """The page was closed."""
        session = self._by_hash.pop(str(request.session_hash), None)
        if session is not None:
            session.clear()

    def stop(self, request: gr.Request) -> None:
        """The page no longer wants what it is waiting for."""
        session = self._by_hash.get(str(request.session_hash))
        if session is not None:
            session.stop.set()


def session_state() -> gr.State:
    """The page's state; it expires, and what it held is forgotten then."""
    return gr.State(None, time_to_live=TIME_TO_LIVE_S, delete_callback=lambda session: session and session.clear())


_OTHER_WORK: ContextVar[bool] = ContextVar("other work", default=False)


@contextmanager
def not_stoppable() -> Iterator[None]:
    """Within this block the model runs to its end, even while another session's `stoppable` block is open."""
    token = _OTHER_WORK.set(True)
    try:
        yield
    finally:
        _OTHER_WORK.reset(token)


@contextmanager
def stoppable(model: nn.Module, session: Session) -> Iterator[None]:
    """Within this block the model gives up, with `StoppedError`, at the next layer after `session.stop` is set."""

    def check(*_: object) -> None:
        if session.stop.is_set() and not _OTHER_WORK.get():
            raise StoppedError

    if not session.closed:
        session.stop.clear()
    hooks = [module.register_forward_pre_hook(check) for module in model.modules()]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
