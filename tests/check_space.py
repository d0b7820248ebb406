"""Start the app as a Space would, and say what came of it: python tests/check_space.py.

A fresh virtual environment, only the files in git, no network once the packages are there. The port has to answer, the first
photo has to come back as a matte of its size, and nothing may be left in the folder for files.
"""

import argparse
import os
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.request
import venv
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from gradio_client import Client, handle_file
from PIL import Image

PROJECT = Path(__file__).parents[1]
sys.path.insert(0, str(PROJECT))

from matting.evaluation.benchmark import peak_bytes  # noqa: E402 (as a program, this file has tests/ on its path)

EXAMPLE = Path("examples/curls.jpg")
MOST_MEMORY_GB = 16.0  # of a free Space
_START_LIMIT_S = 600
_GUARD = Path(__file__).parent / "offline_guard.py"


@dataclass(frozen=True)
class Start:
    """What a start took.

    Attributes:
        files: how many are in git.
        install_s: seconds to install the packages; 0 where those at hand were used.
        answer_s: seconds from the start of the process until the port answered.
        matte_s: seconds until the first photo was back.
        memory_gb: the most memory the process had, in 10**9 bytes.
        refused: hosts that the app tried to reach.
        left_behind: files still there after the end.
    """

    files: int
    install_s: float
    answer_s: float
    matte_s: float
    memory_gb: float
    refused: tuple[str, ...]
    left_behind: tuple[str, ...]

    @property
    def problems(self) -> list[str]:
        problems = [f"the app tried to reach {host}" for host in self.refused]
        problems += [f"{name} was left behind" for name in self.left_behind]
        if self.memory_gb > MOST_MEMORY_GB:
            problems.append(f"{self.memory_gb:.1f} GB of memory are more than a Space has")
        return problems


def check_start(packages_at_hand: bool = False) -> Start:
    """Simulate a start.

    Args:
        packages_at_hand: use the packages of this Python instead of installing them anew.

    Raises:
        RuntimeError: if the app does not start, or the first photo does not come back as it should.
        subprocess.CalledProcessError: if the packages cannot be installed.
    """
    with TemporaryDirectory(prefix="matting-check-") as name:
        folder = Path(name)
        files = copy_from_git(folder / "app")
        began = time.perf_counter()
        python = Path(sys.executable) if packages_at_hand else install(folder / "venv", folder / "app" / "requirements.txt")
        install_s = 0.0 if packages_at_hand else time.perf_counter() - began
        with started(python, folder / "app", folder) as (process, url, answer_s):
            began = time.perf_counter()
            check_matte(url, folder / "app" / EXAMPLE, folder)
            matte_s = time.perf_counter() - began
            memory_gb = peak_bytes(process.pid) / 1e9
        refused = (folder / "refused.txt").read_text().split() if (folder / "refused.txt").exists() else []
        left = tuple(str(path.relative_to(folder)) for path in (folder / "tmp").rglob("*"))
        return Start(files, install_s, answer_s, matte_s, memory_gb, tuple(sorted(set(refused))), left)


def copy_from_git(target: Path) -> int:
    """Unpack the last commit; returns how many files it has."""
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=PROJECT, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=BytesIO(archive)) as files:
        files.extractall(target, filter="data")
    return sum(path.is_file() for path in target.rglob("*"))


def install(folder: Path, requirements: Path) -> Path:
    """A virtual environment with the packages; returns its Python."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "-r", requirements], check=True)
    return python


@contextmanager
def started(
    python: Path, app: Path, folder: Path, settings: Mapping[str, str] = {}
) -> Iterator[tuple[subprocess.Popen, str, float]]:
    """The app in a process that reaches no other machine; gives the process, its address and the seconds it took.

    Args:
        python: runs it.
        app: where `app.py` is.
        folder: for its log and all that it writes.
        settings: environment variables besides.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log, began = folder / "log.txt", time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [python, "app.py"], cwd=app, env=environment(folder, port) | settings, stdout=output, stderr=output
        )
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for(url, process, log)
        yield process, url, time.perf_counter() - began
    finally:
        process.terminate()
        process.wait(60)


def environment(folder: Path, port: int) -> dict[str, str]:
    """None of our own variables, so that no token, cache or setting helps."""
    guard, home, temporary = (folder / name for name in ("guard", "home", "tmp"))
    for path in (guard, home, temporary):
        path.mkdir(exist_ok=True)
    (guard / "sitecustomize.py").write_bytes(_GUARD.read_bytes())
    variables: dict[str, object] = {"HOME": home, "TMPDIR": temporary, "PYTHONPATH": guard}
    variables["MATTING_REFUSED"] = folder / "refused.txt"
    variables |= {"GRADIO_SERVER_NAME": "0.0.0.0", "GRADIO_SERVER_PORT": port}
    return {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **{name: str(value) for name, value in variables.items()}}


def wait_for(url: str, process: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + _START_LIMIT_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"the app did not start; the end of its log:\n{log.read_text(errors='replace')[-3000:]}")


def check_matte(url: str, photo: Path, folder: Path) -> None:
    """Raises RuntimeError unless the photo comes back in its size, with a person and without the background."""
    client = Client(url, verbose=False, download_files=str(folder / "answers"))
    cutout = client.predict(handle_file(str(photo)), "Auto", 0, True, True, api_name="/matte_image")[0]
    with Image.open(photo) as sent, Image.open(cutout) as received:
        size, mode, alpha = sent.size, received.mode, np.asarray(received.getchannel("A"))
    if mode != "RGBA" or alpha.shape != size[::-1] or alpha.max() < 250 or alpha.min() > 5:
        raise RuntimeError(f"expected an RGBA cut-out of {size}, got {mode} {alpha.shape} with {alpha.min()} to {alpha.max()}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python tests/check_space.py", description=__doc__)
    parser.add_argument("--packages-at-hand", action="store_true", help="use this Python's packages instead of installing them")
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        tempfile.tempdir = folder  # of the client too, which leaves an empty folder for every file that it fetches
        start = check_start(options.packages_at_hand)
    print(f"files in git     {start.files}")
    print(f"install          {start.install_s:.1f} s" if start.install_s else "install          left out")
    print(f"port answered    {start.answer_s:.1f} s after the start")
    print(f"first matte      {start.matte_s:.1f} s after that")
    print(f"memory           {start.memory_gb:.2f} GB at most")
    for problem in start.problems:
        print(f"problem          {problem}")
    return 1 if start.problems else 0


if __name__ == "__main__":
    sys.exit(main())
