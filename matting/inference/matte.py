"""What is known of a photo after matting, and what can be made of it."""

from dataclasses import dataclass

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
    """The redrawn regions of one photo on the working grid of its crop, N of them.

    Attributes:
        cells: (N, 2) int64, row and column in units of 8 working pixels.
        neighbours: (N, 8) int64 indices of the nearest regions.
        patches: (N, 8, 8) float32 in [0, 1], refined.
        coarse_patches: (N, 8, 8) float32 in [0, 1], the coarse alpha enlarged bilinearly, as the second stage sees it.
        image_patches: (N, 8, 8, 3) uint8.
        attention: (N, heads, 9) float32, over the region itself and its neighbours.
    """

    cells: NDArray[np.int64]
    neighbours: NDArray[np.int64]
    patches: NDArray[np.float32]
    coarse_patches: NDArray[np.float32]
    image_patches: NDArray[np.uint8]
    attention: NDArray[np.float32]


@dataclass(frozen=True)
class Matte:
    """The result for one photo; all pictures have its size.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        alpha: (H, W) float32 in [0, 1], refined.
        coarse_alpha: (H, W) float32 in [0, 1], the first stage enlarged bilinearly.
        trimap: (H, W) uint8, 0 background, 128 unknown, 255 foreground.
        regions: what the second stage redrew.
        seconds: time per step: resize, coarse, regions, refine, guided_filter, closed_form, upsample, collect.
        crop: the part of the photo that everything was drawn from; around it, all pictures but the image are 0.
        working_size: (height, width) at which the network saw the crop.
        looks: working sizes of all that the first stage saw: the photo, and a closer look whether it was used or not.
        brightening: what the crop's colours were multiplied with before the network saw them, 1 unless it is dark.
    """

    image: NDArray[np.uint8]
    alpha: NDArray[np.float32]
    coarse_alpha: NDArray[np.float32]
    trimap: NDArray[np.uint8]
    regions: Regions
    seconds: dict[str, float]
    crop: Crop
    working_size: tuple[int, int]
    looks: tuple[tuple[int, int], ...]
    brightening: float

    @property
    def working_scale(self) -> tuple[float, float]:
        """Working pixels per pixel of the photo, down and across."""
        rows, columns = self.crop.bottom - self.crop.top, self.crop.right - self.crop.left
        return self.working_size[0] / rows, self.working_size[1] / columns

    @property
    def crop_share(self) -> float:
        """The crop's share of the photo."""
        rows, columns = self.crop.bottom - self.crop.top, self.crop.right - self.crop.left
        return rows * columns / self.alpha.size

    def cutout(self) -> Image.Image:
        """RGBA picture with straight alpha and edge colours free of the old background; transparent pixels are black."""
        opacity = to_8_bit(self.alpha)
        foreground = estimate_foreground(self.image, self.alpha)
        foreground[opacity == 0] = 0  # the old background is gone from the file, not only out of sight
        return Image.fromarray(np.dstack([foreground, opacity]))

    def composite(self, background: BackgroundSource) -> NDArray[np.uint8]:
        """The person in front of another background, (H, W, 3) uint8.

        Args:
            background: "blur" for the photo's own out of focus, a colour as (R, G, B) or CSS text, or a picture ((h, w, 3)
                uint8 or PIL), which is scaled and cropped to cover the photo.

        Raises:
            ValueError: if the background is none of these.
        """
        return compose(self.image, self.alpha, read_background(background))


def read_background(source: BackgroundSource) -> Background:
    """A background whose picture, if it is one, has been read as a photo is; raises ValueError if it cannot be."""
    return source if isinstance(source, str | tuple) else load_image(source)
