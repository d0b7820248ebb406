"""Frames around a person: what they hold, and how they are cut."""

import numpy as np
import pytest

from matting.postprocess.framing import Frame, fit_frame, frame_head, take_frame


def person(top: int, bottom: int, left: int, right: int, size: tuple[int, int] = (200, 300)) -> np.ndarray:
    alpha = np.zeros(size, np.float32)
    alpha[top:bottom, left:right] = 1
    return alpha


@pytest.mark.parametrize("aspect", [1.0, 4 / 5, 3 / 4, 16 / 9])
def test_a_frame_of_an_aspect_holds_the_person_and_a_margin(aspect):
    frame = fit_frame(person(60, 140, 100, 160), aspect, margin=0.1)
    assert frame.width / frame.height == pytest.approx(aspect)
    assert frame.left <= 92 and frame.top <= 52 and frame.left + frame.width >= 168 and frame.top + frame.height >= 148
    assert min(frame.width - 76, frame.height - 96) == pytest.approx(0), "no larger than it must be"


def test_without_an_aspect_the_frame_is_the_persons_and_stays_in_the_photo():
    assert fit_frame(person(60, 140, 100, 160), margin=0.1) == (92, 52, 76, 96)
    assert fit_frame(person(4, 200, 100, 160), margin=0.1) == pytest.approx((80.4, 0, 99.2, 200))


def test_below_where_the_photo_cuts_the_person_off_there_is_nothing():
    for frame in (fit_frame(person(80, 200, 50, 250), 3 / 4), frame_head(person(80, 200, 50, 250), 1.0, 0.1, 0.5)):
        assert frame.top + frame.height <= 200 + 1e-6
    assert fit_frame(person(80, 200, 0, 300), 3 / 4).left == 0, "nor where it cuts them off at the sides"
    assert fit_frame(person(80, 200, 0, 100), 16 / 9).left == 0 and fit_frame(person(0, 90, 90, 120), 1.0).top == 0
    right = fit_frame(person(80, 200, 200, 300), 3.0)
    assert right.left + right.width == pytest.approx(300)


def test_nobody_is_the_whole_picture():
    assert fit_frame(np.zeros((20, 30), np.float32)) == (0, 0, 30, 20)


def test_a_head_is_put_between_crown_and_chin():
    alpha = person(20, 50, 140, 164) + person(50, 200, 122, 170)  # a head of 30, shoulders of 48, the head in the middle of 152
    frame = frame_head(alpha, 413 / 531, crown=0.11, chin=0.86)
    assert frame.width / frame.height == pytest.approx(413 / 531)
    assert (20 - frame.top) / frame.height == pytest.approx(0.11)
    assert (20 + 1.5 * 24 - frame.top) / frame.height == pytest.approx(0.86), "a head is 1.5 times as high as wide"
    flying = alpha + person(40, 46, 90, 140)  # a strand that flies to one side
    assert frame_head(flying, 413 / 531, crown=0.11, chin=0.86).height < 1.1 * frame.height
    assert frame.left + frame.width / 2 == pytest.approx(152, abs=4)
    alpha = person(20, 50, 146, 158) + person(50, 200, 122, 170)
    frame = frame_head(alpha, 413 / 531, crown=0.11, chin=0.86)
    assert (20 + 48 / 2.35 - frame.top) / frame.height == pytest.approx(0.86), "or shoulders are 2.35 of it, if that is more"


def test_moving_is_of_the_person_in_the_frame():
    frame = Frame(10, 20, 100, 50).moved(zoom=2)
    assert frame == (35, 32.5, 50, 25), "about the middle"
    assert Frame(10, 20, 100, 50).moved(x=0.1, y=-0.2) == (0, 30, 100, 50)


def test_cutting_at_whole_pixels_changes_none():
    plane = np.random.default_rng(0).random((20, 30), dtype=np.float32)
    np.testing.assert_allclose(take_frame(plane, Frame(5, 4, 10, 8), (8, 10)), plane[4:12, 5:15], atol=1e-6)


def test_outside_of_the_photo_there_is_nothing_and_inside_everything_keeps_its_place():
    plane = np.ones((20, 30), np.float32)
    taken = take_frame(plane, Frame(-10, -5, 50, 40), (80, 100))  # two pixels for one
    assert taken[:10].max() == 0 and taken[50:].max() == 0 and taken[:, :20].max() == 0 and taken[:, 80:].max() == 0
    np.testing.assert_allclose(taken[10:50, 20:80], 1, atol=1e-5)
    assert take_frame(plane, Frame(100, 100, 10, 10), (5, 5)).max() == 0
    ramp = np.tile(np.arange(30, dtype=np.float32), (20, 1))
    np.testing.assert_allclose(take_frame(ramp, Frame(-3.5, 0, 20, 20), (20, 20))[5, 8:16], np.arange(8, 16) - 3.5, atol=0.05)
