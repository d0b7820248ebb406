"""Which sound of a clip is carried into other files: the first track that can be decoded."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from matting.media.child import Child


class SoundTrack(NamedTuple):
    """A sound track that has been decoded to its end.

    Attributes:
        stream: its index in the file.
        codec: its name.
        rate: samples per second at its beginning.
        channels: at its beginning.
        steady: whether neither changes, nor anything else, so that it can be copied.
    """

    stream: int
    codec: str
    rate: int
    channels: int
    steady: bool


@dataclass(frozen=True)
class Sound:
    """What is carried, None if nothing is, and what has to be said about the rest."""

    track: SoundTrack | None = None
    notes: tuple[str, ...] = ()


def find_sound(path: Path, tracks: Sequence[int]) -> Sound:
    """Decode the sound tracks of a clip, each in a process of its own, until one comes through.

    Sound never refuses a clip: tracks of unknown codecs, and those that break their decoder, are named in the notes.
    """
    notes = []
    for number, index in enumerate(tracks, 1):
        child = Child("sound", path.name, path=str(path.absolute()), track=index)
        try:
            track = SoundTrack(**child.receive().header)
        except (ValueError, OSError, RuntimeError) as error:
            reason = str(error).removeprefix(f"{path.name} ")
            notes.append(f"sound track {number} of {len(tracks)} is left out: {reason}")
        else:
            return Sound(track, tuple(notes))
        finally:
            child.close()
    return Sound(None, (*notes, "the result has no sound") if notes else ())
