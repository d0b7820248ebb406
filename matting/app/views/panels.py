"""The six panels of intermediate results, in the order of the steps."""

from html import escape

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from matting.app import text
from matting.app.results.kept import KeptMatte
from matting.app.results.result import Result, shrink
from matting.app.session import Session, address_of
from matting.evaluation.figures import SIGNED_MAP, TRIMAP_COLOURS, colour_stops, shared_limit, signed_colours, trimap_colours
from matting.network.regions import REGION_SIZE
from matting.postprocess.bit_depth import to_8_bit

_PHOTOGRAPHIC = ("input", "regions")
_FRAME_COLOUR = (244, 240, 232)


def panel_pixels(result: Result, name: str) -> NDArray[np.uint8]:
    """One panel at the photo's size, (H, W) or (H, W, 3) uint8.

    Raises:
        ValueError: if there is no panel of that name.
    """
    matte = result.matte
    if name == "input":
        return matte.image
    if name == "coarse":
        return matte.coarse_8
    if name == "trimap":
        return trimap_colours(matte.trimap)
    if name == "regions":
        return show_regions(matte)
    if name == "alpha":
        return to_8_bit(result.alpha)
    if name == "change":
        return signed_colours(matte.alpha - matte.coarse_alpha, change_limit(result))
    raise ValueError(f"panel must be one of {', '.join(panel[0] for panel in text.PANELS)}, got {name!r}")


def change_limit(result: Result) -> float:
    """Limit of the change panel's colour scale: the 99.9th percentile of the absolute change, rounded, at least 0.1."""
    return max(0.1, round(shared_limit([np.abs(result.matte.alpha - result.matte.coarse_alpha)]), 1))


def panels_html(result: Result, session: Session) -> str:
    """All panels, shrunk for looking at, with captions and a button each that asks for the full PNG."""
    figures = []
    untouched = text.PANELS_NOT_REFINED if len(result.matte.regions.cells) == 0 else {}
    for name, title, usual in text.PANELS:
        caption = untouched.get(name, usual)
        lossy = name in _PHOTOGRAPHIC
        source = address_of(session.write(shrink(panel_pixels(result, name)), f"{result.stem}-{name}", lossy=lossy))
        figures.append(
            f'<figure class="panel"><button type="button" class="large" title="{text.PANEL_LARGE}" '
            f'data-close="{text.PANEL_CLOSE}">'
            f'<img src="{source}" alt="{escape(title)}: {escape(caption)}"/></button>'
            f'<figcaption><div><b>{title}</b><button type="button" class="chip" data-pick="{name}" '
            f'aria-label="{text.SAVE}: {escape(title)}">{text.SAVE_PANEL}</button></div>'
            f"<p>{caption}</p>{_legend(name, result)}</figcaption></figure>"
        )
    return f'<h2>{text.PANELS_TITLE}</h2><div class="panels">{"".join(figures)}</div>'


def show_regions(matte: KeptMatte) -> NDArray[np.uint8]:
    """(H, W, 3) uint8: refined regions in colour with an amber tint, all else grey and dim; with the outline of the crop."""
    image = matte.image.astype(np.float32)
    dim = image.mean(2, keepdims=True) * 0.45
    tinted = image * 0.55 + np.array(TRIMAP_COLOURS[128], np.float32) * 0.45
    mask = region_mask(matte)[..., None]
    shown = np.where(mask, tinted, dim).astype(np.uint8)
    return shown if matte.crop_share == 1 else _frame(shown, matte)


def _frame(pixels: NDArray[np.uint8], matte: KeptMatte) -> NDArray[np.uint8]:
    """Draw the crop's outline on a picture of the photo's size."""
    picture = Image.fromarray(pixels)
    top, left, bottom, right = matte.crop
    thick = max(1, round(max(pixels.shape) / 300))
    ImageDraw.Draw(picture).rectangle((left, top, right - 1, bottom - 1), outline=_FRAME_COLOUR, width=thick)
    return np.asarray(picture)


def region_mask(matte: KeptMatte) -> NDArray[np.bool_]:
    """(H, W), True in the refined regions."""
    rows, columns = (side // REGION_SIZE for side in matte.working_size)
    grid = np.zeros((rows, columns), bool)
    grid[matte.regions.cells[:, 0], matte.regions.cells[:, 1]] = True
    size = matte.crop.cut(matte.trimap).shape
    mask = np.asarray(Image.fromarray(grid).resize(size[::-1], Image.Resampling.NEAREST))
    return matte.crop.fill(mask, *matte.trimap.shape)


def _trimap_legend() -> str:
    marks = zip(TRIMAP_COLOURS.values(), text.TRIMAP_LEGEND, strict=True)
    items = "".join(f'<li><i style="background:rgb{colour}"></i>{name}</li>' for colour, name in marks)
    return f'<ul class="legend">{items}</ul>'


def scale_html(name: str, low: str, high: str) -> str:
    """A colour bar of a map of `matting.evaluation.figures` with its ends labelled."""
    stops = ",".join(colour_stops(name))
    bar = f'<i style="background:linear-gradient(90deg,{stops})"></i>'
    return f'<div class="scale"><span>{low}</span>{bar}<span>{high}</span></div>'


def _legend(name: str, result: Result) -> str:
    if name == "trimap":
        return _trimap_legend()
    if name == "regions" and result.matte.crop_share < 1:
        return f"<p>{text.CLOSE_UP_NOTE}</p>"
    if name == "change":
        limit = change_limit(result)
        return scale_html(SIGNED_MAP, f"−{limit:.1f}", f"+{limit:.1f}")
    return ""
