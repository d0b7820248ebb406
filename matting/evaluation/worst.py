"""A sheet of the images on which a method has the largest errors: image, trimap, ground truth, alpha, error."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from matting.evaluation.datasets import Item
from matting.evaluation.figures import Panel, alpha_grey, error_colours, error_legend, shared_limit, sheet, trimap_colours
from matting.evaluation.methods import Estimator
from matting.evaluation.records import Record
from matting.evaluation.runner import run_on


def worst_sheet(
    records: Sequence[Record], items: Sequence[Item], estimator: Estimator, uses_trimap: bool, count: int = 12
) -> NDArray[np.uint8]:
    """Run a method again on the images where its SAD was largest, and draw one row for each, the worst first.

    All error maps share one scale.

    Args:
        records: of this method.
        items: the data set.
        estimator: the method.
        uses_trimap: whether it is given a trimap.
        count: how many images at most.

    Returns:
        (H, W, 3) uint8.

    Raises:
        ValueError: if the method succeeded on no image.
    """
    ranked = sorted((record for record in records if not record.error), key=lambda record: -record.metrics.sad)[:count]
    if not ranked:
        raise ValueError("the method succeeded on no image, so there is nothing to draw")
    by_name = {(item.subset, item.name): item for item in items}
    cases = []
    for record in ranked:
        item = by_name[record.subset, record.image]
        example = item.load()
        alpha = run_on(example, estimator, uses_trimap, item.max_area_px).estimate.alpha
        cases.append((record, example, alpha, np.abs(alpha - example.ground_truth)))
    limit = shared_limit([error for *_, error in cases])
    rows = [
        [
            Panel(example.image, f"{record.subset} {record.image}".strip()),
            Panel(trimap_colours(example.trimap), "trimap"),
            Panel(alpha_grey(example.ground_truth), "ground truth"),
            Panel(alpha_grey(alpha), f"alpha, SAD {record.metrics.sad:.2f}"),
            Panel(error_colours(error, limit), f"error, MAD {record.metrics.mad:.4f}"),
        ]
        for record, example, alpha, error in cases
    ]
    return sheet(rows, legend=error_legend(limit))
