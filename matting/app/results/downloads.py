"""Files a visitor can save. Each is made when it is asked for, at the photo's own size."""

import zipfile
from pathlib import Path
from typing import Any

from PIL import Image

from matting.app import text
from matting.app.results.background import COLOUR, TRANSPARENT, BackgroundChoice
from matting.app.results.framing import AS_IT_IS, Framing, framed_alpha, framed_picture
from matting.app.results.measured import ERRORS, error_pixels, metrics_csv, result_rows
from matting.app.results.result import Result
from matting.app.session import Session
from matting.app.views.panels import panel_pixels
from matting.media.colour import SRGB
from matting.media.icc import write_profile
from matting.postprocess.bit_depth import to_8_bit, to_16_bit

PNG, CUTOUT, JPG, WEBP, ALPHA, ALPHA16, ZIP = "png", "cutout", "jpg", "webp", "alpha", "alpha16", "panels"
METRICS = "metrics"
# the menu beside the one for the PNG as it is shown
OTHERS = {
    CUTOUT: text.SAVE_CUTOUT,
    JPG: f"{text.SAVE_JPG}<small>{text.SAVE_JPG_NOTE}</small>",
    WEBP: text.SAVE_WEBP,
    ALPHA: text.SAVE_ALPHA8,
    ALPHA16: text.SAVE_ALPHA16,
    ZIP: text.SAVE_ZIP,
}
_PNG_LEVEL = 4
_JPG_QUALITY, _WEBP_QUALITY = 95, 92
_WEBP_LARGEST = 16383  # of its sides, in pixels
_WHITE = BackgroundChoice(COLOUR, "#ffffff")


def make_file(result: Result, what: str, background: BackgroundChoice, session: Session, framing: Framing = AS_IT_IS) -> Path:
    """Write one file at the photo's own size and return its path, `<stem>-<what>.<ending>`.

    Args:
        result: the photo.
        what: `PNG`, a key of `OTHERS`, the name of a panel, `METRICS` or one of `ERRORS`. `PNG`, `JPG` and
            `WEBP` show the person on the background.
        background: `PNG` and `WEBP` are transparent where this is; JPG cannot be and is white there.
        session: whose file it is.
        framing: how the person is framed, which the panels and the zip leave aside.

    Raises:
        ValueError: if there is no such file, or it would be larger than its format allows.
    """
    if what == ZIP:
        path = session.path(f"{result.stem}-{what}.zip")
        _write_zip(result, path)
    elif what == METRICS:
        path = session.path(f"{result.stem}-{what}.csv")
        path.write_text(metrics_csv(result_rows(result)), encoding="utf-8", newline="")
    elif what in (PNG, JPG, WEBP):
        kind = CUTOUT if background.kind == TRANSPARENT and what != JPG else "composite"
        path = session.path(f"{result.stem}{framing.ending}-{kind}.{what}")
        save_file(_on_background(result, what, background, framing), what, path, framing.dpi)
    else:
        path = session.path(f"{result.stem}{framing.ending if what in OTHERS else ''}-{what}.png")
        save_file(_picture(result, what, framing), PNG, path, framing.dpi if what in OTHERS else None)
    return path


def save_file(picture: Image.Image, ending: str, path: Path, dpi: int | None = None) -> None:
    """Write a picture as `PNG`, `JPG` or `WEBP`; raises ValueError if it is larger than its format allows."""
    if ending == WEBP and max(picture.size) > _WEBP_LARGEST:
        raise ValueError(
            f"a WebP has at most {_WEBP_LARGEST} pixels a side, this photo has {max(picture.size)}; choose PNG or JPG"
        )
    if ending == JPG:
        picture.save(path, quality=_JPG_QUALITY, subsampling=0, **_tag(picture, dpi))
    elif ending == WEBP:
        picture.save(path, quality=_WEBP_QUALITY, method=2, **_tag(picture))  # its alpha is kept without loss
    else:
        picture.save(path, compress_level=_PNG_LEVEL, **_tag(picture, dpi))


def _tag(picture: Image.Image, dpi: int | None = None) -> dict[str, Any]:
    """The profile of sRGB, so that no program has to guess (grey pictures hold alpha), and the size in print, if it has one."""
    profile = {"icc_profile": write_profile(SRGB)} if picture.mode in ("RGB", "RGBA") else {}
    return profile if dpi is None else {**profile, "dpi": (dpi, dpi)}


def _on_background(result: Result, ending: str, background: BackgroundChoice, framing: Framing) -> Image.Image:
    if not framing.changes_nothing:
        return framed_picture(result, framing, _WHITE if ending == JPG and background.kind == TRANSPARENT else background)
    if background.kind != TRANSPARENT:
        return Image.fromarray(result.full_on(background))
    return Image.fromarray(result.full_on(_WHITE)) if ending == JPG else result.cutout()


def _picture(result: Result, what: str, framing: Framing) -> Image.Image:
    if what == CUTOUT:
        return result.cutout() if framing.changes_nothing else framed_picture(result, framing, BackgroundChoice())
    if what == ALPHA16:
        return Image.fromarray(to_16_bit(framed_alpha(result, framing)))
    if what == ALPHA:
        return Image.fromarray(to_8_bit(framed_alpha(result, framing)))
    return Image.fromarray(error_pixels(result, what) if what in ERRORS else panel_pixels(result, what))


def _write_zip(result: Result, path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:  # PNGs are compressed already
        for name, _, _ in text.PANELS:
            with archive.open(f"{result.stem}-{name}.png", "w") as entry:
                panel = Image.fromarray(panel_pixels(result, name))
                panel.save(entry, "PNG", compress_level=_PNG_LEVEL, **_tag(panel))
