"""The people, scenes and pictures that batches are drawn from: decoded in memory if they fit, else read when asked for."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from matting.training.arena import Arena
from matting.training.cache import Method, person_box
from matting.training.decode import load_people
from matting.training.framing import Box, Subject, stands_free
from matting.training.objects import load_objects
from matting.training.pairs import Listing, Pair, refuse_bad
from matting.training.pictures import read_picture
from matting.training.prepare import Person, load_person, load_scene
from matting.training.pyramid import Pyramid, resident

_SAVE_EVERY = 200  # photos that are decoded
T = TypeVar("T")


@dataclass(frozen=True)
class Collection:
    """All training data, decoded on one device or read when asked for.

    Attributes:
        subjects: photos of people.
        chances: (P,) sampling probability of each of them.
        whole: those who are seen whole.
        scenes: photos' backgrounds with the person filled in; may show passers-by. Image pyramids of (3, h, w) uint8.
        pictures: backgrounds without people, likewise.
        objects: objects cut out of photos, see `matting.training.objects`.
        furniture: renders of furniture, likewise.
        device: of all tensors.
    """

    subjects: Sequence[Subject]
    chances: np.ndarray
    whole: Sequence[Subject]
    scenes: Sequence[Sequence[Tensor]]
    pictures: Sequence[Sequence[Tensor]]
    objects: list[Tensor]
    furniture: list[Tensor]
    device: torch.device


class Extras(NamedTuple):
    """What people are shown with: pictures to stand in front of, folders of objects and furniture, if there are any."""

    pictures: Sequence[Path] = ()
    objects: Path | None = None
    furniture: Path | None = None

    def load_objects(self, device: torch.device) -> tuple[list[Tensor], list[Tensor]]:
        """Objects and furniture."""
        objects, furniture = (load_objects(folder, device) if folder else [] for folder in (self.objects, self.furniture))
        return objects, furniture


class Asked(Dataset[T], Sequence[T], Generic[T]):
    """A map-style data set whose items are made of one place each when they are asked for, such as photos of their files.

    Args:
        places: of the items.
        make: an item from its place.
    """

    def __init__(self, places: Sequence[object], make: Callable[..., T]):
        self.places = places
        self.make = make

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, index: int) -> T:  # type: ignore[override]  # no slices
        return self.make(self.places[index])


def load_resident(
    listing: Listing,
    extras: Extras,
    cache: Path | None,
    device: torch.device,
    arena: Arena | None = None,
    skip: bool = False,
    method: Method = "closed-form",
    workers: int = 2,
) -> tuple[Collection, Listing]:
    """Decode everything.

    Args:
        listing: of the photos.
        extras: what people are shown with.
        cache: folder that keeps estimated colours.
        device: of the result.
        arena: where people's pictures lie instead of memory, and are found by the next run, if given.
        skip: whether photos that cannot be used are left out.
        method: of estimating colours.
        workers: processes that decode.

    Returns:
        The collection, and the listing without photos that cannot be used.

    Raises:
        ValueError: if photos cannot be used and are not skipped; names the files.
    """
    subjects, scenes, faults = [], [], {}
    decoded = _decode(listing.pairs, cache, device, arena, method, workers)
    for index, (pair, found) in enumerate(zip(listing.pairs, decoded, strict=True)):
        if isinstance(found, str):
            faults[index] = found
            continue
        planes, scene = found
        subjects.append(Subject(planes, person_box(planes[0][3].cpu().numpy()), pair.foreground_only))
        if scene:
            scenes.append(scene)
    refuse_bad([*faults.values()], len(listing.pairs), skip)
    listing = listing.without(faults) if faults else listing
    pictures = _decode_pictures(extras.pictures, device, arena, skip)
    if arena is not None:
        arena.save()
    whole = [subject for subject in subjects if subject.is_whole]
    return Collection(subjects, listing.chances, whole, scenes, pictures, *extras.load_objects(device), device), listing


def load_streamed(
    listing: Listing,
    boxes: Sequence[Box],
    sizes: Sequence[tuple[int, int]],
    extras: Extras,
    cache: Path,
    method: Method,
) -> Collection:
    """A collection in memory of the processor whose photos, scenes and pictures are decoded one by one when they are asked for.

    Args:
        listing: of the photos.
        boxes: of their people.
        sizes: (width, height) of the photos.
        extras: what people are shown with.
        cache: folder of estimated colours, see `matting.training.decode.prepare`.
        method: of estimating colours.
    """
    cpu = torch.device("cpu")
    make = partial(_person, cache=cache, method=method)
    places = list(zip(listing.pairs, boxes, strict=True))
    free = [place for place, size in zip(places, sizes, strict=True) if stands_free(place[1], size)]
    scenes = Asked([pair for pair in listing.pairs if not pair.foreground_only], _scene)
    pictures = Asked(extras.pictures, _picture)
    return Collection(Asked(places, make), listing.chances, Asked(free, make), scenes, pictures, *extras.load_objects(cpu), cpu)


def _person(place: tuple[Pair, Box], cache: Path, method: Method) -> Subject:
    pair, box = place
    shown = load_person(pair, cache, method, background=False)
    return Subject(Pyramid(_seven(shown)), box, pair.foreground_only)


def _scene(pair: Pair) -> Pyramid:
    return Pyramid(load_scene(pair))


def _picture(path: Path) -> Pyramid:
    return Pyramid(read_picture(path))


def _seven(person: Person) -> np.ndarray:
    """Photo, alpha and foreground as (H, W, 7) uint8."""
    return np.concatenate([person.image, person.alpha[..., None], person.foreground], axis=2)


def _decode(
    pairs: Sequence[Pair], cache: Path | None, device: torch.device, arena: Arena | None, method: Method, workers: int
) -> Iterator[tuple[list[Tensor], list[Tensor]] | str]:
    """Mips of each person and of their scene, the latter empty where the photo has none; from the arena what it has.

    Of photos that cannot be used, what is wrong with them.
    """
    names = [f"{pair.image}:{pair.image.stat().st_mtime_ns}:{pair.alpha.stat().st_mtime_ns}" for pair in pairs]
    missing = [pair for pair, name in zip(pairs, names, strict=True) if arena is None or name not in arena]
    people = load_people(missing, cache, method, workers) if missing else iter(())
    for count, name in enumerate(names):
        if arena is not None and name in arena:
            yield arena[name], arena[f"{name}:scene"]
            continue
        person = next(people)
        if isinstance(person, str):
            yield person
            continue
        planes = resident(_seven(person), device)
        scene = [] if person.background is None else resident(person.background, device)
        if arena is not None:
            arena[name], arena[f"{name}:scene"] = planes, scene
            planes, scene = arena[name], arena[f"{name}:scene"]
            if count % _SAVE_EVERY == 0 or count == len(names) - 1:
                arena.save()
        yield planes, scene


def _decode_pictures(paths: Sequence[Path], device: torch.device, arena: Arena | None, skip: bool) -> list[Sequence[Tensor]]:
    pictures: list[Sequence[Tensor]] = []
    faults = []
    for path in paths:
        name = f"{path}:{path.stat().st_mtime_ns}"
        try:
            if arena is not None and name not in arena:
                arena[name] = resident(read_picture(path), device)
            pictures.append(resident(read_picture(path), device) if arena is None else arena[name])
        except ValueError as error:
            faults.append(str(error))
    refuse_bad(faults, len(paths), skip)
    return pictures
