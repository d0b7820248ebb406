"""What the server remembers of a photo: in as few bits as what is shown and saved of it needs.

Pictures are shown with 8 bits, and an alpha can be saved with 16. As 65535 is an odd multiple of 255, rounding to 16 bits and
then to 8 gives what rounding to 8 at once does, but where floating point cannot tell which of two is nearer.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from matting.inference.crop import Crop
from matting.inference.matte import FromCrop, Matte, Regions, cut_out
from matting.media.image import Picture
from matting.postprocess.bit_depth import to_8_bit, to_16_bit


def from_bits(values: NDArray[np.uint8] | NDArray[np.uint16]) -> NDArray[np.float32]:
    """Integers of 8 or 16 bits -> [0, 1] float32. Any shape."""
    return values.astype(np.float32) / np.float32(np.iinfo(values.dtype).max)


@dataclass(frozen=True)
class KeptMatte(FromCrop):
    """A `Matte` whose alphas are kept as integers; each time one is asked for, it is made anew.

    Attributes:
        image, trimap, regions, seconds, crop, working_size, coarse_sizes, brightening: those of the matte.
        alpha_16: (H, W), the alpha.
        coarse_16: (H, W), the coarse alpha.
        input_8: (H, W), the alpha that the photo came with, or None.
    """

    image: NDArray[np.uint8]
    alpha_16: NDArray[np.uint16]
    coarse_16: NDArray[np.uint16]
    trimap: NDArray[np.uint8]
    regions: Regions
    seconds: dict[str, float]
    crop: Crop
    working_size: tuple[int, int]
    coarse_sizes: tuple[tuple[int, int], ...]
    brightening: float
    input_8: NDArray[np.uint8] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the photo."""
        return self.trimap.shape[0], self.trimap.shape[1]

    @property
    def alpha(self) -> NDArray[np.float32]:
        return from_bits(self.alpha_16)

    @property
    def coarse_alpha(self) -> NDArray[np.float32]:
        return from_bits(self.coarse_16)

    @property
    def coarse_8(self) -> NDArray[np.uint8]:
        """(H, W), the coarse alpha in 8 bits."""
        return to_8_bit(self.coarse_alpha)

    @property
    def input_alpha(self) -> NDArray[np.float32] | None:
        return None if self.input_8 is None else from_bits(self.input_8)

    def cutout(self, alpha: NDArray[np.float32]) -> Image.Image:
        """The photo cut out, as `Matte.cutout` does it, by an alpha (H, W) of which parts may have been left out."""
        return cut_out(self.image, alpha, self.input_alpha)


def _to_16_bit(alpha: NDArray[np.float32]) -> NDArray[np.uint16]:
    """An alpha in 16 bits that gives the same 8 bits as the alpha itself, also where that is half way between two of them."""
    middle = np.uint16(257) * to_8_bit(alpha).astype(np.uint16)
    return np.clip(to_16_bit(alpha), middle - np.minimum(middle, 128), middle + np.minimum(65535 - middle, 128))


def keep_matte(matte: Matte) -> KeptMatte:
    return KeptMatte(
        image=matte.image,
        alpha_16=_to_16_bit(matte.alpha),
        coarse_16=_to_16_bit(matte.coarse_alpha),
        trimap=matte.trimap,
        regions=matte.regions,
        seconds=matte.seconds,
        crop=matte.crop,
        working_size=matte.working_size,
        coarse_sizes=matte.coarse_sizes,
        brightening=matte.brightening,
        input_8=None if matte.input_alpha is None else to_8_bit(matte.input_alpha),
    )


@dataclass(frozen=True)
class KeptPicture:
    """A picture that came with an alpha: (H, W, 3) colours, and the alpha (H, W), both uint8 as in the file."""

    image: NDArray[np.uint8]
    alpha_8: NDArray[np.uint8]

    def picture(self) -> Picture:
        return Picture(self.image, from_bits(self.alpha_8))


def keep_picture(picture: Picture) -> KeptPicture | None:
    """None for an opaque one: its matte has the image already."""
    return None if picture.alpha is None else KeptPicture(picture.image, to_8_bit(picture.alpha))
