"""Colours as a file states them, made into what a common screen shows: primaries, tone curves, and highlights beyond white.

Numbers of primaries and tone curves are those of ITU-T H.273 ("coding-independent code points", CICP), as PNG's cICP chunk, the
nclx boxes of HEIC and AVIF, and video streams state them.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_BAND = 1 << 18  # pixels worked on at a time: they stay in the processor's cache, and memory stays small
_WHITE_NITS = 203.0  # of a white sheet of paper in HDR (ITU-R BT.2408, 3.1)
_PEAK_NITS = 1000.0  # of the screen that HLG is drawn for here, and where PQ ends; brighter is clipped
_PQ_NITS = 10_000.0
_KNEE = 0.85  # linear; what is darker keeps its value, brighter is compressed
_HLG_GAMMA = 1.2  # of a screen of 1000 cd/m2 (ITU-R BT.2100, table 5)

Pixels = NDArray[np.uint8] | NDArray[np.uint16]


class Primaries(NamedTuple):
    """CIE 1931 x, y of red, green, blue and white."""

    red: tuple[float, float]
    green: tuple[float, float]
    blue: tuple[float, float]
    white: tuple[float, float]


_D65 = (0.3127, 0.3290)
BT709 = Primaries((0.640, 0.330), (0.300, 0.600), (0.150, 0.060), _D65)
DISPLAY_P3_PRIMARIES = Primaries((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), _D65)
BT2020 = Primaries((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), _D65)
_PRIMARIES = {
    4: Primaries((0.67, 0.33), (0.21, 0.71), (0.14, 0.08), (0.310, 0.316)),
    5: Primaries((0.64, 0.33), (0.29, 0.60), (0.15, 0.06), _D65),
    6: Primaries((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), _D65),
    7: Primaries((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), _D65),
    9: BT2020,
    11: Primaries((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.314, 0.351)),
    12: DISPLAY_P3_PRIMARIES,
}
_CURVES = {4: "2.2", 5: "2.8", 8: "linear", 16: "pq", 18: "hlg"}


@dataclass(frozen=True)
class ColourSpace:
    """What the numbers of a picture mean.

    Attributes:
        primaries: of red, green, blue and white.
        curve: "srgb", "linear", "pq", "hlg", or the exponent of a power, such as "2.2".
    """

    primaries: Primaries
    curve: str = "srgb"

    @property
    def is_hdr(self) -> bool:
        """Whether values beyond white can be stated."""
        return self.curve in ("pq", "hlg")


SRGB = ColourSpace(BT709)
DISPLAY_P3 = ColourSpace(DISPLAY_P3_PRIMARIES)


def from_cicp(primaries: int, curve: int) -> ColourSpace:
    """The colour space of code points; unknown ones, and the curves of cameras for SDR, count as sRGB, as viewers take them."""
    return ColourSpace(_PRIMARIES.get(primaries, BT709), _CURVES.get(curve, "srgb"))


def convert(pixels: Pixels, source: ColourSpace, target: ColourSpace = SRGB) -> NDArray[np.uint8]:
    """Pixels of one colour space as those of another, highlights tone mapped.

    HDR: paper white (203 cd/m2) becomes white, as in an SDR recording of the same scene (ITU-R BT.2408); from 85 % of that on
    values are compressed logarithmically, so that 1000 cd/m2 still fit, each pixel keeping its hue. HLG is drawn as on a
    screen of 1000 cd/m2 (ITU-R BT.2100). Colours beyond the target's gamut are clipped.

    Args:
        pixels: (H, W, 3) uint8 or uint16, full range.
        source: what their numbers mean.
        target: with the curve of sRGB.

    Returns:
        (H, W, 3) uint8.
    """
    to_linear = _decoding_table(source.curve, 256 if pixels.dtype == np.uint8 else 65536)
    matrix = (np.linalg.inv(to_xyz(target.primaries)) @ to_xyz(source.primaries)).T.astype(np.float32)
    luminance = to_xyz(source.primaries)[1].astype(np.float32)
    flat = pixels.reshape(-1, 3)
    result = np.empty(flat.shape, np.uint8)
    for start in range(0, len(flat), _BAND):
        linear = to_linear[flat[start : start + _BAND]]
        if source.curve == "hlg":
            linear *= (np.maximum(linear @ luminance, 1e-9) ** np.float32(_HLG_GAMMA - 1))[:, None]
        linear = linear @ matrix
        if source.is_hdr:
            linear = _compress_highlights(linear)
        result[start : start + _BAND] = _encoding_table()[np.rint(linear.clip(0, 1) * 65535).astype(np.uint16)]
    return result.reshape(pixels.shape)


def _compress_highlights(linear: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, 3) with 1 for paper white -> the same with at most 1; the largest channel decides, so that hues stay."""
    largest = linear.max(1)
    bright = np.flatnonzero(largest > _KNEE)
    if len(bright):
        above = (largest[bright].clip(max=_PEAK_NITS / _WHITE_NITS) - _KNEE) / (1 - _KNEE)
        steepness = _knee_steepness()
        fitted = _KNEE + (1 - _KNEE) * np.log1p(steepness * above) / steepness
        linear[bright] *= (fitted / largest[bright])[:, None]
    return linear


@lru_cache
def _knee_steepness() -> float:
    """a with a = log(1 + a * peak): the curve log(1 + a x) / a leaves the knee with slope 1 and reaches 1 at the peak."""
    peak, steepness = (_PEAK_NITS / _WHITE_NITS - _KNEE) / (1 - _KNEE), 5.0
    for _ in range(50):
        steepness = float(np.log1p(steepness * peak))
    return steepness


@lru_cache
def _decoding_table(curve: str, levels: int) -> NDArray[np.float32]:
    """Linear light of each stored value; 1 is white, in HDR paper white."""
    stored = np.linspace(0, 1, levels)
    if curve == "srgb":
        linear = np.where(stored <= 0.04045, stored / 12.92, ((stored + 0.055) / 1.055) ** 2.4)
    elif curve == "linear":
        linear = stored
    elif curve == "pq":
        linear = _PQ_NITS / _WHITE_NITS * _decode_pq(stored)
    elif curve == "hlg":
        linear = (_PEAK_NITS / _WHITE_NITS) ** (1 / _HLG_GAMMA) * _decode_hlg(stored)
    else:
        linear = stored ** float(curve)
    return linear.astype(np.float32)


def _decode_pq(stored: NDArray[np.float64]) -> NDArray[np.float64]:
    """SMPTE ST 2084: values -> shares of 10,000 cd/m2."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    root = stored ** (1 / m2)
    return (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1)


def _decode_hlg(stored: NDArray[np.float64]) -> NDArray[np.float64]:
    """ARIB STD-B67, the inverse OETF: values -> light of the scene in [0, 1]."""
    a = 0.17883277
    b, c = 1 - 4 * a, 0.5 - a * np.log(4 * a)
    return np.where(stored <= 0.5, stored**2 / 3, (np.exp((stored - c) / a) + b) / 12)


@lru_cache
def _encoding_table() -> NDArray[np.uint8]:
    """sRGB byte of linear light in 65,536 steps."""
    linear = np.linspace(0, 1, 65536)
    stored = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.rint(255 * stored).astype(np.uint8)


@lru_cache
def to_xyz(primaries: Primaries) -> NDArray[np.float64]:
    """(3, 3): linear RGB -> CIE XYZ adapted to D65 (von Kries in the cone space of Bradford)."""
    colours = np.array([(x / y, 1.0, (1 - x - y) / y) for x, y in primaries[:3]]).T
    white, d65 = (np.array((x / y, 1.0, (1 - x - y) / y)) for x, y in (primaries.white, _D65))
    matrix = colours * np.linalg.solve(colours, white)
    cones = np.array([(0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296)])
    return np.linalg.inv(cones) @ np.diag(cones @ d65 / (cones @ white)) @ cones @ matrix
