"""The app starts as a Space starts it: only the files in git, no network, nothing left behind."""

import subprocess
from pathlib import Path

import pytest
from check_space import Start, check_start
from offline_guard import is_own


@pytest.mark.slow
def test_the_app_starts_from_git_alone():
    if not (Path(__file__).parents[2] / ".git").exists():
        pytest.skip("not a git repository")
    start = check_start(packages_at_hand=True)
    assert start.problems == []
    assert start.memory_gb < 2
    assert start.files == len(subprocess.run(["git", "ls-tree", "-r", "HEAD"], capture_output=True).stdout.splitlines())


def test_what_counts_as_a_problem():
    start = Start(9, 0.0, 1.0, 1.0, 17.0, ("huggingface.co",), ("tmp/me.jpg",))
    assert start.problems == [
        "the app tried to reach huggingface.co",
        "tmp/me.jpg was left behind",
        "17.0 GB of memory are more than a Space has",
    ]
    assert all(map(is_own, ("127.0.0.1", "localhost", b"localhost", None, "0.0.0.0", "::1")))
    assert not any(map(is_own, ("huggingface.co", b"8.8.8.8", "1270.example.org")))
