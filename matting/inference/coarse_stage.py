"""The first stage on a photo: crop, resize, exposure, coarse alpha and trimap, scribbles, components."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from matting.inference.clock import Clock
from matting.inference.components import drop_small_components
from matting.inference.crop import Crop, closer_crop, cuts_somebody, loses_somebody, whole
from matting.inference.exposure import brighten
from matting.inference.scribbles import follow_scribbles, scribbled_cells
from matting.inference.working_size import AUTO_MAX_SIDE, working_size
from matting.network import CoarsePrediction, MattingNetwork
from matting.postprocess.upsample import to_array, to_tensor

_MOST_ENLARGED = 2  # times, in a closer look: somebody magnified further is blurred, as people in the background are


class Photo(NamedTuple):
    """A photo (H, W, 3) and the corrections by hand (H, W) of it, if there are any."""

    pixels: NDArray[np.uint8]
    scribbles: NDArray[np.int8] | None


class Look(NamedTuple):
    """What the first stage says of a part of a photo.

    Attributes:
        crop: the part.
        tensor: (1, 3, h, w) in [0, 1], the part at its working size.
        lit: the same as both stages see it, brightened if it is dark.
        coarse: coarse alpha and trimap, with scribbles followed and small components dropped.
    """

    crop: Crop
    tensor: Tensor
    lit: Tensor
    coarse: CoarsePrediction

    @property
    def size(self) -> tuple[int, int]:
        """Working size, (height, width) in pixels."""
        return self.tensor.shape[2], self.tensor.shape[3]


def take_looks(photo: Photo, model: MattingNetwork, max_side: int | None, clock: Clock) -> list[Look]:
    """One look at all of the photo and, at working size Auto, a closer one at the people if they are small.

    Args:
        photo: what to look at.
        model: whose first stage looks.
        max_side: longer working side in pixels; None is Auto.
        clock: counts "resize" and "coarse".
    """
    height, width = photo.pixels.shape[:2]
    first = _look(photo, whole(height, width), model, max_side, clock)
    crop = closer_crop(to_array(first.coarse.alpha[0]), height, width) if max_side is None else None
    if crop is None:
        return [first]
    side = _MOST_ENLARGED * max(crop.bottom - crop.top, crop.right - crop.left)
    return [first, _look(photo, crop, model, side if side < AUTO_MAX_SIDE else None, clock)]


def choose_look(looks: list[Look], height: int, width: int) -> Look:
    """The closest look at a photo of height x width pixels, unless it cuts somebody off or loses somebody."""
    first, closest = looks[0], looks[-1]
    alpha, crop = to_array(closest.coarse.alpha[0]), closest.crop
    lost = loses_somebody(to_array(first.coarse.alpha[0]), alpha, crop, height, width)
    return first if lost or cuts_somebody(alpha, crop, height, width) else closest


def _look(photo: Photo, crop: Crop, model: MattingNetwork, max_side: int | None, clock: Clock) -> Look:
    part = crop.cut(photo.pixels)
    tensor = to_tensor(part, working_size(part.shape[0], part.shape[1], max_side), clock.device)
    clock.lap("resize")
    lit = brighten(tensor)
    coarse, kept = model.coarse(lit), None
    if photo.scribbles is not None:
        cells = scribbled_cells(crop.cut(photo.scribbles), coarse.alpha.shape[2:])
        coarse, kept = follow_scribbles(coarse, lit, cells), cells > 0
    coarse = drop_small_components(coarse, kept)
    clock.lap("coarse")
    return Look(crop, tensor, lit, coarse)
