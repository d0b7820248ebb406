"""Files that are recognised by what they hold, whatever they are called, and refused with what to do."""

import io
import struct

import numpy as np
import pytest
from pictures import encode, quarters
from PIL import Image, TiffImagePlugin

from matting.media.image import load_image

RAW = "camera raw: export it as JPEG or TIFF first"


Directory = list[tuple[int, int, int]]


def tiff_of(order: str, directories: list[Directory], sub: list[Directory]) -> bytes:
    """A TIFF of directories of (tag, kind, value) one after the other; the first one leads to `sub` by its tag 330."""
    every = [*directories, *sub]
    sizes = [2 + 12 * (len(entries) + (number == 0 and bool(sub))) + 4 for number, entries in enumerate(every)]
    starts = [8 + sum(sizes[:number]) for number in range(len(every))]
    body = b""
    for number, entries in enumerate(every):
        rows = [struct.pack(f"{order}HHI", tag, kind, 1) + _value(order, kind, value) for tag, kind, value in entries]
        if number == 0 and sub:
            place = starts[len(directories)] if len(sub) == 1 else 8 + sum(sizes)
            rows.append(struct.pack(f"{order}HHII", 330, 4, len(sub), place))
        following = starts[number + 1] if number + 1 < len(directories) else 0
        body += struct.pack(f"{order}H", len(rows)) + b"".join(rows) + struct.pack(f"{order}I", following)
    mark = {"<": b"II", ">": b"MM"}[order]
    return mark + struct.pack(f"{order}HI", 42, 8) + body + struct.pack(f"{order}{len(sub)}I", *starts[len(directories) :])


def _value(order: str, kind: int, value: int) -> bytes:
    return struct.pack(f"{order}HH", value, 0) if kind == 3 else struct.pack(f"{order}I", value)


THUMBNAIL = [(256, 4, 120), (257, 4, 120), (262, 3, 2)]
SENSOR, LINEAR = [(256, 4, 4000), (262, 3, 32803)], [(256, 4, 4000), (262, 3, 34892)]

RAW_FILES = {
    "DNG": tiff_of("<", [[*THUMBNAIL, (50706, 4, 1)]], []),
    "NEF": tiff_of(">", [THUMBNAIL], [THUMBNAIL, SENSOR]),
    "ARW": tiff_of("<", [THUMBNAIL], [SENSOR]),
    "linear raw": tiff_of("<", [THUMBNAIL, LINEAR], []),
    "CR2": b"II*\0\x10\0\0\0CR\x02\0" + bytes(200),
    "CR3": struct.pack(">I", 24) + b"ftypcrx " + bytes(100),
    "RAF": b"FUJIFILMCCD-RAW 0201" + bytes(100),
    "RW2": b"IIU\0\x18\0\0\0" + bytes(100),
    "ORF": b"IIRO\x08\0\0\0" + bytes(100),
    "X3F": b"FOVb" + bytes(100),
}


@pytest.mark.parametrize("kind", RAW_FILES)
@pytest.mark.parametrize("name", ["photo.jpg", "photo.tif"])
def test_camera_raw_is_refused_whatever_it_is_called(tmp_path, kind, name):
    (tmp_path / name).write_bytes(RAW_FILES[kind])
    with pytest.raises(ValueError, match=f"{name} is {RAW}"):
        load_image(tmp_path / name)


def test_a_thumbnail_in_a_raw_file_is_not_taken_for_the_photo(tmp_path):
    """A TIFF that Pillow reads, with the version number of DNG in its directory."""
    picture = Image.fromarray(quarters())
    options = TiffImagePlugin.ImageFileDirectory_v2()
    options[50706] = b"\1\4\0\0"
    picture.save(tmp_path / "photo.tif", tiffinfo=options)
    with Image.open(tmp_path / "photo.tif") as opened:
        opened.load()
    with pytest.raises(ValueError, match=RAW):
        load_image(tmp_path / "photo.tif")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (
            b'<?xml version="1.0"?>\n<!-- drawn -->\n<svg xmlns="http://www.w3.org/2000/svg"/>',
            "an SVG drawing: export it as PNG",
        ),
        (b"\xef\xbb\xbf  <svg/>", "an SVG drawing"),
        (b"%PDF-1.7\n" + bytes(50), r"a PDF: export the picture"),
        (b"8BPS\0\1" + bytes(50), r"a Photoshop file \(PSD\): export it as PNG or TIFF"),
        (b"\xff\x0a" + bytes(50), "JPEG XL: export it as JPEG"),
        (b"v/1\x01" + bytes(50), "OpenEXR: export it as TIFF"),
    ],
)
def test_other_kinds_are_refused_by_name(data, reason):
    with pytest.raises(ValueError, match=f"the file is {reason}"):
        load_image(io.BytesIO(data))


@pytest.mark.parametrize("kind", ["TIFF", "PNG", "JPEG"])
def test_common_pictures_are_none_of_them(kind):
    exif = Image.Exif()
    exif[0x0112] = 1
    assert load_image(encode(quarters(), kind, exif=exif)).shape == quarters().shape


def test_directories_that_lead_nowhere_or_in_circles_end():
    loop = bytearray(tiff_of("<", [THUMBNAIL], []))
    loop[-4:] = struct.pack("<I", 8)
    random = np.random.default_rng(0)
    for data in (bytes(loop), RAW_FILES["NEF"][:30], b"II*\0\xff\xff\xff\xff", b"MM\0*", random.bytes(2000)):
        with pytest.raises(ValueError, match="the file"):
            load_image(io.BytesIO(data))
