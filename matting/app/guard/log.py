"""What the server's log says: what kind of error, and where. Messages quote what visitors send, so none of them is written."""

import logging
import math
import sys
import time
import traceback
import warnings
from pathlib import Path

_EVERY_S = 60
_written: dict[str, float] = {}


def report(error: BaseException) -> None:
    """One line for an error that nobody expected: its type, and where it was raised."""
    places = traceback.extract_tb(error.__traceback__)
    where = f" in {Path(places[-1].filename).name}:{places[-1].lineno}" if places else ""
    _write(f"unexpected {type(error).__name__}{where}")


def keep_log_plain() -> None:
    """Libraries' own log and warnings in the same way."""
    warnings.simplefilter("ignore")
    logging.basicConfig(handlers=[_PlacesOnly()], level=logging.WARNING, force=True)


class _PlacesOnly(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        _write(f"{record.levelname.lower()} of {record.name} in {record.filename}:{record.lineno}")


def _write(line: str) -> None:
    """At most once a minute, or who causes it fills the disk."""
    now = time.monotonic()
    if now - _written.get(line, -math.inf) > _EVERY_S:
        _written[line] = now
        print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)
