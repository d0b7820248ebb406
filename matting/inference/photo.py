"""A photo in, a matte out: `matte_image` is the list of the steps, in order."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from matting.inference.clock import Clock
from matting.inference.coarse_stage import Photo, choose_look, take_looks
from matting.inference.exposure import brightening
from matting.inference.matte import Matte, Regions
from matting.inference.scribbles import check_scribbles
from matting.inference.trimap import apply_trimap, draw_trimap, mark_unknown
from matting.media.image import ImageSource, load_image
from matting.network import MattingNetwork, Prediction, refine_regions, region_input, select_regions
from matting.postprocess.upsample import enlarge_coarse, resize_alpha, to_array, upsample_alpha


@torch.inference_mode()
def matte_image(
    image: ImageSource,
    model: MattingNetwork,
    max_side: int | None = None,
    *,
    unknown_bias: float = 0.0,
    refine: bool = True,
    cross_region: bool = True,
    guided_filter: bool = True,
    closed_form: bool = True,
    scribbles: NDArray[np.int8] | None = None,
) -> Matte:
    """Cut the people out of a photo.

    Needs about 0.1 GB for the network, 0.5 GB per million working pixels, and 25 bytes per pixel of the photo: measured on
    100 megapixels (a JPEG file, Auto, two cores), the whole process peaks at 2.9 GiB, `cutout` included, and at 3.2 GiB with
    `composite`.

    Args:
        image: path, open file, PIL image, or (H, W, 3) uint8 RGB array.
        model: from `load_model`.
        max_side: longer working side in pixels. None is Auto: a size that suits the photo (see `working_size`), and a second
            look at the part that holds the people if they are small in it. The result always has the photo's size.
        unknown_bias: added to the trimap's logit of unknown: above 0 more regions are redrawn, 0 is the paper.
        refine: False redraws nothing and returns the coarse alpha as the alpha.
        cross_region: False redraws every region from its own pixels alone.
        guided_filter: False leaves the redrawn alpha as the network drew it, and leaves out closed-form matting too; True makes
            it follow the photo's colours.
        closed_form: False leaves out closed-form matting where hair is (see `matting.postprocess.closed_form`): somewhat
            faster on a processor, and single strands become a soft fringe.
        scribbles: (H, W) corrections by hand: -1 for background, 1 for foreground, 0 where nothing is said; places that look
            alike and are not certain follow (see `matting.inference.scribbles`).

    Returns:
        The matte, at the photo's size.

    Raises:
        ValueError: if the image cannot be read (see `load_image`), max_side is not positive, or scribbles do not fit.
    """
    pixels = load_image(image)
    height, width = pixels.shape[:2]
    if scribbles is not None:
        check_scribbles(scribbles, height, width)
    clock = Clock(next(model.parameters()).device)

    looks = take_looks(Photo(pixels, scribbles), model, max_side, clock)
    look = choose_look(looks, height, width)
    part = look.crop.cut(pixels)
    coarse_alpha = resize_alpha(to_array(enlarge_coarse(look.coarse.alpha)[0]), *part.shape[:2])
    clock.lap("coarse")

    cells = select_regions(look.coarse.trimap, unknown_bias)
    redrawn = cells if refine else cells[:0]
    known_alpha = apply_trimap(look.coarse, redrawn)
    prediction = refine_regions(
        model, look.lit, look.coarse, redrawn, known_alpha=known_alpha, cross_region=cross_region, lap=clock.lap
    )

    alpha = coarse_alpha
    if refine:
        known = to_array(mark_unknown(known_alpha, redrawn)[0])
        small = look.tensor[0].permute(1, 2, 0).cpu().numpy()
        alpha = upsample_alpha(
            to_array(prediction.alpha[0]), known, small, part, guided=guided_filter, closed=closed_form, lap=clock.lap
        )

    matte = Matte(
        image=pixels,
        alpha=look.crop.fill(alpha, height, width),
        coarse_alpha=look.crop.fill(coarse_alpha, height, width),
        trimap=look.crop.fill(draw_trimap(look.coarse, cells, *part.shape[:2]), height, width),
        regions=_collect_regions(look.tensor, prediction),
        seconds=clock.seconds,
        crop=look.crop,
        working_size=look.size,
        looks=tuple(each.size for each in looks),
        brightening=float(brightening(look.tensor)),
    )
    clock.lap("collect")
    return matte


def _collect_regions(tensor: Tensor, prediction: Prediction) -> Regions:
    seen = region_input(tensor, prediction.coarse_alpha, prediction.cells).cpu()  # (N, 4, 8, 8)
    return Regions(
        cells=prediction.cells[:, 1:].cpu().numpy(),
        neighbours=prediction.neighbours.cpu().numpy(),
        patches=prediction.patches[:, 0].float().cpu().numpy(),
        coarse_patches=seen[:, 3].numpy(),
        image_patches=seen[:, :3].mul(255).round().byte().permute(0, 2, 3, 1).numpy(),
        attention=prediction.attention.float().cpu().numpy(),
    )
