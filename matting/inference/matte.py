"""The result of matting a photo: alpha, intermediate results, and composites and cutouts made from them."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from matting.inference.crop import Crop
from matting.media.image import load_image
from matting.postprocess.bit_depth import to_8_bit
from matting.postprocess.compositing import Background, compose
from matting.postprocess.foreground import estimate_foreground

BackgroundSource = Background | Image.Image


@dataclass(frozen=True)
class Regions:
    """The N refined regions of one photo, on the grid of 8x8 pixel cells of its crop at the working size.

    Attributes:
        cells: (N, 2) int64, row and column in units of 8 working pixels.
        neighbours: (N, 8) int64 indices of the nearest regions.
        patches: (N, 8, 8) float32 in [0, 1], the refined alpha.
        coarse_patches: (N, 8, 8) float32 in [0, 1], the coarse alpha enlarged bilinearly, the refinement's input.
        image_patches: (N, 8, 8, 3) uint8 RGB, without exposure correction.
        attention: (N, heads, 9) float32, weights over the region itself and its neighbours.
    """

    cells: NDArray[np.int64]
    neighbours: NDArray[np.int64]
    patches: NDArray[np.float32]
    coarse_patches: NDArray[np.float32]
    image_patches: NDArray[np.uint8]
    attention: NDArray[np.float32]


class FromCrop:
    """What was drawn from a part of a photo, and how large that part is."""

    trimap: NDArray[np.uint8]
    crop: Crop
    working_size: tuple[int, int]

    @property
    def working_scale(self) -> tuple[float, float]:
        """Working pixels per pixel of the photo, down and across."""
        rows, columns = self.crop.bottom - self.crop.top, self.crop.right - self.crop.left
        return self.working_size[0] / rows, self.working_size[1] / columns

    @property
    def crop_share(self) -> float:
        """The crop's share of the photo's area."""
        rows, columns = self.crop.bottom - self.crop.top, self.crop.right - self.crop.left
        return rows * columns / self.trimap.size


@dataclass(frozen=True)
class Matte(FromCrop):
    """The result for one photo; all pictures have its size.

    Attributes:
        image: (H, W, 3) uint8 RGB; straight colours where the photo came with an alpha, see `matting.media.image.Picture`.
        alpha: (H, W) float32 in [0, 1], the final alpha; times the alpha that the photo came with.
        coarse_alpha: (H, W) float32 in [0, 1], the coarse stage's, enlarged bilinearly.
        trimap: (H, W) uint8, 0 background, 128 unknown, 255 foreground.
        regions: the refined regions.
        seconds: time per step: resize, coarse, regions, refine, guided_filter, closed_form, upsample, collect.
        crop: the part of the photo that was matted; outside of it alpha, coarse alpha and trimap are 0.
        working_size: (height, width) in pixels of the crop as the network's input.
        coarse_sizes: (height, width) of the coarse stage's inputs: the whole photo and, if people in it are small, the crop
            around them, used or not.
        brightening: exposure gain of the network's input, 1 unless the photo is dark.
        input_alpha: (H, W) float32 in [0, 1] that the photo came with, None if it was opaque or this was to be ignored.
    """

    image: NDArray[np.uint8]
    alpha: NDArray[np.float32]
    coarse_alpha: NDArray[np.float32]
    trimap: NDArray[np.uint8]
    regions: Regions
    seconds: dict[str, float]
    crop: Crop
    working_size: tuple[int, int]
    coarse_sizes: tuple[tuple[int, int], ...]
    brightening: float
    input_alpha: NDArray[np.float32] | None = None

    def cutout(self) -> Image.Image:
        """RGBA picture of 8 bits with straight alpha and estimated foreground colours; transparent pixels are black."""
        return cut_out(self.image, self.alpha, self.input_alpha)

    def composite(self, background: BackgroundSource) -> NDArray[np.uint8]:
        """Composite the foreground onto another background, with estimated foreground colours.

        Args:
            background: "blur" for the photo's own out of focus, a colour as (R, G, B) or CSS text, or a picture ((h, w, 3)
                uint8 or PIL), which is scaled and cropped to cover the photo.

        Returns:
            (H, W, 3) uint8 RGB.

        Raises:
            ValueError: if the background is none of these.
        """
        return compose(self.image, self.alpha, read_background(background), self.input_alpha)


def cut_out(
    image: NDArray[np.uint8], alpha: NDArray[np.float32], input_alpha: NDArray[np.float32] | None = None
) -> Image.Image:
    """A photo (H, W, 3) cut out by an alpha (H, W), as `Matte.cutout`; `input_alpha` as for `estimate_foreground`."""
    opacity = to_8_bit(alpha)
    foreground = estimate_foreground(image, alpha, input_alpha)
    foreground = cv2.copyTo(foreground, opacity)  # black where that is 0: the old background cannot be recovered from the file
    pixels = np.empty((*alpha.shape, 4), np.uint8)
    cv2.mixChannels([foreground, opacity], [pixels], [0, 0, 1, 1, 2, 2, 3, 3])  # a third of the time of np.dstack
    return Image.fromarray(pixels)


def read_background(source: BackgroundSource) -> Background:
    """A background with its picture, if it is one, read by `load_image`; raises ValueError if that is impossible."""
    return source if isinstance(source, str | tuple) else load_image(source)
