"""What is kept of the notes in a photo's file: its resolution, and on request who made it and when; nothing else, ever."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image

from matting.media.pixels import FORMATS

_X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT, _INCH = 0x011A, 0x011B, 0x0128, 2
_EXIF_IFD = 0x8769
_KEPT = {0x0132: "DateTime", 0x013B: "Artist", 0x8298: "Copyright"}
_KEPT_OF_EXIF = {0x9003: "DateTimeOriginal", 0x9004: "DateTimeDigitized", 0x9010: "OffsetTime", 0x9011: "OffsetTimeOriginal"}
_LONGEST = 1000  # characters of a note
_LARGEST_DPI = 100_000


@dataclass(frozen=True)
class Metadata:
    """Notes that may be written into a file.

    Attributes:
        dpi: pixels per inch, across and down, or None if the photo did not say.
        notes: EXIF tags of the photo's file and their texts: artist, copyright.
        dates: tags of the EXIF directory: when it was taken.
    """

    dpi: tuple[float, float] | None = None
    notes: dict[int, str] = field(default_factory=dict)
    dates: dict[int, str] = field(default_factory=dict)

    def save_options(self, kind: str) -> dict[str, Any]:
        """What Pillow's `save` takes to write them into a file of this kind."""
        options: dict[str, Any] = {"dpi": self.dpi} if self.dpi and kind in ("JPEG", "PNG", "TIFF") else {}
        exif = Image.Exif()
        exif.update(self.notes)
        if self.dates:
            exif.get_ifd(_EXIF_IFD).update(self.dates)
        if self.dpi and kind in ("AVIF", "WEBP"):
            exif.update({_X_RESOLUTION: self.dpi[0], _Y_RESOLUTION: self.dpi[1], _RESOLUTION_UNIT: _INCH})
        if len(exif) or self.dates:
            options["exif"] = exif.tobytes()
        return options


NOTHING = Metadata()


def read_metadata(source: str | Path | BinaryIO, *, notes: bool) -> Metadata:
    """The resolution of a photo, and with `notes` also its artist, copyright and dates; what cannot be read is not there."""
    try:
        with Image.open(source, formats=FORMATS) as picture:
            exif = picture.getexif()
            dpi = _dpi(picture.info.get("dpi") or (exif.get(_X_RESOLUTION), exif.get(_Y_RESOLUTION)))
            if not notes:
                return Metadata(dpi)
            return Metadata(dpi, _texts(exif, _KEPT), _texts(exif.get_ifd(_EXIF_IFD), _KEPT_OF_EXIF))
    except Exception:  # noqa: BLE001 - damaged notes raise many kinds of errors; the pixels may be fine
        return NOTHING


def _texts(tags: Any, wanted: dict[int, str]) -> dict[int, str]:
    found = {tag: tags.get(tag) for tag in wanted}
    return {tag: text.strip("\0 ")[:_LONGEST] for tag, text in found.items() if isinstance(text, str) and text.strip("\0 ")}


def _dpi(pair: Any) -> tuple[float, float] | None:
    try:
        across, down = (float(value) for value in pair)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return (across, down) if all(1 < value < _LARGEST_DPI for value in (across, down)) else None
