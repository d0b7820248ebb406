"""A comparison that is under way when the photo, or the visitor's mind, changes."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from matting.app import text
from matting.app.results.comparison import CUTOUT, ERROR, Compared, comparison_html, known_already, photo_of
from matting.app.results.strokes import Painting, Stroke
from matting.app.session import Visit
from matting.app.tabs import compare
from matting.app.tabs.compare import CompareTab


@pytest.fixture
def tab() -> CompareTab:
    tab = CompareTab.__new__(CompareTab)
    tab.service = None
    tab.page = SimpleNamespace(**{name: name for name in compare._Page._fields})
    return tab


@pytest.fixture
def visit(tmp_path, result) -> Visit:
    visit = Visit(tmp_path / "visit-1")
    visit.turn, visit.result = object(), result
    return visit


@pytest.fixture
def methods(monkeypatch):
    """Methods that are no work; what happens meanwhile can be put in."""
    meanwhile = {}

    def run_method(name, photo, service, visit):
        meanwhile.get(name, lambda: None)()
        return Compared(name, name.upper(), np.full(photo.image.shape[:2], 0.5, np.float32), 1.0, None)

    monkeypatch.setattr(compare, "run_method", run_method)
    return meanwhile


def test_a_comparison_runs_to_its_end(tab, visit, methods):
    visit.stop.set()  # of earlier work
    *_, last = tab.compare(["ours", "coarse"], CUTOUT, visit)
    assert [entry.name for entry in visit.comparison] == ["ours", "coarse"]
    assert "All methods were given the photo" in last["note"]


def test_what_belongs_to_an_earlier_photo_is_not_shown(tab, visit, methods, result):
    def begin_another() -> None:
        visit.turn = object()
        visit.begin(replace(result, stem="another"))

    methods["coarse"] = begin_another
    updates = list(tab.compare(["ours", "coarse", "grabcut"], CUTOUT, visit))
    assert visit.comparison == ()
    assert sum("grid" in update for update in updates) == 1, "only the first method's"
    assert "note" not in updates[-1] and not any("GrabCut" in str(update.get("note")) for update in updates)


def test_a_new_upload_ends_it_after_a_method_that_cannot_be_stopped(tab, visit, methods):
    methods["ours"] = visit.stop.set
    *_, last = tab.compare(["ours", "coarse"], CUTOUT, visit)
    assert visit.comparison == () and text.COMPARE_STOPPED in last["note"]


def test_a_view_chosen_meanwhile_is_followed(tab, visit, methods, monkeypatch):
    views = []
    monkeypatch.setattr(compare, "comparison_html", lambda entries, photo, view, visit: views.append(view) or "")
    methods["coarse"] = lambda: tab.change_view("Alpha", None, None, visit)
    list(tab.compare(["ours", "coarse"], CUTOUT, visit))
    assert views == [CUTOUT, "Alpha", "Alpha"]


def test_a_result_that_was_touched_up_is_called_so(tab, visit, result):
    assert text.COMPARE_TOUCHED not in tab.open(CUTOUT, visit)["note"]
    visit.begin(replace(result, painting=Painting("a", 1, (Stroke(True, 0.1, ((0.5, 0.5),)),))))
    assert text.COMPARE_TOUCHED in tab.open(CUTOUT, visit)["note"]


def test_errors_need_the_true_alpha(visit, result):
    html = comparison_html(known_already(result), photo_of(result), ERROR, visit)
    assert text.COMPARE_NO_TRUTH in html and text.COMPARE_NO_TRUTH not in comparison_html((), photo_of(result), CUTOUT, visit)
