"""The tests leave nothing in the temporary folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
def test_a_run_of_the_tests_leaves_the_temporary_folder_as_it_was(tmp_path):
    chosen = ["tests/media/test_atomic.py", "tests/media/test_refused.py", "-p", "no:cacheprovider", "-q"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    run = subprocess.run([sys.executable, "-m", "pytest", *chosen], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout
    assert list(tmp_path.iterdir()) == []
