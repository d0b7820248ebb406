"""ICC profiles: those that are written into files, and what those found in files do to colours."""

import io
import struct
from functools import lru_cache
from typing import cast

import numpy as np
from PIL import Image, ImageCms

from matting.media.colour import DISPLAY_P3, SRGB, ColourSpace, to_xyz

_D50 = (0.9642, 1.0, 0.8249)
_NAMES = {SRGB: "sRGB", DISPLAY_P3: "Display P3"}
_SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)  # g, a, b, c, d of ICC.1:2022, 10.18, type 3
_MODES = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK"}  # by the colour space a profile is for
_WITHOUT_ALPHA = {"P": "RGB", "PA": "RGB", "RGBA": "RGB", "RGBX": "RGB", "LA": "L", "1": "L"}


@lru_cache
def write_profile(space: ColourSpace) -> bytes:
    """An ICC profile, version 4, of `SRGB` or `DISPLAY_P3`; always the same bytes."""
    to_d50 = _adaptation()
    columns = (to_d50 @ to_xyz(space.primaries)).T
    curve = b"para" + struct.pack(">4xHxx", 3) + _fixed(*_SRGB_CURVE)
    tags = {b"desc": _text(_NAMES[space]), b"cprt": _text("No copyright, use freely"), b"wtpt": b"XYZ \0\0\0\0" + _fixed(*_D50)}
    tags[b"chad"] = b"sf32\0\0\0\0" + _fixed(*to_d50.ravel())
    for letter, column in zip("rgb", columns, strict=True):
        tags[f"{letter}XYZ".encode()] = b"XYZ \0\0\0\0" + _fixed(*column)
        tags[f"{letter}TRC".encode()] = curve
    places: dict[bytes, int] = {}
    table, body, start = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for name, data in tags.items():
        if data not in places:
            places[data] = start + len(body)
            body += data + bytes(-len(data) % 4)
        table += name + struct.pack(">II", places[data], len(data))
    header = struct.pack(">I4xI4s4s4s", start + len(body), 0x04400000, b"mntr", b"RGB ", b"XYZ ")
    header += struct.pack(">6H4s", 2024, 1, 1, 0, 0, 0, b"acsp") + bytes(28) + _fixed(*_D50)
    return header.ljust(128, b"\0") + table + body


def convert_profile(picture: Image.Image, data: bytes, target: ColourSpace) -> Image.Image | None:
    """A picture with an embedded profile -> RGB in the target's colours, without alpha; None if the profile does not apply.

    What the profile does decides, never its name. One that changes no colour by more than a step leaves the values alone.

    Args:
        picture: of any mode; its own alpha is dropped.
        data: the profile. One that is broken, or belongs to another kind of picture, is left aside as viewers do.
        target: `SRGB` or `DISPLAY_P3`.
    """
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(data))
        mode = _WITHOUT_ALPHA.get(picture.mode, picture.mode)
        if _MODES.get(profile.profile.xcolor_space) != mode:
            return None
        goal = ImageCms.ImageCmsProfile(io.BytesIO(write_profile(target)))
        transform = ImageCms.buildTransform(profile, goal, mode, "RGB")
        plain = picture.convert(mode)
        if mode != "CMYK" and _changes_nothing(transform, mode):
            return plain.convert("RGB")
        return cast(Image.Image, ImageCms.applyTransform(plain, transform))
    except (ImageCms.PyCMSError, OSError):
        return None


def _changes_nothing(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    """Whether a transform leaves a cube of colours as it is, but for rounding."""
    steps = np.linspace(0, 255, 18).astype(np.uint8)
    cube = np.stack(np.meshgrid(steps, steps, steps), -1).reshape(-1, 18, 3) if mode == "RGB" else steps[None]
    probe = Image.fromarray(np.ascontiguousarray(cube))
    seen = cast(Image.Image, ImageCms.applyTransform(probe, transform))
    return int(np.abs(np.asarray(seen, int) - np.asarray(probe.convert("RGB"), int)).max()) <= 1


def _adaptation() -> np.ndarray:
    """(3, 3): XYZ under D65 -> under D50 (Bradford)."""
    cones = np.array([(0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296)])
    white = to_xyz(SRGB.primaries).sum(1)
    return np.linalg.inv(cones) @ np.diag(cones @ np.array(_D50) / (cones @ white)) @ cones


def _text(text: str) -> bytes:
    data = text.encode("utf-16-be")
    return b"mluc" + struct.pack(">4xII2s2sII", 1, 12, b"en", b"US", len(data), 28) + data


def _fixed(*values: float) -> bytes:
    """Numbers as s15Fixed16."""
    return struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))
