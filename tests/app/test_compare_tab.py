"""A comparison that is under way when the photo, or the visitor's mind, changes."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from matting.app import text
from matting.app.results.comparison import CUTOUT, ERROR, Compared, comparison_html, known_already, photo_of
from matting.app.results.strokes import Painting, Stroke
from matting.app.session import Session
from matting.app.tabs import compare
from matting.app.tabs.compare import CompareTab


@pytest.fixture
def tab() -> CompareTab:
    tab = CompareTab.__new__(CompareTab)
    tab.service = None
    tab.page = SimpleNamespace(**{name: name for name in compare._Page._fields})
    return tab


@pytest.fixture
def session(tmp_path, result) -> Session:
    session = Session(tmp_path / "session-1")
    session.turn, session.result = object(), result
    return session


@pytest.fixture
def methods(monkeypatch):
    """Methods that are no work; what happens meanwhile can be put in."""
    meanwhile = {}

    def run_method(name, photo, service, session):
        meanwhile.get(name, lambda: None)()
        return Compared(name, name.upper(), np.full(photo.image.shape[:2], 0.5, np.float32), 1.0, None)

    monkeypatch.setattr(compare, "run_method", run_method)
    return meanwhile


def test_a_comparison_runs_to_its_end(tab, session, methods):
    session.stop.set()  # of earlier work
    *_, last = tab.compare(["ours", "coarse"], CUTOUT, session)
    assert [entry.name for entry in session.comparison] == ["ours", "coarse"]
    assert "All methods were given the photo" in last["note"]


def test_what_belongs_to_an_earlier_photo_is_not_shown(tab, session, methods, result):
    def begin_another() -> None:
        session.turn = object()
        session.begin(replace(result, stem="another"))

    methods["coarse"] = begin_another
    updates = list(tab.compare(["ours", "coarse", "grabcut"], CUTOUT, session))
    assert session.comparison == ()
    assert sum("grid" in update for update in updates) == 1, "only the first method's"
    assert "note" not in updates[-1] and not any("GrabCut" in str(update.get("note")) for update in updates)


def test_a_new_upload_ends_it_after_a_method_that_cannot_be_stopped(tab, session, methods):
    methods["ours"] = session.stop.set
    *_, last = tab.compare(["ours", "coarse"], CUTOUT, session)
    assert session.comparison == () and text.COMPARE_STOPPED in last["note"]


def test_a_view_chosen_meanwhile_is_followed(tab, session, methods, monkeypatch):
    views = []
    monkeypatch.setattr(compare, "comparison_html", lambda entries, photo, view, session: views.append(view) or "")
    methods["coarse"] = lambda: tab.change_view("Alpha", None, None, session)
    list(tab.compare(["ours", "coarse"], CUTOUT, session))
    assert views == [CUTOUT, "Alpha", "Alpha"]


def test_a_result_that_was_touched_up_is_called_so(tab, session, result):
    assert text.COMPARE_TOUCHED not in tab.open(CUTOUT, session)["note"]
    session.begin(replace(result, painting=Painting("a", 1, (Stroke(True, 0.1, ((0.5, 0.5),)),))))
    for _ in range(2):
        assert text.COMPARE_TOUCHED in tab.open(CUTOUT, session)["note"]
        assert "was cut out there" in tab.open(CUTOUT, session)["note"], "nothing was run here"


def test_errors_need_the_true_alpha(session, result):
    html = comparison_html(known_already(result), photo_of(result), ERROR, session)
    assert text.COMPARE_NO_TRUTH in html and text.COMPARE_NO_TRUTH not in comparison_html((), photo_of(result), CUTOUT, session)
