"""Reports of an evaluation: JSON, Markdown, and lines for the terminal."""

import json
import math
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from matting.evaluation.methods import METHODS
from matting.evaluation.records import Record
from matting.evaluation.summary import Summary, common, complete, is_marked, markdown_tables, summarise
from matting.media.atomic import write_text

CONVENTION = "P3M: SAD, SAD-T and Conn in thousands, Grad divided by 10, MSE and MAD per pixel of the whole image"
_EXPLANATION = (
    "Cells: mean over images with its 95% bootstrap interval, below it the median. Lower is better, but for IoU (alpha > 0.5). "
    "Seconds and GMAC (10⁹ multiply-accumulates, – where not counted) are means per image."
)
_PORTRAITS_NOTE = (
    "The alphas of cc0_portraits and web_portraits were made by a segmentation network and checked by eye, which favours "
    "networks taught by it, ours among them; the masks of street are hard, so use IoU there; keyed is the most exact. "
    "None of these pictures were trained on. Figures are not comparable with P3M-500."
)


@dataclass(frozen=True)
class Run:
    """Parameters of an evaluation.

    Attributes:
        dataset: name of the data set.
        command: that reproduces it.
        weights: source of this project's weights.
        weights_id: first 12 hex digits of their SHA-256.
        resize: "auto" or "paper".
        limit: images per subset at most, or None.
        slow_limit: the same for slow methods.
    """

    dataset: str
    command: str
    weights: str
    weights_id: str
    resize: str
    limit: int | None
    slow_limit: int | None


def write_report(folder: Path, run: Run, records: Sequence[Record]) -> tuple[Path, Path]:
    """Write DATASET.json and DATASET.md; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    json_path, markdown_path = folder / f"{run.dataset}.json", folder / f"{run.dataset}.md"
    write_text(json_path, json.dumps(to_json(run, records), indent=1, ensure_ascii=False) + "\n")
    write_text(markdown_path, to_markdown(run, records))
    return json_path, markdown_path


def to_json(run: Run, records: Sequence[Record]) -> dict[str, Any]:
    """The report as JSON data: `results` of methods run on all images, `common` of images that all methods were run on."""
    return {
        "dataset": run.dataset,
        "convention": CONVENTION,
        "command": run.command,
        "weights": run.weights,
        "weights_id": run.weights_id,
        "resize": run.resize,
        "limit": run.limit,
        "slow_limit": run.slow_limit,
        "machine": machine(),
        "results": [_summary_json(summary, run.dataset) for summary in summarise(complete(records))],
        "common": [_summary_json(summary, run.dataset) for summary in summarise(common(records))],
    }


def to_markdown(run: Run, records: Sequence[Record]) -> str:
    """The report as Markdown: conventions, tables, requirements of the methods."""
    head = [
        f"# {run.dataset}",
        f"    {run.command}",
        f"{_EXPLANATION} Convention: {CONVENTION}. Weights {run.weights} ({run.weights_id}), resize {run.resize}, {machine()}.",
    ]
    if run.dataset == "portraits":
        head.append(_PORTRAITS_NOTE)
    if run.limit:
        head.append(f"Only the first {run.limit} images of each set.")
    tables = [markdown_tables(summarise(complete(records)), run.dataset)]
    if len(complete(records)) < len(records):
        tables += [
            "## All methods, on the images that all of them saw",
            f"Slow methods saw the first {run.slow_limit} images of each set.",
            markdown_tables(summarise(common(records)), run.dataset),
        ]
    needs = [f"- {METHODS[name].title}: {METHODS[name].needs} ({METHODS[name].licence})"
             for name in dict.fromkeys(record.method for record in records)
             if name in METHODS and METHODS[name].needs]  # fmt: skip
    return "\n\n".join([*head, *tables, "\n".join(needs)]).rstrip() + "\n"


def terminal_lines(run: Run, summaries: Sequence[Summary]) -> list[str]:
    """One line per subset and method, and for the portraits what refinement gains over the coarse alpha."""
    shown = (("SAD", "sad"), ("SAD-T", "sad_t"), ("MAD", "mad"), ("Grad", "grad"), ("Conn", "conn"), ("IoU", "iou"))
    titles = " ".join(f"{title:>8}" for title, _ in shown)
    lines = [f"{'subset':<14} {'method':<18} {'images':>6} {titles} {'seconds':>8} {'GMAC':>7}"]
    for summary in summaries:
        values = " ".join(f"{summary.metrics[name].mean:>8.4f}" for _, name in shown)
        failed = f"  {summary.failed} failed" if summary.failed else ""
        mark = "  trained on this data set" if is_marked(summary.method, run.dataset) else ""
        lines.append(
            f"{summary.subset or run.dataset:<14} {summary.method:<18} {summary.images:>6} {values} {summary.seconds:>8.2f} "
            f"{summary.gmac:>7.2f}{failed}{mark}"
        )
    return lines + (_portrait_lines(summaries) if run.dataset == "portraits" else [])


def _portrait_lines(summaries: Sequence[Summary]) -> list[str]:
    by_name = {(summary.subset, summary.method): summary.metrics for summary in summaries}
    lines = [
        f"{subset} {title} {by_name[subset, 'ours'][name].mean:.4f}"
        for subset, title, name in (
            ("street", "IoU", "iou"),
            ("cc0_portraits", "MAD", "mad"),
            ("web_portraits", "MAD", "mad"),
            ("keyed", "MAD", "mad"),
        )
        if (subset, "ours") in by_name
    ]
    if ("keyed", "ours") in by_name and ("keyed", "coarse") in by_name:
        for title, name in (("SAD-T", "sad_t"), ("Grad", "grad")):
            refined, coarse = (by_name["keyed", method][name].mean for method in ("ours", "coarse"))
            ratio = refined / coarse if coarse else math.nan
            lines.append(f"keyed {title} refined {refined:.4f}, coarse (bilinear) {coarse:.4f}, ratio {ratio:.3f}")
    return lines


def machine() -> str:
    """Device, threads and PyTorch version, for reports."""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else f"CPU {platform.machine()}"
    return f"{device}, {torch.get_num_threads()} threads, PyTorch {torch.__version__}"


def _summary_json(summary: Summary, dataset: str) -> dict[str, Any]:
    return {
        "subset": summary.subset,
        "method": summary.method,
        "title": METHODS[summary.method].title if summary.method in METHODS else summary.method,
        "trained_on_this": is_marked(summary.method, dataset),
        "uses_trimap": summary.method in METHODS and METHODS[summary.method].uses_trimap,
        "images": summary.images,
        "failed": summary.failed,
        "seconds": _finite(summary.seconds),
        "gmac": _finite(summary.gmac),
        "metrics": {
            name: {key: _finite(value) for key, value in statistic._asdict().items()}
            for name, statistic in summary.metrics.items()
        },
    }


def _finite(value: float) -> float | None:
    return float(f"{value:.6g}") if math.isfinite(value) else None
