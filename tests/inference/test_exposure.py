"""Dark photos are brightened before the network sees them."""

from copy import deepcopy

import numpy as np
import pytest
import torch
from pictures import draw_person

from matting import matte_image
from matting.app import text
from matting.app.results.result import make_result
from matting.app.views.facts import facts_html
from matting.inference.exposure import brighten


@pytest.mark.parametrize(("top", "expected"), [(0.45, 0.9), (0.15, 0.9), (0.05, 0.4), (0.9, 0.9), (1.0, 1.0)])
def test_the_brightest_parts_reach_nine_tenths(top, expected):
    images = torch.zeros(1, 3, 64, 64)
    images[0, 1, 16:48] = top
    assert brighten(images).amax().item() == pytest.approx(expected, abs=1e-5)


def test_every_picture_has_its_own_gain_and_single_sparks_do_not_count():
    images = torch.stack([torch.full((3, 128, 128), 0.3), torch.full((3, 128, 128), 0.95)])
    images[0, :, 8, 8] = 1  # one of the 1,024 pixels that are looked at
    lit = brighten(images)
    assert lit[0, 0, 0, 0] == pytest.approx(0.9) and lit[0, 0, 8, 8] == 1
    assert torch.equal(lit[1], images[1])


def test_somebody_small_under_a_lamp_is_not_washed_out():
    images = torch.full((1, 3, 128, 128), 0.05)
    images[:, :, 64:72, 64:72] = 0.8
    assert brighten(images)[0, 0, 64, 64] == pytest.approx(0.9)


def test_black_pictures_stay_black():
    assert torch.equal(brighten(torch.zeros(2, 3, 32, 48)), torch.zeros(2, 3, 32, 48))


def test_a_dark_photo_keeps_its_colours_while_both_stages_see_it_lit_and_the_page_says_so(lite_model):
    network, seen = deepcopy(lite_model), []
    for stage in (network.coarse, network.refine):
        stage.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    dark = draw_person(128, 128)[0] // 5
    matte = matte_image(dark, network, 128)
    assert np.array_equal(matte.image, dark) and matte.regions.image_patches.max() <= dark.max()
    assert matte.brightening == pytest.approx(0.9 * 255 / dark.max(), rel=0.03)
    assert text.FACT_BRIGHTENED in facts_html(make_result("dark", matte), "cpu", "lite")
    assert [picture.amax().item() for picture in seen] == pytest.approx([0.9, 0.9], abs=0.02)
