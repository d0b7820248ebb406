"""Photos and clips that have an alpha already: it is kept, as a factor of the network's, and their colours with it."""

from pathlib import Path

import av
import numpy as np
import pytest
from clips import Brightness, read
from PIL import Image

from matting.inference.clip import ClipSettings, matte_clip
from matting.inference.photo import matte_image
from matting.media.image import Picture, load_image, load_picture
from matting.weights import load_model

PERSON, WALL = (250, 120, 60), (0, 90, 160)  # red is alpha, for the network of these tests


def person_in_front_of_a_wall() -> np.ndarray:
    image = np.full((128, 128, 3), WALL, np.uint8)
    image[:, 48:] = PERSON
    return image


@pytest.fixture
def cut(tmp_path):
    """A person cut out before: a soft edge within the person, a hole, and the wall behind still there."""
    alpha = np.full((128, 128), 255, np.uint8)
    alpha[:, 80:112] = np.linspace(255, 0, 32).astype(np.uint8)
    alpha[:, 112:] = 0
    alpha[20:40, 56:72] = 0
    Image.fromarray(np.dstack([person_in_front_of_a_wall(), alpha])).save(tmp_path / "cut.png")
    return tmp_path / "cut.png"


def test_the_result_is_ours_times_theirs_and_colours_stay(cut):
    came = load_picture(cut).alpha
    matte = matte_image(cut, Brightness())
    alone = matte_image(Picture(load_picture(cut).image), Brightness())
    np.testing.assert_allclose(matte.alpha, alone.alpha * came, atol=1e-6)
    assert matte.input_alpha is not None and alone.input_alpha is None
    cutout = np.asarray(matte.cutout())
    assert (cutout[20:40, 58:70, 3] == 0).all()  # a hole stays a hole
    soft = cutout[:, 84:108]
    assert np.abs(soft[..., :3].astype(int) - PERSON).max() <= 3  # not mixed with white, nor with black
    below = matte.composite((0, 0, 255))[64, 96].astype(float)
    share = came[64, 96]
    assert below == pytest.approx(share * np.array(PERSON) + (1 - share) * np.array((0, 0, 255)), abs=6)


def test_ignoring_it_is_the_picture_on_white(cut):
    matte = matte_image(cut, Brightness(), ignore_alpha=True)
    np.testing.assert_array_equal(matte.image, load_image(cut))
    np.testing.assert_array_equal(matte.alpha, matte_image(load_image(cut), Brightness()).alpha)


@pytest.mark.slow
def test_a_cut_out_given_again_comes_out_as_it_was(tmp_path):
    with Image.open(Path(__file__).parents[2] / "examples" / "curls.jpg") as photo:
        photo.thumbnail((480, 480))
        model = load_model("bundled", "cpu")
        first = matte_image(photo, model).cutout()
    first.save(tmp_path / "first.png")
    second = matte_image(tmp_path / "first.png", model).cutout()
    before, after = np.asarray(first, int), np.asarray(second, int)
    assert np.abs(before[..., 3] - after[..., 3]).mean() < 1
    assert np.abs(before[..., :3] - after[..., :3])[before[..., 3] > 0].mean() < 1


@pytest.mark.slow
def test_a_clip_keeps_its_alpha_or_is_put_on_white(tmp_path):
    alpha = np.full((128, 128), 255, np.uint8)
    alpha[:, 96:] = 0
    path = tmp_path / "in.mov"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("prores_ks", rate=10, options={"profile": "4", "alpha_bits": "16"})
        stream.width, stream.height, stream.pix_fmt = 128, 128, "yuva444p10le"
        for _ in range(3):
            frame = av.VideoFrame.from_ndarray(np.dstack([person_in_front_of_a_wall(), alpha]), format="rgba")
            container.mux(stream.encode(frame.reformat(format="yuva444p10le")))
        container.mux(stream.encode(None))
    for ignore, seen in ((False, 0), (True, 255)):
        settings = ClipSettings(max_side=128, temporal=False, ignore_alpha=ignore)
        matte_clip(path, Brightness(), {"alpha": tmp_path / "alpha.mp4"}, settings)
        grey = read(tmp_path / "alpha.mp4")[1][1].image[64]
        assert abs(int(grey[110, 0]) - seen) <= 8 and abs(int(grey[70, 0]) - 250) <= 14
