"""Pictures for the tests, made on the spot."""

import io
import struct

import numpy as np
from numpy.typing import NDArray
from PIL import Image

FACE, WALL = (255, 120, 60), (0, 90, 160)  # so that red is alpha


def draw_person(height: int, width: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """An image (H, W, 3) of a disc with a soft edge in front of a wall, and its true alpha (H, W)."""
    rows, columns = np.mgrid[:height, :width] + 0.5
    side = min(height, width)
    distance = np.hypot(rows - height / 2, columns - width / 2)
    alpha = np.clip((0.35 * side - distance) / (0.08 * side + 1) + 0.5, 0, 1).astype(np.float32)
    image = alpha[..., None] * np.array(FACE) + (1 - alpha[..., None]) * np.array(WALL)
    return np.rint(image).astype(np.uint8), alpha


def quarters(height: int = 24, width: int = 40) -> NDArray[np.uint8]:
    """(H, W, 3): red, green, blue and white quarters; tells every orientation from every other."""
    image = np.zeros((height, width, 3), np.uint8)
    top, left = height // 2, width // 2
    image[:top, :left], image[:top, left:] = (220, 20, 20), (20, 200, 20)
    image[top:, :left], image[top:, left:] = (20, 20, 220), (240, 240, 240)
    return image


def encode(picture: Image.Image | NDArray, kind: str, **options) -> io.BytesIO:
    """The picture as a file in memory."""
    file = io.BytesIO()
    (picture if isinstance(picture, Image.Image) else Image.fromarray(picture)).save(file, kind, **options)
    file.seek(0)
    return file


def encode_hdr(srgb: NDArray, curve: str) -> NDArray:
    """What a camera for HDR records of a scene whose SDR picture this is: paper white at 203 cd/m2, BT.2020 (BT.2408)."""
    linear = np.where(srgb <= 10.31, srgb / 255 / 12.92, ((srgb / 255 + 0.055) / 1.055) ** 2.4)
    wide = linear @ np.array([(0.6274, 0.3293, 0.0433), (0.0691, 0.9195, 0.0114), (0.0164, 0.0880, 0.8956)]).T * 203
    if curve == "pq":
        y = (wide / 10000) ** (2610 / 16384)
        return ((3424 / 4096 + 2413 / 128 * y) / (1 + 2392 / 128 * y)) ** (2523 / 32)
    y = np.maximum(wide @ (0.2627, 0.6780, 0.0593) / 1000, 1e-6)
    scene = wide / 1000 * y[..., None] ** (1 / 1.2 - 1)
    a, b = 0.17883277, 0.28466892
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), a * np.log(np.maximum(12 * scene - b, 1e-6)) + 0.55991073)


SRGB_PRIMARIES = {"r": (0.4361, 0.2225, 0.0139), "g": (0.3851, 0.7169, 0.0971), "b": (0.1431, 0.0606, 0.7141)}


def make_profile(
    space: bytes, gamma: float, primaries: dict[str, tuple[float, float, float]] | None = None, name: str = "test"
) -> bytes:
    """A minimal ICC profile: a tone curve for every channel and, for RGB, the XYZ of its primaries (ICC.1:2010)."""
    curve = b"curv" + struct.pack(">4xIHxx", 1, round(gamma * 256))
    tags = {
        b"wtpt": _xyz(0.9642, 1.0, 0.8249),
        b"desc": b"desc" + struct.pack(">4xI", len(name) + 1) + name.encode() + bytes(80),
    }
    for letter, colour in (primaries or {}).items():
        tags |= {f"{letter}XYZ".encode(): _xyz(*colour), f"{letter}TRC".encode(): curve}
    if not primaries:
        tags[b"kTRC"] = curve
    offset, table, body = 132 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        table += name + struct.pack(">II", offset + len(body), len(data))
        body += data
    header = struct.pack(">I4xI4s4s4s12x4s28x", offset + len(body), 0x02400000, b"mntr", space, b"XYZ ", b"acsp")
    return header + struct.pack(">3I", *_fixed(0.9642, 1.0, 0.8249)) + bytes(128 - len(header) - 12) + table + body


def _xyz(*values: float) -> bytes:
    return b"XYZ " + struct.pack(">4x3I", *_fixed(*values))


def _fixed(*values: float) -> list[int]:
    return [round(value * 65536) for value in values]
