"""Data loading: the batches of a run by their index, prefetched."""

import argparse
import copy
from collections import deque
from collections.abc import Iterator
from itertools import count, islice

import cv2
import torch
from torch.utils.data import DataLoader, Dataset

from matting.media.prefetch import prefetch
from matting.network import SIDE_MULTIPLE
from matting.network.coarse import CoarseNetwork
from matting.network.efficientnet import EfficientNetEncoder
from matting.training.dataset import Batch, Draft, Sampler
from matting.training.features import Features, keep_features
from matting.training.precision import autocast

_SHAPE_CHANCES = (0.45, 0.4, 0.15)  # square, tall, wide
_LONGER = 1.4  # longer side of a picture that is not square
_AHEAD = 4  # batches, of all workers together; drafts, which are smaller, are two of each worker
_FIRST = 32  # batches loaded before the first repetition

Drawn = Batch | Features


class Draws(Dataset[Drawn | Draft]):
    """The batches of a run by their index.

    Args:
        sampler: draws whole images.
        arguments: of the run.
        first_stage: whose encoder's features are kept with `--cache-features`.
        device: where batches are trained on. If the sampler's data is elsewhere, items are drafts, which `complete` finishes.
    """

    def __init__(self, sampler: Sampler, arguments: argparse.Namespace, first_stage: CoarseNetwork, device: torch.device):
        self.sampler = sampler
        self.arguments = arguments
        self.device = device
        self.only_drafts = sampler.device.type != device.type
        encoder = first_stage.encoder if arguments.cache_features else None
        self.encoder = copy.deepcopy(encoder).eval() if isinstance(encoder, EfficientNetEncoder) else None

    def __getitem__(self, index: int) -> Drawn | Draft:
        return self.draft(index).packed() if self.only_drafts else self.complete(self.draft(index))

    def draft(self, index: int) -> Draft:
        """The draft of a batch, where the sampler's data is."""
        size, count = batch_shape(self.arguments, index)
        return self.sampler.draft(index, count, size)

    def complete(self, draft: Draft) -> Drawn:
        """The batch of a draft, on the device where it is trained on."""
        batch = self.sampler.finish(draft.unpacked(self.device))
        if self.encoder is None:
            return batch
        with autocast(self.arguments, batch.image.device):
            return keep_features(batch, self.encoder)


def feed(draws: Draws, first: int, workers: int) -> Iterator[Drawn]:
    """The batches from index `first` on, prefetched.

    Worker processes draw them; if they are trained on a GPU, a thread finishes them there. From data that is on a GPU already
    that thread draws them alone.

    Args:
        draws: the batches; a worker process must not use OpenCV's threads, which do not survive a fork.
        first: index of the first batch.
        workers: processes that draw; 0 draws in this one.
    """
    indices = range(first, 2**62)
    if draws.sampler.device.type != "cpu":
        return prefetch((draws.complete(draws.draft(index)) for index in indices), _AHEAD)
    loader = DataLoader(
        draws,
        None,  # an item is a whole batch
        sampler=indices,
        num_workers=workers,
        prefetch_factor=None if not workers else 2 if draws.only_drafts else max(1, _AHEAD // workers),
        persistent_workers=workers > 0,
        pin_memory=draws.only_drafts,
        worker_init_fn=_start_worker,
    )
    if draws.only_drafts:
        return prefetch((draws.complete(draft) for draft in loader), 2)
    return iter(loader)


def _start_worker(number: int) -> None:
    """Keep a worker to one thread; what it draws depends on the batch's index alone, not on its number."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)


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
    size = _frames(side)[int(torch.multinomial(torch.tensor(_SHAPE_CHANCES), 1, generator=generator))]
    return size, _count(arguments, size)


def largest_batch(arguments: argparse.Namespace) -> int:
    """The largest number of pictures in a batch."""
    return max(_count(arguments, frame) for side in arguments.size for frame in _frames(side))


def _frames(side: int) -> tuple[tuple[int, int], ...]:
    longer = round(_LONGER * side / SIDE_MULTIPLE) * SIDE_MULTIPLE
    return (side, side), (longer, side), (side, longer)


def _count(arguments: argparse.Namespace, size: tuple[int, int]) -> int:
    return max(1, round(arguments.batch * arguments.size[0] ** 2 / (size[0] * size[1])))
