"""Work that needs the network, on a device that is there all the time or, on ZeroGPU, lent for one call after the other."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matting.evaluation.methods import METHODS, Resources, Timed, run
from matting.inference.clip import ClipProgress, ClipSettings, iterate_clip
from matting.inference.matte import BackgroundSource, Matte
from matting.inference.photo import matte_image
from matting.media.image import Picture
from matting.media.reader import ClipReader
from matting.network import MattingNetwork

SHORTEST_S, LONGEST_S = 10, 120
_SECONDS_PER_MEGAPIXEL = 0.5
_SECONDS_PER_FRAME = 0.15
_METHOD_S = 60

Lend = Callable[..., Callable[[Callable], Callable]]


def always_there(duration: Callable[..., int]) -> Callable[[Callable], Callable]:
    """The `lend` of a machine with a device of its own: every function stays what it is."""
    return lambda function: function


class Device:
    """Three functions, each handed to the lender once and before the app is launched, as ZeroGPU demands.

    It runs them in another process: arguments and results are pickled on their way, and the model is none of them.

    Attributes:
        model: the network, in eval mode.
        matte: `matte_image` of a picture that has been read.
        matte_clip: `iterate_clip`.
        run_method: one of the methods of a comparison.
    """

    def __init__(self, model: MattingNetwork, lend: Lend = always_there):
        self.model = model
        self.matte = lend(duration=photo_seconds)(self._matte)
        self.matte_clip = lend(duration=clip_seconds)(self._matte_clip)
        self.run_method = lend(duration=method_seconds)(self._run_method)

    def _matte(self, image: Picture, max_side: int | None = None, options: Mapping[str, Any] = {}) -> Matte:
        return matte_image(image, self.model, max_side, **options)

    def _matte_clip(
        self, source: Path, outputs: dict[str, Path], settings: ClipSettings, background: BackgroundSource
    ) -> Iterator[ClipProgress]:
        yield from iterate_clip(source, self.model, outputs, settings, background=background)

    def _run_method(self, name: str, image: NDArray[np.uint8], trimap: NDArray[np.uint8] | None) -> Timed:
        return run(METHODS[name].load(Resources(self.model)), image, trimap)


def photo_seconds(picture: Picture, *_: Any) -> int:
    """How long to borrow the device for a photo."""
    return _between(_SECONDS_PER_MEGAPIXEL * picture.image.shape[0] * picture.image.shape[1] / 1e6)


def clip_seconds(source: Path, *_: Any) -> int:
    """How long to borrow it for a clip, whose frames are written meanwhile."""
    with ClipReader(source) as reader:
        return _between(_SECONDS_PER_FRAME * reader.info.frames)


def method_seconds(*_: Any) -> int:
    """How long for a method to compare with, its download included."""
    return _METHOD_S


def _between(seconds: float) -> int:
    return min(LONGEST_S, SHORTEST_S + round(seconds))
