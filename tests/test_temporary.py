"""The tests leave nothing in the temporary folder."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = ["tests/media/test_atomic.py", "tests/media/test_refused.py"]
RUN = [sys.executable, "-m", "pytest", *FILES, "-p", "no:cacheprovider", "-q"]


@pytest.mark.slow
def test_a_run_of_the_tests_leaves_the_temporary_folder_as_it_was(tmp_path):
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    run = subprocess.run(RUN, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_run_that_is_told_to_end_leaves_nothing_either(tmp_path):
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(RUN, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL) as run:
        while run.poll() is None and not list(tmp_path.iterdir()):
            time.sleep(0.05)
        assert run.poll() is None
        run.terminate()
        assert run.wait(timeout=100) > 0  # below 0: by the signal itself
    assert list(tmp_path.iterdir()) == []
