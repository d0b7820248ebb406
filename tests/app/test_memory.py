"""Threads of the app share their free memory."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

_SCRIPT = """
import ctypes, sys, threading
from matting.app.memory import share_arenas

if sys.argv[1] == "shared":
    share_arenas()
together = threading.Barrier(9)

def work():
    kept = [bytearray(10_000) for _ in range(100)]
    together.wait()

threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads:
    thread.start()
together.wait()
ctypes.CDLL(None).malloc_stats()
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs glibc")
def test_threads_share_two_arenas():
    def arenas(mode: str) -> int:
        command = [sys.executable, "-c", _SCRIPT, mode]
        root = Path(__file__).parents[2]
        return subprocess.run(command, cwd=root, stderr=subprocess.PIPE, text=True, check=True).stderr.count("Arena ")

    assert arenas("shared") <= 2 < arenas("separate")
