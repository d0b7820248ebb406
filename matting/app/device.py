"""Work that needs the network, on a device that is there all the time or, on ZeroGPU, lent for one call after the other."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from matting.evaluation.methods import METHODS, Resources, Timed, run
from matting.inference.clip import CLIP_MAX_SIDE, ClipProgress, ClipSettings, iterate_clip
from matting.inference.matte import BackgroundSource, Matte
from matting.inference.people import find_people
from matting.inference.photo import matte_image
from matting.media.export import MatteFrame
from matting.media.image import Picture
from matting.media.reader import ClipReader
from matting.network import MattingNetwork
from matting.postprocess.bit_depth import to_8_bit
from matting.postprocess.foreground import estimate_foreground

SHORTEST_S, LONGEST_S = 10, 120
_SECONDS_PER_MEGAPIXEL = 0.5
_SECONDS_PER_FRAME = 0.15
_METHOD_S = 60
_LOOK_S = 1.0  # between two frames of a clip that are shown while it is worked on
_LOOK_SIDE = 640

Lend = Callable[..., Callable[[Callable], Callable]]


def always_there(duration: Callable[..., int]) -> Callable[[Callable], Callable]:
    """The `lend` of a machine with a device of its own: every function stays what it is."""
    return lambda function: function


class ClipStep(NamedTuple):
    """How far a clip is, and at most once a second what its last frame looks like: (h, w, 4) straight RGBA."""

    progress: ClipProgress
    look: NDArray[np.uint8] | None = None


class Device:
    """Four functions, each handed to the lender once and before the app is launched, as ZeroGPU demands.

    It runs them in another process: arguments and results are pickled on their way, and the model is none of them.

    Attributes:
        model: the network, in eval mode.
        matte: `matte_image` of a picture that has been read.
        matte_clip: `iterate_clip`, with a look at its frames.
        find_people: in the first frame of a clip.
        run_method: one of the methods of a comparison.
    """

    def __init__(self, model: MattingNetwork, lend: Lend = always_there):
        self.model = model
        self.matte = lend(duration=photo_seconds)(self._matte)
        self.matte_clip = lend(duration=clip_seconds)(self._matte_clip)
        self.find_people = lend(duration=people_seconds)(self._find_people)
        self.run_method = lend(duration=method_seconds)(self._run_method)

    def _matte(self, image: Picture, max_side: int | None = None, options: Mapping[str, Any] = {}) -> Matte:
        return matte_image(image, self.model, max_side, **options)

    def _matte_clip(
        self, source: Path, outputs: dict[str, Path], settings: ClipSettings, background: BackgroundSource
    ) -> Iterator[ClipStep]:
        looked = -_LOOK_S
        for step in iterate_clip(source, self.model, outputs, settings, background=background):
            look, bare = None, replace(step, frame=None)  # which may be large, and have to be sent
            if step.frame is not None and perf_counter() - looked >= _LOOK_S:
                looked, look = perf_counter(), small_cutout(step.frame)
            yield ClipStep(bare, look)

    def _find_people(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return find_people(image, self.model, CLIP_MAX_SIDE)

    def _run_method(self, name: str, image: NDArray[np.uint8], trimap: NDArray[np.uint8] | None) -> Timed:
        return run(METHODS[name].load(Resources(self.model)), image, trimap)


def small_cutout(frame: MatteFrame) -> NDArray[np.uint8]:
    """(h, w, 4) straight RGBA, at most 640 pixels long."""
    height, width = frame.alpha.shape
    scale = min(1.0, _LOOK_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    image, alpha = (np.asarray(Image.fromarray(a).resize(size, Image.Resampling.BOX)) for a in (frame.image, frame.alpha))
    came = frame.input_alpha
    came = None if came is None else np.asarray(Image.fromarray(came).resize(size, Image.Resampling.BOX))
    return np.dstack([estimate_foreground(image, alpha, came), to_8_bit(alpha)])


def photo_seconds(picture: Picture, *_: Any) -> int:
    """How long to borrow the device for a photo."""
    return _between(_SECONDS_PER_MEGAPIXEL * picture.image.shape[0] * picture.image.shape[1] / 1e6)


def clip_seconds(source: Path, *_: Any) -> int:
    """How long to borrow it for a clip, whose frames are written meanwhile."""
    with ClipReader(source) as reader:
        return _between(_SECONDS_PER_FRAME * reader.info.frames)


def people_seconds(*_: Any) -> int:
    """How long for one pass of the first stage over a frame."""
    return SHORTEST_S


def method_seconds(*_: Any) -> int:
    """How long for a method to compare with, its download included."""
    return _METHOD_S


def _between(seconds: float) -> int:
    return min(LONGEST_S, SHORTEST_S + round(seconds))
