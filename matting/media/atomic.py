"""Atomic files: they exist under their name only when they are complete."""

import os
import secrets
import weakref
from pathlib import Path

_STEM_BYTES = 100  # of the name that a temporary file's name repeats; file systems allow 255 bytes in all


class AtomicFile:
    """A hidden temporary file beside `path` that either becomes `path` or is deleted, at the latest when the program ends.

    `with AtomicFile(path) as part: write(part)`; without an error `part` is renamed to `path`, replacing an existing file. Of
    several processes that write the same file, the last one to finish wins, and readers always see a complete file.

    Attributes:
        path: the temporary file, which exists from the beginning.

    Raises:
        OSError: if no file can be made in the folder.
    """

    def __init__(self, path: str | os.PathLike[str]):
        self.final = Path(path)
        stem = os.fsencode(self.final.stem)[:_STEM_BYTES].decode(errors="ignore")
        self.path = self.final.with_name(f".{stem}-{secrets.token_hex(4)}.part")
        self.path.touch(exist_ok=False)
        self.discard = weakref.finalize(self, self.path.unlink, missing_ok=True)

    def keep(self) -> None:
        os.replace(self.path, self.final)

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, exception_type: type[BaseException] | None, *exception: object) -> None:
        try:
            if exception_type is None:
                self.keep()
        finally:
            self.discard()


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 file of text at once."""
    with AtomicFile(path) as part:
        part.write_text(text, encoding="utf-8")
