"""Small people are looked at again, close up."""

import numpy as np
import pytest
import torch
from networks import Bright
from pictures import draw_person

from matting.inference.crop import Crop, closer_crop, cuts_people, loses_people, whole
from matting.inference.photo import matte_image
from matting.inference.working_size import AUTO_MAX_SIDE
from matting.postprocess.upsample import to_tensor


def photo(top: int, left: int, bottom: int, right: int) -> np.ndarray:
    """Somebody bright in a dark photo of 600 x 900."""
    image = np.full((600, 900, 3), 20, np.uint8)
    image[top:bottom, left:right] = 240
    return image


def cells(top: int, left: int, bottom: int, right: int) -> np.ndarray:
    alpha = np.zeros((10, 20), np.float32)
    alpha[top:bottom, left:right] = 1
    return alpha


def test_window_by_hand():
    # cells of 100 px; the box is 200 high and 100 wide, a fifth of 200 is added on every side
    assert closer_crop(cells(4, 8, 6, 9), 1000, 2000) == Crop(360, 760, 640, 940)
    assert closer_crop(cells(8, 0, 10, 1), 1000, 2000) == Crop(760, 0, 1000, 140)  # the photo ends there
    assert closer_crop(cells(4, 8, 6, 9), 100, 200) is None  # 192 pixels are nearly all of it
    assert closer_crop(cells(4, 8, 5, 9), 500, 1000) == Crop(129, 329, 321, 521)  # 50 px, but at least 192 are seen
    assert closer_crop(cells(2, 2, 4, 15), 1000, 2000) is None  # long
    assert closer_crop(cells(0, 0, 0, 0), 1000, 2000) is None  # nobody
    assert closer_crop(0.4 * cells(4, 8, 6, 9), 1000, 2000) is None


def test_two_people_are_held_together():
    alpha = cells(4, 6, 6, 7) + cells(5, 9, 6, 10)
    assert closer_crop(alpha, 1000, 2000) == Crop(320, 520, 680, 1080)


@pytest.mark.parametrize(("side", "touched"), [((0, 3), 0), ((3, 0), 1), ((-1, 3), 2), ((3, -1), 3)])
def test_sides_that_cut_somebody(side, touched):
    alpha = np.zeros((8, 8), np.float32)
    alpha[side] = 0.6
    inner = Crop(100, 100, 200, 200)
    edges = [100, 100, 200, 200]
    edges[touched] = whole(300, 300)[touched]
    assert cuts_people(alpha, inner, 300, 300)
    assert not cuts_people(alpha, Crop(*edges), 300, 300)  # cut by the photo itself
    assert not cuts_people(0.8 * alpha, inner, 300, 300)


def test_a_closer_look_that_finds_less_than_half_has_lost_somebody():
    first, closer = np.zeros((10, 10), np.float32), np.zeros((8, 8), np.float32)
    first[4:6, 4:6] = 1  # 20 x 20 of 100 x 100 pixels
    crop = Crop(30, 30, 70, 70)  # a cell has 5 x 5 pixels
    closer[2:4, 2:5] = 1  # 150 pixels
    assert loses_people(first, closer, crop, 100, 100)
    closer[2:4, 2:6] = 0.6  # 200 pixels
    assert not loses_people(first, closer, crop, 100, 100)


def test_cut_and_fill_belong_together():
    picture = np.random.default_rng(0).random((30, 40)).astype(np.float32)
    crop = Crop(5, 10, 20, 40)
    filled = crop.fill(crop.cut(picture), 30, 40)
    assert np.array_equal(crop.cut(filled), crop.cut(picture)) and filled.dtype == np.float32
    assert filled.sum() == pytest.approx(crop.cut(picture).sum(), rel=1e-6)
    assert whole(30, 40).fill(picture, 30, 40) is picture


def test_small_people_are_seen_close_up():
    network = Bright()
    matte = matte_image(photo(200, 400, 320, 460), network)
    assert (
        network.seen == list(matte.coarse_sizes)
        and len(matte.coarse_sizes) == 2
        and matte.working_size == matte.coarse_sizes[1]
    )
    assert matte.crop.top < 200 and matte.crop.bottom > 320 and matte.crop.left < 400 and matte.crop.right > 460
    assert matte.crop_share < 0.1
    for plane in (matte.alpha, matte.coarse_alpha, matte.trimap):
        assert plane.shape == (600, 900) and plane[260, 430] == plane.max() and plane[10, 10] == 0
    assert (matte.alpha[210:310, 410:450] > 0.9).all()
    inside = np.zeros((600, 900), bool)
    matte.crop.cut(inside)[:] = True
    assert (matte.alpha[~inside] == 0).all() and (matte.trimap[~inside] == 0).all()
    expected = to_tensor(matte.crop.cut(matte.image), matte.working_size, torch.device("cpu"))
    row, column = matte.regions.cells[0]
    assert np.array_equal(
        matte.regions.image_patches[0],
        expected[0, :, 8 * row : 8 * row + 8, 8 * column : 8 * column + 8].mul(255).round().byte().permute(1, 2, 0).numpy(),
    )


@pytest.mark.parametrize("box", [(50, 300, 600, 700), (0, 0, 600, 900), (0, 0, 0, 0)])
def test_large_people_and_nobody_are_seen_once(box):
    network = Bright()
    matte = matte_image(photo(*box), network)
    assert len(network.seen) == 1 and matte.crop == whole(600, 900) and matte.crop_share == 1


def test_a_chosen_size_is_that_of_the_photo():
    network = Bright()
    assert matte_image(photo(200, 400, 320, 460), network, 512).coarse_sizes == ((384, 512),)
    assert network.seen == [(384, 512)]


def test_a_close_up_that_cuts_people_off_is_not_used():
    network = Bright(grows=0.49)  # on its second look, everything is a person
    matte = matte_image(photo(200, 400, 320, 460), network)
    assert network.seen == list(matte.coarse_sizes) and len(matte.coarse_sizes) == 2
    assert matte.crop == whole(600, 900) and matte.working_size == network.seen[0]


def test_a_close_up_that_loses_people_is_not_used():
    network = Bright(grows=-0.49)  # on its second look, nobody is bright enough
    matte = matte_image(photo(200, 400, 320, 460), network)
    assert len(matte.coarse_sizes) == 2 and matte.crop == whole(600, 900) and matte.alpha.max() == 1


def test_a_close_up_magnifies_twice_at_most():
    small = matte_image(photo(200, 400, 260, 440), Bright())
    assert small.crop.bottom - small.crop.top < 200 and small.working_size == (384, 384)
    assert matte_image(photo(60, 400, 360, 460), Bright()).working_size[0] == AUTO_MAX_SIDE


@pytest.mark.slow
@pytest.mark.parametrize("size", [(300, 200), (128, 640)])
def test_the_real_network_gives_the_photos_size(lite_model, size):
    image, _ = draw_person(*size)
    matte = matte_image(image, lite_model)
    assert matte.alpha.shape == matte.trimap.shape == matte.coarse_alpha.shape == size
