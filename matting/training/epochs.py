"""Which photos a batch shows: every photo as often as it should be in every epoch, none twice in several processes at once."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


class Epochs:
    """Photos by the place of a picture in the run, so that a run resumes anywhere without a state.

    An epoch has as many places as there are photos, shuffled. Place k draws by systematic sampling: of P photos, one with the
    chance c is drawn P c times, rounded up or down; if all chances are equal, each photo is drawn once. Several processes take
    places in turn.

    Args:
        chances: (P,) of the photos, with a sum of 1.
        seed: of the random numbers, the same in all processes.
        rank: of this process.
        processes: number of them.
        most: pictures in a batch at most; with fewer, places stay empty.
    """

    def __init__(self, chances: NDArray[np.float64], seed: int, rank: int, processes: int, most: int):
        self.chances = chances
        self.seed = seed
        self.rank = rank
        self.processes = processes
        self.most = most
        self._epoch = lru_cache(maxsize=2)(self._shuffle)  # a batch may lie in two of them

    def with_chances(self, chances: NDArray[np.float64]) -> "Epochs":
        """The same with other chances of the photos."""
        return Epochs(chances, self.seed, self.rank, self.processes, self.most)

    def photos(self, step: int, count: int) -> list[int]:
        """The places of a batch's photos in the collection."""
        first = step * self.most
        return [self._photo((first + i) * self.processes + self.rank) for i in range(count)]

    def _photo(self, place: int) -> int:
        epoch, within = divmod(place, len(self.chances))
        return int(self._epoch(epoch)[within])

    def _shuffle(self, epoch: int) -> NDArray[np.intp]:
        rng = np.random.default_rng((self.seed, epoch))
        points = (np.arange(len(self.chances)) + rng.random()) / len(self.chances)
        edges = np.cumsum(self.chances)
        return rng.permutation(np.searchsorted(edges / edges[-1], points, side="right"))
