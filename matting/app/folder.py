"""The folder of the app's files. Gradio reads its name once, when it is imported, so this module does without Gradio."""

import atexit
import os
import shutil
import signal
import tempfile
from pathlib import Path

_PREFIX = "matting-space-"


def private_temp_folder() -> str:
    """A folder that only this process and its user can read, for everything Gradio and the pages write.

    It goes when the process ends or is asked to end (SIGTERM); what a killed process has left is removed by the next one.
    `GRADIO_TEMP_DIR` in the environment takes precedence.
    """
    if "GRADIO_TEMP_DIR" not in os.environ:
        _remove_orphans(Path(tempfile.gettempdir()))
        folder = tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        signal.signal(signal.SIGTERM, lambda number, _: _end(number, folder))
        return folder
    return os.environ["GRADIO_TEMP_DIR"]


def _end(number: int, folder: str) -> None:
    """End as the signal would have ended the process, without waiting for work in progress, but with the files gone."""
    shutil.rmtree(folder, ignore_errors=True)
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _remove_orphans(parent: Path) -> None:
    for folder in parent.glob(f"{_PREFIX}*"):
        owner = folder.name[len(_PREFIX) :].partition("-")[0]
        if owner.isdigit() and not _runs(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)


def _runs(process: int) -> bool:
    """Whether another process of that number is alive; our own number can only be a leftover."""
    if process == os.getpid():
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
