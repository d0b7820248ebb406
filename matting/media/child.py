"""A helper process for one task with one file: what it decodes may break it, and only it.

Decoders are large programs in C, and a clip or photo can be made to crash them or to ask for any amount of memory. So they run
in a process of their own, which has a limit for memory and whose end is one file's plain error. The helper is a new process,
not a fork: it shares nothing with this one but the pipe, and loads neither torch nor the network.
"""

import os
import subprocess
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from threading import Timer
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from matting.media.messages import Message, receive, send

MEMORY_BYTES = 4 << 30  # of a helper: an 8K clip in HEVC with 10 bits needs half of it
PATIENCE_S = 120.0  # for one message
_ERRORS: dict[str, type[Exception]] = {"FileNotFoundError": FileNotFoundError, "OSError": OSError, "ValueError": ValueError}


class Child:
    """A helper process; `close` ends it at once, whatever it is doing.

    Args:
        task: "pictures", "sound", "write" or "still"; see `matting.media.tasks`.
        name: what the file is called in messages.
        arguments: of the task.

    Raises:
        ValueError: if PyAV is not installed, with which all of them work.
    """

    def __init__(self, task: str, name: str, **arguments: Any):
        if find_spec("av") is None:
            raise ValueError(f"{name} is a clip, and clips need PyAV: pip install 'portrait-matting[video]'")
        self._name = name
        paths = [str(Path(__file__).parents[2]), *(path for path in sys.path if path)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "matting.media.tasks", str(MEMORY_BYTES)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # libraries would write of a visitor's file there
            env={**os.environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths))},
            start_new_session=True,  # Ctrl-C is for this process, which ends its helpers in order
        )
        self._requests, self._answers = cast(BinaryIO, self._process.stdin), cast(BinaryIO, self._process.stdout)
        self.send({"task": task, **arguments})

    def send(self, header: dict[str, Any], pixels: NDArray[np.uint8] | None = None) -> None:
        """Raises what the helper failed with, if it is not there any more to listen."""
        try:
            send(self._requests, header, pixels)
        except (BrokenPipeError, ConnectionError):
            self.receive()
            raise ValueError(self._death()) from None

    def receive(self) -> Message:
        """The helper's next message.

        Raises:
            ValueError, OSError: what the helper failed with; ValueError if it was ended by a broken file, by too little
                memory, or gave no answer for `PATIENCE_S`.
        """
        patience = Timer(PATIENCE_S, self._process.kill)
        patience.daemon = True
        patience.start()
        try:
            message = receive(self._answers)
        except EOFError:
            raise ValueError(self._death()) from None
        finally:
            patience.cancel()
        error = message.header.get("error")
        if error is None:
            return message
        text = message.header["message"]
        if error == "MemoryError":
            raise ValueError(f"{self._name} needs more memory than the {MEMORY_BYTES / 1e9:.1f} GB that one file is given")
        if error not in _ERRORS:
            raise RuntimeError(f"{error}: {text}")
        if message.header.get("number") is not None:
            raise OSError(message.header["number"], text)
        raise _ERRORS[error](text)

    def close(self) -> None:
        """End the process, if it has not ended."""
        self._process.kill()
        for pipe in (self._requests, self._answers):
            with suppress(OSError):  # of what was still on its way
                pipe.close()
        self._process.wait()

    def _death(self) -> str:
        try:
            code = self._process.wait(5)
        except subprocess.TimeoutExpired:
            code = 0
        return f"{self._name} cannot be decoded: it is damaged in a way that ended its decoder ({code})"
