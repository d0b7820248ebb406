"""Matting of a photo: `matte_image` is the list of all steps, in their order."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from matting.inference.clock import Clock
from matting.inference.coarse_stage import CoarsePass, Photo, choose_pass, run_coarse_passes
from matting.inference.exposure import brightening
from matting.inference.matte import Matte, Regions
from matting.inference.scribbles import check_scribbles
from matting.inference.trimap import apply_trimap, draw_trimap, mark_unknown
from matting.inference.working_size import REGION_STEP
from matting.media.image import ImageSource, Picture, load_picture
from matting.network import MattingNetwork, Prediction, refine_regions, region_input, select_regions
from matting.postprocess.upsample import enlarge_coarse, resize_alpha, to_array, upsample_alpha

_WHITE = (255, 255, 255)


@dataclass(frozen=True)
class Steps:
    """What is done to a photo and what is left out; see `matte_image`."""

    unknown_bias: float = 0.0
    refine: bool = True
    cross_region: bool = True
    guided_filter: bool = True
    closed_form: bool = True


def matte_image(
    image: ImageSource | Picture,
    model: MattingNetwork,
    max_side: int | None = None,
    *,
    unknown_bias: float = 0.0,
    refine: bool = True,
    cross_region: bool = True,
    guided_filter: bool = True,
    closed_form: bool = True,
    scribbles: NDArray[np.int8] | None = None,
    ignore_alpha: bool = False,
) -> Matte:
    """Estimate the alpha matte of all people in a photo, times the alpha that it came with.

    Needs about 0.1 GB for the network, 0.5 GB per million working pixels, and 25 bytes per pixel of the photo: measured on
    100 megapixels (a JPEG file, automatic working size, two CPU cores), the whole process peaks at 2.9 GiB, `cutout` included,
    and at 3.2 GiB with `composite`.

    Args:
        image: path, open file, PIL image, or (H, W, 3) uint8 RGB array, or a `Picture` from `load_picture`.
        model: from `load_model`.
        max_side: longer working side in pixels. None is automatic: see `working_size`, and people who are small in the photo
            are matted in a crop around them. The result always has the photo's size.
        unknown_bias: added to the trimap's logit of unknown: above 0 more regions are refined, 0 is the paper.
        refine: False returns the coarse alpha, enlarged bilinearly, as the alpha; without any post-processing.
        cross_region: False refines every region from its own pixels alone, without attention to its neighbours.
        guided_filter: False leaves out the guided filter, and closed-form matting too.
        closed_form: False leaves out closed-form matting (see `matting.postprocess.closed_form`): somewhat faster on a CPU, and
            single hairs become a soft fringe.
        scribbles: (H, W) integers, corrections by hand: -1 background, 1 foreground, 0 unlabelled; they spread to similar
            colours where the coarse alpha is uncertain (see `matting.inference.scribbles`).
        ignore_alpha: True composites a photo that has an alpha on white and treats it as opaque.

    Returns:
        The matte, at the photo's size.

    Raises:
        ValueError: if the image cannot be read (see `load_picture`), max_side is not positive, or scribbles do not fit.
    """
    picture = open_picture(image, ignore_alpha)
    if scribbles is not None:
        check_scribbles(scribbles, *picture.image.shape[:2])
    return matte_picture(
        picture, model, max_side, Steps(unknown_bias, refine, cross_region, guided_filter, closed_form), scribbles=scribbles
    )


def open_picture(image: ImageSource | Picture, ignore_alpha: bool) -> Picture:
    """The picture of a photo; without its alpha, on white, if this is to be ignored. Raises ValueError as `load_picture`."""
    picture = image if isinstance(image, Picture) else load_picture(image)
    return Picture(picture.on(_WHITE), None) if ignore_alpha else picture


@torch.inference_mode()
def matte_picture(
    picture: Picture,
    model: MattingNetwork,
    max_side: int | None,
    steps: Steps,
    *,
    scribbles: NDArray[np.int8] | None = None,
    first: CoarsePass | None = None,
) -> Matte:
    """`matte_image` of a picture that is read and checked; `first` is the coarse pass on all of it, if there is one already."""
    pixels, input_alpha = picture
    height, width = pixels.shape[:2]
    clock = Clock(next(model.parameters()).device)

    passes = run_coarse_passes(Photo(pixels, scribbles), model, max_side, clock, first)
    chosen = choose_pass(passes, height, width)
    crop, image_tensor, network_image, coarse = chosen
    part = crop.cut(pixels)
    coarse_alpha = resize_alpha(to_array(enlarge_coarse(coarse.alpha)[0]), *part.shape[:2])
    clock.lap("coarse")

    cells = select_regions(coarse.trimap, steps.unknown_bias)
    refined_cells = cells if steps.refine else cells[:0]
    known_alpha = apply_trimap(coarse, refined_cells)
    prediction = refine_regions(
        model,
        network_image,
        coarse,
        refined_cells,
        known_alpha=known_alpha,
        cross_region=steps.cross_region,
        region_step=REGION_STEP,
        lap=clock.lap,
    )

    alpha = coarse_alpha
    if steps.refine:
        known = to_array(mark_unknown(known_alpha, refined_cells)[0])
        small = image_tensor[0].permute(1, 2, 0).cpu().numpy()
        alpha = upsample_alpha(
            to_array(prediction.alpha[0]),
            known,
            small,
            part,
            guided=steps.guided_filter,
            closed=steps.closed_form,
            lap=clock.lap,
        )

    matte = Matte(
        image=pixels,
        alpha=_times(crop.fill(alpha, height, width), input_alpha),
        coarse_alpha=_times(crop.fill(coarse_alpha, height, width), input_alpha),
        trimap=crop.fill(draw_trimap(coarse, cells, *part.shape[:2]), height, width),
        regions=_collect_regions(image_tensor, prediction),
        seconds=clock.seconds,
        crop=crop,
        working_size=chosen.size,
        coarse_sizes=tuple(each.size for each in passes),
        brightening=float(brightening(image_tensor)),
        input_alpha=input_alpha,
    )
    clock.lap("collect")
    return matte


def _times(alpha: NDArray[np.float32], input_alpha: NDArray[np.float32] | None) -> NDArray[np.float32]:
    return alpha if input_alpha is None else alpha * input_alpha


def _collect_regions(image: Tensor, prediction: Prediction) -> Regions:
    inputs = region_input(image, prediction.coarse_alpha, prediction.cells).cpu()  # (N, 4, 8, 8)
    return Regions(
        cells=prediction.cells[:, 1:].cpu().numpy(),
        neighbours=prediction.neighbours.cpu().numpy(),
        patches=prediction.patches[:, 0].float().cpu().numpy(),
        coarse_patches=inputs[:, 3].numpy(),
        image_patches=inputs[:, :3].mul(255).round().byte().permute(0, 2, 3, 1).numpy(),
        attention=prediction.attention.float().cpu().numpy(),
    )
