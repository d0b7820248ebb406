"""Files that hold a picture but are not read: recognised by what they hold, and refused with what to do instead."""

import struct
from collections.abc import Iterator
from typing import BinaryIO

_RAW = "camera raw: export it as JPEG or TIFF first"
_HEAD = 4096  # bytes looked at
_SIGNATURES = (
    (0, b"FUJIFILMCCD-RAW", _RAW),  # RAF
    (0, b"IIU\0", _RAW),  # RW2
    (0, b"IIRO", _RAW),  # ORF
    (0, b"IIRS", _RAW),
    (0, b"MMOR", _RAW),
    (0, b"FOVb", _RAW),  # X3F
    (0, b"\0MRM", _RAW),
    (6, b"HEAPCCDR", _RAW),  # CRW
    (4, b"ftypcrx ", _RAW),  # CR3
    (0, b"8BPS", "a Photoshop file (PSD): export it as PNG or TIFF first"),
    (0, b"%PDF-", "a PDF: export the picture as PNG or JPEG first"),
    (0, b"%!PS", "PostScript, a program that draws: export it as PNG first"),
    (0, b"\xff\x0a", "JPEG XL: export it as JPEG or PNG first"),
    (0, b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL: export it as JPEG or PNG first"),
    (0, b"v/1\x01", "OpenEXR: export it as TIFF or PNG first"),
)
_PHOTOMETRIC, _SUB_IFDS, _DNG_VERSION = 262, 330, 50706
_COLOUR_FILTER_ARRAY, _LINEAR_RAW = 32803, 34892
_MOST_IFDS, _MOST_ENTRIES = 32, 512


def refusal(file: BinaryIO) -> str:
    """Why a file is not read and what to do instead, or an empty text; the file is left where it was.

    Camera raw files that are built like TIFF (DNG, CR2, NEF, ARW and others) are told by their directories: a version of DNG,
    or an image whose pixels are those of a sensor. The first image in them is a thumbnail, which would be read in silence.
    """
    position = file.tell()
    try:
        file.seek(0)
        head = file.read(_HEAD)
        for place, signature, reason in _SIGNATURES:
            if head[place : place + len(signature)] == signature:
                return reason
        if _is_svg(head):
            return "an SVG drawing: export it as PNG first"
        return _RAW if head[8:10] == b"CR" or any(map(_is_raw, _directories(file, head))) else ""
    except (struct.error, OSError):
        return ""  # cut off or damaged: whoever reads it says so
    finally:
        file.seek(position)


def _is_svg(head: bytes) -> bool:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return text.startswith(b"<svg") or (text.startswith((b"<?xml", b"<!--", b"<!DOCTYPE")) and b"<svg" in text)


def _is_raw(tags: dict[int, int]) -> bool:
    return _DNG_VERSION in tags or tags.get(_PHOTOMETRIC) in (_COLOUR_FILTER_ARRAY, _LINEAR_RAW)


def _directories(file: BinaryIO, head: bytes) -> Iterator[dict[int, int]]:
    """The directories of a TIFF file and their sub-directories: the first value of each tag, or where its values lie."""
    order = {b"II": "<", b"MM": ">"}.get(head[:2])
    if order is None or struct.unpack_from(f"{order}H", head, 2)[0] != 42:
        return
    waiting, seen = [struct.unpack_from(f"{order}I", head, 4)[0]], set[int]()
    while waiting and len(seen) < _MOST_IFDS:
        offset = waiting.pop()
        if offset in seen or not offset:
            continue
        seen.add(offset)
        file.seek(offset)
        count = min(_MOST_ENTRIES, struct.unpack(f"{order}H", file.read(2))[0])
        data = file.read(12 * count + 4)
        tags: dict[int, int] = {}
        for start in range(0, 12 * count, 12):
            tag, kind, values = struct.unpack_from(f"{order}HHI", data, start)
            tags[tag] = struct.unpack_from(f"{order}{'H' if kind == 3 else 'I'}", data, start + 8)[0]
            if tag == _SUB_IFDS:
                waiting += [tags[tag]] if values == 1 else _offsets(file, order, tags[tag], min(values, _MOST_IFDS))
        waiting.append(struct.unpack_from(f"{order}I", data, 12 * count)[0])
        yield tags


def _offsets(file: BinaryIO, order: str, place: int, count: int) -> list[int]:
    file.seek(place)
    return list(struct.unpack(f"{order}{count}I", file.read(4 * count)))
