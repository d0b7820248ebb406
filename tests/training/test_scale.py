"""What training needs at the size of P3M-10k is measured by a program, which runs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_the_loader_and_a_run_are_measured_on_made_sets(tmp_path: Path):
    small = ["--people", "5", "--pictures", "3", "--side", "200", "--steps", "2", "--size", "128", "--batch", "2"]
    small += ["--parts", "loader", "training"]
    command = [sys.executable, str(Path(__file__).with_name("scale.py")), str(tmp_path), *small]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "5 photos and 3 pictures without people" in printed and "decoded when drawn, 4 workers" in printed
    for said in (
        r"loader alone, all: [\d.]+ pictures of 128 px per second and core",
        r"memory of a rank with 4 workers after 2 batches of 2: [\d.]+ GB",
        r"a run is ready to train after [\d.]+ s; after 2 steps of 128 px: waited for data \d+% of the time; [\d.]+ GB",
    ):
        assert re.search(said, printed), said
    people = sorted((tmp_path / "P3M-10k/train/blurred_image").iterdir())
    assert len(people) == 5 and people[0].samefile(people[4]), "hard links of four pictures"
