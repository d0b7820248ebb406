"""Results to compare with: the paper's table as published, and this project's own measurements.

python -m matting.evaluation.published chart.svg --metric SAD --subset P3M-500-NP
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from matting.evaluation.chart import Mark, scatter_svg
from matting.media.atomic import write_text

HERE = Path(__file__).parent
PUBLISHED_FILE = HERE / "published_table1.json"
RESULTS_FOLDER = HERE / "results"
WORST = RESULTS_FOLDER / "worst.jpg"  # the portraits with the largest errors of the bundled weights
SUBSETS = ("P3M-500-NP", "P3M-500-P")
PAPERS_METHOD = "Ours (paper)"
METRICS = {"SAD": "sad", "SAD-T": "sad_t", "Grad": "grad", "Conn": "conn"}  # as printed: field of `Scores`


class Scores(NamedTuple):
    """Scores of one method on one subset in the P3M convention, lower is better."""

    sad: float
    sad_t: float
    grad: float
    conn: float


@dataclass(frozen=True)
class PublishedRow:
    """One row of the paper's supplementary Table 1.

    Attributes:
        method: as the paper calls it.
        variant: which of several, or empty.
        reference: where the method was published.
        uses_trimap: whether the user must give it a trimap.
        gflops: 10^9 multiply-accumulates per image.
        scores: by subset, see `SUBSETS`.
    """

    method: str
    variant: str
    reference: str
    uses_trimap: bool
    gflops: float
    scores: dict[str, Scores]

    @property
    def label(self) -> str:
        """Method and variant."""
        return f"{self.method} ({self.variant})" if self.variant else self.method


@dataclass(frozen=True)
class PublishedTable:
    """The table, its source in full, and how its figures are counted."""

    title: str
    source: str
    convention: str
    rows: tuple[PublishedRow, ...]


@lru_cache
def published_table() -> PublishedTable:
    """The paper's supplementary Table 1, complete and in its order."""
    data = json.loads(PUBLISHED_FILE.read_text(encoding="utf-8"))
    return PublishedTable(data["title"], data["source"], data["convention"], tuple(_row(row) for row in data["rows"]))


def _row(row: dict) -> PublishedRow:
    scores = {subset: Scores(**{field: row[subset][name] for name, field in METRICS.items()}) for subset in SUBSETS}
    return PublishedRow(row["method"], row["variant"], row["reference"], row["uses_trimap"], float(row["gflops"]), scores)


@dataclass(frozen=True)
class MeasuredRow:
    """One method on one subset, as this project measured it.

    Attributes:
        dataset: name of the data set.
        subset: part of it, or empty.
        method: name of the method.
        title: the method's name in tables.
        images: how many were scored.
        means: mean by name of the metric; None where there is none.
        seconds: mean per image; None if no image was scored.
        gmac: mean 10^9 multiply-accumulates per image; None where not counted.
        uses_trimap: whether it was given the true trimap.
        trained_on_this: whether its training included the data set.
        command: that reproduces it.
    """

    dataset: str
    subset: str
    method: str
    title: str
    images: int
    means: dict[str, float | None]
    seconds: float | None
    gmac: float | None
    uses_trimap: bool
    trained_on_this: bool
    command: str


def measured_rows(folder: Path = RESULTS_FOLDER, part: str = "results") -> list[MeasuredRow]:
    """Read the JSON summaries that `matting.evaluation.evaluate --out` wrote into a folder; empty if there are none.

    Args:
        folder: with JSON summaries.
        part: "results", methods run on every image, or "common", all methods on the images that every one was run on.

    Raises:
        ValueError: if the part is unknown or a file is not a summary.
    """
    if part not in ("results", "common"):
        raise ValueError(f"part must be 'results' or 'common', got {part!r}")
    return [row for path in sorted(folder.glob("*.json")) for row in _measured(path, part)]


def _measured(path: Path, part: str) -> list[MeasuredRow]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return [
            MeasuredRow(
                dataset=data["dataset"],
                means={name: statistic["mean"] for name, statistic in entry["metrics"].items()},
                command=data["command"],
                **{key: entry[key] for key in ("subset", "method", "title", "images", "seconds", "gmac")},
                **{key: entry[key] for key in ("uses_trimap", "trained_on_this")},
            )
            for entry in data[part]
        ]
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} is not a summary of an evaluation: {error!r}") from error


def cost_chart(metric: str, subset: str, **style: str) -> str:
    """SVG of one published metric on one subset against cost; `style` as in `scatter_svg`."""
    marks = [_mark(row, metric, subset) for row in published_table().rows]
    description = f"Scatter chart of {metric} on {subset} against billions of multiply-accumulates"
    return scatter_svg(marks, "cost, GFLOPS as the paper counts them", f"{metric}, {subset}", description, **style)


def _mark(row: PublishedRow, metric: str, subset: str) -> Mark:
    kind = "trimap" if row.uses_trimap else "ours" if row.method == PAPERS_METHOD else "plain"
    numbers = ", ".join(f"{name} {getattr(row.scores[subset], field):g}" for name, field in METRICS.items())
    needs = "\nneeds a trimap from the user" if row.uses_trimap else ""
    details = f"{row.label}, {row.reference}\n{row.gflops:g} GFLOPS\n{subset}: {numbers}{needs}"
    label = f"{row.label} *" if row.uses_trimap else row.label
    return Mark(label, row.gflops, getattr(row.scores[subset], METRICS[metric]), kind, details)


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw the published error against cost as SVG; the hollow mark (*) needs a trimap from the user."""
    parser = argparse.ArgumentParser(prog="python -m matting.evaluation.published", description=main.__doc__)
    parser.add_argument("chart", type=Path, help="SVG file to write")
    parser.add_argument("--metric", choices=METRICS, default="SAD")
    parser.add_argument("--subset", choices=SUBSETS, default=SUBSETS[0])
    options = parser.parse_args(arguments)
    if options.chart.suffix.lower() != ".svg":
        parser.error(f"expected a name that ends in .svg, got {options.chart.name!r}")
    write_text(options.chart, cost_chart(options.metric, options.subset))


if __name__ == "__main__":
    main()
