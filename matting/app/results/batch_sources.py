"""The photos of a batch as they were sent: files, and what lies in zips, each unpacked only when its turn comes."""

import struct
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from matting.app import limits, text
from matting.app.errors import Problem
from matting.app.results.result import file_stem
from matting.media.image import PHOTO_SUFFIXES

_END = b"PK\x05\x06"  # the record that ends a zip, APPNOTE 4.3.16
_END_BYTES, _LONGEST_COMMENT = 22, 0xFFFF
_END_64 = b"PK\x06\x07"
_END_64_BYTES = 20
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_LOCKED = 0x1
_OF_SYSTEMS = {"thumbs.db", "desktop.ini"}
_PIECE = 1 << 20
_LONGEST_NAME = 80  # letters of a name on the page


class Source(NamedTuple):
    """One photo that was sent.

    Attributes:
        name: what the visitor calls it.
        upload: the file that was sent.
        entry: of the zip that the file is; None if it is the photo itself.
    """

    name: str
    upload: Path
    entry: zipfile.ZipInfo | None = None

    @contextmanager
    def opened(self, folder: Path) -> Iterator[Path]:
        """The photo as a file, in the folder as long as this block lasts if it lies in a zip.

        Raises:
            Problem: if it cannot be unpacked.
        """
        if self.entry is None:
            yield self.upload
            return
        path = folder / f"{file_stem(self.entry.filename)}{PurePosixPath(self.entry.filename).suffix.lower()}"
        try:
            unpack(self, path)
            yield path
        finally:
            path.unlink(missing_ok=True)

    @property
    def stem(self) -> str:
        """Beginning of the names of its files."""
        return file_stem(self.entry.filename if self.entry else self.upload)


class Refused(NamedTuple):
    """Something that was sent and is no photo of the batch: its name, and why."""

    name: str
    reason: str


def find_sources(uploads: Iterable[Path]) -> tuple[list[Source], list[Refused]]:
    """What there is to work on, and what is left out and why. Folders in a zip and files of operating systems are not named."""
    sources: list[Source] = []
    refused: list[Refused] = []
    for upload in uploads:
        name = shown_name(upload.name)
        if not is_zip(upload):
            sources.append(Source(name, upload))
            continue
        try:
            found = [_judge(upload, entry) for entry in _entries(upload)]
        except Problem as problem:
            refused.append(Refused(name, problem.message))
            continue
        sources += [one for one in found if isinstance(one, Source)]
        refused += [one for one in found if isinstance(one, Refused)]
    refused += [Refused(source.name, text.BATCH_TOO_MANY) for source in sources[limits.BATCH_PHOTOS :]]
    return sources[: limits.BATCH_PHOTOS], refused


def is_zip(path: Path) -> bool:
    """By its first bytes: also where the name says otherwise."""
    with path.open("rb") as file:
        return file.read(4) in (b"PK\x03\x04", _END)


def shown_name(name: str) -> str:
    """A name fit to be shown: no control characters, the last part of what is too long."""
    plain = "".join(letter if letter.isprintable() else "_" for letter in name)
    return plain if len(plain) <= _LONGEST_NAME else f"… {plain[-_LONGEST_NAME:]}"


def unpack(source: Source, path: Path) -> None:
    """Write a photo of a zip to a file; raises `Problem` if it is broken, or larger than a photo may be."""
    if source.entry is None:
        raise ValueError(f"expected a photo in a zip, got {source.name}")
    try:
        with zipfile.ZipFile(source.upload) as archive, archive.open(source.entry) as packed, path.open("wb") as file:
            _copy(packed, file)
    except FileNotFoundError:
        raise Problem(text.ERROR_EXPIRED) from None
    except Exception as error:
        if isinstance(error, Problem | OSError | MemoryError):
            raise
        raise Problem(text.BATCH_BROKEN_ENTRY) from None  # zipfile and zlib raise many kinds


def _copy(packed: IO[bytes], file: IO[bytes]) -> None:
    size = 0
    while piece := packed.read(_PIECE):
        size += len(piece)
        if size > limits.UPLOAD_BYTES:  # whatever its directory says
            raise Problem(text.BATCH_LARGE.format(limit=limits.UPLOAD_BYTES // limits.MB))
        file.write(piece)


def _entries(upload: Path) -> list[zipfile.ZipInfo]:
    """The directory of a zip, read only if it is short; raises `Problem`."""
    if _directory_bytes(upload) > limits.BATCH_DIRECTORY_BYTES:
        raise Problem(text.BATCH_MANY_ENTRIES)
    try:
        with zipfile.ZipFile(upload) as archive:
            return archive.infolist()
    except Exception as error:
        if isinstance(error, FileNotFoundError | MemoryError):
            raise
        raise Problem(text.BATCH_BROKEN_ZIP) from None


def _directory_bytes(upload: Path) -> int:
    """How much memory-hungry directory there is, by the record at the end; raises `Problem` if there is no plain one."""
    with upload.open("rb") as file:
        size = file.seek(0, 2)
        start = file.seek(max(0, size - _END_BYTES - _LONGEST_COMMENT - _END_64_BYTES))
        tail = file.read()
    place = tail.rfind(_END)
    if place < 0 or len(tail) - place < _END_BYTES:
        raise Problem(text.BATCH_BROKEN_ZIP)
    if tail[max(0, place - _END_64_BYTES) : place].startswith(_END_64):  # its sizes may be anything
        raise Problem(text.BATCH_MANY_ENTRIES)
    length = struct.unpack_from("<L", tail, place + 12)[0]
    if length > start + place:
        raise Problem(text.BATCH_BROKEN_ZIP)
    return length


def _judge(upload: Path, entry: zipfile.ZipInfo) -> Source | Refused | None:
    """What is to be done with one entry of a zip, by what its directory says; None if it need not be named."""
    parts = [part for part in entry.filename.replace("\\", "/").split("/") if part]
    last = parts[-1] if parts else ""
    if entry.is_dir() or not last or last.startswith(".") or "__MACOSX" in parts or last.lower() in _OF_SYSTEMS:
        return None
    name = shown_name(f"{upload.name}: {entry.filename}")
    if entry.flag_bits & _LOCKED:
        return Refused(name, text.BATCH_LOCKED)
    if entry.compress_type not in _METHODS:
        return Refused(name, text.BATCH_METHOD)
    if entry.file_size > limits.UPLOAD_BYTES:
        return Refused(name, text.BATCH_LARGE.format(limit=limits.UPLOAD_BYTES // limits.MB))
    if last.lower().endswith(".zip"):
        return Refused(name, text.BATCH_NESTED)
    if PurePosixPath(last).suffix.lower() not in PHOTO_SUFFIXES:
        return Refused(name, text.BATCH_NO_PICTURE)
    return Source(name, upload, entry)
