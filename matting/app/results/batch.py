"""A batch of photos: worked on one after the other, so that memory stays flat; what is made lies on disk, in one zip."""

import secrets
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter, sleep
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from matting.app import limits, text
from matting.app.errors import Problem, plain_errors
from matting.app.guard.log import report
from matting.app.memory import give_back
from matting.app.results.background import TRANSPARENT, BackgroundChoice
from matting.app.results.batch_sources import Refused, Source, find_sources
from matting.app.results.downloads import JPG, PNG, save_file
from matting.app.results.result import Result, shrink
from matting.app.service import Service, Settings
from matting.app.session import Session
from matting.app.stopping import StoppedError
from matting.postprocess.bit_depth import to_8_bit

WAITING, WORKING, DONE, FAILED = "waiting", "working", "done", "failed"
_PREVIEW_SIDE = 480  # pixels
ZIP_NAME = "cutouts.zip"
_STOPPING_S = 0.05  # between two looks at whether stopped work has ended


class Wanted(NamedTuple):
    """What a visitor wants of a batch.

    Attributes:
        settings: how each photo is matted.
        background: what the people are put on: PNGs if it is transparent, else JPGs.
        with_alpha: whether the zip has the alphas as well.
    """

    settings: Settings
    background: BackgroundChoice = BackgroundChoice()
    with_alpha: bool = False


@dataclass
class Entry:
    """One photo of a batch.

    Attributes:
        source: as it was sent.
        state: `WAITING`, `WORKING`, `DONE` or `FAILED`.
        reason: why it failed.
        before, after: the photo and the cut-out at a size for display; None unless it is done.
        size: (width, height) in pixels.
        found_somebody: whether anybody is in it; without, nothing of it is in the zip.
        seconds: from its file to the files made of it.
    """

    source: Source
    state: str = WAITING
    reason: str = ""
    before: Path | None = None
    after: Path | None = None
    size: tuple[int, int] = (0, 0)
    found_somebody: bool = True
    seconds: float = 0.0

    @property
    def ended(self) -> bool:
        return self.state in (DONE, FAILED)


@dataclass
class Batch:
    """All photos of a batch and what was made of them.

    Attributes:
        key: stands for it on the page.
        folder: for everything made of it.
        uploads: the files that were sent.
        entries: the photos, in the order sent.
        refused: what else was sent.
        bytes: on disk of what was made.
        seconds: since it was begun; of all of it once it has ended.
        keeping: held while what was made of a photo is kept; nothing is once a batch has been stopped.
    """

    folder: Path
    uploads: tuple[Path, ...]
    entries: tuple[Entry, ...]
    refused: tuple[Refused, ...]
    key: str = field(default_factory=lambda: secrets.token_hex(4))
    bytes: int = 0
    seconds: float = 0.0
    keeping: threading.Lock = field(default_factory=threading.Lock)
    _names: set[str] = field(default_factory=set)

    @property
    def done(self) -> int:
        """How many photos somebody was cut out of."""
        return sum(entry.state == DONE and entry.found_somebody for entry in self.entries)

    @property
    def left(self) -> int:
        """How many photos no work has ended on."""
        return sum(not entry.ended for entry in self.entries)

    @property
    def archive(self) -> Path | None:
        """The zip of all that is done; None without any."""
        path = self.folder / ZIP_NAME
        return path if path.is_file() else None

    def free_name(self, stem: str, ending: str) -> str:
        """A name that no other file of the zip has, whether its letters are large or small."""
        name, number = f"{stem}{ending}", 1
        while name.casefold() in self._names:
            number += 1
            name = f"{stem}-{number}{ending}"
        self._names.add(name.casefold())
        return name


def begin_batch(uploads: list[Path], session: Session) -> Batch:
    """A new batch of what was sent, in the place of the session's last one.

    Raises:
        Problem: if there is no photo in it; its message names everything and why.
    """
    sources, refused = find_sources(uploads)
    if not sources:
        reasons = " ".join(f"{one.name}: {one.reason}." for one in refused[:10])
        raise Problem(text.ERROR_NO_PHOTOS.format(reasons=reasons) if uploads else text.ERROR_NO_BATCH)
    folder = session.begin_batch(uploads)
    batch = Batch(folder, tuple(uploads), tuple(Entry(source) for source in sources), tuple(refused))
    session.batch = batch
    return batch


def go_on_with_batch(batch: Batch, session: Session) -> None:
    """Let a batch that was stopped go on with the photos that are left, once the work that was stopped has ended."""
    while session.batch_threads:
        sleep(_STOPPING_S)
    session.batch_stop.clear()


def run_batch(batch: Batch, wanted: Wanted, service: Service, session: Session) -> Iterator[Entry]:
    """Work on one photo that is left after the other; yields each as its work begins, and as it has ended. What is wrong with
    one becomes its reason, and the next one begins.

    Raises:
        StoppedError: if the visitor changes their mind or leaves.
    """
    began = perf_counter() - batch.seconds
    for entry in batch.entries:
        if entry.ended:
            continue
        entry.state = WORKING
        yield entry
        try:
            _work_on(entry, batch, wanted, service, session)
        except Problem as problem:
            entry.state, entry.reason = FAILED, problem.message
        except StoppedError:
            entry.state = WAITING
            raise
        except Exception as error:  # noqa: BLE001 - the visitor is told which photo it was, the log what
            if session.closed:  # its files are gone
                raise StoppedError from None
            report(error)
            entry.state, entry.reason = FAILED, text.ERROR_UNEXPECTED
        batch.seconds = perf_counter() - began
        yield entry


def _work_on(entry: Entry, batch: Batch, wanted: Wanted, service: Service, session: Session) -> None:
    """Raises `Problem` if nothing can be made of it, and `StoppedError`."""
    if session.closed or session.batch_stop.is_set():
        raise StoppedError
    session.touch()
    began = perf_counter()
    _check_room(batch, service, session)
    with entry.source.opened(batch.folder) as path:
        result = service.cut_out(path, None, wanted.settings, session, batch=True)
    with batch.keeping:
        if session.batch_stop.is_set():
            raise StoppedError
        entry.size, entry.found_somebody = result.matte.alpha.shape[::-1], result.found_somebody
        if entry.found_somebody:
            with plain_errors():
                _keep_files(result, entry, batch, wanted)
        _keep_previews(result, entry, batch, wanted.background)
        entry.state, entry.seconds = DONE, perf_counter() - began
    del result
    give_back()


def _check_room(batch: Batch, service: Service, session: Session) -> None:
    sessions = service.sessions
    if batch.bytes > limits.BATCH_BYTES_EACH:
        raise Problem(text.BATCH_FULL)
    own = sessions.batch_bytes(session.address) if limits.per_address() and session.address else 0
    if own > limits.BATCH_BYTES_EACH or sessions.batch_bytes() > limits.BATCHES_BYTES:
        raise Problem(text.BATCH_SERVER_FULL)


def _keep_files(result: Result, entry: Entry, batch: Batch, wanted: Wanted) -> None:
    """Add the files of one photo to the zip, at the photo's own size."""
    stem = entry.source.stem
    if wanted.background.kind == TRANSPARENT:
        _add(result.cutout(), f"{stem}-cutout", PNG, batch)
    else:
        composed = Image.fromarray(result.full_on(wanted.background))
        _add(composed, f"{stem}-composite", JPG, batch)
    if wanted.with_alpha:
        _add(Image.fromarray(to_8_bit(result.alpha)), f"{stem}-alpha", PNG, batch)


def _add(picture: Image.Image, stem: str, ending: str, batch: Batch) -> None:
    path = batch.folder / f"part.{ending}"
    try:
        save_file(picture, ending, path)
        with zipfile.ZipFile(batch.folder / ZIP_NAME, "a", zipfile.ZIP_STORED) as archive:  # they are compressed already
            archive.write(path, batch.free_name(stem, f".{ending}"))
        batch.bytes += path.stat().st_size
    finally:
        path.unlink(missing_ok=True)


def _keep_previews(result: Result, entry: Entry, batch: Batch, background: BackgroundChoice) -> None:
    image, alpha = shrink(result.preview.image, _PREVIEW_SIDE), shrink(result.alpha, _PREVIEW_SIDE)
    shown = shrink(result.preview.foreground, _PREVIEW_SIDE)
    if background.kind == TRANSPARENT:
        shown = np.dstack([shown, to_8_bit(alpha)])
    else:
        shown = shrink(result.preview_on(background), _PREVIEW_SIDE)
    entry.before, entry.after = _write_preview(image, batch), _write_preview(shown, batch)


def _write_preview(pixels: NDArray[np.uint8], batch: Batch) -> Path:
    path = batch.folder / f"{secrets.token_urlsafe(6)}.webp"
    Image.fromarray(pixels).save(path, quality=85, method=2)
    batch.bytes += path.stat().st_size
    return path
