"""Weighted mean of two runs' weights (checkpoint averaging), often better than either.

python -m matting.training.average_checkpoints A B OUT --share 0.5
"""

import argparse
from pathlib import Path

import torch

from matting.weights import load_model, locate, read_metadata, save_weights


def mean_weights(first: str, second: str, out: Path, share: float = 0.5) -> None:
    """Write the weighted mean of two networks of the same configuration; its step count is the larger one.

    Args:
        first: weights, see `matting.weights.load_model`.
        second: weights.
        out: the safetensors file to write.
        share: of the second, in [0, 1].

    Raises:
        ValueError: if the share is not in [0, 1], or the configurations differ.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share must be in [0, 1], got {share}")
    one, other = (load_model(source, device="cpu") for source in (first, second))
    if one.config != other.config:
        raise ValueError(
            f"expected two networks of the same configuration, got {one.config.to_json()} and {other.config.to_json()}"
        )
    theirs = other.state_dict()
    mixed = {k: v.lerp(theirs[k], share) if v.is_floating_point() else v for k, v in one.state_dict().items()}
    one.load_state_dict(mixed)
    save_weights(one, out, {"step": str(max(trained_steps(first), trained_steps(second)))}, torch.float32)


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
    arguments = parser.parse_args()
    mean_weights(arguments.first, arguments.second, arguments.out, arguments.share)


if __name__ == "__main__":
    main()
