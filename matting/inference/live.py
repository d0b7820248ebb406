"""Matte a camera's frames as they come, one at a time, with no more memory of them than the filter over time needs."""

from collections import deque
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from matting.inference.clip import ClipSettings, coarse_stage, refine_stage
from matting.inference.temporal import TemporalFilter
from matting.inference.working_size import working_size
from matting.media.reader import Frame
from matting.network import MattingNetwork
from matting.postprocess.upsample import to_tensor

# Closed-form matting alone would take longer than a frame may.
LIVE_SETTINGS = ClipSettings(max_side=512, closed_form=False)


class LiveMatte(NamedTuple):
    """The matte of a frame that was given before.

    Attributes:
        number: of the frame.
        alpha: (H, W) float32 in [0, 1] at the frame's size.
    """

    number: int
    alpha: NDArray[np.float32]


class LiveMatting:
    """Coarse stage, filter over time and refinement of a stream of frames; the filter looks one frame ahead, so what `push`
    returns lags one frame behind. Holds two frames. Not to be used by two threads at once.
    """

    def __init__(self, model: MattingNetwork):
        self._model = model
        self._device = next(model.parameters()).device
        self._begin((0, 0), (0, 0))

    def _begin(self, shape: tuple[int, ...], size: tuple[int, int]) -> None:
        self._shape, self._size = shape, size
        self._filter, self._waiting = TemporalFilter(), deque[Frame]()
        self._previous: torch.Tensor | None = None

    def push(self, image: NDArray[np.uint8], number: int, settings: ClipSettings = LIVE_SETTINGS) -> LiveMatte | None:
        """Take the next frame and give the matte of the one before.

        Args:
            image: (H, W, 3) uint8 RGB.
            number: what the frame is called; larger than those before.
            settings: how to matte; another working size, like another size of frames, begins anew.

        Returns:
            None for the first frame, and where it began anew.
        """
        size = working_size(image.shape[0], image.shape[1], settings.max_side)
        if (image.shape, size) != (self._shape, self._size):
            self._begin(image.shape, size)
        pixels = to_tensor(image, size, self._device)
        (coarse,) = coarse_stage(self._model, pixels, self._previous)
        self._previous = pixels[0]
        self._waiting.append(Frame(image, number, 1, None))
        ready = self._filter.push(coarse)
        if ready is None:
            return None
        (matte,) = refine_stage(self._model, self._waiting, [ready], settings)
        return LiveMatte(matte.pts, matte.alpha)
