"""What is kept of each photo between runs: estimated foreground colours, where the person stands, or what is wrong with it.

Of a picture without people it is kept that it can be used, or what is wrong with it.

One file a photo, written at once, so several processes and machines may fill a folder together, stop and go on.
"""

from pathlib import Path
from typing import Any, Literal, NamedTuple, cast

import numpy as np

from matting.media.atomic import AtomicFile, write_text
from matting.training.framing import Box
from matting.training.pairs import Pair

Method = Literal["closed-form", "fast"]  # of estimating foreground colours; what is fast is not kept


class Record(NamedTuple):
    """What is kept of a photo.

    Attributes:
        box: of the person; None if an earlier version of this project did not keep it.
        foreground: (h, w, 3) uint8 colours at reduced size; None if they are estimated when needed.
    """

    box: Box | None
    foreground: np.ndarray | None


class Known(NamedTuple):
    """What is known of a photo without reading its colours: where the person stands, and whether colours are kept."""

    box: Box
    coloured: bool


def read_record(cache: Path, pair: Pair) -> Record | None:
    """What is kept of a photo; None if nothing is, or its files have changed since then."""
    path = _file(cache, pair, ".npz")
    if not path.exists():
        return None
    with np.load(path) as kept:
        if "stamp" in kept and str(kept["stamp"]) != _stamp(pair.image, pair.alpha):
            return None
        box = cast(Box, tuple(kept["box"].tolist())) if "box" in kept else None
        return Record(box, kept.get("foreground"))


def read_known(cache: Path, pair: Pair) -> Known | None:
    """As `read_record`, without the colours; None as well if the box is not kept."""
    path = _file(cache, pair, ".npz")
    if not path.exists():
        return None
    with np.load(path) as kept:
        if "box" not in kept or "stamp" not in kept or str(kept["stamp"]) != _stamp(pair.image, pair.alpha):
            return None
        return Known(cast(Box, tuple(kept["box"].tolist())), "foreground" in kept)


def write_record(cache: Path, pair: Pair, record: Record) -> None:
    """Keep something of a photo.

    Raises:
        OSError: if the disk is full; nothing is kept then.
    """
    arrays: dict[str, Any] = {"box": np.array(record.box), "stamp": np.array(_stamp(pair.image, pair.alpha))}
    if record.foreground is not None:
        arrays["foreground"] = record.foreground
    with AtomicFile(_file(cache, pair, ".npz")) as part, part.open("wb") as file:
        np.savez(file, **arrays)


def read_fault(cache: Path, pair: Pair) -> str | None:
    """What is wrong with a photo; None if nothing is known, or its files have changed since then."""
    return _read_finding(_file(cache, pair, ".bad"), _stamp(pair.image, pair.alpha))


def write_fault(cache: Path, pair: Pair, fault: str) -> None:
    """Keep what is wrong with a photo."""
    _write_finding(_file(cache, pair, ".bad"), _stamp(pair.image, pair.alpha), fault)


def read_look(cache: Path, picture: Path) -> str | None:
    """What is wrong with a picture without people, empty if nothing is; None if nobody has looked at it as it is now."""
    return _read_finding(_picture_file(cache, picture), _stamp(picture))


def write_look(cache: Path, picture: Path, fault: str) -> None:
    """Keep what is wrong with a picture without people, or nothing."""
    _write_finding(_picture_file(cache, picture), _stamp(picture), fault)


def person_box(alpha: np.ndarray) -> Box:
    """Bounding box of the person in an alpha (H, W) uint8 that shows somebody."""
    body = alpha > 127
    rows, columns = np.flatnonzero(body.any(1)), np.flatnonzero(body.any(0))
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1


def _read_finding(path: Path, stamp: str) -> str | None:
    """What was found of files with a stamp; None if nothing was, or they had another one."""
    if not path.exists():
        return None
    known, _, fault = path.read_text(encoding="utf-8").partition("\n")
    return fault if known == stamp else None


def _write_finding(path: Path, stamp: str, fault: str) -> None:
    write_text(path, f"{stamp}\n{fault}")


def _file(cache: Path, pair: Pair, suffix: str) -> Path:
    return cache / f"{pair.image.parents[2].name}-{pair.image.stem}{suffix}"


def _picture_file(cache: Path, picture: Path) -> Path:
    folder = picture.resolve().parent
    return cache / f"{folder.parent.name}-{folder.name}-{picture.stem}.seen"


def _stamp(*paths: Path) -> str:
    """Changes when one of the files does."""
    facts = (path.stat() for path in paths)
    return " ".join(f"{fact.st_mtime_ns}:{fact.st_size}" for fact in facts)
