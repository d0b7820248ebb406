"""What a helper process does: `python -m matting.media.tasks MEMORY`, started by `matting.media.child.Child`.

It is told one task over its input and answers over its output; see `matting.media.messages`. When its input ends before the
work is done, nobody wants it any more.
"""

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

from matting.media.messages import receive, send


def main() -> None:
    """Do the one task; whatever goes wrong is told in its place."""
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # libraries that print would break the messages
    _limit_memory(int(sys.argv[1]))
    try:
        request = receive(requests).header
        TASKS[request.pop("task")](requests, answers, **request)
    except (EOFError, BrokenPipeError):
        return
    except Exception as error:  # noqa: BLE001 - the other side raises it again
        with suppress(OSError):
            send(answers, describe_error(error))


def describe_error(error: Exception) -> dict[str, Any]:
    """An error as a message; kinds that the other side knows keep their names."""
    for kind in (MemoryError, FileNotFoundError, OSError, ValueError):
        if isinstance(error, kind):
            number = error.errno if isinstance(error, OSError) else None
            text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            return {"error": kind.__name__, "message": text, "number": number}
    return {"error": type(error).__name__, "message": str(error)}


def _limit_memory(most: int) -> None:
    """Bytes of memory that this process may ask for; where the system knows no such limit, there is none."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def send_pictures(_: BinaryIO, answers: BinaryIO, path: str) -> None:
    """First what the clip is, then every frame; the pipe holds the work back."""
    import numpy as np

    from matting.media.decoder import ClipDecoder

    with ClipDecoder(path) as decoder:
        info = asdict(decoder.info)
        send(answers, {key: str(value) if isinstance(value, Fraction) else value for key, value in info.items()})
        for image, pts, duration, alpha in decoder:
            send(answers, {"pts": pts, "duration": duration}, image if alpha is None else np.dstack([image, alpha]))
    send(answers, {"end": True})


def try_sound(_: BinaryIO, answers: BinaryIO, path: str, track: int) -> None:
    """Decode a sound track to its end and say what it is."""
    from matting.media.sound import examine_track

    send(answers, examine_track(Path(path), track)._asdict())


def write_clip(requests: BinaryIO, answers: BinaryIO, spec: dict[str, Any]) -> None:
    """Encode the frames that come in, until told that there are no more."""
    from matting.media.encoder import ClipEncoder
    from matting.media.encoding import EncoderSpec

    with ClipEncoder(EncoderSpec.from_plain(spec)) as encoder:
        while True:
            header, pixels = receive(requests)
            if pixels is None:
                break
            encoder.write(pixels, header["pts"], header["duration"])
        encoder.finish()
    send(answers, {"notes": encoder.notes})


TASKS: dict[str, Callable[..., None]] = {"pictures": send_pictures, "sound": try_sound, "write": write_clip}

if __name__ == "__main__":
    main()
