"""A stream of frames gives what a clip of them gives, one behind."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from types import SimpleNamespace

import numpy as np
import pytest

from matting.inference.clip import STAGES, matte_frames
from matting.inference.live import LIVE_SETTINGS, LiveMatting
from matting.media.reader import Frame

SMALL = replace(LIVE_SETTINGS, max_side=256)


class Reader:
    """Frames as a clip."""

    def __init__(self, frames: list[np.ndarray]):
        self.frames, self.info = frames, SimpleNamespace(height=frames[0].shape[0], width=frames[0].shape[1])

    def __iter__(self) -> Iterator[Frame]:
        return (Frame(frame, number, 1, None) for number, frame in enumerate(self.frames))


@pytest.fixture
def frames() -> list[np.ndarray]:
    first = np.random.default_rng(3).integers(0, 256, (192, 256, 3), dtype=np.uint8)
    return [np.roll(first, 2 * n, axis=1) for n in range(4)]


@pytest.mark.slow
def test_frames_come_one_behind_as_a_clip_has_them(lite_model, frames):
    live = LiveMatting(lite_model)
    mattes = [live.push(frame, number, SMALL) for number, frame in enumerate(frames)]
    assert mattes[0] is None and [matte.number for matte in mattes[1:]] == [0, 1, 2]
    clip = chain.from_iterable(matte_frames(Reader(frames), lite_model, SMALL, dict.fromkeys(STAGES, 0.0)))
    for matte, frame in zip(mattes[1:], clip, strict=False):
        np.testing.assert_allclose(matte.alpha, frame.alpha, atol=1e-3)


@pytest.mark.slow
def test_another_size_begins_anew(lite_model, frames):
    live = LiveMatting(lite_model)
    assert live.push(frames[0], 0, SMALL) is None
    assert live.push(frames[1][:128], 1, SMALL) is None
    matte = live.push(frames[2][:128], 2, replace(SMALL, refine=False))
    assert matte.number == 1 and matte.alpha.shape == (128, 256)
