"""Draw the CC0 portraits among the validation photos on which the bundled weights do worst.

    PYTHONPATH=. python examples/make_worst.py --root DATA --records results/portraits.csv

The records are what `python -m matting.evaluation.evaluate --dataset portraits --root DATA --out results` writes.
"""

import argparse
from pathlib import Path

from PIL import Image

from matting import load_model
from matting.evaluation.datasets import find_items
from matting.evaluation.methods import Resources, choose
from matting.evaluation.published import WORST
from matting.evaluation.records import read_records
from matting.evaluation.worst import worst_sheet

COUNT = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, required=True, metavar="DIR")
    parser.add_argument("--records", type=Path, required=True, metavar="CSV")
    options = parser.parse_args()
    free = [r for r in read_records(options.records) if r.method == "ours" and r.subset == "cc0_portraits"]
    (method,) = choose(["ours"])
    estimator = method.load(Resources(load_model(), "auto"))
    drawn = worst_sheet(free, list(find_items("portraits", options.root)), estimator, method.uses_trimap, COUNT)
    Image.fromarray(drawn).save(WORST, quality=88)


if __name__ == "__main__":
    main()
