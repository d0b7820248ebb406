import numpy as np
import pytest

from matting.app.results.parts import drop_parts, find_parts
from matting.app.results.result import make_result
from matting.app.results.strokes import Painting, Stroke


def two_people() -> np.ndarray:
    alpha = np.zeros((100, 200), np.float32)
    alpha[20:90, 20:80] = 1
    alpha[40:90, 130:170] = 1
    alpha[40:90, 170:175] = 0.3  # hair of the second
    return alpha


def test_parts_are_numbered_by_area():
    parts = find_parts(two_people())
    assert parts.count == 2
    assert parts.labels[50, 50] == 0
    assert parts.labels[60, 150] == 1


def test_dropping_a_part_takes_its_soft_edge_along():
    alpha = two_people()
    parts = find_parts(alpha).toggled(1)
    kept = drop_parts(alpha, parts)
    assert parts.dropped == {1}
    assert kept[:, 100:].max() == 0
    np.testing.assert_array_equal(kept[:, :100], alpha[:, :100])


def test_second_click_brings_the_part_back():
    alpha = two_people()
    parts = find_parts(alpha).toggled(1).toggled(1)
    assert drop_parts(alpha, parts) is alpha


def test_there_must_be_a_part_of_that_number():
    parts = find_parts(two_people())
    for number in (-1, 2):
        with pytest.raises(ValueError, match="one of 2 parts"):
            parts.toggled(number)


def test_specks_are_no_parts_and_empty_alpha_has_none():
    alpha = two_people()
    alpha[2:4, 2:4] = 1
    assert find_parts(alpha).count == 2
    assert find_parts(np.zeros((50, 60), np.float32)).count == 0


def test_people_in_a_small_window_are_parts():
    alpha = np.zeros((200, 400), np.float32)
    alpha[100:112, 200:210] = alpha[100:110, 230:240] = 1  # 0.15% of the picture each
    assert find_parts(alpha).count == 0 and find_parts(alpha, 0.05).count == 2


def test_large_alpha_is_labelled_small_and_dropped_at_full_size():
    alpha = np.kron(two_people(), np.ones((8, 8), np.float32))
    parts = find_parts(alpha)
    assert max(parts.labels.shape) == 512
    assert drop_parts(alpha, parts.toggled(0)).sum() == alpha[:, 800:].sum()


def test_dropped_parts_stay_dropped_in_another_matte_of_the_photo():
    dropped = find_parts(two_people()).toggled(1)
    again = np.zeros((100, 200), np.float32)
    again[40:90, 128:172] = 1
    again[30:50, 20:40] = 1  # less of the first one, so that their numbers change
    assert find_parts(again).like(dropped).dropped == {0}
    assert find_parts(again).like(find_parts(two_people())).dropped == frozenset()


def test_a_dropped_part_that_is_painted_over_is_brought_back():
    dropped = find_parts(two_people()).toggled(1).toggled(0)
    assert dropped.dropped == {0, 1}
    assert dropped.brought_back([(0.5, 0.5), (0.75, 0.6)]).dropped == {0}
    assert dropped.brought_back([(0.5, 0.05), (-1, 2)]).dropped == {0, 1}, "none of them lies in a part"


def test_undoing_a_stroke_undoes_what_it_brought_back(matte_of):
    keep = Stroke(True, 0.05, ((0.75, 0.6),))
    matte = matte_of(two_people())
    dropped = make_result("two", matte).toggled(1)
    assert dropped.parts.dropped == {1}
    kept = dropped.again(matte, 0.0, Painting("a", 1, (keep,)))
    assert kept.parts.dropped == frozenset()
    assert kept.again(matte, 0.0, Painting("a", 2, ())).parts.dropped == {1}
    again = kept.toggled(1)
    more = Painting("a", 3, (keep, Stroke(False, 0.05, ((0.25, 0.5),))))
    assert again.again(matte, 0.0, more).parts.dropped == {1}, "a click after the stroke counts more"
    assert kept.toggled(0).again(matte, 0.0, more).parts.dropped == {0}
