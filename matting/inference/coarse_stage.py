"""The coarse stage on a photo: crop, resize, exposure, coarse alpha and trimap, scribbles, components.

With automatic working size the stage may run twice: on the whole photo, and on the crop that contains the people if they are
small in it, so that they cover more pixels of the network's input.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from matting.inference.clock import Clock
from matting.inference.components import drop_small_components
from matting.inference.crop import Crop, closer_crop, cuts_people, loses_people, whole
from matting.inference.exposure import brighten
from matting.inference.scribbles import apply_scribbles, label_cells
from matting.inference.working_size import AUTO_MAX_SIDE, working_size
from matting.network import CoarsePrediction, MattingNetwork, ScaleLogits
from matting.postprocess.upsample import to_array, to_tensor

# Largest magnification of a crop; people enlarged further are blurred and taken for background (IoU of people of 10% of the
# height: 0.65 at 2, 0.35 at 3, 0.16 at 4; training/LEARNT.md "The first stage had found them").
_MAX_MAGNIFICATION = 2


class Photo(NamedTuple):
    """A photo (H, W, 3) uint8 RGB and, if there are any, scribbles (H, W): -1 background, 1 foreground, 0 unlabelled."""

    pixels: NDArray[np.uint8]
    scribbles: NDArray[np.int8] | None


class CoarsePass(NamedTuple):
    """Input and output of the coarse stage for one crop of a photo.

    Attributes:
        crop: the part of the photo.
        image: (1, 3, h, w) RGB in [0, 1], the crop at its working size.
        network_image: the same with its exposure corrected (see `brighten`), the input of both stages.
        coarse: coarse alpha and trimap, with scribbles applied and small components removed.
    """

    crop: Crop
    image: Tensor
    network_image: Tensor
    coarse: CoarsePrediction

    @property
    def size(self) -> tuple[int, int]:
        """Working size, (height, width) in pixels."""
        return self.image.shape[2], self.image.shape[3]


def run_coarse_passes(
    photo: Photo, model: MattingNetwork, max_side: int | None, clock: Clock, first: CoarsePass | None = None
) -> list[CoarsePass]:
    """Run the coarse stage on the whole photo and, with automatic working size, on a crop around people who are small.

    Args:
        photo: the photo and its scribbles.
        model: the network.
        max_side: longer working side in pixels; None is automatic.
        clock: measures "resize" and "coarse".
        first: the pass on the whole photo, if it is there already.

    Returns:
        One or two passes, the whole photo first.
    """
    height, width = photo.pixels.shape[:2]
    if first is None:
        first = _run_coarse(photo, whole(height, width), model, max_side, clock)
    crop = closer_crop(to_array(first.coarse.alpha[0]), height, width) if max_side is None else None
    if crop is None:
        return [first]
    side = _MAX_MAGNIFICATION * max(crop.bottom - crop.top, crop.right - crop.left)
    return [first, _run_coarse(photo, crop, model, side if side < AUTO_MAX_SIDE else None, clock)]


def run_first_passes(
    photos: Sequence[Photo], model: MattingNetwork, max_side: int | None, device: torch.device
) -> list[CoarsePass]:
    """The passes on several whole photos without scribbles, of one working size, computed as one batch."""
    height, width = photos[0].pixels.shape[:2]
    size = working_size(height, width, max_side)
    images = torch.cat([to_tensor(photo.pixels, size, device) for photo in photos])
    network_images = brighten(images)
    coarse = drop_small_components(model.coarse(network_images))
    passes = []
    for index, photo in enumerate(photos):
        part, (height, width) = slice(index, index + 1), photo.pixels.shape[:2]
        logits = tuple(ScaleLogits(scale.alpha[part], scale.trimap[part]) for scale in coarse.logits)
        own = CoarsePrediction(coarse.alpha[part], coarse.trimap[part], logits)
        passes.append(CoarsePass(whole(height, width), images[part], network_images[part], own))
    return passes


def choose_pass(passes: list[CoarsePass], height: int, width: int) -> CoarsePass:
    """The pass to refine: the last one, unless its crop cuts people off or people of the first one are missing in it.

    Args:
        passes: from `run_coarse_passes`.
        height: of the photo, in pixels.
        width: of the photo, in pixels.
    """
    first, closest = passes[0], passes[-1]
    alpha, crop = to_array(closest.coarse.alpha[0]), closest.crop
    lost = loses_people(to_array(first.coarse.alpha[0]), alpha, crop, height, width)
    return first if lost or cuts_people(alpha, crop, height, width) else closest


def _run_coarse(photo: Photo, crop: Crop, model: MattingNetwork, max_side: int | None, clock: Clock) -> CoarsePass:
    part = crop.cut(photo.pixels)
    image = to_tensor(part, working_size(part.shape[0], part.shape[1], max_side), clock.device)
    clock.lap("resize")
    network_image = brighten(image)
    coarse, kept = model.coarse(network_image), None
    if photo.scribbles is not None:
        labels = label_cells(crop.cut(photo.scribbles), coarse.alpha.shape[2:])
        coarse, kept = apply_scribbles(coarse, network_image, labels), labels > 0
    coarse = drop_small_components(coarse, kept)
    clock.lap("coarse")
    return CoarsePass(crop, image, network_image, coarse)
