"""What this program and its helpers for clips tell each other over a pipe: a line of JSON, then bytes."""

import json
import struct
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

_LENGTH = struct.Struct(">I")
_LONGEST_HEADER = 1 << 20


class Message(NamedTuple):
    """A header of plain values, and an array (or nothing): one of bytes, in the shape that the header states."""

    header: dict[str, Any]
    pixels: NDArray[np.uint8] | None = None


def send(pipe: BinaryIO, header: dict[str, Any], pixels: NDArray[np.uint8] | None = None) -> None:
    """Write a message; raises BrokenPipeError if nobody reads it."""
    text = json.dumps({**header, "shape": None if pixels is None else pixels.shape}).encode()
    pipe.write(_LENGTH.pack(len(text)) + text)
    if pixels is not None:
        pipe.write(np.ascontiguousarray(pixels).data)
    pipe.flush()


def receive(pipe: BinaryIO) -> Message:
    """Read a message; raises EOFError if the pipe ends or holds something else."""
    (length,) = _LENGTH.unpack(_exactly(pipe, _LENGTH.size))
    if length > _LONGEST_HEADER:
        raise EOFError("not a message")
    header = json.loads(_exactly(pipe, length))
    shape = header.pop("shape")
    if shape is None:
        return Message(header)
    return Message(header, np.frombuffer(_exactly(pipe, int(np.prod(shape))), np.uint8).reshape(shape))


def _exactly(pipe: BinaryIO, size: int) -> bytearray:
    data = bytearray(size)
    view, filled = memoryview(data), 0
    while filled < size:
        count = pipe.readinto(view[filled:])  # type: ignore[attr-defined]
        if not count:
            raise EOFError("the pipe ended")
        filled += count
    return data
