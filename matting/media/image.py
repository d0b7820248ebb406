"""Read images of any common format as upright 8-bit sRGB, and write them."""

import io
import os
import warnings
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from matting.media.atomic import AtomicFile

MAX_PIXELS = 100_000_000
# The formats read. Some others that Pillow supports are programs rather than images (EPS, WMF), hence an explicit list.
FORMATS = ("AVIF", "BMP", "DIB", "GIF", "HEIF", "ICO", "JPEG", "JPEG2000", "PNG", "PPM", "TGA", "TIFF", "WEBP")
PHOTO_SUFFIXES = frozenset(
    (".avif", ".bmp", ".dib", ".gif", ".heic", ".heif", ".hif", ".ico", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".mpo")
    + (".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tga", ".tif", ".tiff", ".webp")
)
_SIXTEEN_BIT = 257  # 65535 / 255
_PROFILE_MODES = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK"}
_COLOUR_MODES = {"P": "RGB", "PA": "RGB", "RGBA": "RGB", "LA": "L", "1": "L"}
_SAVE_OPTIONS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"lossless": True},
    "AVIF": {"quality": 90},
}

pillow_heif.register_heif_opener()
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)  # load_image checks MAX_PIXELS itself

ImageSource = str | Path | BinaryIO | Image.Image | NDArray[np.uint8]


def load_image(source: ImageSource, matte_colour: tuple[int, int, int] = (255, 255, 255)) -> NDArray[np.uint8]:
    """Read an image.

    EXIF orientation is applied, colours are converted from an embedded ICC profile to sRGB (as in viewers, broken EXIF data and
    profiles that are broken or of another colour space are ignored), 16-bit grey is scaled to 8 bit, and transparency is
    composited onto `matte_colour`. Of animations the first frame is read. Needs about 10 bytes per pixel.

    Args:
        source: path, open binary file, PIL image, or (H, W, 3) uint8 RGB array.
        matte_colour: RGB colour behind transparent pixels.

    Returns:
        (H, W, 3) uint8 RGB. An array is returned as it is.

    Raises:
        ValueError: if the source is no image, is damaged, or has over `MAX_PIXELS` pixels; the message says which.
    """
    if isinstance(source, np.ndarray):
        return _check_array(source)
    if isinstance(source, Image.Image):
        return _to_array(source, "the picture", matte_colour)
    name = Path(source).name if isinstance(source, str | Path) else "the file"
    with _open(source, name) as picture:
        return _to_array(picture, name, matte_colour)


def save_image(picture: Image.Image | NDArray[np.uint8], path: str | Path) -> None:
    """Write an image without metadata; the file appears under its name only when complete.

    Args:
        picture: PIL image, or (H, W), (H, W, 3) or (H, W, 4) uint8 array.
        path: its suffix determines the format; WebP is written lossless.

    Raises:
        ValueError: if the suffix is no image format's, or the format does not support the image's transparency.
        OSError: if the file cannot be written.
    """
    picture = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    path = Path(path)
    kind = check_writable(path, transparent="A" in picture.getbands())
    with AtomicFile(path) as part:
        picture.save(part, kind, **_SAVE_OPTIONS.get(kind, {}))


def check_writable(path: Path, transparent: bool) -> str:
    """The format that `save_image` would use; raises ValueError if there is none for this suffix and transparency."""
    kind = Image.registered_extensions().get(path.suffix.lower())
    if kind not in FORMATS or kind not in Image.SAVE:
        raise ValueError(f"expected a name that ends in .png, .webp, .tif, .jpg or .avif, got {path.name!r}")
    if transparent and kind not in ("PNG", "WEBP", "TIFF", "AVIF"):
        raise ValueError(f"{kind} cannot hold transparency: choose .png, .webp, .tif or .avif for {path.name!r}")
    return kind


def _check_array(array: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3 or 0 in array.shape:
        raise ValueError(f"image must be (H, W, 3) uint8, got {array.shape} {array.dtype}")
    _check_size(array.shape[1], array.shape[0], "the picture")
    return np.ascontiguousarray(array)


def _check_size(width: int, height: int, name: str) -> None:
    if width * height > MAX_PIXELS:
        raise ValueError(f"{name} has {width} x {height} = {width * height:,} pixels, the most that is read is {MAX_PIXELS:,}")
    if width * height == 0:
        raise ValueError(f"{name} is empty: {width} x {height} pixels")


def _open(source: str | Path | BinaryIO, name: str) -> Image.Image:
    """Read the header only; whatever is wrong becomes a ValueError."""
    try:
        return Image.open(source, formats=FORMATS)
    except FileNotFoundError as error:
        raise ValueError(f"there is no file {source}") from error
    except IsADirectoryError as error:
        raise ValueError(f"expected a picture, {source} is a folder") from error
    except UnidentifiedImageError as error:
        if isinstance(source, str | Path) and os.path.getsize(source) == 0:
            raise ValueError(f"{name} is empty: 0 bytes") from error
        reason = f"is not a picture that can be read ({', '.join(FORMATS)}), or it is cut off near its beginning"
        raise ValueError(f"{name} {reason}") from error
    except Image.DecompressionBombError as error:
        raise ValueError(f"{name} has too many pixels, the most that is read is {MAX_PIXELS:,}: {error}") from error
    except Exception as error:  # the formats' readers raise many kinds
        raise ValueError(f"{name} cannot be opened: {error}") from error


def _to_array(picture: Image.Image, name: str, matte_colour: tuple[int, int, int]) -> NDArray[np.uint8]:
    _check_size(*picture.size, name)
    try:
        picture.load()
        picture = _to_srgb(_to_eight_bits(_upright(picture)))
        if picture.has_transparency_data:
            layer = picture.convert("RGBA")
            picture = Image.alpha_composite(Image.new("RGBA", layer.size, (*matte_colour, 255)), layer)
        return np.array(picture.convert("RGB"))
    except MemoryError:
        raise
    except Exception as error:  # the decoders raise many kinds
        raise ValueError(f"{name} cannot be decoded, it may be damaged or cut off: {error}") from error


def _upright(picture: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(picture)
    except Exception:  # noqa: BLE001 - broken EXIF data raises many kinds of errors, and is ignored
        return picture


def _to_eight_bits(picture: Image.Image) -> Image.Image:
    """16-bit and floating-point grey, which Pillow would clip, scaled to 8 bit; other modes unchanged."""
    if picture.mode.startswith("I"):
        values = np.asarray(picture).clip(0, 65535) / np.float32(_SIXTEEN_BIT)
    elif picture.mode == "F":
        values = np.asarray(picture)
        scale = 255 if np.nanmax(values, initial=0, where=np.isfinite(values)) <= 1 else 1
        values = np.nan_to_num(values * np.float32(scale), nan=0, posinf=255, neginf=0).clip(0, 255)
    else:
        return picture
    grey = Image.fromarray(np.rint(values).astype(np.uint8))
    grey.info = {key: value for key, value in picture.info.items() if key == "icc_profile"}
    return grey


def _to_srgb(picture: Image.Image) -> Image.Image:
    """Convert from the embedded ICC profile, if there is one for the image's colour space, to sRGB; keep transparency."""
    data = picture.info.get("icc_profile")
    if not data:
        return picture
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(data))
        mode = _COLOUR_MODES.get(picture.mode, picture.mode)
        if _PROFILE_MODES.get(profile.profile.xcolor_space) != mode or "sRGB" in (profile.profile.profile_description or ""):
            return picture
        srgb = ImageCms.createProfile("sRGB")
        made = ImageCms.profileToProfile(picture.convert(mode), profile, srgb, outputMode="RGB")
        converted = cast(Image.Image, made)  # None is for conversions in place
    except (ImageCms.PyCMSError, OSError):
        return picture
    if picture.has_transparency_data:
        converted.putalpha(picture.convert("RGBA").getchannel("A"))
    return converted
