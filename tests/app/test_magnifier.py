"""People so small that the network looked at a part of the photo: what the pages show of that."""

import re

import numpy as np
import pytest
from networks import Bright

from matting.app import text
from matting.app.results.result import Result, make_result
from matting.app.views.facts import facts_html, refined_share
from matting.app.views.magnifier import find_spots
from matting.app.views.panels import region_mask, show_regions
from matting.app.views.region_drawing import locator_svg
from matting.inference.photo import matte_image


@pytest.fixture(scope="module")
def close_up() -> Result:
    """Two bright people of 40 x 20 pixels in a dark photo of 600 x 900."""
    image = np.full((600, 900, 3), 20, np.uint8)
    image[300:340, 400:420] = image[300:340, 450:470] = 240
    return make_result("far", matte_image(image, Bright()))


def test_small_people_are_found_and_can_be_dropped(close_up):
    assert close_up.matte.alpha.mean() < 0.006 and close_up.found_somebody
    assert close_up.parts.count == 2
    assert close_up.toggled(1).alpha[300:340, 450:470].max() == 0


def test_regions_are_where_the_people_are(close_up):
    rows, columns = np.nonzero(region_mask(close_up.matte))
    assert 285 < rows.min() <= 300 and 339 <= rows.max() < 355 and 385 < columns.min() <= 400 and 469 <= columns.max() < 485
    assert refined_share(close_up) == pytest.approx(len(rows) / (600 * 900), rel=0.2)  # a cell is less than 2 pixels here


def test_the_window_is_framed(close_up):
    shown, window = show_regions(close_up.matte), close_up.matte.crop
    assert (shown[window.top, window.left : window.right] > 200).all()
    assert (shown[window.top : window.bottom, window.right - 1] > 200).all()
    assert (shown[: window.top] < 20).all()


def test_the_locator_lies_over_the_whole_photo(close_up):
    matte = close_up.matte
    left, top, width, height = map(float, re.search('viewBox="([^"]*)"', locator_svg(matte)).group(1).split())
    scale = matte.working_size[1] / (matte.crop.right - matte.crop.left)
    assert (left, width) == pytest.approx((-matte.crop.left * scale, 900 * scale), rel=1e-3)
    first = matte.regions.cells[0] * 8
    assert 385 < (first[1] - left) / width * 900 < 480 and 285 < (first[0] - top) / height * 600 < 355


def test_the_facts_say_so(close_up, result):
    assert text.FACT_CLOSE_UP in facts_html(close_up, "cpu", "lite")
    assert text.FACT_CLOSE_UP not in facts_html(result, "cpu", "lite")


def test_the_first_place_to_look_at_is_soft_as_hair_is(matte_of):
    """Both are changed; the edge that was moved is changed more, the soft place is more to look at."""
    coarse = np.zeros((400, 600), np.float32)
    refined = coarse.copy()
    refined[100:180, 100:180] = 1.0
    refined[100:180, 400:480] = 0.6
    spots = find_spots(make_result("two", matte_of(refined, coarse)))
    assert spots[0].left > 300 > spots[1].left


def test_hair_comes_before_a_sleeve_that_changed_more(matte_of):
    refined = np.zeros((600, 400), np.float32)
    refined[50:600, 100:300] = 1.0
    coarse = refined.copy()
    coarse[60:140, 100:180], coarse[480:560, 220:300] = 0.75, 0.4
    spots = find_spots(make_result("one", matte_of(refined, coarse)))
    assert spots[0].top < 200 and spots[1].top > 400
