"""Curves of training logs: rows logged twice, smoothing by hand, one panel per term that is there."""

import numpy as np
import pytest
from PIL import Image

from matting.training.curves import TERMS, curves_figure, main, read_log, smooth

HEADER = "step,rate," + ",".join(TERMS) + "\n"


def write_log(folder, rows) -> None:
    folder.mkdir()
    lines = [f"{step},0.1,{','.join(str(value) for value in values)}\n" for step, *values in rows]
    (folder / "log.csv").write_text(HEADER + "".join(lines))


def test_the_later_of_two_rows_of_a_step_counts(tmp_path):
    write_log(tmp_path / "run", [(20, 1, 1, 0, 0, 0, 0), (40, 9, 9, 0, 0, 0, 0), (40, 3, 4, 0, 0, 0, 0)])
    log = read_log(tmp_path / "run" / "log.csv")
    assert log["step"].tolist() == [20, 40] and log["coarse"].tolist() == [1, 3] and log["trimap"].tolist() == [1, 4]


def test_smoothing_by_hand():
    assert smooth(np.array([3.0, 6, 0]), 3).tolist() == [4.5, 3, 3]
    assert smooth(np.array([2.0]), 9).tolist() == [2]
    assert smooth(np.array([3.0, 6, 0]), 5).tolist() == [3, 3, 3]
    assert smooth(np.array([4.0, 2, 0, 2]), 5).tolist() == [2, 2, 2, 4 / 3]


def test_terms_that_no_run_has_get_no_panel(tmp_path):
    write_log(tmp_path / "run", [(20, 1, 2, 0, 0, 0, 0), (40, 1, 1, 0, 0, 0, 0)])
    figure = curves_figure({"run": read_log(tmp_path / "run" / "log.csv")})
    assert [axes.get_title() for axes in figure.axes] == ["coarse loss", "trimap loss"]


def test_the_command_draws_every_run(tmp_path, capsys):
    for name in ("first", "second"):
        write_log(tmp_path / name, [(20, 1, 2, 3, 4, 5, 6), (40, 1, 1, 1, 1, 1, 1)])
    main([str(tmp_path / "first"), str(tmp_path / "second"), "-o", str(tmp_path / "curves.png")])
    with Image.open(tmp_path / "curves.png") as picture:
        assert picture.width > picture.height > 300
    with pytest.raises(SystemExit):
        main([str(tmp_path / "third"), "-o", str(tmp_path / "none.png")])
    assert "found no" in capsys.readouterr().err
    (tmp_path / "first" / "log.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="at least one row"):
        read_log(tmp_path / "first" / "log.csv")
