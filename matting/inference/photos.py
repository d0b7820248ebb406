"""Matting of many photos, one after the other or in batches."""

import os
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import torch

from matting.inference.coarse_stage import CoarsePass, Photo, run_first_passes
from matting.inference.matte import Matte
from matting.inference.photo import Steps, matte_picture, open_picture
from matting.inference.working_size import working_size
from matting.media.image import ImageSource, Picture
from matting.network import MattingNetwork


class PhotoError(ValueError):
    """Why one of many photos has no matte; the message names it.

    Attributes:
        index: its place among the photos, from 0.
    """

    def __init__(self, index: int, image: object, error: Exception):
        name = f" ({os.fspath(image)})" if isinstance(image, str | os.PathLike) else ""
        super().__init__(f"photo {index}{name}: {str(error) or type(error).__name__}")
        self.index = index
        self.__cause__ = error


class _Waiting(NamedTuple):
    """A photo of a batch, read or failed."""

    place: int
    image: ImageSource | Picture
    picture: Picture | PhotoError


def matte_images(
    images: Iterable[ImageSource | Picture],
    model: MattingNetwork,
    max_side: int | None = None,
    *,
    batch: int = 1,
    unknown_bias: float = 0.0,
    refine: bool = True,
    cross_region: bool = True,
    guided_filter: bool = True,
    closed_form: bool = True,
    ignore_alpha: bool = False,
) -> Iterator[Matte | PhotoError]:
    """Estimate the alpha mattes of many photos, lazily: a photo is read when its batch is asked for, and then forgotten.

    In a batch, the first stage sees photos that follow each other and have one working size together. On a CPU it takes a third
    more time a photo in a batch of four than alone, where its values stay in the cache, so there the default is best; on a GPU
    that was not measured. `examples/many_photos.py` uses all cores instead.

    Args:
        images: each as of `matte_image`; any number, also without an end.
        model: from `load_model`.
        max_side: as of `matte_image`, and so are the other options.
        batch: the most photos that the first stage is given at once; all of them are in memory together.
        unknown_bias: see `matte_image`.
        refine: see `matte_image`.
        cross_region: see `matte_image`.
        guided_filter: see `matte_image`.
        closed_form: see `matte_image`.
        ignore_alpha: see `matte_image`.

    Returns:
        For each photo in order its matte, or the `PhotoError` that says which one could not be read or matted and why; the
        photos after it are not affected.

    Raises:
        ValueError: if batch or max_side is below 1.
    """
    if batch < 1:
        raise ValueError(f"batch must be at least 1, got {batch}")
    working_size(1, 1, max_side)  # raises before the first photo is read
    steps = Steps(unknown_bias, refine, cross_region, guided_filter, closed_form)
    return _matte_batches(_batches(images, max_side, batch, ignore_alpha), model, max_side, steps)


def _batches(
    images: Iterable[ImageSource | Picture], max_side: int | None, most: int, ignore_alpha: bool
) -> Iterator[list[_Waiting]]:
    """Photos of one working size that follow each other, at most so many; those that cannot be read are in between."""
    waiting: list[_Waiting] = []
    size, count = None, 0
    for index, image in enumerate(images):
        try:
            picture = open_picture(image, ignore_alpha)
        except (ValueError, OSError, MemoryError) as error:
            waiting.append(_Waiting(index, image, PhotoError(index, image, error)))
        else:
            height, width = picture.image.shape[:2]
            own = working_size(height, width, max_side)
            if count and own != size:
                yield waiting
                waiting, count = [], 0
            waiting.append(_Waiting(index, image, picture))
            size, count = own, count + 1
        if count in (0, most):
            yield waiting
            waiting, count = [], 0
    if waiting:
        yield waiting


def _matte_batches(
    batches: Iterable[list[_Waiting]], model: MattingNetwork, max_side: int | None, steps: Steps
) -> Iterator[Matte | PhotoError]:
    device = next(model.parameters()).device
    for batch in batches:
        photos = [Photo(each.picture.image, None) for each in batch if isinstance(each.picture, Picture)]
        firsts: list[CoarsePass | None] = [None] * len(photos)
        if len(photos) > 1:
            with torch.inference_mode():
                firsts = [*run_first_passes(photos, model, max_side, device)]
        for place, image, picture in batch:
            if isinstance(picture, PhotoError):
                yield picture
                continue
            try:
                yield matte_picture(picture, model, max_side, steps, first=firsts.pop(0))
            except (ValueError, OSError, MemoryError) as error:
                yield PhotoError(place, image, error)
