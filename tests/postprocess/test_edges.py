"""Changes of an edge by hand, and the shadow under a person."""

import numpy as np
import pytest

from matting.postprocess.edges import change_edge, continue_colours
from matting.postprocess.shadow import contact_shadow


def square() -> np.ndarray:
    alpha = np.zeros((60, 60), np.float32)
    alpha[20:40, 20:40] = 1
    return alpha


def test_nothing_is_changed_unless_asked_for():
    alpha = square()
    assert change_edge(alpha) is alpha


@pytest.mark.parametrize(("shift", "side"), [(1, 22), (3, 26), (-1, 18), (-3, 14), (0.5, 21), (-0.5, 19)])
def test_a_shift_moves_the_edge_by_its_pixels(shift, side):
    changed = change_edge(square(), shift)
    assert changed[30].sum() == pytest.approx(side) and changed[:, 30].sum() == pytest.approx(side)
    assert changed.min() >= 0 and changed.max() <= 1


def test_at_the_border_of_the_photo_a_person_is_not_moved_inwards():
    assert (change_edge(np.ones((20, 20), np.float32), -3) == 1).all()


def test_feathering_softens_in_place():
    changed = change_edge(square(), feather=2.0)
    assert changed[30, 30] > 0.99 and 0.3 < changed[30, 19] < 0.5 < changed[30, 20] < 0.7 and changed[30, 10] < 0.01


def test_beyond_the_foreground_its_colours_go_on_and_not_the_old_background():
    alpha, foreground = square(), np.full((60, 60, 3), (0, 255, 0), np.uint8)
    foreground[20:40, 20:40] = (200, 30, 60)
    changed = change_edge(alpha, 3)
    continued = continue_colours(foreground, alpha, changed, 3)
    assert np.abs(continued[changed > 0].astype(int) - (200, 30, 60)).max() <= 1
    assert (continued[changed == 0] == (0, 255, 0)).all()
    assert continue_colours(foreground, alpha, alpha, 3) is foreground


def test_a_shadow_is_darkest_below_and_reaches_beyond_the_photo():
    alpha = np.zeros((100, 80), np.float32)
    alpha[20:100, 20:60] = 1
    shadow = contact_shadow(alpha, 0.8)
    pad = round(shadow.margin[0] * 100)
    assert shadow.darkness.shape == (100 + 2 * pad, 80 + 2 * pad) and shadow.margin == (pad / 100, pad / 80)
    assert shadow.darkness.max() <= 0.8 and shadow.darkness[pad + 100].max() > 0.2, "under the feet"
    beside = shadow.darkness[pad : pad + 100, pad + 19]
    assert beside[90] > 3 * beside[40] > 0, "fades upwards"
    assert contact_shadow(alpha, 0.4).darkness == pytest.approx(shadow.darkness / 2)
