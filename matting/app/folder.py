"""The folder of the app's files. Gradio reads its name once, when it is imported, so this module does without Gradio."""

import atexit
import fcntl
import os
import secrets
import shutil
import signal
import tempfile
from pathlib import Path

_PREFIX = "matting-space-"
_LOCK = ".lock"  # held as long as the folder's process lives, whichever container that runs in


def private_temp_folder() -> str:
    """A folder that only this process and its user can read, for everything Gradio and the pages write.

    It goes when the process ends or is asked to end (SIGTERM); what a killed process has left is removed by the next one.
    `GRADIO_TEMP_DIR` in the environment takes precedence.
    """
    if "GRADIO_TEMP_DIR" not in os.environ:
        parent = Path(tempfile.gettempdir())
        _remove_orphans(parent)
        folder = _make_locked(parent)
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        signal.signal(signal.SIGTERM, lambda number, _: _end(number, folder))
        return str(folder)
    return os.environ["GRADIO_TEMP_DIR"]


def _end(number: int, folder: Path) -> None:
    """End as the signal would have ended the process, without waiting for work in progress, but with the files gone."""
    shutil.rmtree(folder, ignore_errors=True)
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _make_locked(parent: Path) -> Path:
    """A new folder that has its name only once it is locked; the lock goes with the process, however that ends."""
    unlocked = Path(tempfile.mkdtemp(prefix=f".{_PREFIX}", dir=parent))
    fcntl.flock(os.open(unlocked / _LOCK, os.O_RDWR | os.O_CREAT, 0o600), fcntl.LOCK_EX)  # never closed: held to the end
    return unlocked.rename(parent / f"{_PREFIX}{secrets.token_hex(8)}")


def _remove_orphans(parent: Path) -> None:
    """Remove the folders whose lock nobody holds. Process numbers would not do: each container counts its own."""
    for folder in parent.glob(f"{_PREFIX}*"):
        try:
            lock = os.open(folder / _LOCK, os.O_RDWR)
        except OSError:  # somebody else's, or just being removed
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        else:
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(lock)
