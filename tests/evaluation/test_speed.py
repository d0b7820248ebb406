"""The times of a photo: both backends take turns, every step is there, and what is missing is named."""

from pathlib import Path

import pytest
import torch
from clips import Brightness
from pictures import draw_person

from matting.evaluation import benchmark, speed


@pytest.mark.slow
def test_backends_side_by_side(lite_model, capsys):
    threads = torch.get_num_threads()
    times = list(speed.time_backends(draw_person(60, 50)[0], {"torch": lite_model, "onnx": lite_model}, 1, (1, 2)))
    assert [row.threads for row in times] == [1, 2] and torch.get_num_threads() == threads
    for row in times:
        assert row.difference < 1e-5
        assert all(0 < row.network[name] < row.photo[name] for name in ("torch", "onnx"))
    speed.print_backends(iter(times))
    header, *lines = capsys.readouterr().out.splitlines()
    assert header.split()[-2:] == ["onnx/torch", "difference"]
    assert [line.split()[:2] for line in lines] == [["1", "network"], ["1", "photo"], ["2", "network"], ["2", "photo"]]


def test_steps_at_full_size(capsys):
    seconds = speed.time_full(draw_person(60, 50)[0], Brightness(), 0.04, 1)
    speed.print_full(seconds)
    lines = capsys.readouterr().out.splitlines()[1:]
    assert {"coarse", "refine", "cutout"} < set(seconds) and lines[-1].split()[0] == "cutout"
    assert next(line for line in lines if line.split()[0] == "coarse").split()[2] == "1.00"


def test_a_photo_that_is_not_there_is_named(tmp_path: Path, capsys):
    with pytest.raises(SystemExit):
        benchmark.main(["--photo", str(tmp_path / "none.jpg")])
    assert "none.jpg" in capsys.readouterr().err
