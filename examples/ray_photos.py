"""Cut out a million photos on a Ray cluster, and go on where it stopped: python examples/ray_photos.py IN OUT --address auto

Needs the package ray[data] (`pip install '.[ray]'`), and the same folders on every machine. Ray Data keeps the workers busy;
each of them loads the network once and keeps to one thread. A photo is done when its PNG exists, which appears only when it is
complete, so the same command resumes. `matting IN -o OUT --skip-existing --ray auto` does this for a folder; here is what to
change for work of your own.
"""

import argparse
import os
import sys
from pathlib import Path

import torch

from matting import load_model, matte_image
from matting.media.image import PHOTO_SUFFIXES, save_image


class CutOut:
    """A worker: a row {"photo": path, "result": path} becomes the same with "error", an empty text if it was done."""

    def __init__(self, weights: str):
        torch.set_num_threads(1)
        self.model = load_model(weights)

    def __call__(self, row: dict[str, str]) -> dict[str, str]:
        try:
            target = Path(row["result"])
            target.parent.mkdir(parents=True, exist_ok=True)
            save_image(matte_image(row["photo"], self.model).cutout(), target)
        except (ValueError, OSError, MemoryError) as error:
            return {**row, "error": str(error) or type(error).__name__}
        return {**row, "error": ""}


def remaining(source: Path, target: Path) -> list[dict[str, str]]:
    """A row for every photo under a folder, at any depth, whose result does not exist."""
    photos = sorted(path.resolve() for path in source.rglob("*") if path.suffix.lower() in PHOTO_SUFFIXES)
    results = [target.resolve() / photo.relative_to(source.resolve()).with_name(f"{photo.name}.png") for photo in photos]
    both = zip(photos, results, strict=True)
    return [{"photo": str(photo), "result": str(result)} for photo, result in both if not result.exists()]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, metavar="IN")
    parser.add_argument("target", type=Path, metavar="OUT")
    parser.add_argument("--address", default="local", help="of the cluster, or local for one on this machine (%(default)s)")
    parser.add_argument("--workers", type=int, default=2, metavar="N")
    parser.add_argument("--weights", default="bundled")
    options = parser.parse_args()
    rows, failed = remaining(options.source, options.target), 0
    if rows:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # Ray reports to its makers otherwise
        try:
            import ray
        except ImportError:
            print("this needs Ray: pip install 'ray[data]'", file=sys.stderr)
            return 1
        own = {"num_cpus": options.workers, "include_dashboard": False, "_node_ip_address": "127.0.0.1"}
        ray.init(options.address, **own if options.address == "local" else {})  # one of its own is not for the network
        ray.data.DataContext.get_current().enable_progress_bars = False
        workers = ray.data.ActorPoolStrategy(size=options.workers)
        done = ray.data.from_items(rows).map(CutOut, fn_constructor_args=(options.weights,), compute=workers)
        for row in done.iter_rows():
            if row["error"]:
                failed += 1
                print(f"failed: {row['photo']}: {row['error']}", file=sys.stderr)
    print(f"{len(rows) - failed} done, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
