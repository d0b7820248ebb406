"""Plot the losses of runs over their steps: python -m matting.training.curves runs/first runs/second -o curves.svg.

A run resumed from a checkpoint logs some steps twice; the last row of a step is used.
"""

import argparse
import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

TERMS = ("coarse", "trimap", "alpha", "pyramid", "composition", "features")
SMOOTHED_ROWS = 9
Columns = dict[str, NDArray[np.float64]]


def read_log(path: Path) -> Columns:
    """Columns of a run's `log.csv`, (rows,) each, by rising step.

    Raises:
        ValueError: if the file is missing, is no training log, or has no row yet.
    """
    if not path.is_file():
        raise ValueError(f"expected a training log, found no {path}")
    with path.open(newline="") as file:
        rows = {int(row["step"]): row for row in csv.DictReader(file) if row.get("step")}
    if not rows or any(term not in row for row in rows.values() for term in TERMS):
        raise ValueError(f"expected the columns step, {', '.join(TERMS)} and at least one row in {path}")
    return {name: np.array([float(rows[step][name]) for step in sorted(rows)]) for name in ("step", *TERMS)}


def smooth(values: NDArray[np.float64], rows: int = SMOOTHED_ROWS) -> NDArray[np.float64]:
    """Mean over an odd number of rows around each one, fewer at the ends; (n,) -> (n,)."""
    around = slice(rows // 2, rows // 2 + len(values))
    sums, counts = (np.convolve(x, np.ones(rows))[around] for x in (values, np.ones_like(values)))
    return sums / counts


def curves_figure(logs: dict[str, Columns]) -> Figure:
    """One panel per term of the loss that any run has, one line per run."""
    shown = [term for term in TERMS if any(log[term].any() for log in logs.values())]
    figure = Figure(figsize=(9, 2.6 * -(-len(shown) // 3)), layout="constrained")
    for place, term in enumerate(shown, 1):
        axes = figure.add_subplot(-(-len(shown) // 3), 3, place)
        for name, log in logs.items():
            if log[term].any():
                axes.plot(log["step"], smooth(log[term]), label=name, linewidth=1.4)
        axes.set_title(f"{term} loss", fontsize=10)
        axes.set_xlabel("step")
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.25)
        axes.legend(fontsize=8)
    return figure


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the picture; its kind is what its name says (png, svg, pdf)."""
    parser = argparse.ArgumentParser(prog="python -m matting.training.curves", description=__doc__.partition("\n")[0])
    parser.add_argument("runs", type=Path, nargs="+", help="folders that training wrote")
    parser.add_argument("-o", "--out", type=Path, required=True, help="file to write")
    options = parser.parse_args(arguments)
    try:
        logs = {run.name: read_log(run / "log.csv") for run in options.runs}
    except ValueError as error:
        parser.error(str(error))
    curves_figure(logs).savefig(options.out, facecolor="white", dpi=110)


if __name__ == "__main__":
    main()
