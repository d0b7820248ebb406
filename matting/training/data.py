"""The data of a run: what its options name, in memory or streamed, whichever fits."""

import argparse
import os
from pathlib import Path

import torch
from tqdm import tqdm

from matting.training.arena import Arena
from matting.training.collection import Collection, Extras, load_resident, load_streamed
from matting.training.decode import look_at, prepare
from matting.training.pairs import Listing, list_people, list_pictures, read_sizes, refuse_bad

_MEMORY_SHARE = 0.4  # of what is free, that decoded photos may take
_PERSON_BYTES = 7 * 4 / 3  # of a pixel and its share of the pyramid
_SCENE_BYTES = 120_000 * 3 * 4 / 3
_PICTURE_BYTES = 1024 * 700 * 3 * 4 / 3


def load_data(
    options: argparse.Namespace, device: torch.device, rank: int = 0, processes: int = 1
) -> tuple[Collection, Listing]:
    """Load what the options of a run name, and say in one line how.

    Args:
        options: see `matting.training.options`.
        device: of the training.
        rank: of this process.
        processes: number of them; each keeps a collection of its own.

    Returns:
        The collection and the listing of its photos.

    Raises:
        ValueError: if files are missing or cannot be used; names them.
    """
    listing = list_people(options.data, options.photos, dict(options.shares) if options.shares else None, options.sets)
    total = len(listing.pairs) + len(listing.bad)
    refuse_bad(listing.bad, total, options.skip_bad, rank == 0)
    sizes, faults = read_sizes(listing.pairs)
    refuse_bad([*faults.values()], total, options.skip_bad, rank == 0)
    sizes = [size for index, size in enumerate(sizes) if index not in faults]
    listing = listing.without(faults) if faults else listing
    extras = Extras(find_backgrounds(options), options.objects, options.furniture)
    gigabytes = decoded_gigabytes(sizes, len(extras.pictures))
    free = free_gigabytes(device) / (1 if device.type == "cuda" else processes)
    streamed = options.prepare_only or options.stream == "yes"
    streamed |= options.stream == "auto" and not options.on_disk and gigabytes > _MEMORY_SHARE * free
    if rank == 0:
        where = "decoded when drawn" if streamed else "in a file" if options.on_disk else "decoded in memory"
        drawn = f", {options.num_workers} workers" if streamed else ""
        counts = f"{len(listing.pairs):,} photos and {len(extras.pictures):,} pictures without people"
        tqdm.write(f"{counts}, {gigabytes:.1f} GB decoded where {free:.1f} GB are free: {where}{drawn}")
    if not streamed:
        arena = Arena(options.cache) if options.on_disk else None
        workers = max(2, options.num_workers)
        return load_resident(listing, extras, options.cache, device, arena, options.skip_bad, options.foreground, workers)
    cache = options.cache or options.out / "cache"
    found = prepare(listing.pairs, cache, options.foreground, rank, processes, max(1, options.num_workers))
    faults = {index: one for index, one in enumerate(found) if isinstance(one, str)}
    refuse_bad([*faults.values()], total, options.skip_bad, rank == 0)
    boxes = [one for one in found if not isinstance(one, str)]
    sizes = [size for index, size in enumerate(sizes) if index not in faults]
    listing = listing.without(faults) if faults else listing
    looks = look_at(extras.pictures, cache, rank, processes, max(1, options.num_workers))
    refuse_bad([fault for fault in looks if fault], len(looks), options.skip_bad, rank == 0)
    fine = [path for path, fault in zip(extras.pictures, looks, strict=True) if not fault]
    return load_streamed(listing, boxes, sizes, extras._replace(pictures=fine), cache, options.foreground), listing


def find_backgrounds(options: argparse.Namespace) -> list[Path]:
    """Pictures without people, of the folder that is named or of DATA/backgrounds; none if there is neither."""
    if options.backgrounds:
        return list_pictures(options.backgrounds)
    beside = options.data / "backgrounds"
    return list_pictures(beside) if beside.is_dir() else []


def decoded_gigabytes(sizes: list[tuple[int, int]], pictures: int) -> float:
    """Memory that photos of (width, height) and pictures without people take, decoded."""
    people = sum(width * height for width, height in sizes) * _PERSON_BYTES + len(sizes) * _SCENE_BYTES
    return (people + pictures * _PICTURE_BYTES) / 1e9


def free_gigabytes(device: torch.device) -> float:
    """Memory that is free on a device."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0] / 1e9
    try:
        facts = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
        return int(facts["MemAvailable"].split()[0]) * 1024 / 1e9
    except (OSError, KeyError):  # not Linux
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
