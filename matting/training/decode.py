"""Decoding of whole collections by several processes: into memory, or once into the cache."""

import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

import cv2
from tqdm import tqdm

from matting.training.cache import (
    Method,
    Record,
    person_box,
    read_fault,
    read_known,
    read_look,
    write_fault,
    write_look,
    write_record,
)
from matting.training.framing import Box
from matting.training.pairs import Pair
from matting.training.pictures import read_picture
from matting.training.prepare import Person, find_foreground, load_person, read_pair, shrink

_AT_ONCE = 24  # photos decoded ahead; results of a process pool wait in memory
_POLL_S = 2.0
S = TypeVar("S")
T = TypeVar("T")


def load_people(pairs: Sequence[Pair], cache: Path | None, method: Method, workers: int = 2) -> Iterator[Person | str]:
    """Decode all pairs in parallel, with a progress bar; yields them in order, so that few are in memory at a time.

    What cannot be used is yielded as a sentence on what is wrong with it.
    """
    if cache:
        cache.mkdir(parents=True, exist_ok=True)
    yield from _each(partial(_try_person, cache=cache, method=method), pairs, "decoding", workers)


def prepare(
    pairs: Sequence[Pair], cache: Path, method: Method, rank: int = 0, processes: int = 1, workers: int = 2
) -> list[Box | str]:
    """Look at every photo once and keep its person's box and its foreground colours, unless that has been done before.

    Of several processes each takes its share of the photos and waits for the others; what was stopped goes on where it was.

    Args:
        pairs: photos, the same ones in the same order in every process.
        cache: folder of what is kept.
        method: "fast" keeps no colours.
        rank: of this process.
        processes: number of them.
        workers: processes started by this one.

    Returns:
        The person's box of each photo, or what is wrong with it.
    """
    known = partial(_known, cache=cache, method=method)
    work = partial(_prepare_one, cache=cache, method=method)
    return _know_all(pairs, cache, known, work, "preparing", rank, processes, workers)


def look_at(paths: Sequence[Path], cache: Path, rank: int = 0, processes: int = 1, workers: int = 2) -> list[str]:
    """Decode every picture without people once, unless that has been done before; processes share the work as in `prepare`.

    Args:
        paths: the same ones in the same order in every process.
        cache: folder that keeps what was found.
        rank: of this process.
        processes: number of them.
        workers: processes started by this one.

    Returns:
        What is wrong with each picture, empty if nothing is.
    """
    known, work = partial(read_look, cache), partial(_look_at_one, cache=cache)
    return _know_all(paths, cache, known, work, "looking at pictures", rank, processes, workers)


def _know_all(
    items: Sequence[S],
    cache: Path,
    known: Callable[[S], T | None],
    work: Callable[[S], None],
    name: str,
    rank: int,
    processes: int,
    workers: int,
) -> list[T]:
    """What is known of each item; this process works on its share of those of which nothing is, and waits for the others."""
    cache.mkdir(parents=True, exist_ok=True)
    missing = [item for item in items[rank::processes] if known(item) is None]
    if missing:
        for _ in _each(work, missing, name, workers, rank > 0):
            pass
    found: list[T] = []
    for item in items:
        while (one := known(item)) is None:  # another process has this one
            time.sleep(_POLL_S)
        found.append(one)
    return found


def _each(work: Callable[[S], T], items: Sequence[S], name: str, workers: int, quiet: bool = False) -> Iterator[T]:
    context = multiprocessing.get_context("spawn")  # a fork would copy locks that threads of this process may hold
    with ProcessPoolExecutor(workers, context, cv2.setNumThreads, (1,)) as pool:
        parts = (items[start : start + _AT_ONCE] for start in range(0, len(items), _AT_ONCE))
        results = (result for part in parts for result in pool.map(work, part))  # all at once, they would wait in memory
        yield from tqdm(results, total=len(items), desc=name, unit="photo", mininterval=5, disable=quiet)


def _try_person(pair: Pair, cache: Path | None, method: Method) -> Person | str:
    try:
        return load_person(pair, cache, method)
    except ValueError as error:
        return str(error)


def _prepare_one(pair: Pair, cache: Path, method: Method) -> None:
    try:
        image, alpha = read_pair(pair)
    except ValueError as error:
        write_fault(cache, pair, str(error))
        return
    foreground = None
    if method == "closed-form" and not pair.foreground_only:
        foreground = find_foreground(pair, alpha, *shrink(image, alpha), cache, method)
    if read_known(cache, pair) is None:
        write_record(cache, pair, Record(person_box(alpha), foreground))


def _look_at_one(path: Path, cache: Path) -> None:
    try:
        read_picture(path)
        fault = ""
    except ValueError as error:
        fault = str(error)
    write_look(cache, path, fault)


def _known(pair: Pair, cache: Path, method: Method) -> Box | str | None:
    """The box that is kept of a photo, or what is wrong with it; None if it is to be looked at."""
    kept = read_known(cache, pair)
    if kept and (kept.coloured or method == "fast" or pair.foreground_only):
        return kept.box
    return read_fault(cache, pair)
