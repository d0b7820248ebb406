"""What the server holds for one open page: its last result, a folder for its files, a flag that stops its work.

All of it goes when the page is closed, after `limits.TIME_TO_LIVE_S` without a new photo, and, the oldest first, when all
sessions together hold too much.
"""

import secrets
import shutil
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from matting.app.results.strokes import Painting
from matting.app.stopping import StoppedError

if TYPE_CHECKING:  # they hold a session only for their types
    from matting.app.results.batch import Batch
    from matting.app.results.clip_start import ClipStart
    from matting.app.results.comparison import Compared
    from matting.app.results.result import Result
    from matting.app.tabs.clip import ClipResult


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
        given: the upload that is to be matted and is not yet; None after that, or once something else was chosen.
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

    def begin_batch(self, uploads: Iterable[Path] = ()) -> Path:
        """A new batch of these uploads: what else was sent for the last one, and what was made of it, goes. As `begin_clip`."""
        if self.closed:
            raise StoppedError
        if self.batch is not None:
            gone = {*self.batch.uploads} - {*uploads}
            remove_uploads(gone)
            self.uploads -= gone
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
