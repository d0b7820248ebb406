"""Corrections by hand: the picture on which a visitor paints, and its tools."""

from html import escape

import numpy as np
from numpy.typing import NDArray

from matting.app import text
from matting.app.results.parts import drop_parts
from matting.app.results.result import Result
from matting.app.results.strokes import MOST_POINTS, MOST_STROKES
from matting.app.session import Session, address_of
from matting.evaluation.figures import TRIMAP_COLOURS
from matting.postprocess.compositing import composite

_BRUSHES = (6, 80)  # radius in thousandths of the longer side; the first one is a cell of the working size
_NIGHT = np.array(TRIMAP_COLOURS[0], np.float32)  # laid over what is left out
_NIGHT_SHARE = 0.6


def touch_up_html(result: Result, session: Session, version: int | None = None) -> str:
    """The tools and the picture.

    Args:
        result: of the photo.
        session: keeps the picture, and knows which showing of a photo this is.
        version: of the painting that this answers; that of the result if not given.
    """
    painting = result.painting
    source = address_of(session.write(draw_kept(result), f"{result.stem}-touch-up", lossy=True))
    facts = {"photo": session.painting.photo, "version": painting.version if version is None else version}
    facts |= {"answered": len(painting.strokes), "strokes": MOST_STROKES, "points": 0.9 * MOST_POINTS}
    data = " ".join(f'data-{name}="{value}"' for name, value in facts.items())
    kinds = "".join(
        f'<button type="button" class="chip {kind}" data-kind="{kind}">{title}</button>'
        for kind, title in (("remove", text.TOUCH_UP_REMOVE), ("keep", text.TOUCH_UP_KEEP))
    )
    acts = "".join(
        f'<button type="button" class="chip" data-act="{act}">{title}</button>'
        for act, title in (("undo", text.TOUCH_UP_UNDO), ("clear", text.TOUCH_UP_CLEAR))
    )
    brush = f'<input type="range" min="{_BRUSHES[0]}" max="{_BRUSHES[1]}"/>'
    return (
        f'<div class="paint" {data}>'
        f'<div class="tools">{kinds}<span>{acts}</span><label>{text.TOUCH_UP_BRUSH} {brush}</label></div>'
        f'<div class="easel"><img src="{source}" draggable="false" alt="{escape(text.TOUCH_UP_ALT)}"/><canvas></canvas>'
        f'<i class="ring"></i><b class="tag">{text.TOUCH_UP_WORKING}</b></div></div>'
    )


def draw_kept(result: Result) -> NDArray[np.uint8]:
    """(h, w, 3) uint8, small: the foreground in colour, the background grey, tinted with the trimap's background colour."""
    grey = result.preview.image.mean(2, keepdims=True)
    left_out = np.rint((1 - _NIGHT_SHARE) * grey + _NIGHT_SHARE * _NIGHT).astype(np.uint8)
    return composite(result.preview.foreground, drop_parts(result.preview.alpha, result.parts), left_out)
