import math
from dataclasses import replace

import pytest

from matting.evaluation.metrics import Metrics
from matting.evaluation.records import COLUMNS, NO_METRICS, Record, append_records, read_records, resume

METRICS = Metrics(1.5, 0.5, 0.25, 0.75, 0.001, math.nan, 0.01, math.nan, 12.5, 1.25, 0.96875)
DONE = Record("portraits", "keyed", "a, b", "ours", "abc", "auto", 40, 30, 0.125, 3.5, METRICS)
FAILED = replace(DONE, image="c", gmac=math.nan, seconds=math.nan, metrics=NO_METRICS, error='no "foreground", sorry')


def same(one, other):
    return str(one) == str(other)  # NaN is not equal to itself


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / "deep" / "results.csv"
    append_records(path, [DONE])
    append_records(path, [FAILED])
    assert all(same(*pair) for pair in zip(read_records(path), [DONE, FAILED], strict=True))
    assert path.read_text().count("\n") == 3


def test_a_cut_last_line_is_left_out(tmp_path):
    path = tmp_path / "results.csv"
    append_records(path, [DONE, replace(DONE, image="d")])
    path.write_text(path.read_text()[:-20])
    (record,) = read_records(path)
    assert same(record, DONE)


def test_a_damaged_line_is_named(tmp_path):
    path = tmp_path / "results.csv"
    path.write_text(",".join(COLUMNS) + "\nportraits,keyed\n")
    with pytest.raises(ValueError, match=r"results.csv, line 2"):
        read_records(path)
    path.write_text("name,score\n")
    with pytest.raises(ValueError, match="should have the columns dataset, subset"):
        read_records(path)


def test_a_run_is_taken_up_without_failures_and_scraps(tmp_path):
    path = tmp_path / "results.csv"
    assert resume(path, "abc", "auto") == []
    append_records(path, [DONE, FAILED, replace(DONE, image="d")])
    path.write_text(path.read_text()[:-5])
    (record,) = resume(path, "abc", "auto")
    assert same(record, DONE)
    append_records(path, [replace(DONE, image="e")])
    assert [record.image for record in read_records(path)] == ["a, b", "e"]


def test_results_of_other_weights_are_not_mixed_in(tmp_path):
    path = tmp_path / "results.csv"
    append_records(path, [DONE])
    with pytest.raises(ValueError, match="holds results of weights abc with resize auto, this run is of other with auto"):
        resume(path, "other", "auto")
    with pytest.raises(ValueError, match="delete the file"):
        resume(path, "abc", "paper")
