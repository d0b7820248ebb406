"""A photo in, a matte out: arrays and pictures over the tensors of the network."""

import time
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from matting.inference.components import drop_small_components
from matting.inference.crop import Crop, closer_crop, cuts_somebody, loses_somebody, whole
from matting.inference.exposure import brighten, brightening
from matting.inference.matte import Matte, Regions
from matting.inference.scribbles import check_scribbles, follow_scribbles, scribbled_cells
from matting.media.image import ImageSource, load_image
from matting.network import (
    SIDE_MULTIPLE,
    CoarsePrediction,
    MattingNetwork,
    Refinement,
    nearest_regions,
    region_input,
    replace_regions,
    select_regions,
)
from matting.postprocess.upsample import enlarge_coarse, resize_alpha, to_tensor, upsample_alpha

AUTO_MAX_SIDE = 896
AUTO_MIN_SIDE = 256
LARGEST_SIDE = 4096
_MOST_ENLARGED = 2  # times, in a closer look: somebody magnified further is blurred, as people in the background are
_TRIMAP_VALUES = np.array([0, 128, 255], np.uint8)
_REGION_STEP = 256


def working_size(height: int, width: int, max_side: int | None = None) -> tuple[int, int]:
    """Size at which the network sees a picture: both sides rounded to multiples of 128, as in the paper's benchmark.

    The aspect ratio changes slightly. Small pictures are enlarged: a region of 8x8 pixels then covers less of the person.

    Args:
        height: of the picture.
        width: of the picture.
        max_side: how long the longer side shall be, before rounding; for "as large as the photo" give its longer side.
            None is Auto: `AUTO_MAX_SIDE`, or more for a panorama whose shorter side would fall below `AUTO_MIN_SIDE`.

    Returns:
        (height, width), at least 128 and at most `LARGEST_SIDE` each.

    Raises:
        ValueError: if max_side is not positive.
    """
    if max_side is not None and max_side < 1:
        raise ValueError(f"max_side must be at least 1 pixel, got {max_side}")
    short, long = min(height, width), max(height, width)
    wanted = max(AUTO_MAX_SIDE, min(long, AUTO_MIN_SIDE / short * long)) if max_side is None else max_side
    scale = min(wanted, LARGEST_SIDE) / long
    height, width = (max(1, int(side * scale / SIDE_MULTIPLE + 0.5)) * SIDE_MULTIPLE for side in (height, width))
    return height, width


class _Clock:
    """Seconds per stage; on CUDA it waits for the device first."""

    def __init__(self, device: torch.device):
        self.device = device
        self.seconds: dict[str, float] = {}
        self.began = time.perf_counter()

    def lap(self, stage: str) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        now = time.perf_counter()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self.began
        self.began = now


@torch.inference_mode()
def matte_image(
    image: ImageSource,
    model: MattingNetwork,
    max_side: int | None = None,
    *,
    unknown_bias: float = 0.0,
    refine: bool = True,
    cross_region: bool = True,
    guide: bool = True,
    strands: bool = True,
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
        guide: False leaves the redrawn alpha as the network drew it; True makes it follow the photo's colours.
        strands: False leaves the last step of that out, closed-form matting where hair is (see
            `matting.postprocess.closed_form`): somewhat faster on a processor, and single strands become a soft fringe.
        scribbles: (H, W) corrections by hand: -1 for background, 1 for foreground, 0 where nothing is said; places that look
            alike and are not certain follow (see `matting.inference.scribbles`).

    Returns:
        The matte, at the photo's size.

    Raises:
        ValueError: if the image cannot be read (see `load_image`), max_side is not positive, or scribbles do not fit.
    """
    pixels = load_image(image)
    if scribbles is not None:
        check_scribbles(scribbles, *pixels.shape[:2])
    photo = _Photo(pixels, scribbles)
    clock = _Clock(next(model.parameters()).device)
    looks = [_look(photo, whole(*pixels.shape[:2]), model, max_side, clock)]
    if max_side is None:
        looks += _look_closer(photo, looks[0], model, clock)
    crop, tensor, lit, coarse = _best_look(looks, *pixels.shape[:2])
    cells = select_regions(coarse.trimap, unknown_bias)
    redrawn = cells if refine else cells[:0]
    neighbours = nearest_regions(redrawn)
    clock.lap("regions")
    refinement = refine_in_steps(model, lit, coarse.alpha, redrawn, neighbours, cross_region)
    clock.lap("refine")
    part = crop.cut(pixels)
    coarse_alpha = resize_alpha(_plane(enlarge_coarse(coarse.alpha)), *part.shape[:2])
    alpha = _full_alpha(tensor, coarse, redrawn, refinement, part, guide, strands) if refine else coarse_alpha
    matte = Matte(
        image=pixels,
        alpha=crop.fill(alpha, *pixels.shape[:2]),
        coarse_alpha=crop.fill(coarse_alpha, *pixels.shape[:2]),
        trimap=crop.fill(_full_trimap(coarse, cells, *part.shape[:2]), *pixels.shape[:2]),
        regions=_collect(tensor, coarse, redrawn, neighbours, refinement),
        seconds=clock.seconds,
        crop=crop,
        working_size=_size(tensor),
        looks=tuple(_size(look.tensor) for look in looks),
        brightening=float(brightening(tensor)),
    )
    clock.lap("upsample")
    return matte


class _Photo(NamedTuple):
    """A photo (H, W, 3) and what scribbles (H, W) say of it, if there are any."""

    pixels: NDArray[np.uint8]
    scribbles: NDArray[np.int8] | None


class _Look(NamedTuple):
    """What the first stage says of a part of a photo, (1, 3, h, w) at the working size, and that part as the stages see it."""

    crop: Crop
    tensor: Tensor
    lit: Tensor
    coarse: CoarsePrediction


def _look(photo: _Photo, crop: Crop, model: MattingNetwork, max_side: int | None, clock: _Clock) -> _Look:
    part = crop.cut(photo.pixels)
    tensor = to_tensor(part, working_size(part.shape[0], part.shape[1], max_side), clock.device)
    clock.lap("resize")
    lit = brighten(tensor)
    coarse, spared = model.coarse(lit), None
    if photo.scribbles is not None:
        cells = scribbled_cells(crop.cut(photo.scribbles), coarse.alpha.shape[2:])
        coarse, spared = follow_scribbles(coarse, lit, cells), cells > 0
    coarse = drop_small_components(coarse, spared)
    clock.lap("coarse")
    return _Look(crop, tensor, lit, coarse)


def _look_closer(photo: _Photo, first: _Look, model: MattingNetwork, clock: _Clock) -> list[_Look]:
    """A second look at where the people are, if they are small."""
    crop = closer_crop(_plane(first.coarse.alpha), *photo.pixels.shape[:2])
    if crop is None:
        return []
    side = _MOST_ENLARGED * max(crop.bottom - crop.top, crop.right - crop.left)
    return [_look(photo, crop, model, side if side < AUTO_MAX_SIDE else None, clock)]


def _best_look(looks: list[_Look], height: int, width: int) -> _Look:
    """The closest one, unless it cuts somebody off or loses somebody."""
    first, closest = looks[0], looks[-1]
    alpha, crop = _plane(closest.coarse.alpha), closest.crop
    lost = loses_somebody(_plane(first.coarse.alpha), alpha, crop, height, width)
    return first if lost or cuts_somebody(alpha, crop, height, width) else closest


def _size(tensor: Tensor) -> tuple[int, int]:
    return tensor.shape[2], tensor.shape[3]


def refine_in_steps(
    model: MattingNetwork, image: Tensor, coarse_alpha: Tensor, cells: Tensor, neighbours: Tensor, cross_region: bool = True
) -> Refinement:
    """`model.refine` computed for N rounded up to the next step, by repeating the last region; the result has N again.

    The CPU library keeps prepared kernels for every N it has met, about 1 MB each, and every picture has another N.
    """
    count = len(cells)
    if count == 0:
        return model.refine(image, coarse_alpha, cells, neighbours, cross_region)
    filled = torch.arange(-(-count // _REGION_STEP) * _REGION_STEP, device=cells.device).clamp(max=count - 1)
    patches, attention = model.refine(image, coarse_alpha, cells[filled], neighbours[filled], cross_region)
    return Refinement(patches[:count], attention[:count])


def settle(coarse: CoarsePrediction, cells: Tensor) -> Tensor:
    """The coarse alpha with what the trimap knows for certain made exactly 0 or 1.

    A sigmoid never reaches its ends; over a whole picture that faint veil would show. A cell is settled if the trimap calls
    it background or foreground, the coarse alpha agrees, and it is not redrawn.

    Args:
        coarse: output of the first stage.
        cells: (N, 3), the regions that are redrawn.

    Returns:
        (B, 1, H/8, W/8) in [0, 1].
    """
    known = coarse.trimap.argmax(1, keepdim=True)
    settled = torch.where((known == 0) & (coarse.alpha < 0.5), 0.0, coarse.alpha)
    settled = torch.where((known == 2) & (coarse.alpha > 0.5), 1.0, settled)
    image, row, column = cells.unbind(1)
    settled[image, 0, row, column] = coarse.alpha[image, 0, row, column]
    return settled


def open_cells(settled: Tensor, cells: Tensor) -> Tensor:
    """The settled alpha (B, 1, h, w), with the redrawn cells marked as not known, whatever the coarse alpha says of them."""
    settled[cells[:, 0], 0, cells[:, 1], cells[:, 2]] = 0.5
    return settled


def draw_alpha(coarse: CoarsePrediction, patches: Tensor, cells: Tensor) -> Tensor:
    """The network's alpha, (B, 1, H, W), with settled cells exactly 0 or 1 (see `settle`)."""
    return replace_regions(settle(coarse, cells), patches, cells)


def _full_alpha(
    tensor: Tensor,
    coarse: CoarsePrediction,
    cells: Tensor,
    refinement: Refinement,
    pixels: NDArray[np.uint8],
    guide: bool,
    strands: bool,
) -> NDArray[np.float32]:
    known = open_cells(settle(coarse, cells), cells)
    small = tensor[0].permute(1, 2, 0).cpu().numpy()
    return upsample_alpha(_plane(draw_alpha(coarse, refinement.patches, cells)), _plane(known), small, pixels, guide, strands)


def _plane(alpha: Tensor) -> NDArray[np.float32]:
    return alpha[0, 0].float().cpu().numpy()


def _full_trimap(coarse: CoarsePrediction, cells: Tensor, height: int, width: int) -> NDArray[np.uint8]:
    """0 / 128 / 255 at the photo's size; unknown are exactly the selected cells, so that a bias shows."""
    background, _, foreground = coarse.trimap[0]
    classes = 2 * (foreground > background).byte()
    classes[cells[:, 1], cells[:, 2]] = 1
    return cv2.resize(_TRIMAP_VALUES[classes.cpu().numpy()], (width, height), interpolation=cv2.INTER_NEAREST)


def _collect(tensor: Tensor, coarse: CoarsePrediction, cells: Tensor, neighbours: Tensor, refined: Refinement) -> Regions:
    seen = region_input(tensor, coarse.alpha, cells).cpu()  # (N, 4, 8, 8)
    return Regions(
        cells=cells[:, 1:].cpu().numpy(),
        neighbours=neighbours.cpu().numpy(),
        patches=refined.patches[:, 0].float().cpu().numpy(),
        coarse_patches=seen[:, 3].numpy(),
        image_patches=seen[:, :3].mul(255).round().byte().permute(0, 2, 3, 1).numpy(),
        attention=refined.attention.float().cpu().numpy(),
    )
