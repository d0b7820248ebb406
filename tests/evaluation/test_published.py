import json
from xml.etree import ElementTree

import pytest

from matting.evaluation.published import SUBSETS, main, measured_rows, published_table


def test_the_table_is_complete_and_in_order():
    table = published_table()
    assert [row.label for row in table.rows] == [
        "LF", "HATT", "SHM", "AIM", "DIM", "P3M-Net", "MODNet (512x512 input)", "MODNet (full-resolution input)",
        "BGMv2 (ResNet-50)", "BGMv2 (ResNet-101)", "Ours (paper)",
    ]  # fmt: skip
    assert "WACV 2024" in table.source and "supplementary" in table.source
    assert all(set(row.scores) == set(SUBSETS) for row in table.rows)


def test_known_values():
    rows = {row.label: row for row in published_table().rows}
    ours = rows["Ours (paper)"]
    assert ours.gflops == 19.0
    assert ours.scores["P3M-500-NP"] == (10.6, 6.83, 10.78, 9.77)
    assert ours.scores["P3M-500-P"] == (10.04, 6.44, 12.65, 9.41)
    assert [label for label, row in rows.items() if row.uses_trimap] == ["DIM"]


def test_nothing_measured_yet(tmp_path):
    assert measured_rows(tmp_path) == []
    assert measured_rows(tmp_path / "missing") == []


def test_other_files_are_refused(tmp_path):
    (tmp_path / "x.json").write_text(json.dumps({"dataset": "x"}))
    with pytest.raises(ValueError, match=r"x.json is not a summary"):
        measured_rows(tmp_path)
    with pytest.raises(ValueError, match="part must be"):
        measured_rows(tmp_path, "all")


def test_the_chart_is_drawn_by_command(tmp_path, capsys):
    main([str(tmp_path / "chart.svg"), "--metric", "Grad", "--subset", "P3M-500-P"])
    drawn = ElementTree.parse(tmp_path / "chart.svg").getroot()
    assert drawn.tag == "{http://www.w3.org/2000/svg}svg" and "Grad on P3M-500-P" in drawn.attrib["aria-label"]
    assert len(drawn.findall("{*}g")) == len(published_table().rows) and drawn.find("{*}style") is not None
    with pytest.raises(SystemExit):
        main([str(tmp_path / "chart.png")])
    assert "expected a name that ends in .svg, got 'chart.png'" in capsys.readouterr().err
