"""Colours of photos: what a file says of them, in each of the ways there are, ends as sRGB."""

import io
import struct
import zlib

import numpy as np
import pytest
from pictures import encode, encode_hdr, make_profile, quarters
from PIL import Image, ImageCms

from matting.media.colour import BT2020, DISPLAY_P3, SRGB, ColourSpace, convert, from_cicp
from matting.media.icc import write_profile
from matting.media.image import load_image, load_picture, save_image

P3_RED = (234, 51, 35)  # of Display P3 that is sRGB's (255, 0, 0), as ColorSync has it
PATCHES = np.array([[P3_RED, (117, 251, 76), (128, 128, 128), (200, 150, 120)]], np.uint8).repeat(16, 0).repeat(16, 1)
PATCHES_IN_SRGB = [(255, 0, 0), (0, 255, 0), (128, 128, 128), (210, 148, 115)]


def patch_colours(image: np.ndarray) -> np.ndarray:
    """The middle of each of the four patches."""
    return image[8, 8::16].astype(int)


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_with(image: np.ndarray, *chunks: bytes, **options: object) -> io.BytesIO:
    """A PNG with more chunks right after its header."""
    data = encode(image, "PNG", **options).getvalue()
    return io.BytesIO(data[:33] + b"".join(chunks) + data[33:])


def cicp(primaries: int, curve: int) -> bytes:
    return chunk(b"cICP", bytes((primaries, curve, 0, 1)))


def gamma(value: float) -> bytes:
    return chunk(b"gAMA", struct.pack(">I", round(100_000 * value)))


def chromaticities(*values: float) -> bytes:
    return chunk(b"cHRM", struct.pack(">8I", *(round(100_000 * value) for value in values)))


def avif_with(image: np.ndarray, primaries: int, curve: int) -> io.BytesIO:
    """An AVIF whose nclx box states these."""
    data = bytearray(encode(image, "AVIF", quality=100, subsampling="4:4:4").getvalue())
    at = data.index(b"nclx") + 4
    data[at : at + 4] = struct.pack(">HH", primaries, curve)
    return io.BytesIO(bytes(data))


def heic_with(image: np.ndarray, primaries: int, curve: int) -> io.BytesIO:
    return encode(
        image, "HEIF", quality=-1, chroma=444, matrix_coefficients=0, color_primaries=primaries, transfer_characteristics=curve
    )


@pytest.mark.parametrize("file", [avif_with(PATCHES, 12, 13), heic_with(PATCHES, 12, 13), png_with(PATCHES, cicp(12, 13))])
def test_display_p3_without_a_profile(file):
    assert np.abs(patch_colours(load_image(file)) - PATCHES_IN_SRGB).max() <= 3


def test_png_gamma_and_primaries():
    p3 = chromaticities(0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060)
    assert np.abs(patch_colours(load_image(png_with(PATCHES, gamma(0.45455), p3))) - PATCHES_IN_SRGB).max() <= 3
    grey = np.full((4, 4, 3), 128, np.uint8)
    assert abs(int(load_image(png_with(grey, gamma(1.0)))[0, 0, 0]) - 188) <= 1  # linear
    assert abs(int(load_image(png_with(grey, gamma(1 / 1.8)))[0, 0, 0]) - 147) <= 1  # old Macintosh
    assert (load_image(png_with(grey, gamma(0.45455)))[0, 0] == 128).all()
    assert (load_image(png_with(grey, p3))[0, 0] == 128).all()  # says nothing without gAMA
    assert (load_image(png_with(grey, chunk(b"sRGB", b"\0"), gamma(1.0)))[0, 0] == 128).all()
    for senseless in (gamma(0), gamma(0.00001), gamma(20_000), gamma(0.45455) + chromaticities(*[0.3] * 8)):
        assert (load_image(png_with(grey, senseless))[0, 0] == 128).all()


def test_cicp_goes_before_a_profile_and_a_profile_before_gamma():
    profile = make_profile(
        b"RGB ", 1.0, {"r": (0.4361, 0.2225, 0.0139), "g": (0.3851, 0.7169, 0.0971), "b": (0.1431, 0.0606, 0.7141)}
    )
    both = png_with(PATCHES, cicp(12, 13), icc_profile=profile)
    assert np.abs(patch_colours(load_image(both)) - PATCHES_IN_SRGB).max() <= 3
    grey = np.full((4, 4, 3), 128, np.uint8)
    assert abs(int(load_image(png_with(grey, gamma(0.45455), icc_profile=profile))[0, 0, 0]) - 188) <= 1


def test_a_linear_profile_with_srgb_in_its_name_is_linear():
    primaries = {"r": (0.4361, 0.2225, 0.0139), "g": (0.3851, 0.7169, 0.0971), "b": (0.1431, 0.0606, 0.7141)}
    profile = make_profile(b"RGB ", 1.0, primaries, name="Linear sRGB")
    assert ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(profile))).strip() == "Linear sRGB"
    grey = np.full((4, 4, 3), 128, np.uint8)
    assert abs(int(load_image(encode(grey, "PNG", icc_profile=profile))[0, 0, 0]) - 188) <= 1


@pytest.mark.parametrize("profile", [write_profile(SRGB), ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()])
def test_a_profile_that_is_srgb_changes_no_value(profile):
    noise = np.random.default_rng(0).integers(0, 256, (50, 50, 3), np.uint8)
    assert (load_image(encode(noise, "PNG", icc_profile=profile)) == noise).all()


SKIN = np.array([[(142, 101, 91), (224, 172, 145), (90, 60, 48), (128, 128, 128)]], np.uint8).repeat(16, 0).repeat(16, 1)


@pytest.mark.parametrize(("name", "number"), [("pq", 16), ("hlg", 18)])
@pytest.mark.parametrize("make", [avif_with, heic_with, lambda image, *points: png_with(image, cicp(*points))])
def test_hdr_photos_have_the_skin_of_an_sdr_photo(make, name, number):
    stored = np.rint(255 * encode_hdr(SKIN.astype(float), name)).astype(np.uint8)
    assert np.abs(patch_colours(load_image(make(stored, 9, number))) - patch_colours(SKIN)).max() <= 5


@pytest.mark.parametrize("curve", ["pq", "hlg"])
def test_hdr_highlights_are_compressed_not_clipped(curve):
    bright = np.rint(65535 * encode_hdr(np.array([[[255.0] * 3]]), curve)).astype(int)
    steps = np.linspace(bright[0, 0], 65535 * (0.75 if curve == "pq" else 1), 8).astype(np.uint16)[None]
    grey = convert(steps, ColourSpace(BT2020, curve))[0, :, 0].astype(int)
    assert 240 <= grey[0] <= 250 and grey[-1] == 255 and (np.diff(grey[:6]) > 0).all()


def test_code_points_that_nobody_knows_are_srgb():
    assert from_cicp(2, 2) == from_cicp(200, 200) == from_cicp(1, 13) == from_cicp(1, 1) == SRGB


def cmyk_profile() -> bytes:
    """A profile of a press whose inks are mixed up: cyan ink is red; magenta and yellow do not print (ICC.1, 10.10)."""
    white, red, black = (255, 128, 128), (138, 209, 198), (0, 128, 128)  # Lab as bytes
    table = bytes([*white, *black] * 4 + [*red, *black] * 4)
    ramp = bytes(range(256))
    lut = b"mft1" + struct.pack(">4x3Bx", 4, 3, 2) + struct.pack(">9i", *(round(65536 * (i % 4 == 0)) for i in range(9)))
    lut += ramp * 4 + table + ramp * 3
    tags = {
        b"A2B0": lut,
        b"wtpt": b"XYZ " + struct.pack(">4x3I", 63190, 65536, 54061),
        b"desc": b"desc" + struct.pack(">4xI", 5) + b"test\0" + bytes(79),
    }
    start, body, index = 132 + 12 * len(tags), b"", struct.pack(">I", len(tags))
    for name, data in tags.items():
        index += name + struct.pack(">II", start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    header = struct.pack(">I4xI4s4s4s12x4s28x", start + len(body), 0x02400000, b"prtr", b"CMYK", b"Lab ", b"acsp")
    return header + struct.pack(">3I", 63190, 65536, 54061) + bytes(128 - len(header) - 12) + index + body


@pytest.mark.parametrize("kind", ["TIFF", "JPEG"])
def test_cmyk_with_and_without_a_profile(kind):
    cyan = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
    assert np.abs(load_image(encode(cyan, kind))[8, 8].astype(int) - (0, 255, 255)).max() <= 2
    red = load_image(encode(cyan, kind, icc_profile=cmyk_profile()))[8, 8].astype(int)
    assert np.abs(red - (255, 0, 0)).max() <= 12


@pytest.mark.parametrize(("name", "order"), [(b"II*\0", "<"), (b"MM\0*", ">")])
def test_sixteen_bit_grey_whose_zero_is_white(name, order):
    """A TIFF made by hand, in both byte orders: Pillow writes none."""
    values = np.array([[0, 257 * 55, 65535, 65535]], f"{order}u2")
    entries = [(256, 4), (257, 1), (258, 16), (259, 1), (262, 0), (273, 8), (277, 1), (278, 1), (279, 8)]
    head = name + struct.pack(f"{order}I", 16) + values.tobytes()
    directory = struct.pack(f"{order}H", len(entries))
    directory += b"".join(struct.pack(f"{order}HHII", tag, 4, 1, value) for tag, value in entries)
    seen = load_image(io.BytesIO(head + directory + bytes(4)))
    assert seen[0, :, 0].tolist() == [255, 200, 0, 0]


@pytest.mark.parametrize("kind", ["BMP", "TGA", "ICO"])
def test_an_alpha_of_zero_everywhere_means_nothing_where_formats_do_not_promise_one(kind):
    layer = Image.fromarray(np.dstack([quarters(32, 32), np.zeros((32, 32), np.uint8)]))
    options = {"sizes": [(32, 32)], "bitmap_format": "bmp"} if kind == "ICO" else {}
    data = encode(layer, kind, **options).getvalue()
    if kind == "BMP":  # as an editor writes it: a header that says which bits are alpha
        info = struct.pack("<IiiHHIIiiII", 124, 32, -32, 1, 32, 3, 0, 0, 0, 0, 0)
        info += struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000) + b"BGRs" + bytes(64)
        pixels = np.asarray(layer)[..., [2, 1, 0, 3]].tobytes()
        data = struct.pack("<2sIHHI", b"BM", 14 + len(info) + len(pixels), 0, 0, 14 + len(info)) + info + pixels
        with Image.open(io.BytesIO(data)) as picture:
            assert picture.mode == "RGBA"
    picture = load_picture(io.BytesIO(data))
    assert picture.alpha is None and (picture.image == quarters(32, 32)).all()
    empty = load_picture(encode(layer, "PNG"))
    assert empty.alpha is not None and empty.alpha.max() == 0


def test_pictures_are_written_with_the_profile_of_their_colours(tmp_path):
    for space, expected in ((SRGB, PATCHES_IN_SRGB), (DISPLAY_P3, patch_colours(PATCHES))):
        image = load_picture(png_with(PATCHES, cicp(12, 13)), space).image
        assert np.abs(patch_colours(image) - expected).max() <= 3
        for name in ("a.png", "a.jpg", "a.webp", "a.tif", "a.avif"):
            save_image(image, tmp_path / name, space=space)
            with Image.open(tmp_path / name) as picture:
                assert picture.info["icc_profile"] == write_profile(space)
            assert np.abs(patch_colours(load_image(tmp_path / name)) - PATCHES_IN_SRGB).max() <= (4 if name[2] in "pwt" else 14)
    save_image(np.zeros((4, 4), np.uint8), tmp_path / "alpha.png")
    with Image.open(tmp_path / "alpha.png") as picture:
        assert "icc_profile" not in picture.info
