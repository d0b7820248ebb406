"""Collections of small sets, in memory and streamed."""

from pathlib import Path

import torch

from matting.training.arena import Arena
from matting.training.collection import Collection, Extras, load_resident, load_streamed
from matting.training.decode import prepare
from matting.training.pairs import list_people, list_pictures, read_sizes


def in_memory(root: Path, backgrounds: Path | None = None, arena: Arena | None = None) -> Collection:
    extras = Extras(list_pictures(backgrounds) if backgrounds else ())
    return load_resident(list_people(root), extras, None, torch.device("cpu"), arena)[0]


def streamed(root: Path, backgrounds: Path, cache: Path) -> Collection:
    listing = list_people(root)
    boxes = prepare(listing.pairs, cache, "closed-form", workers=1)
    return load_streamed(listing, boxes, read_sizes(listing.pairs)[0], Extras(list_pictures(backgrounds)), cache, "closed-form")
