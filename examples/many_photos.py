"""Cut out a million photos on the cores of one machine, and go on where it stopped: python examples/many_photos.py IN OUT

Every process loads the network once and keeps to one thread. A photo is done when its PNG exists, which appears only when it is
complete, so the same command resumes. On several machines, `matting IN -o OUT --skip-existing --ray auto --workers 64` does the
same through Ray Data.
"""

import argparse
import multiprocessing
import sys
from collections.abc import Iterator
from pathlib import Path

import torch

from matting import load_model, matte_image
from matting.media.image import PHOTO_SUFFIXES, save_image

_state = argparse.Namespace()


def remaining(source: Path, target: Path) -> Iterator[tuple[Path, Path]]:
    """The photos under a folder, at any depth, whose result does not exist; found while others are worked on."""
    for photo in source.rglob("*"):
        result = target / photo.relative_to(source).with_name(f"{photo.name}.png")
        if photo.suffix.lower() in PHOTO_SUFFIXES and not result.exists():
            yield photo, result


def start(weights: str) -> None:
    torch.set_num_threads(1)
    _state.model = load_model(weights, "cpu")


def cut_out(job: tuple[Path, Path]) -> str:
    """Do one photo; returns why it failed, or an empty text."""
    photo, result = job
    try:
        result.parent.mkdir(parents=True, exist_ok=True)
        save_image(matte_image(photo, _state.model).cutout(), result)
    except (ValueError, OSError, MemoryError) as error:
        return f"{photo}: {str(error) or type(error).__name__}"
    return ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, metavar="IN")
    parser.add_argument("target", type=Path, metavar="OUT")
    parser.add_argument("--processes", type=int, default=multiprocessing.cpu_count(), metavar="N")
    parser.add_argument("--weights", default="bundled")
    options = parser.parse_args()
    done = failed = 0
    with multiprocessing.get_context("spawn").Pool(options.processes, start, (options.weights,)) as pool:
        for reason in pool.imap_unordered(cut_out, remaining(options.source, options.target), chunksize=1):
            done, failed = done + (not reason), failed + bool(reason)
            if reason:
                print(f"failed: {reason}", file=sys.stderr)
    print(f"{done} done, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
