"""The simulated hand: where it clicks, and that it mends what a network that is known beforehand gets wrong."""

import numpy as np
import pytest
from networks import Bright

from matting.evaluation import interactive
from matting.evaluation.datasets import Example
from matting.evaluation.metrics import trimap_from_alpha
from matting.inference.photo import matte_image


def squares(*boxes: tuple[int, int, int, int]) -> np.ndarray:
    alpha = np.zeros((256, 256), np.float32)
    for top, left, bottom, right in boxes:
        alpha[top:bottom, left:right] = 1
    return alpha


def test_a_click_is_put_on_the_innermost_point_of_the_largest_mistake():
    truth = squares((20, 20, 120, 120))
    alpha = squares((20, 20, 120, 120), (150, 150, 190, 230), (200, 20, 210, 30))
    row, column, radius, keep = interactive.next_click(alpha, truth)
    assert 168 <= row <= 171 and 169 <= column <= 210
    assert radius == round(0.018 * 256) and not keep
    assert interactive.next_click(truth, alpha).keep


def test_a_small_mistake_has_room_for_a_small_brush_or_none():
    truth = squares((20, 20, 120, 120))
    assert interactive.next_click(squares((20, 20, 120, 125)), truth).radius == 3
    assert interactive.next_click(squares((20, 20, 120, 122)), truth) is None
    assert interactive.next_click(truth, truth) is None


@pytest.fixture
def photo() -> Example:
    """Somebody bright, and a bright thing beside them that the network takes for somebody too."""
    image = np.zeros((256, 256, 3), np.uint8)
    image[20:200, 20:120] = 255
    image[120:200, 160:220] = 200
    truth = squares((20, 20, 200, 120))
    return Example(image, truth, trimap_from_alpha(truth))


def test_both_brushes_mend_and_ours_does_more(photo, monkeypatch):
    monkeypatch.setattr(interactive, "matte_image", lambda *a, **k: matte_image(*a, max_side=256, guided_filter=False, **k))
    ours, literal = interactive.evaluate_photo(photo, Bright())
    assert ours[0] == literal[0] > 80 * 60 / 256**2
    assert len(ours) == len(literal) == interactive.CLICKS + 1
    click = 81 / 256**2  # a disc with a radius of five pixels
    assert literal[0] - literal[3] == pytest.approx(3 * click), "what it covers and nothing else"
    assert ours[0] - ours[3] > 10 * click


def test_rows_are_means_over_the_photos_with_a_mistake():
    touched = interactive.ClickErrors((0.4, 0.2, 0.1, 0.1), (0.4, 0.3, 0.2, 0.2))
    worse = interactive.ClickErrors((0.2, 0.2, 0.2, 0.3), (0.2, 0.1, 0.1, 0.1))
    left = interactive.ClickErrors((0.1,) * 4, (0.1,) * 4)
    ours, literal = interactive.rows("street", [touched, left, worse])
    assert ours == "| street, 2 of 3 | ours | 0.3000 | 0.2000 | 0.1500 | 0.2000 | 1 |"
    assert literal == "| street, 2 of 3 | literal | 0.3000 | 0.2000 | 0.1500 | 0.1500 | 0 |"
    assert next(iter(interactive.rows("keyed", [left]))) == "| keyed, 0 of 1 | ours | - | - | - | - | 0 |"
