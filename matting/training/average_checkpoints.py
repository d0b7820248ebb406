"""Weighted mean of two runs' weights (checkpoint averaging), often better than either.

python -m matting.training.average_checkpoints A B OUT --share 0.5 --part coarse

B may be of a richer design, such as a `lite` with a decoder step at R8: what A lacks is then as in B.
"""

import argparse
from pathlib import Path

import torch

from matting.weights import load_model, locate, read_metadata, save_weights


def mean_weights(first: str, second: str, out: Path, share: float = 0.5, part: str = "") -> None:
    """Write the weighted mean of two networks; it has the second one's configuration and the larger step count.

    Args:
        first: weights, see `matting.weights.load_model`.
        second: weights of the same configuration, or of one that has everything the first one has and more.
        out: the safetensors file to write.
        share: of the second, in [0, 1].
        part: "coarse" or "refine" for the mean of that stage alone; the other one is as in the second.

    Raises:
        ValueError: if the share is not in [0, 1], or the second network does not have the first one's weights.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share must be in [0, 1], got {share}")
    one, other = (load_model(source, device="cpu") for source in (first, second))
    theirs, ours = other.state_dict(), one.state_dict()
    if any(name not in theirs or theirs[name].shape != value.shape for name, value in ours.items()):
        raise ValueError(
            f"expected two networks of the same configuration, got {one.config.to_json()} and {other.config.to_json()}"
        )
    mixed = {k: v.lerp(theirs[k], share) for k, v in ours.items() if v.is_floating_point() and k.startswith(part)}
    other.load_state_dict(theirs | mixed)
    save_weights(other, out, {"step": str(max(trained_steps(first), trained_steps(second)))}, torch.float32)


def trained_steps(source: str) -> int:
    """Optimiser steps of weights, including those of the weights they were initialised from; 0 if not stored."""
    path = locate(source)
    return int(read_metadata(path).get("step", 0)) if path.suffix == ".safetensors" else 0


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m matting.training.average_checkpoints", description=__doc__)
    parser.add_argument("first", metavar="A")
    parser.add_argument("second", metavar="B")
    parser.add_argument("out", metavar="OUT", type=Path)
    parser.add_argument("--share", type=float, default=0.5, help="of B, 0 to 1")
    parser.add_argument("--part", choices=["coarse", "refine"], default="", help="mean of this stage alone, the other from B")
    arguments = parser.parse_args()
    mean_weights(arguments.first, arguments.second, arguments.out, arguments.share, arguments.part)


if __name__ == "__main__":
    main()
