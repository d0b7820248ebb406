"""What was measured against a true alpha, as files: a table of all metrics, and maps of the error."""

import csv
from collections.abc import Mapping
from io import StringIO

import numpy as np
from numpy.typing import NDArray

from matting.app import text
from matting.app.results.result import Result
from matting.evaluation.figures import error_colours, shared_limit
from matting.evaluation.metrics import Metrics

ERRORS = ("error-coarse", "error-refined")  # of the first stage alone, and of the result


def metrics_csv(rows: Mapping[str, Metrics]) -> str:
    """A line a method under a line of names; numbers as they were computed, nothing where there is none.

    Args:
        rows: metrics by the method's name.
    """
    table = StringIO()
    writer = csv.writer(table, lineterminator="\r\n")
    writer.writerow(("method", *Metrics._fields))
    for name, metrics in rows.items():
        writer.writerow((name, *("" if np.isnan(value) else repr(float(value)) for value in metrics)))
    return table.getvalue()


def result_rows(result: Result) -> dict[str, Metrics]:
    """Metrics of the first stage alone and of the result; raises ValueError without a true alpha."""
    return dict(zip(text.TRUTH_ROWS, result.errors, strict=True))


def error_maps(result: Result) -> dict[str, NDArray[np.float32]]:
    """(H, W) absolute errors by the names of `ERRORS`; raises ValueError without a true alpha."""
    truth = result.ground_truth
    if truth is None:
        raise ValueError(f"expected a true alpha to compare {result.stem} with, got none")
    return dict(zip(ERRORS, (np.abs(alpha - truth) for alpha in (result.matte.coarse_alpha, result.alpha)), strict=True))


def error_pixels(result: Result, name: str) -> NDArray[np.uint8]:
    """(H, W, 3) uint8: one of the error maps, on the scale of both."""
    maps = error_maps(result)
    return error_colours(maps[name], shared_limit(list(maps.values())))
