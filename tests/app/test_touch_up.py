"""What the browser is told beside the picture that is painted on."""

from dataclasses import replace

from matting.app.results.background import BackgroundChoice
from matting.app.results.strokes import Painting, Stroke
from matting.app.session import Session
from matting.app.views.viewer import show_result


def test_the_browser_is_told_what_is_answered(result, tmp_path):
    session = Session(tmp_path / "session-1")
    session.painting = Painting("5e11", 4, ())
    painted = replace(result, painting=Painting("5e11", 3, (Stroke(True, 0.1, ((0.5, 0.5),)),)))
    shown = show_result(painted, session, BackgroundChoice())
    assert shown["photo"] == "5e11" and shown["painting"] == {"version": 3, "answered": 1, "strokes": 200, "points": 18000}
    shown = show_result(painted, session, BackgroundChoice(), version=4)
    assert shown["painting"]["version"] == 4 and shown["painting"]["answered"] == 1
