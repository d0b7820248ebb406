"""This project's network as a method: with all steps of the app, or by the protocol of the paper's benchmark."""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from matting.evaluation.cost import network_gmac
from matting.inference.photo import matte_image
from matting.network import SIDE_MULTIPLE, MattingNetwork, refine_regions, select_regions
from matting.postprocess.upsample import enlarge_coarse, resize_alpha, to_array, to_tensor


class Estimate(NamedTuple):
    """A method's result for one image.

    Attributes:
        alpha: (H, W) float32 in [0, 1].
        gmac: cost in 10^9 multiply-accumulates; None where it is not counted.
    """

    alpha: NDArray[np.float32]
    gmac: float | None = None


def estimate_auto(
    image: NDArray[np.uint8], model: MattingNetwork, refine: bool, cross_region: bool, guided_filter: bool, closed_form: bool
) -> Estimate:
    """`matte_image` with automatic working size, as in the app; arguments as there."""
    matte = matte_image(
        image, model, refine=refine, cross_region=cross_region, guided_filter=guided_filter, closed_form=closed_form
    )
    cost = network_gmac(model.config, matte.coarse_sizes[0], len(matte.regions.cells), cross_region)
    cost += sum(network_gmac(model.config, size, 0) for size in matte.coarse_sizes[1:])
    return Estimate(matte.alpha, cost)


@torch.inference_mode()
def estimate_paper(image: NDArray[np.uint8], model: MattingNetwork, refine: bool, cross_region: bool) -> Estimate:
    """The network's alpha by the paper's protocol: sides floored to multiples of 128, alpha resized back, no other steps."""
    size = paper_size(*image.shape[:2])
    tensor = to_tensor(image, size, next(model.parameters()).device)
    coarse = model.coarse(tensor)
    cells = select_regions(coarse.trimap) if refine else torch.zeros(0, 3, dtype=torch.int64, device=tensor.device)
    prediction = refine_regions(model, tensor, coarse, cells, cross_region=cross_region)
    alpha = prediction.alpha if refine else enlarge_coarse(coarse.alpha)
    gmac = network_gmac(model.config, size, len(cells), cross_region)
    return Estimate(resize_alpha(to_array(alpha[0]), *image.shape[:2]), gmac)


def paper_size(height: int, width: int) -> tuple[int, int]:
    """The paper's benchmark size: both sides floored to a multiple of 128, at least 128."""
    height, width = (max(1, side // SIDE_MULTIPLE) * SIDE_MULTIPLE for side in (height, width))
    return height, width
