"""Files a visitor can save. Each is made when it is asked for, at the photo's own size, without loss."""

import zipfile
from pathlib import Path

from PIL import Image

from matting.app import text
from matting.app.results.background import BackgroundChoice
from matting.app.results.result import Result
from matting.app.session import Session
from matting.app.views.panels import panel_pixels
from matting.postprocess.bit_depth import to_16_bit

CUTOUT, ALPHA, ALPHA16, COMPOSITE, ZIP = "cutout", "alpha", "alpha16", "composite", "panels"
SAVES = {
    CUTOUT: text.SAVE_CUTOUT,
    ALPHA: text.SAVE_ALPHA8,
    ALPHA16: text.SAVE_ALPHA16,
    COMPOSITE: text.SAVE_COMPOSITE,
    ZIP: text.SAVE_ZIP,
}
_PNG_LEVEL = 4


def make_file(result: Result, what: str, background: BackgroundChoice, session: Session) -> Path:
    """Write one file and return its path, `<stem>-<what>.png` or `.zip`.

    Args:
        result: the photo.
        what: a key of `SAVES` or the name of a panel.
        background: for the composite.
        session: whose file it is.

    Raises:
        ValueError: if there is no such file.
    """
    path = session.path(f"{result.stem}-{what}.{'zip' if what == ZIP else 'png'}")
    if what == ZIP:
        _write_zip(result, path)
    else:
        _picture(result, what, background).save(path, compress_level=_PNG_LEVEL)
    return path


def _picture(result: Result, what: str, background: BackgroundChoice) -> Image.Image:
    if what == CUTOUT:
        return result.cutout()
    if what == ALPHA16:
        return Image.fromarray(to_16_bit(result.alpha))
    if what == COMPOSITE:
        return Image.fromarray(result.full_on(background))
    return Image.fromarray(panel_pixels(result, what))


def _write_zip(result: Result, path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:  # PNGs are compressed already
        for name, _, _ in text.PANELS:
            with archive.open(f"{result.stem}-{name}.png", "w") as entry:
                Image.fromarray(panel_pixels(result, name)).save(entry, "PNG", compress_level=_PNG_LEVEL)
