import json
import math
from dataclasses import replace

import numpy as np
import pytest

from matting.evaluation.metrics import Metrics
from matting.evaluation.records import NO_METRICS, Record
from matting.evaluation.report import Run, terminal_lines, to_json, to_markdown
from matting.evaluation.summary import bootstrap_mean, common, complete, markdown_tables, summarise


def record(method, image, sad, subset="keyed", iou=0.9, **changes):
    metrics = Metrics(sad, sad / 2, 0, 0, 0.01, math.nan, 0.1 * sad, math.nan, 5.0, 2.0, iou)
    return replace(Record("portraits", subset, image, method, "abc", "auto", 10, 10, 0.5, 2.0, metrics), **changes)


RECORDS = [
    record("ours", "a", 1.0), record("ours", "b", 3.0), record("ours", "c", 8.0),
    record("coarse", "a", 4.0), record("coarse", "b", 4.0), record("coarse", "c", 4.0),
    record("knn", "a", 2.0, gmac=math.nan),
]  # fmt: skip
RUN = Run("portraits", "python -m ...", "bundled", "abc", "auto", None, 1)


def test_mean_median_interval():
    ours = summarise(RECORDS)[0]
    assert (ours.subset, ours.method, ours.images, ours.failed) == ("keyed", "ours", 3, 0)
    sad = ours.metrics["sad"]
    assert sad.mean == 4 and sad.median == 3
    assert 1 <= sad.low < 4 < sad.high <= 8
    assert ours.seconds == 0.5 and ours.gmac == 2


def test_undefined_values_do_not_count():
    records = [record("ours", "a", 1.0), record("ours", "b", 1.0, metrics=NO_METRICS, error="no", seconds=math.nan)]
    (summary,) = summarise(records)
    assert (summary.images, summary.failed, summary.seconds) == (1, 1, 0.5)
    assert summary.metrics["sad"].mean == 1 and math.isnan(summary.metrics["sad"].low)
    assert math.isnan(summary.metrics["mse_t"].mean)


def test_bootstrap_covers_the_true_mean_about_95_times_in_100():
    rng = np.random.default_rng(0)
    samples = rng.exponential(1.0, (200, 60))
    hits = sum(low <= 1.0 <= high for low, high in map(bootstrap_mean, samples))
    assert 0.88 * 200 <= hits <= 0.99 * 200
    assert bootstrap_mean(samples[0]) == bootstrap_mean(samples[0])


def test_common_and_complete_split_by_coverage():
    assert {r.method for r in complete(RECORDS)} == {"ours", "coarse"}
    assert {(r.method, r.image) for r in common(RECORDS)} == {("ours", "a"), ("coarse", "a"), ("knn", "a")}
    even = [r for r in RECORDS if r.method != "knn"]
    assert complete(even) == common(even) == even


def test_the_best_mean_is_bold_unless_it_trained_on_the_data():
    table = markdown_tables(summarise(complete(RECORDS)), "portraits")
    assert table.count("| This network") == 2
    row = next(line for line in table.splitlines() if line.startswith("| This network |"))
    assert "**4.00** [" in row and "<br>3.00" in row
    cheat = [record("birefnet-lite", "a", 0.1), record("ours", "a", 1.0), record("coarse", "a", 2.0)]
    table = markdown_tables(summarise(cheat), "p3m-500-np")
    lines = {line.split("|")[1].strip(): line for line in table.splitlines() if line.startswith("|")}
    assert "**" not in lines["BiRefNet-lite †"].split("|")[3]
    assert lines["This network"].split("|")[3].strip().startswith("**1.00**")
    assert "† Images of this data set were in the method's training" in table
    assert "†" not in markdown_tables(summarise(cheat), "portraits")


def test_more_iou_is_better():
    records = [record("ours", "a", 1.0, iou=0.8), record("coarse", "a", 2.0, iou=0.9)]
    lines = markdown_tables(summarise(records), "portraits").splitlines()
    assert "**0.9**" in next(line for line in lines if "coarse only" in line)


def test_the_terminal_says_what_refinement_gains():
    lines = terminal_lines(RUN, summarise(RECORDS))
    assert "keyed MAD 0.4000" in lines
    assert "keyed SAD-T refined 2.0000, coarse (bilinear) 2.0000, ratio 1.000" in lines
    assert any("1 failed" in line for line in terminal_lines(RUN, summarise([record("ours", "a", 1, error="x")])))


def test_json_is_strict_and_says_how_it_came_about():
    data = json.loads(json.dumps(to_json(RUN, RECORDS), allow_nan=False))
    assert data["weights_id"] == "abc" and data["command"] == RUN.command
    assert [entry["method"] for entry in data["results"]] == ["ours", "coarse"]
    assert [entry["images"] for entry in data["common"]] == [1, 1, 1]
    assert data["common"][2]["gmac"] is None
    assert data["results"][0]["metrics"]["sad"]["mean"] == pytest.approx(4.0)


def test_markdown_shows_slow_methods_apart():
    text = to_markdown(RUN, RECORDS)
    whole, part = text.split("## All methods, on the images that all of them saw")
    assert "KNN" not in whole and "KNN matting" in part
    assert "first 1 images" in part and "python -m ..." in whole
    assert "- KNN matting: our trimap" in part
