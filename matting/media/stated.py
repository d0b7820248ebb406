"""What a still picture says of its colours besides an ICC profile: PNG's cICP, gAMA and cHRM, and nclx in HEIC and AVIF."""

import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

from matting.media.colour import BT709, SRGB, ColourSpace, Primaries, from_cicp, to_xyz

_GAMMA_OF_SRGB = 1 / 2.2
_LEAST_GAMMA = 0.1
_SAME = 0.01  # largest difference of a mixture of primaries that counts as rounding
_LARGEST_META = 1 << 22  # bytes of a file's description that are looked through
_CONTAINERS = {b"meta": 4, b"iprp": 0, b"ipco": 0}  # boxes that lead to the colours, and the bytes before what they hold


def stated_space(picture: Image.Image) -> tuple[ColourSpace, bool]:
    """The colour space that an open picture's file states, and whether that goes before an ICC profile (W3C PNG, 4.3).

    Args:
        picture: opened and not yet loaded, so that its file can be looked into; the file is left where it was.

    Returns:
        `SRGB` if nothing is stated.
    """
    if picture.format == "PNG":
        code_points = _search(picture, _find_cicp)
        if code_points:
            return from_cicp(*code_points), True
        return _space_of_gamma(picture.info), False
    if picture.format == "HEIF":
        nclx = picture.info.get("nclx_profile") or {}
        return from_cicp(nclx.get("color_primaries", 2), nclx.get("transfer_characteristics", 2)), False
    if picture.format == "AVIF":
        return from_cicp(*(_search(picture, _find_nclx) or (2, 2))), False
    return SRGB, False


def _search(picture: Image.Image, find: Callable[[BinaryIO], tuple[int, int] | None]) -> tuple[int, int] | None:
    file = getattr(picture, "fp", None)
    if file is None:
        return None
    position = file.tell()
    try:
        file.seek(0)
        return find(file)
    except (struct.error, OSError):
        return None  # damaged: whoever decodes it says so
    finally:
        file.seek(position)


def _find_cicp(file: BinaryIO) -> tuple[int, int] | None:
    """Primaries and curve of a PNG's cICP chunk, which lies before the pixels."""
    file.seek(8)
    while True:
        length, name = struct.unpack(">I4s", file.read(8))
        if name == b"cICP":
            primaries, curve = struct.unpack(">BB", file.read(2))
            return primaries, curve
        if name in (b"IDAT", b"IEND"):
            return None
        file.seek(length + 4, 1)


def _find_nclx(file: BinaryIO) -> tuple[int, int] | None:
    """Primaries and curve of the first nclx box (ISO 14496-12, 12.1.5) in the description of a HEIF file."""
    while header := file.read(8):
        size, name = struct.unpack(">I4s", header)
        if name == b"meta":
            return _nclx_in(file.read(min(size, _LARGEST_META) - 8), _CONTAINERS[name])
        if size < 8:
            return None
        file.seek(size - 8, 1)
    return None


def _nclx_in(data: bytes, start: int) -> tuple[int, int] | None:
    while start + 8 <= len(data):
        size, name = struct.unpack_from(">I4s", data, start)
        if size < 8:
            return None
        body = data[start + 8 : start + size]
        if name in _CONTAINERS:
            return _nclx_in(body, _CONTAINERS[name])
        if name == b"colr" and body[:4] == b"nclx":
            primaries, curve = struct.unpack_from(">HH", body, 4)
            return primaries, curve
        start += size
    return None


def _space_of_gamma(info: Mapping[Any, Any]) -> ColourSpace:
    """Of gAMA and cHRM; without gAMA, or where sRGB is stated, sRGB, as browsers have it. Senseless values count as none."""
    gamma = info.get("gamma") or 0
    if "srgb" in info or not _LEAST_GAMMA < gamma < 1 / _LEAST_GAMMA:
        return SRGB
    curve = "srgb" if abs(gamma - _GAMMA_OF_SRGB) < 0.01 else "linear" if abs(gamma - 1) < 0.001 else f"{1 / gamma:.4f}"
    return ColourSpace(_stated_primaries(info.get("chromaticity")), curve)


def _stated_primaries(chromaticities: Sequence[float] | None) -> Primaries:
    """From x, y of white, red, green and blue."""
    if not chromaticities or min(chromaticities[1::2]) <= 0:
        return BT709
    white, red, green, blue = zip(chromaticities[::2], chromaticities[1::2], strict=True)
    primaries = Primaries(red, green, blue, white)
    try:
        same = bool(np.abs(np.linalg.solve(to_xyz(BT709), to_xyz(primaries)) - np.eye(3)).max() < _SAME)
    except np.linalg.LinAlgError:
        return BT709
    return BT709 if same else primaries
