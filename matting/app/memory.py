"""Keeps the memory of a server with many threads flat."""

import ctypes
import platform

_M_ARENA_MAX = -8  # malloc.h
_ARENAS = 2


def give_back() -> None:
    """Return to the system what was freed; glibc keeps some of it otherwise, as long as anything above it is in use."""
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)


def share_arenas() -> None:
    """Let all threads use the same few arenas of glibc.

    What a thread frees stays in its arena. With an arena for each of a server's threads, every one of them grows to the largest
    photo it ever worked on. Other C libraries are left alone.
    """
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _ARENAS)
