"""Reading: every common kind of picture, upright, 8 bit, sRGB, and a plain reason for whatever cannot be read."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from pictures import SRGB_PRIMARIES, draw_person, encode, make_profile, quarters
from PIL import Image

from matting.media.image import MAX_PIXELS, check_writable, load_image, load_picture, save_image

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning")  # Pillow's, on damaged files

# How an upright picture lies in the file for each EXIF orientation.
STORED = {
    1: lambda x: x,
    2: lambda x: x[:, ::-1],
    3: lambda x: x[::-1, ::-1],
    4: lambda x: x[::-1],
    5: lambda x: x.transpose(1, 0, 2),
    6: lambda x: np.rot90(x),
    7: lambda x: x[::-1, ::-1].transpose(1, 0, 2),
    8: lambda x: np.rot90(x, -1),
}
SWAPPED = {"r": SRGB_PRIMARIES["g"], "g": SRGB_PRIMARIES["r"], "b": SRGB_PRIMARIES["b"]}


def close(image, expected, tolerance):
    return image.shape == expected.shape and np.abs(image.astype(int) - expected.astype(int)).max() <= tolerance


def close_enough(image, expected):
    """For lossy codecs, which blur the colours at the edges between the quarters."""
    return image.shape == expected.shape and np.percentile(np.abs(image.astype(int) - expected.astype(int)), 75) <= 8


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "HEIF", "AVIF"])
def test_orientation_is_applied_from_exif_and_from_the_boxes_of_heic_and_avif(orientation, kind):
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = np.ascontiguousarray(STORED[orientation](quarters()))
    file = encode(stored, kind, exif=exif.tobytes())
    assert (b"irot" in file.getvalue()) == (kind in ("HEIF", "AVIF") and orientation in (3, 5, 6, 7, 8))
    assert close_enough(load_image(file), quarters())


@pytest.mark.parametrize("kind", ["AVIF", "HEIF", "JPEG", "MPO", "WEBP"])
def test_lossy_formats_keep_the_colours(kind):
    assert close_enough(load_image(encode(quarters(), kind)), quarters())


@pytest.mark.parametrize("kind", ["BMP", "GIF", "JPEG2000", "PNG", "PPM", "TGA", "TIFF"])
def test_lossless_formats_keep_every_value(kind):
    assert (load_image(encode(quarters(), kind)) == quarters()).all()


@pytest.mark.parametrize("mode", [*"1LPIF", "LA", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "HSV", "LAB", "I;16"])
@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (7, 5)])
def test_any_mode_and_size_gives_rgb_of_the_same_size(mode, size):
    image = load_image(Image.new(mode, size))
    assert image.shape == (size[1], size[0], 3) and image.dtype == np.uint8


def test_grey_palette_cmyk_and_bilevel_values():
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16)
    expected = np.repeat(grey[..., None], 3, axis=2)
    assert (load_image(encode(grey, "PNG")) == expected).all()
    palette = Image.fromarray(quarters()).quantize(4)
    assert close(load_image(encode(palette, "PNG")), quarters(), 2)
    assert (load_image(encode(Image.fromarray(grey > 99), "PNG")) == np.where(grey > 99, 255, 0)[..., None]).all()
    cmyk = Image.fromarray(quarters()).convert("CMYK")
    assert close(load_image(encode(cmyk, "TIFF")), quarters(), 1)
    assert close_enough(load_image(encode(cmyk, "JPEG")), quarters())


def test_sixteen_bit_grey_is_scaled_not_clipped():
    values = np.array([[0, 257, 77 * 257, 32768, 65535]], np.uint16)
    assert load_image(encode(values, "PNG"))[0, :, 0].tolist() == [0, 1, 77, 128, 255]
    assert load_image(encode(values, "TIFF"))[0, :, 0].tolist() == [0, 1, 77, 128, 255]


@pytest.mark.parametrize("scale", [1, 255])
def test_floating_point_grey_with_missing_values(scale):
    values = np.array([[0, 0.2, 1, np.nan, -np.inf]], np.float32) * scale
    assert load_image(encode(values, "TIFF"))[0, :, 2].tolist() == [0, 51, 255, 0, 0]


def test_transparency_is_put_on_white_or_another_colour():
    pixels = np.array([[[255, 0, 0, 255], [255, 0, 0, 128], [255, 0, 0, 0]]], np.uint8)
    assert load_image(encode(pixels, "PNG"))[0].tolist() == [[255, 0, 0], [255, 127, 127], [255, 255, 255]]
    assert load_image(encode(pixels, "PNG"), (0, 0, 255))[0].tolist() == [[255, 0, 0], [128, 0, 127], [0, 0, 255]]
    grey = Image.merge("LA", [Image.new("L", (1, 1), 0), Image.new("L", (1, 1), 51)])
    assert load_image(encode(grey, "PNG"))[0, 0].tolist() == [204, 204, 204]


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_the_alpha_of_a_picture_and_its_straight_colours(kind):
    pixels = np.zeros((16, 48, 4), np.uint8)
    pixels[..., :3] = (200, 60, 30)
    pixels[:, 16:32, 3], pixels[:, 32:, 3] = 128, 255
    options = {"lossless": True} if kind == "WEBP" else {"quality": 100} if kind in ("AVIF", "HEIF") else {}
    image, alpha = load_picture(encode(pixels, kind, **options))
    assert alpha.dtype == np.float32 and alpha[8, [4, 24, 44]] == pytest.approx([0, 128 / 255, 1], abs=0.01)
    assert np.abs(image[8, [24, 44]].astype(int) - (200, 60, 30)).max() <= 6
    assert (image[8, 4] == 255).all()  # nothing is seen there, whatever the file holds
    assert load_picture(encode(quarters(), kind)).alpha is None


def test_colours_that_are_stored_times_alpha_are_unmixed():
    """As some TIFF files have them; the mode of Pillow is called RGBa."""
    straight = Image.new("RGBA", (4, 4), (200, 60, 30, 128))
    image, alpha = load_picture(straight.convert("RGBa"))
    assert np.abs(image[0, 0].astype(int) - (200, 60, 30)).max() <= 1 and alpha[0, 0] == pytest.approx(128 / 255)


def test_transparent_colour_of_a_palette():
    palette = Image.fromarray(quarters()).quantize(4)
    red = palette.getpixel((0, 0))
    image = load_image(encode(palette, "GIF", transparency=red))
    assert (image[0, 0] == 255).all() and close(image[-1:, :1], quarters()[-1:, :1], 2)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_icc_profile_is_converted_to_srgb(mode):
    """In a colour space whose red is sRGB's green, the red quarter is green."""
    image = np.zeros((4, 4, 3), np.uint8)
    image[:2] = (255, 0, 0)
    profile = make_profile(b"RGB ", 2.2, SWAPPED)
    seen = load_image(encode(Image.fromarray(image).convert(mode), "PNG", icc_profile=profile))
    assert close(seen[:2], np.full((2, 4, 3), (0, 255, 0), np.uint8), 2) and seen[2:].max() <= 2


def test_icc_profile_keeps_transparency():
    layer = Image.new("RGBA", (4, 4), (255, 0, 0, 0))
    assert (load_image(encode(layer, "PNG", icc_profile=make_profile(b"RGB ", 2.2, SWAPPED))) == 255).all()


@pytest.mark.parametrize(("dtype", "half"), [(np.uint8, 128), (np.uint16, 128 * 257)])
def test_linear_grey_profile(dtype, half):
    """Linear 0.502 is 188 in sRGB: 255 * (1.055 * 0.502 ** (1 / 2.4) - 0.055)."""
    grey = encode(np.full((2, 2), half, dtype), "PNG", icc_profile=make_profile(b"GRAY", 1.0))
    assert abs(int(load_image(grey)[0, 0, 0]) - 188) <= 1


@pytest.mark.parametrize("profile", [b"nonsense", make_profile(b"GRAY", 1.0), make_profile(b"RGB ", 2.2, SWAPPED)[:200]])
def test_a_profile_that_is_broken_or_of_another_kind_is_left_aside(profile):
    assert (load_image(encode(quarters(), "PNG", icc_profile=profile)) == quarters()).all()


def test_broken_exif_does_not_spoil_a_good_picture():
    file = encode(quarters(), "PNG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff garbage")
    assert (load_image(file) == quarters()).all()


def test_first_frame_of_an_animation():
    frames = [Image.fromarray(quarters()), Image.new("RGB", (40, 24))]
    for kind in ("GIF", "WEBP"):
        options = {"lossless": True} if kind == "WEBP" else {}
        assert (load_image(encode(frames[0], kind, save_all=True, append_images=frames[1:], **options)) == quarters()).all()


def test_paths_streams_pictures_and_arrays_are_the_same(tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(quarters()).save(path)
    for source in (path, str(path), path.open("rb"), Image.open(path), quarters(), quarters()[::-1, ::-1][::-1, ::-1]):
        assert (load_image(source) == quarters()).all()


def test_a_picture_with_orientation_is_left_as_it_was():
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = Image.open(encode(quarters(), "PNG", exif=exif))
    load_image(picture)
    assert picture.size == (40, 24) and picture.getexif()[0x0112] == 6


@pytest.mark.parametrize(("array", "got"), [
    (np.zeros((4, 4), np.uint8), r"\(4, 4\) uint8"),
    (np.zeros((4, 4, 4), np.uint8), r"\(4, 4, 4\) uint8"),
    (np.zeros((4, 4, 3), np.float32), r"\(4, 4, 3\) float32"),
    (np.zeros((0, 4, 3), np.uint8), r"\(0, 4, 3\) uint8"),
])  # fmt: skip
def test_wrong_arrays_are_refused(array, got):
    with pytest.raises(ValueError, match=rf"image must be \(H, W, 3\) uint8, got {got}"):
        load_image(array)


def header_only(width: int, height: int) -> io.BytesIO:
    """A PNG that promises many pixels and holds none."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = b"IDAT" + zlib.compress(b"\0")
    return io.BytesIO(b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(part) - 4) + part + struct.pack(">I", zlib.crc32(part)) for part in (chunk, data, b"IEND")
    ))  # fmt: skip


@pytest.mark.parametrize(("width", "height"), [(10_001, 10_000), (50_000, 50_000)])
def test_too_many_pixels_are_refused_by_the_header_alone(width, height):
    with pytest.raises(ValueError, match=f"{MAX_PIXELS:,}"):
        load_image(header_only(width, height))


def test_what_is_no_picture_says_so(tmp_path):
    (tmp_path / "notes.jpg").write_text("a shopping list")
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "drawing.eps").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage\n")
    for name, reason in (
        ("notes.jpg", "notes.jpg is not a picture"),
        ("empty.jpg", "empty.jpg is empty: 0 bytes"),
        ("drawing.eps", "drawing.eps is PostScript, a program that draws"),
        ("gone.jpg", "there is no file .*gone.jpg"),
        (".", "expected a picture, .* is a folder"),
    ):
        with pytest.raises(ValueError, match=reason):
            load_image(tmp_path / name)
    with pytest.raises(ValueError, match="the file"):
        load_image(io.BytesIO(b""))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "TIFF", "HEIF", "AVIF", "JPEG2000", "BMP"])
def test_a_truncated_file_says_so(kind, tmp_path):
    image, _ = draw_person(120, 90)
    data = encode(image, kind).getvalue()
    path = tmp_path / "half.img"
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(ValueError, match=r"half\.img"):
        load_image(path)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "TIFF", "HEIF", "AVIF", "BMP", "TGA", "ICO", "PPM"])
def test_a_damaged_file_is_read_or_refused_with_a_valueerror(kind):
    random = np.random.default_rng(0)
    image, _ = draw_person(16, 16)
    data = encode(image, kind).getvalue()
    for _ in range(25):
        damaged = bytearray(data)
        for place in random.integers(0, len(data), 4):
            damaged[place] = random.integers(256)
        try:
            image = load_image(io.BytesIO(bytes(damaged)))
        except ValueError as error:
            message = str(error)
        else:
            assert image.ndim == 3
            continue
        assert "the file" in message


@pytest.mark.parametrize(
    ("name", "shape"), [("a.png", (5, 7, 4)), ("a.webp", (5, 7, 4)), ("a.TIFF", (5, 7, 4)), ("a.png", (5, 7))]
)
def test_saving_keeps_every_value(name, shape, tmp_path):
    pixels = np.random.default_rng(0).integers(1, 256, shape, np.uint8)
    save_image(pixels, tmp_path / name)
    assert (np.asarray(Image.open(tmp_path / name)) == pixels).all()
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_formats_that_cannot_be_written():
    with pytest.raises(ValueError, match=r"JPEG cannot hold transparency: choose .png"):
        save_image(np.zeros((2, 2, 4), np.uint8), "a.jpg")
    for name in ("a.xyz", "a", "a.eps", "a.pdf"):
        with pytest.raises(ValueError, match=f"expected a name that ends in .png.*got '{name}'"):
            save_image(np.zeros((2, 2, 3), np.uint8), name)
    assert check_writable(Path("a.jpg"), transparent=False) == "JPEG"


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    path.write_bytes(b"old")

    def fail(self, file, *arguments, **options):
        file.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", fail)
    with pytest.raises(OSError, match="No space left"):
        save_image(np.zeros((2, 2, 3), np.uint8), path)
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]
