"""From an open picture of any mode to upright 8-bit colours and alpha."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, TiffImagePlugin

from matting.media.colour import SRGB, ColourSpace, convert
from matting.media.icc import convert_profile
from matting.media.stated import stated_space

# What is read. Some of Pillow's other formats are programs rather than pictures (EPS, WMF), so the list is closed.
FORMATS = ("AVIF", "BMP", "DIB", "GIF", "HEIF", "ICO", "JPEG", "JPEG2000", "PNG", "PPM", "TGA", "TIFF", "WEBP")
_SIXTEEN_BIT = 257  # 65535 / 255
_PHOTOMETRIC, _WHITE_IS_ZERO = 262, 0  # of TIFF
_NO_PROMISE = ("BMP", "DIB", "ICO", "TGA")  # formats whose fourth byte is often left at 0 where nobody meant alpha

# Pillow reads 16-bit grey whose zero is white from little-endian files only.
TiffImagePlugin.OPEN_INFO[(TiffImagePlugin.MM, _WHITE_IS_ZERO, (1,), 1, (16,), ())] = ("I;16B", "I;16B")


class Pixels(NamedTuple):
    """Upright pixels of a picture.

    Attributes:
        colours: (H, W, 3) uint8, straight: as they are where alpha is low.
        opacity: (H, W) uint8, or None if the picture is opaque.
    """

    colours: NDArray[np.uint8]
    opacity: NDArray[np.uint8] | None


def read_pixels(picture: Image.Image, target: ColourSpace = SRGB) -> Pixels:
    """Decode a picture; orientation is applied, colours converted, 16-bit grey scaled.

    Args:
        picture: opened, and for the sake of what its file states of its colours not yet loaded.
        target: the colour space wanted, with the curve of sRGB.
    """
    (stated, first), kind = stated_space(picture), picture.format
    white_is_zero = getattr(picture, "tag_v2", {}).get(_PHOTOMETRIC) == _WHITE_IS_ZERO
    picture.load()
    picture = _to_eight_bits(_upright(picture), white_is_zero)
    opacity = _opacity(picture, promised=kind not in _NO_PROMISE)
    profile = None if first else picture.info.get("icc_profile")
    converted = convert_profile(picture, profile, target) if profile else None
    if converted is not None:
        return Pixels(np.array(converted), opacity)
    colours = np.array(
        picture.convert("RGBA").convert("RGB") if picture.mode in ("PA", "RGBa", "La") else picture.convert("RGB")
    )
    return Pixels(colours if stated == target else convert(colours, stated, target), opacity)


def _opacity(picture: Image.Image, promised: bool) -> NDArray[np.uint8] | None:
    """(H, W) alpha if there is some; `promised` is whether a format that holds alpha also means it."""
    if not picture.has_transparency_data:
        return None
    opacity = np.array(picture.convert("RGBA").getchannel("A"))
    if opacity.min() == 255 or (opacity.max() == 0 and not promised):
        return None
    return opacity


def _upright(picture: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(picture)
    except Exception:  # noqa: BLE001 - broken EXIF data raises many kinds of errors, and is ignored
        return picture


def _to_eight_bits(picture: Image.Image, white_is_zero: bool) -> Image.Image:
    """16-bit and floating-point grey, which Pillow would clip, scaled to 8 bit; other modes unchanged."""
    if picture.mode.startswith("I"):
        values = np.asarray(picture).clip(0, 65535) / np.float32(_SIXTEEN_BIT)
        values = 255 - values if white_is_zero else values
    elif picture.mode == "F":
        values = np.asarray(picture)
        scale = 255 if np.nanmax(values, initial=0, where=np.isfinite(values)) <= 1 else 1
        values = np.nan_to_num(values * np.float32(scale), nan=0, posinf=255, neginf=0).clip(0, 255)
    else:
        return picture
    grey = Image.fromarray(np.rint(values).astype(np.uint8))
    grey.info = {key: value for key, value in picture.info.items() if key == "icc_profile"}
    return grey
