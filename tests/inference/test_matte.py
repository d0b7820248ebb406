"""What is made of a matte."""

from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from pictures import FACE, WALL, draw_person, encode
from PIL import Image

from matting.inference.crop import whole
from matting.inference.matte import Matte, Regions

EMPTY = Regions(*(np.zeros(0) for _ in range(6)))


@pytest.fixture
def matte() -> Matte:
    image, alpha = draw_person(90, 120)
    return Matte(image, alpha, alpha, np.zeros((90, 120), np.uint8), EMPTY, {}, whole(90, 120), (128, 128), ((128, 128),), 1.0)


def test_matte_is_frozen(matte):
    with pytest.raises(FrozenInstanceError):
        matte.alpha = None


def test_cutout_has_straight_alpha_and_clean_edges(matte):
    cutout = matte.cutout()
    pixels = np.asarray(cutout).astype(int)
    assert cutout.mode == "RGBA" and cutout.size == (120, 90)
    assert np.array_equal(pixels[..., 3], np.rint(matte.alpha * 255))
    assert np.array_equal(pixels[matte.alpha == 1][:, :3], matte.image[matte.alpha == 1])
    assert np.abs(pixels[pixels[..., 3] > 25][:, :3] - FACE).mean() < 4


def test_cutout_hides_nothing_under_transparent_pixels(matte):
    pixels = np.asarray(matte.cutout())
    assert (pixels[pixels[..., 3] == 0] == 0).all()


@pytest.mark.parametrize("background", [(10, 200, 30), "#0ac81e", "rgb(10, 200, 30)"])
def test_composite_on_a_colour(matte, background):
    composite = matte.composite(background)
    assert composite.shape == matte.image.shape and composite.dtype == np.uint8
    assert (composite[matte.alpha == 0] == (10, 200, 30)).all()
    assert np.array_equal(composite[matte.alpha == 1], matte.image[matte.alpha == 1])
    expected = matte.alpha[..., None] * np.array(FACE) + (1 - matte.alpha[..., None]) * np.array((10, 200, 30))
    assert np.abs(composite - expected).max() < 8


def test_composite_leaves_no_fringe(matte):
    composite = matte.composite((10, 200, 30)).astype(float)
    naive = matte.alpha[..., None] * matte.image + (1 - matte.alpha[..., None]) * np.array((10, 200, 30))
    expected = matte.alpha[..., None] * np.array(FACE) + (1 - matte.alpha[..., None]) * np.array((10, 200, 30))
    assert np.abs(composite - expected).sum() < 0.15 * np.abs(naive - expected).sum()


def test_a_picture_covers_the_photo_and_is_cropped_evenly(matte):
    stripes = np.zeros((30, 90, 3), np.uint8)  # to cover 90 x 120 it is enlarged 3 times, and 75 columns go on each side
    stripes[:, 45:] = 255
    for background in (stripes, Image.fromarray(stripes)):
        composite = matte.composite(background)
        assert (composite[0, :55] == 0).all() and (composite[0, 65:] == 255).all()


def test_a_tiny_picture_covers_too(matte):
    assert (matte.composite(np.full((1, 1, 3), 7, np.uint8))[matte.alpha == 0] == 7).all()


@pytest.mark.parametrize("size", [(1, 60_000), (60_000, 1)])
def test_a_long_thin_picture_is_cropped_before_it_is_enlarged(matte, size):
    """To cover the photo first and crop then would take 20 GB."""
    thin = np.full((*size, 3), (10, 200, 30), np.uint8)
    assert (matte.composite(thin) == matte.composite((10, 200, 30))).all()


def test_blur_shows_the_background_alone(matte):
    composite = matte.composite("blur")
    assert np.abs(composite[matte.alpha == 0] - np.array(WALL, float)).max() <= 2


@pytest.mark.parametrize("background", ["nocolour", "#12", (1, 2), (0, 0, 256), (-1, 0, 0), "", (1, 2, 3, 4)])
def test_what_is_no_background(matte, background):
    with pytest.raises(ValueError, match=r"background must be 'blur', a colour .* got"):
        matte.composite(background)


def test_a_broken_picture_as_background(matte):
    with pytest.raises(ValueError, match=r"image must be \(H, W, 3\) uint8"):
        matte.composite(np.zeros((4, 4), np.uint8))


def test_the_saved_cutout_is_the_cutout(matte):
    cutout = matte.cutout()
    assert np.array_equal(np.asarray(Image.open(encode(cutout, "PNG"))), np.asarray(cutout))
