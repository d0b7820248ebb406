"""Measuring clips, with a network whose alpha is the red channel."""

import numpy as np
import pytest
from clips import Brightness, make_clip

from matting.evaluation.clips import (
    REFINE_EVERYTHING,
    loop_clip,
    main,
    measure_accuracy,
    measure_cost,
    print_accuracy,
    read_alphas,
    shorten,
)
from matting.inference.clip import ClipSettings
from matting.media.encoding import H264_MP4
from matting.media.reader import ClipReader
from matting.weights import save_weights

SMALL = ClipSettings(max_side=128, temporal=False)


def ramp(frame, width, height):
    image = np.zeros((height, width, 3), np.uint8)
    image[...] = (np.linspace(0, 200, width) + 3 * frame)[None, :, None]
    image[-8:, -8:] = 240  # a lamp: nothing has to be brightened
    return image


def blinking(frame, width, height):
    image = ramp(0, width, height)
    image[: height // 2, : width // 2] += np.uint8(6 * (frame % 2))
    return image


@pytest.fixture
def clip(tmp_path):
    return make_clip(tmp_path / "a.mp4", width=128, height=128, frames=9, picture=ramp, sound=None)


@pytest.mark.slow
def test_a_perfect_matte_has_almost_no_error(clip):
    accuracy = measure_accuracy(clip, clip, Brightness(), SMALL)
    assert accuracy.sad < 128 * 128 * 0.01 / 1000
    assert accuracy.dtssd < 0.5
    assert accuracy.sad <= accuracy.coarse_sad


@pytest.mark.slow
def test_flicker_shows_in_dtssd_and_the_filter_lowers_it(tmp_path, clip, capsys):
    still = make_clip(
        tmp_path / "still.mp4", width=128, height=128, frames=9, picture=lambda _, w, h: ramp(0, w, h), sound=None
    )
    flickering = make_clip(tmp_path / "b.mp4", width=128, height=128, frames=9, picture=blinking, sound=None)
    off = measure_accuracy(flickering, still, Brightness(), SMALL)
    on = measure_accuracy(flickering, still, Brightness(), ClipSettings(128, temporal=True))
    assert off.coarse_dtssd > 0.8
    assert on.coarse_dtssd < 0.8 * off.coarse_dtssd
    print_accuracy(flickering, still, Brightness(), 128)
    assert f"| off | {off.coarse_dtssd:.3f} | {off.dtssd:.3f} |" in capsys.readouterr().out


@pytest.mark.slow
def test_clips_of_other_lengths_are_refused(tmp_path, clip):
    shorter = make_clip(tmp_path / "b.mp4", width=128, height=128, frames=5, sound=None)
    with pytest.raises(ValueError, match="same number of frames"):
        measure_accuracy(clip, shorter, Brightness(), SMALL)


@pytest.mark.slow
def test_cost_counts_what_is_refined(clip):
    everything = measure_cost(clip, Brightness(), ClipSettings(128, unknown_bias=REFINE_EVERYTHING), 4)
    assert everything.refined_share == 1
    assert everything.seconds > 0
    assert measure_cost(clip, Brightness(), SMALL, 4).refined_share <= 1


@pytest.mark.slow
def test_looped_clip_has_the_wanted_length_size_and_pictures(clip, tmp_path):
    loop_clip(clip, tmp_path / "long.mp4", 25, H264_MP4, side=64)
    with ClipReader(tmp_path / "long.mp4") as reader:
        assert (reader.info.frames, reader.info.width, reader.info.height) == (25, 64, 64)
        assert reader.info.duration == pytest.approx(1.0, abs=0.01)
    alphas = read_alphas(tmp_path / "long.mp4")
    assert np.abs(alphas[0] - alphas[9]).mean() < 0.01 < np.abs(alphas[0] - alphas[8]).mean()


@pytest.mark.slow
def test_the_first_frames_are_exact(clip, tmp_path):
    short = shorten(clip, tmp_path, 4)
    with ClipReader(short) as some, ClipReader(clip) as whole:
        frames = list(some)
        for one, other in zip(frames, whole, strict=False):
            np.testing.assert_array_equal(one.image, other.image)
    assert len(frames) == 4
    assert shorten(clip, tmp_path, None) == clip


@pytest.mark.slow
def test_one_command_prints_markdown(clip, tmp_path, capsys, lite_model):
    weights = tmp_path / "random.safetensors"
    save_weights(lite_model, weights, {})
    options = ["--frames", "9", "--max-side", "128", "--sides", "128", "--timed-frames", "1", "--weights", str(weights)]
    main([str(clip), "--truth", str(clip), "--device", "cpu", *options])
    printed = capsys.readouterr().out
    assert printed.startswith(f"{clip}: 9 frames of 128x128 pixels; preset lite, cpu")
    for table in printed.split("\n\n")[1:]:
        header, rule, *rows = table.strip().splitlines()
        assert rows and set(rule) == set("|-")
        assert len({line.count("|") for line in (header, rule, *rows)}) == 1
    assert "| everything | 100.0% |" in printed
