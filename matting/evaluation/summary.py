"""Summaries of records: mean, median and 95% bootstrap interval of each metric for each method, and Markdown tables."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from matting.evaluation.methods import METHODS
from matting.evaluation.metrics import Metrics
from matting.evaluation.records import Record

RESAMPLES = 2000
TITLES = {
    "sad": "SAD", "sad_t": "SAD-T", "sad_fg": "SAD-FG", "sad_bg": "SAD-BG", "mse": "MSE", "mse_t": "MSE-T", "mad": "MAD",
    "mad_t": "MAD-T", "grad": "Grad", "conn": "Conn", "iou": "IoU",
}  # fmt: skip
_SHOWN = ("sad", "sad_t", "mse", "mad", "grad", "conn", "iou")
_HIGHER_IS_BETTER = ("iou",)
MARK = "†"


class Statistic(NamedTuple):
    """Statistics of one metric over images; low and high are the 95% confidence interval of the mean. NaN if undefined."""

    mean: float
    median: float
    low: float
    high: float


@dataclass(frozen=True)
class Summary:
    """One method on one subset.

    Attributes:
        subset: part of the data set, or empty.
        method: its name.
        images: how many were scored.
        failed: on how many the method failed.
        metrics: by name of the metric.
        seconds: mean per image.
        gmac: mean 10^9 multiply-accumulates per image; NaN where not counted.
    """

    subset: str
    method: str
    images: int
    failed: int
    metrics: dict[str, Statistic]
    seconds: float
    gmac: float


def summarise(records: Sequence[Record]) -> list[Summary]:
    """One summary per subset and method, in the order in which they first appear."""
    groups: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        groups.setdefault((record.subset, record.method), []).append(record)
    subsets = list(dict.fromkeys(subset for subset, _ in groups))
    return [_summary(group) for name in subsets for (subset, _), group in groups.items() if subset == name]


def common(records: Sequence[Record]) -> list[Record]:
    """The records of those images on which every method of their subset was run."""
    methods: dict[str, set[str]] = {}
    tried: dict[tuple[str, str], set[str]] = {}
    for record in records:
        methods.setdefault(record.subset, set()).add(record.method)
        tried.setdefault((record.subset, record.image), set()).add(record.method)
    return [record for record in records if tried[record.subset, record.image] == methods[record.subset]]


def complete(records: Sequence[Record]) -> list[Record]:
    """The records of those methods that were run on every image of their subset."""
    images: dict[str, set[str]] = {}
    tried: dict[tuple[str, str], set[str]] = {}
    for record in records:
        images.setdefault(record.subset, set()).add(record.image)
        tried.setdefault((record.subset, record.method), set()).add(record.image)
    return [record for record in records if tried[record.subset, record.method] == images[record.subset]]


def bootstrap_mean(values: np.ndarray, seed: int = 0) -> tuple[float, float]:
    """95% percentile bootstrap interval of the mean, with 2000 resamples; NaN for fewer than two values."""
    if len(values) < 2:
        return math.nan, math.nan
    indices = np.random.default_rng(seed).integers(0, len(values), (RESAMPLES, len(values)))
    low, high = np.percentile(values[indices].mean(1), (2.5, 97.5))
    return float(low), float(high)


def markdown_tables(summaries: Sequence[Summary], dataset: str) -> str:
    """One table per subset: mean with its interval, median below; the best mean of a column is bold.

    Methods whose training included the data set are marked and never bold.
    """
    parts = []
    for subset in dict.fromkeys(summary.subset for summary in summaries):
        group = [summary for summary in summaries if summary.subset == subset]
        title = f"{dataset}, {subset}" if subset else dataset
        parts.append(f"### {title}\n\n{_table(group, dataset)}")
    if any(is_marked(summary.method, dataset) for summary in summaries):
        parts.append(f"{MARK} Images of this data set were in the method's training: not comparable.")
    return "\n\n".join(parts) + "\n"


def is_marked(method: str, dataset: str) -> bool:
    """Whether the method's training included the data set."""
    return method in METHODS and dataset in METHODS[method].trained_on


def _summary(group: list[Record]) -> Summary:
    scored = [record for record in group if not record.error]
    return Summary(
        group[0].subset,
        group[0].method,
        len(scored),
        len(group) - len(scored),
        {name: _statistic([getattr(record.metrics, name) for record in scored]) for name in Metrics._fields},
        _mean([record.seconds for record in scored]),
        _mean([record.gmac for record in scored]),
    )


def _statistic(values: list[float]) -> Statistic:
    finite = np.array([value for value in values if math.isfinite(value)])
    if not len(finite):
        return Statistic(math.nan, math.nan, math.nan, math.nan)
    return Statistic(float(finite.mean()), float(np.median(finite)), *bootstrap_mean(finite))


def _mean(values: list[float]) -> float:
    finite = [value for value in values if math.isfinite(value)]
    return sum(finite) / len(finite) if finite else math.nan


def _table(group: list[Summary], dataset: str) -> str:
    best = {name: _best(group, name, dataset) for name in _SHOWN}
    head = ["method", "images", *(TITLES[name] for name in _SHOWN), "seconds", "GMAC"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for summary in group:
        images = f"{summary.images}" + (f" ({summary.failed} failed)" if summary.failed else "")
        cells = [_title(summary.method, dataset), images]
        cells += [_cell(summary.metrics[name], summary.metrics[name].mean == best[name]) for name in _SHOWN]
        cells += [_number(summary.seconds), _number(summary.gmac)]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _title(method: str, dataset: str) -> str:
    title = METHODS[method].title if method in METHODS else method
    return f"{title} {MARK}" if is_marked(method, dataset) else title


def _best(group: list[Summary], name: str, dataset: str) -> float | None:
    means = [summary.metrics[name].mean for summary in group if not is_marked(summary.method, dataset)]
    finite = [mean for mean in means if math.isfinite(mean)]
    if len(finite) < 2:
        return None
    return max(finite) if name in _HIGHER_IS_BETTER else min(finite)


def _cell(statistic: Statistic, bold: bool) -> str:
    mean = _number(statistic.mean)
    interval = f" [{_number(statistic.low)}, {_number(statistic.high)}]" if math.isfinite(statistic.low) else ""
    return f"{f'**{mean}**' if bold else mean}{interval}<br>{_number(statistic.median)}"


def _number(value: float) -> str:
    if not math.isfinite(value):
        return "–"
    return f"{value:.3g}" if abs(value) < 1 else f"{value:.2f}"
