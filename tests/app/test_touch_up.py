"""The picture that is painted on, and what the browser is told beside it."""

from dataclasses import replace

import numpy as np

from matting.app.results.result import Preview
from matting.app.results.strokes import Painting, Stroke
from matting.app.session import Session
from matting.app.views.touch_up import draw_kept, touch_up_html
from matting.evaluation.figures import TRIMAP_COLOURS


def test_what_is_kept_has_its_own_colours_and_the_rest_is_blue(result):
    alpha = np.zeros(result.matte.alpha.shape, np.float32)
    alpha[:, 100:] = 1
    image = np.full((*alpha.shape, 3), 100, np.uint8)
    foreground = np.full_like(image, 30)
    seen = replace(result)
    seen.__dict__["preview"] = Preview(image, alpha, foreground)
    drawn = draw_kept(seen)
    assert (drawn[:, 100:] == 30).all()
    np.testing.assert_allclose(drawn[:, :100], np.rint(40 + 0.6 * np.array(TRIMAP_COLOURS[0])) + np.zeros((150, 100, 3)))


def test_the_browser_is_told_what_is_answered(result, tmp_path):
    session = Session(tmp_path / "session-1")
    session.painting = Painting("5e11", 4, ())
    painted = replace(result, painting=Painting("5e11", 3, (Stroke(True, 0.1, ((0.5, 0.5),)),)))
    html = touch_up_html(painted, session)
    assert 'data-photo="5e11" data-version="3" data-answered="1"' in html and 'data-act="undo"' in html
    assert 'data-version="4" data-answered="1"' in touch_up_html(painted, session, 4)
