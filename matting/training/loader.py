"""Data loading: the batches of a run by their index, prefetched."""

import argparse
import copy
from collections.abc import Iterator
from itertools import islice

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from matting.media.prefetch import prefetch
from matting.network import SIDE_MULTIPLE
from matting.network.coarse import CoarseNetwork
from matting.training.close_ups import CloseUps, cut_close_ups
from matting.training.dataset import Batch, Sampler

_SHAPE_CHANCES = (0.45, 0.4, 0.15)  # square, tall, wide
_LONGER = 1.4  # longer side of a picture that is not square
_AHEAD = 3
_POOL = 32  # batches kept for repetition


class Draws(Dataset[Batch | CloseUps]):
    """The batches of a run by their index.

    Args:
        sampler: draws whole images.
        arguments: of the run.
        first_stage: run on whole images before close-ups are cropped from them; not used without `--close-ups`.
    """

    def __init__(self, sampler: Sampler, arguments: argparse.Namespace, first_stage: CoarseNetwork):
        self.sampler = sampler
        self.arguments = arguments
        self.first_stage = copy.deepcopy(first_stage).eval() if arguments.close_ups else None

    def __getitem__(self, index: int) -> Batch | CloseUps:
        size, count = batch_shape(self.arguments, index)
        batch = self.sampler.draw(index, count, size)
        if self.first_stage is None:
            return batch
        with torch.no_grad():
            coarse = self.first_stage(batch.image)
        return cut_close_ups(batch, coarse, self.arguments.close_ups, np.random.default_rng((self.arguments.seed, index)))


def feed(draws: Draws, first: int, threaded: bool) -> Iterator[Batch | CloseUps]:
    """The batches from index `first` on, prefetched by a worker process, or by a thread if they are on a GPU.

    Args:
        draws: the batches; a worker process must not use OpenCV's threads, which do not survive a fork.
        first: index of the first batch.
        threaded: True prefetches in a thread.
    """
    indices = range(first, 2**62)
    if threaded:
        return prefetch((draws[index] for index in indices), _AHEAD)
    return iter(DataLoader(draws, None, sampler=indices, num_workers=1, prefetch_factor=_AHEAD))


def repeat(batches: Iterator[Batch | CloseUps], times: int, generator: torch.Generator) -> Iterator[Batch | CloseUps]:
    """Yield every batch `times` times, shuffled among others and mirrored at random, if loading is slower than training.

    Args:
        batches: endless.
        times: how often each is yielded.
        generator: random numbers.
    """
    pool = [(batch, times) for batch in islice(batches, _POOL)]
    while True:
        index = int(torch.randint(len(pool), (1,), generator=generator))
        batch, left = pool[index]
        mirrored = bool(torch.rand(1, generator=generator) < 0.5)
        yield type(batch)(*(plane.flip(3) for plane in batch)) if mirrored else batch
        pool[index] = (batch, left - 1) if left > 1 else (next(batches), times)


def batch_shape(arguments: argparse.Namespace, index: int) -> tuple[tuple[int, int], int]:
    """Size (H, W) and number of pictures of a batch: square, tall or wide, with about the same number of pixels."""
    generator = torch.Generator().manual_seed(arguments.seed + index)
    side = arguments.size[int(torch.randint(len(arguments.size), (1,), generator=generator))]
    kind = int(torch.multinomial(torch.tensor(_SHAPE_CHANCES), 1, generator=generator))
    longer = round(_LONGER * side / SIDE_MULTIPLE) * SIDE_MULTIPLE
    size = ((side, side), (longer, side), (side, longer))[kind]
    return size, max(1, round(arguments.batch * arguments.size[0] ** 2 / (size[0] * size[1])))
