"""A clip that was given: its first frame, and the people in it, one of whom can be chosen."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from matting.inference.people import point_in
from matting.media.reader import ClipInfo, ClipReader


@dataclass(frozen=True)
class ClipStart:
    """What is known of a clip before it is matted.

    Attributes:
        path: of the upload.
        info: its size, frames and duration.
        image: (H, W, 3) uint8, the first frame.
        people: (h, w) uint8 at the network's cells: 0 nobody, else the number of a person from the left.
        person: the number of whoever alone is kept; 0 keeps everybody.
    """

    path: Path
    info: ClipInfo
    image: NDArray[np.uint8]
    people: NDArray[np.uint8]
    person: int = 0

    @property
    def count(self) -> int:
        """Number of people."""
        return int(self.people.max())

    def toggled(self, person: int) -> "ClipStart":
        """Keep this one alone, or everybody again; raises ValueError if there is no such person."""
        if not 1 <= person <= self.count:
            raise ValueError(f"person must be from 1 to {self.count}, got {person}")
        return replace(self, person=0 if person == self.person else person)

    def point(self) -> tuple[float, float] | None:
        """Where the chosen person is, as `ClipSettings.person` takes it."""
        return point_in(self.people == self.person) if self.person else None


def read_first_frame(path: Path) -> tuple[ClipInfo, NDArray[np.uint8]]:
    """What a clip tells of itself, and its first frame; raises ValueError if it cannot be decoded."""
    with ClipReader(path) as reader:
        return reader.info, next(iter(reader)).image


def parse_place(text: str) -> tuple[float, float] | None:
    """(x, y) of "0.3, 0.5", from 0 to 1 each; None for an empty text. Raises ValueError if it is neither."""
    if not text.strip():
        return None
    try:
        x, y = (float(part) for part in text.split(","))
        if 0 <= x <= 1 and 0 <= y <= 1:
            return x, y
    except ValueError:
        pass
    raise ValueError(f"person must be two numbers from 0 to 1 such as 0.3, 0.5, got {text!r}")
