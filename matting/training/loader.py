"""Data loading: the batches of a run by their index, prefetched."""

import argparse
import copy
from collections import deque
from collections.abc import Iterator
from itertools import count, islice

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from matting.media.prefetch import prefetch
from matting.network import SIDE_MULTIPLE
from matting.network.coarse import CoarseNetwork
from matting.network.efficientnet import EfficientNetEncoder
from matting.training.close_ups import CloseUps, cut_close_ups
from matting.training.dataset import Batch, Sampler
from matting.training.features import Features, keep_features

_SHAPE_CHANCES = (0.45, 0.4, 0.15)  # square, tall, wide
_LONGER = 1.4  # longer side of a picture that is not square
_AHEAD = 3
_FIRST = 32  # batches loaded before the first repetition

Drawn = Batch | CloseUps | Features


class Draws(Dataset[Drawn]):
    """The batches of a run by their index.

    Args:
        sampler: draws whole images.
        arguments: of the run.
        first_stage: run on whole images before close-ups are cropped from them or features are kept; not used without
            `--close-ups` or `--cache-features`.
    """

    def __init__(self, sampler: Sampler, arguments: argparse.Namespace, first_stage: CoarseNetwork):
        self.sampler = sampler
        self.arguments = arguments
        needed = arguments.close_ups or arguments.cache_features
        self.first_stage = copy.deepcopy(first_stage).eval() if needed else None

    def __getitem__(self, index: int) -> Drawn:
        size, count = batch_shape(self.arguments, index)
        batch = self.sampler.draw(index, count, size)
        if self.first_stage is None:
            return batch
        with torch.no_grad(), torch.autocast(batch.image.device.type, torch.bfloat16, enabled=self.arguments.bfloat16):
            encoder = self.first_stage.encoder
            if self.arguments.cache_features and isinstance(encoder, EfficientNetEncoder):
                return keep_features(batch, encoder)
            coarse = self.first_stage(batch.image)
        return cut_close_ups(batch, coarse, self.arguments.close_ups, np.random.default_rng((self.arguments.seed, index)))


def feed(draws: Draws, first: int, threaded: bool) -> Iterator[Drawn]:
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


def repeat(batches: Iterator[Drawn], times: int, most: int, generator: torch.Generator) -> Iterator[Drawn]:
    """Yield every batch several times, shuffled among others, if loading is slower than training.

    Args:
        batches: endless.
        times: steps from one new batch to the next, and so how often each is yielded, on average.
        most: batches that are kept; the oldest is dropped when a new one comes.
        generator: random numbers; of the batch, and whether it is mirrored. Features are not: those of a mirrored image differ.
    """
    pool = deque((_own(batch) for batch in islice(batches, _FIRST)), most)
    for step in count(1):
        batch = pool[int(torch.randint(len(pool), (1,), generator=generator))]
        mirrored = isinstance(batch, Batch) and bool(torch.rand(1, generator=generator) < 0.5)
        yield Batch(*(plane.flip(3) for plane in batch)) if mirrored else batch
        if step % times == 0:
            pool.append(_own(next(batches)))


def _own(batch: Drawn) -> Drawn:
    """A copy in memory of this process; what comes from another one holds a file open for every tensor."""
    return type(batch)(*(plane.clone() for plane in batch))


def batch_shape(arguments: argparse.Namespace, index: int) -> tuple[tuple[int, int], int]:
    """Size (H, W) and number of pictures of a batch: square, tall or wide, with about the same number of pixels."""
    generator = torch.Generator().manual_seed(arguments.seed + index)
    side = arguments.size[int(torch.randint(len(arguments.size), (1,), generator=generator))]
    kind = int(torch.multinomial(torch.tensor(_SHAPE_CHANCES), 1, generator=generator))
    longer = round(_LONGER * side / SIDE_MULTIPLE) * SIDE_MULTIPLE
    size = ((side, side), (longer, side), (side, longer))[kind]
    return size, max(1, round(arguments.batch * arguments.size[0] ** 2 / (size[0] * size[1])))
