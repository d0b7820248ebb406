"""Names of the files that are written for a folder: every input has its own, and every file system takes them."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from matting.media.names import fit_name

_LONGEST_ENDING = 32  # bytes kept free behind a number, which must not be cut off


def distinct_stems(files: Sequence[Path], endings: Callable[[Path], Sequence[str]]) -> dict[Path, str]:
    """What the names of each file's results begin with, so that no two results of a folder have one name.

    That is the file's stem; where two files of a kind have the same stem, their whole names (a.jpg.png and a.webp.png for
    a.jpg and a.webp); and where that is taken too, a number behind it. Case does not count, as on disks of Windows and macOS.

    Args:
        files: the inputs.
        endings: what is put behind the stem for the results of a file.
    """
    kinds = {file: (file.stem.casefold(), tuple(endings(file))) for file in files}
    counts = Counter(kinds.values())
    taken, chosen = set[str](), dict[Path, str]()
    for file in files:
        for stem in _candidates(file, alone=counts[kinds[file]] == 1):
            names = {fit_name(stem, ending).casefold() for ending in endings(file)}
            if not names & taken:
                break
        taken |= names
        chosen[file] = stem
    return chosen


def _candidates(file: Path, alone: bool) -> Iterator[str]:
    if alone:
        yield file.stem
    yield file.name
    number = 2
    while True:
        yield fit_name(file.name, f"-{number}", spare=_LONGEST_ENDING)
        number += 1
