"""Decoded pictures in a file instead of memory: for collections larger than that, and decoded once for all runs."""

import json
import math
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

_BYTES = 2**37  # of a sparse file; what is not used takes no room


class Arena:
    """Lists of uint8 tensors by name, in `folder/pictures.bin`, whose pages the system reads and drops as it needs.

    Args:
        folder: on a disk with room for all pictures; one process at a time may add to it.

    Raises:
        ValueError: if the folder holds an index that is none; names it.
    """

    def __init__(self, folder: Path):
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "pictures.json"
        self.memory = torch.from_file(str(folder / "pictures.bin"), shared=True, size=_BYTES, dtype=torch.uint8)
        try:
            self.index = json.loads(self.path.read_text()) if self.path.exists() else {}
            places = [place for kept in self.index.values() for place in kept]
            self.end = max((start + math.prod(shape) for start, shape in places), default=0)
        except (ValueError, TypeError) as error:
            raise ValueError(f"{self.path} is no index of pictures: {error}") from error

    def __contains__(self, name: str) -> bool:
        return name in self.index

    def __getitem__(self, name: str) -> list[Tensor]:
        return [self.memory[start : start + math.prod(shape)].view(shape) for start, shape in self.index[name]]

    def __setitem__(self, name: str, tensors: Sequence[Tensor]) -> None:
        places = []
        for x in tensors:
            if self.end + x.numel() > len(self.memory):
                raise ValueError(f"expected at most {len(self.memory)} bytes of pictures, got {self.end + x.numel()}")
            self.memory[self.end : self.end + x.numel()].view(x.shape).copy_(x)
            places.append((self.end, list(x.shape)))
            self.end += x.numel()
        self.index[name] = places

    def save(self) -> None:
        """Write the index; what was added after the last time is not found by the next process."""
        part = self.path.with_suffix(".part")
        part.write_text(json.dumps(self.index))
        part.replace(self.path)
