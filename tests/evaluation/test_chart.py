import re
from dataclasses import replace

import pytest

from matting.evaluation.chart import Mark, scatter_svg

MARKS = [Mark("A & B", 10, 20, "plain", "first <row>"), Mark("C", 1000, 5, "trimap", "second"), Mark("D", 100, 10, "ours", "")]


def positions(svg: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r'class="dot" cx="([\d.]+)" cy="([\d.]+)"', svg)]


def test_marks_lie_on_logarithmic_axes():
    (x1, y1), (x2, y2), (x3, y3) = positions(scatter_svg(MARKS, "cost", "error", "chart"))
    assert x1 < x3 < x2
    assert abs((x1 + x2) / 2 - x3) < 0.2  # 100 is midway between 10 and 1000
    assert y1 < y3 < y2  # a smaller error is farther down
    assert abs((y1 + y2) / 2 - y3) < 0.2


def test_text_is_escaped_and_kinds_are_marked():
    svg = scatter_svg(MARKS, "cost", "error", "chart")
    assert "A &amp; B" in svg
    assert "first &lt;row&gt;" in svg
    assert 'class="mark trimap"' in svg


def test_labels_of_neighbouring_marks_do_not_overlap():
    marks = [Mark(f"method {n}", 20 + n, 15 + 0.2 * n, "plain", "") for n in range(4)] + MARKS
    svg = scatter_svg(marks, "cost", "error", "chart")
    corners = re.findall(r'<text x="([\d.]+)" y="([\d.]+)">method', svg)
    assert len({(round(float(x)), round(float(y))) for x, y in corners}) == 4


@pytest.mark.parametrize("change", [{"cost": 0.0}, {"error": -1.0}])
def test_what_has_no_place_on_the_axes_is_refused(change):
    with pytest.raises(ValueError, match="a cost and an error above 0, got "):
        scatter_svg([*MARKS, replace(MARKS[0], **change)], "cost", "error", "chart")
    with pytest.raises(ValueError, match=r"above 0, got \[\]"):
        scatter_svg([], "cost", "error", "chart")


def test_a_file_brings_its_colours_and_a_page_has_its_own():
    assert "<style>" in scatter_svg(MARKS, "cost", "error", "chart")
    assert "<style>" not in scatter_svg(MARKS, "cost", "error", "chart", style="")
