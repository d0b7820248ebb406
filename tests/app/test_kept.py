"""What is remembered of a photo has few bits and loses nothing that is shown or saved."""

import numpy as np

from matting.app.results.kept import from_bits, keep_matte, keep_picture
from matting.app.results.result import make_result
from matting.media.image import Picture
from matting.postprocess.bit_depth import to_8_bit, to_16_bit


def test_files_of_8_and_16_bits_are_those_of_the_matte_itself(matte_of):
    alpha = np.random.default_rng(3).random((300, 400), dtype=np.float32)
    near = np.resize(((np.arange(255) + 0.5) / 255).astype(np.float32), alpha.shape)  # half way between two of 8 bits
    alpha[:50] = (near + np.arange(-2, 3)[np.arange(300) // 10 % 5, None].astype(np.float32) * np.spacing(near))[:50]
    kept = keep_matte(matte_of(alpha, alpha**2))
    np.testing.assert_array_equal(to_8_bit(kept.alpha), to_8_bit(alpha))
    off = np.abs(to_16_bit(kept.alpha).astype(int) - to_16_bit(alpha))
    assert off.max() <= 1 and not off[50:].any(), "a step of 16 bits, where 8 bits are half way between two"
    np.testing.assert_array_equal(to_8_bit(kept.coarse_alpha), to_8_bit(alpha**2))


def test_what_came_with_8_bits_is_kept_exactly(matte_of):
    came = from_bits(np.arange(256, dtype=np.uint8).reshape(16, 16))
    matte = matte_of(came, None, came)
    np.testing.assert_array_equal(keep_matte(matte).input_alpha, came)
    np.testing.assert_array_equal(make_result("a", matte, ground_truth=came).ground_truth, came)
    np.testing.assert_array_equal(keep_picture(Picture(matte.image, came)).picture().alpha, came)
    assert keep_picture(Picture(matte.image)) is None


def test_a_cutout_is_that_of_the_matte(matte_of):
    alpha = from_bits(np.random.default_rng(5).integers(0, 65536, (40, 50), dtype=np.uint16))
    matte = matte_of(alpha, alpha**2)
    assert make_result("a", matte).cutout().tobytes() == matte.cutout().tobytes()
