"""Results on disk: one CSV row per image and method, written as soon as it is known, so that a run can be resumed."""

import csv
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from matting.evaluation.metrics import Metrics
from matting.media.atomic import AtomicFile

_NUMBERS = ("seconds", "gmac", *Metrics._fields)


@dataclass(frozen=True)
class Record:
    """One method on one image.

    Attributes:
        dataset: name of the data set.
        subset: part of it, or empty.
        image: name within the subset.
        method: name of the method.
        weights: first 12 hex digits of the SHA-256 of this project's weights in use.
        resize: how images were brought to the working size, "auto" or "paper".
        width: of the image in pixels.
        height: of the image in pixels.
        seconds: of the method alone, from image to alpha in memory.
        gmac: 10^9 multiply-accumulates; NaN where not counted.
        metrics: against the ground truth; all NaN if the method failed.
        error: why the method failed; empty if it did not.
    """

    dataset: str
    subset: str
    image: str
    method: str
    weights: str
    resize: str
    width: int
    height: int
    seconds: float
    gmac: float
    metrics: Metrics
    error: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """Subset, image and method, which identify a record in a run."""
        return self.subset, self.image, self.method


NO_METRICS = Metrics(*[math.nan] * len(Metrics._fields))
COLUMNS = (*(field.name for field in fields(Record) if field.name not in ("metrics", "error")), *Metrics._fields, "error")


def append_records(path: Path, records: Iterable[Record]) -> None:
    """Append rows to a CSV file, which gets a header first if it does not exist or is empty."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = not path.exists() or path.stat().st_size == 0
    with path.open("a", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerows(_to_row(record) for record in records)


def read_records(path: Path) -> list[Record]:
    """Read a CSV file of results; an incomplete last line, of an interrupted run, is ignored.

    Raises:
        ValueError: if the columns are not those of this version, or another line is damaged.
    """
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines = lines[:-1]
    reader = csv.DictReader(lines)
    if tuple(reader.fieldnames or ()) != COLUMNS:
        raise ValueError(f"{path} should have the columns {', '.join(COLUMNS)}; it has {reader.fieldnames}")
    records = []
    for row in reader:
        try:
            records.append(_from_row(row))
        except (TypeError, ValueError) as error:
            raise ValueError(f"{path}, line {reader.line_num}: {error}") from error
    return records


def resume(path: Path, weights: str, resize: str) -> list[Record]:
    """Read the records of an interrupted run, and remove from the file those that are to be made again.

    These are the records of failed methods and an incomplete last line.

    Args:
        path: CSV file, which need not exist.
        weights: of this run, see `Record`.
        resize: of this run.

    Returns:
        The records kept.

    Raises:
        ValueError: if the file holds results of other weights or another way of resizing.
    """
    if not path.exists():
        return []
    records = read_records(path)
    for record in records:
        if (record.weights, record.resize) != (weights, resize):
            raise ValueError(
                f"{path} holds results of weights {record.weights} with resize {record.resize}, this run is of {weights} with "
                f"{resize}; give another folder with --out, or delete the file"
            )
    kept = [record for record in records if not record.error]
    with AtomicFile(path) as part:
        append_records(part, kept)
    return kept


def _to_row(record: Record) -> dict[str, object]:
    row = {**asdict(record), **record.metrics._asdict()}
    del row["metrics"]
    return {name: f"{value:.6g}" if name in _NUMBERS else value for name, value in row.items()}


def _from_row(row: dict[str, str]) -> Record:
    if None in row or None in row.values():
        raise ValueError(f"expected {len(COLUMNS)} values")
    metrics = Metrics(*(float(row[name]) for name in Metrics._fields))
    texts: dict[str, Any] = {name: row[name] for name in ("dataset", "subset", "image", "method", "weights", "resize", "error")}
    size: dict[str, Any] = {name: int(row[name]) for name in ("width", "height")}
    return Record(**texts, **size, seconds=float(row["seconds"]), gmac=float(row["gmac"]), metrics=metrics)
