"""Strokes from the browser: what they cover, and what is refused."""

import numpy as np
import pytest

from matting.app.results.strokes import MOST_POINTS, MOST_STROKES, Painting, Stroke, draw_scribbles, read_painting


def read_strokes(strokes):
    return read_painting({"photo": "a1", "version": 2, "strokes": strokes}).strokes


DAB = {"keep": True, "radius": 0.1, "points": [[0.5, 0.5]]}


def test_a_dab_is_a_disc():
    scribbles = draw_scribbles(read_strokes([DAB]), 100, 200)
    rows, columns = np.mgrid[:100, :200] + 0.5
    disc = np.hypot(rows - 50, columns - 100) <= 20
    assert scribbles.dtype == np.int8 and set(np.unique(scribbles)) == {0, 1}
    assert ((scribbles == 1) != disc).sum() < 0.08 * disc.sum()


def test_the_last_stroke_is_on_top():
    strokes = read_strokes([DAB, {"keep": False, "radius": 0.02, "points": [[0, 0.5], [1, 0.5]]}])
    scribbles = draw_scribbles(strokes, 100, 200)
    assert (scribbles[50] == -1).all() and scribbles[60, 100] == 1


def test_without_strokes_there_are_no_scribbles():
    assert read_strokes([]) == () and draw_scribbles((), 10, 10) is None


def test_strokes_may_leave_the_photo():
    assert (draw_scribbles(read_strokes([{**DAB, "points": [[-0.2, 0.5], [1.3, 0.5]]}]), 40, 30)[20] == 1).all()


def test_numbers_are_read_as_they_are():
    sent = {"photo": "a1", "version": 2, "strokes": [DAB]}
    assert read_painting(sent) == Painting("a1", 2, (Stroke(True, 0.1, ((0.5, 0.5),)),))


@pytest.mark.parametrize(
    "sent",
    [
        None,
        7,
        "keep",
        {"keep": True},
        [[]],
        [{"keep": True, "radius": 0.1}],
        [{**DAB, "points": []}],
        [{**DAB, "points": [[0.5]]}],
        [{**DAB, "points": [["a", "b"]]}],
        [{**DAB, "points": [[float("nan"), 0.5]]}],
        [{**DAB, "points": [[1e30, 0.5]]}],
        [{**DAB, "radius": 0}],
        [{**DAB, "radius": 3}],
        [{**DAB, "radius": float("nan")}],
        [{**DAB, "radius": None}],
    ],
)
def test_anything_else_is_refused(sent):
    with pytest.raises(ValueError, match="expected photo, version, and strokes with keep, radius and points"):
        read_strokes(sent)


@pytest.mark.parametrize("sent", [None, [], {"strokes": []}, {"photo": "a", "version": "b", "strokes": []}])
def test_a_painting_has_a_photo_and_a_version(sent):
    with pytest.raises(ValueError, match="expected photo, version, and strokes"):
        read_painting(sent)


@pytest.mark.parametrize("sent", [[DAB] * (MOST_STROKES + 1), [{**DAB, "points": [[0.5, 0.5]] * (MOST_POINTS + 1)}]])
def test_more_than_a_hand_paints_is_refused(sent):
    with pytest.raises(ValueError, match="there can be 200 strokes of 20000 points in all; clear them"):
        read_strokes(sent)
