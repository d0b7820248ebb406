"""Pictures in and out: any common file as upright 8-bit sRGB, its alpha beside it."""

import os
import warnings
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from matting.media.atomic import AtomicFile
from matting.media.colour import SRGB, ColourSpace
from matting.media.icc import write_profile
from matting.media.metadata import NOTHING, Metadata
from matting.media.pixels import FORMATS, read_pixels
from matting.media.refused import refusal

MAX_PIXELS = 100_000_000
PHOTO_SUFFIXES = frozenset(
    (".avif", ".bmp", ".dib", ".gif", ".heic", ".heif", ".hif", ".ico", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".mpo")
    + (".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tga", ".tif", ".tiff", ".webp")
)
_SAVE_OPTIONS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"lossless": True},
    "AVIF": {"quality": 90},
}

pillow_heif.register_heif_opener()
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)  # load_picture has a limit of its own

ImageSource = str | Path | BinaryIO | Image.Image | NDArray[np.uint8]


class Picture(NamedTuple):
    """A picture and the alpha it came with.

    Attributes:
        image: (H, W, 3) uint8 RGB, straight: colours are not darkened or mixed where alpha is low. White where alpha is 0,
            whatever the file holds there.
        alpha: (H, W) float32 in [0, 1], or None if the picture is opaque.
    """

    image: NDArray[np.uint8]
    alpha: NDArray[np.float32] | None = None

    def on(self, colour: tuple[int, int, int]) -> NDArray[np.uint8]:
        """(H, W, 3): composited on a colour where it is transparent."""
        if self.alpha is None:
            return self.image
        layer = Image.fromarray(np.dstack([self.image, np.rint(self.alpha * 255).astype(np.uint8)]))
        return np.array(Image.alpha_composite(Image.new("RGBA", layer.size, (*colour, 255)), layer).convert("RGB"))


def load_image(source: ImageSource, matte_colour: tuple[int, int, int] = (255, 255, 255)) -> NDArray[np.uint8]:
    """Read a picture as `load_picture` does, and composite it on `matte_colour` where it is transparent.

    Returns:
        (H, W, 3) uint8 RGB. An array is handed back as it is.

    Raises:
        ValueError: as `load_picture`.
    """
    return load_picture(source).on(matte_colour)


def load_picture(source: ImageSource, space: ColourSpace = SRGB) -> Picture:
    """Read a picture with its alpha.

    EXIF orientation is applied. Colours are converted to sRGB from an embedded ICC profile, PNG's cICP, gAMA and cHRM, or the
    nclx box of HEIC and AVIF (what is broken, or belongs to another kind of picture, is left aside, as viewers do), HDR tone
    mapped, 16-bit grey scaled to 8 bit. Alpha that is 0 everywhere counts in formats that mean it, so not in BMP, ICO and TGA.
    Of animations the first frame is read. Needs about 10 bytes per pixel.

    Args:
        source: path, open binary file, PIL image, or (H, W, 3) uint8 RGB array.
        space: the colours wanted, `SRGB` or `DISPLAY_P3`; an array is taken to have them.

    Raises:
        ValueError: if the source is no picture, a kind that is not read (camera raw, SVG, PDF, PSD), is damaged, or has over
            `MAX_PIXELS` pixels; says which.
    """
    if isinstance(source, np.ndarray):
        return Picture(_check_array(source))
    if isinstance(source, Image.Image):
        return _decode(source, "the picture", space)
    name = Path(source).name if isinstance(source, str | Path) else "the file"
    with _open(source, name) as picture:
        return _decode(picture, name, space)


def save_image(
    picture: Image.Image | NDArray[np.uint8],
    path: str | Path,
    metadata: Metadata = NOTHING,
    space: ColourSpace = SRGB,
) -> None:
    """Write a picture; colours are tagged with the profile of their space. The file appears only when complete.

    Args:
        picture: PIL image, or (H, W), (H, W, 3) or (H, W, 4) uint8 array.
        path: its ending chooses the format; WebP is written lossless.
        metadata: what is noted in the file, besides the colour profile; by default nothing.
        space: what the colours are, `SRGB` or `DISPLAY_P3`; grey pictures are not tagged, they hold alpha.

    Raises:
        ValueError: if the ending is no picture's, or the format cannot hold transparency and the picture has some.
        OSError: if the file cannot be written.
    """
    picture = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    path = Path(path)
    kind = check_writable(path, transparent="A" in picture.getbands())
    options = {**_SAVE_OPTIONS.get(kind, {}), **metadata.save_options(kind)}
    if picture.mode in ("RGB", "RGBA"):
        options["icc_profile"] = write_profile(space)
    with AtomicFile(path) as part:
        picture.save(part, kind, **options)


def check_writable(path: Path, transparent: bool) -> str:
    """The format `save_image` would choose; raises ValueError if it has none for this ending or for transparency."""
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
        reason = _refusal(source)
        if not reason:
            return Image.open(source, formats=FORMATS)
    except FileNotFoundError as error:
        raise ValueError(f"there is no file {source}") from error
    except IsADirectoryError as error:
        raise ValueError(f"expected a picture, {source} is a folder") from error
    except UnidentifiedImageError as error:
        if isinstance(source, str | Path) and os.path.getsize(source) == 0:
            raise ValueError(f"{name} is empty: 0 bytes") from error
        others = f"is not a picture that can be read ({', '.join(FORMATS)}), or it is cut off near its beginning"
        raise ValueError(f"{name} {others}") from error
    except Image.DecompressionBombError as error:
        raise ValueError(f"{name} has too many pixels, the most that is read is {MAX_PIXELS:,}: {error}") from error
    except Exception as error:  # the formats' readers raise many kinds
        raise ValueError(f"{name} cannot be opened: {error}") from error
    raise ValueError(f"{name} is {reason}")


def _refusal(source: str | Path | BinaryIO) -> str:
    if not isinstance(source, str | Path):
        return refusal(source)
    with open(source, "rb") as file:
        return refusal(file)


def _decode(picture: Image.Image, name: str, space: ColourSpace) -> Picture:
    _check_size(*picture.size, name)
    try:
        colours, opacity = read_pixels(picture, space)
    except MemoryError:
        raise
    except Exception as error:  # the decoders raise many kinds
        raise ValueError(f"{name} cannot be decoded, it may be damaged or cut off ({error})") from error
    if opacity is None:
        return Picture(colours)
    colours[opacity == 0] = 255
    return Picture(colours, opacity.astype(np.float32) / np.float32(255))
