"""Keeps the memory of a server with many threads flat."""

import ctypes
import platform

_M_ARENA_MAX = -8  # malloc.h
_ARENAS = 2


def share_arenas() -> None:
    """Let all threads use the same few arenas of glibc.

    What a thread frees stays in its arena. With an arena for each of a server's threads, every one of them grows to the largest
    photo it ever worked on. Other C libraries are left alone.
    """
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _ARENAS)
