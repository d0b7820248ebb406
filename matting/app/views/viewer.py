"""The viewer: two pictures one over the other, with a border to move, a zoom down to the photo's own pixels, and backgrounds.

Where the second one is a cut-out, the browser is sent its colours and its alpha apart and puts them on any colour by itself.
"""

from html import escape
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from matting.app import text
from matting.app.results.background import BLUR, PICTURE, BackgroundChoice, render_background
from matting.app.results.framing import (
    AS_IT_CAME,
    AS_IT_IS,
    SHAPES,
    Framing,
    base_frame,
    behind_frame,
    edged,
    shadow_of,
    size_in_pixels,
)
from matting.app.results.parts import drop_parts
from matting.app.results.result import Result
from matting.app.scripts import STAGE, VIEWER
from matting.app.session import Session, address_of
from matting.app.views.touch_up import painting_facts, tools_html
from matting.postprocess.bit_depth import to_8_bit
from matting.postprocess.foreground import estimate_foreground

Shown = dict[str, Any]
NOTHING: Shown = {}
_RING = f'<i class="ring"></i><b class="tag working">{text.TOUCH_UP_WORKING}</b>'
_ABOVE = '<canvas></canvas><i class="guide crown"></i><i class="guide chin"></i>'  # where a passport wants the head
_FULL_SCREEN = (
    '<svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true"><path fill="none" stroke="currentColor" '
    'stroke-width="1.6" d="M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4"/></svg>'
)


def build_viewer(label: str, elem_id: str, stage: bool) -> gr.HTML:
    """An empty viewer; its value is what `show_result` or `show_pair` gives, or `NOTHING`.

    Args:
        label: what it shows, for those who cannot see it.
        elem_id: of the component. Its event `select` asks for the pictures in full size.
        stage: whether a cut-out can be looked at on several backgrounds and as alpha, and be painted on: event `input`.
    """
    return gr.HTML(
        NOTHING,
        html_template=_template(label, stage),
        js_on_load=STAGE if stage else VIEWER,
        apply_default_css=False,
        elem_id=elem_id,
    )


def show_result(
    result: Result,
    session: Session,
    background: BackgroundChoice,
    framing: Framing = AS_IT_IS,
    *,
    full: bool = False,
    version: int | None = None,
) -> Shown:
    """What the viewer shows of a photo.

    Args:
        result: of the photo.
        session: keeps the pictures, and knows which showing of a photo this is: while it is the same one, the zoom stays.
        background: of which only pictures are drawn here; the browser knows colours.
        framing: where the person stands; the browser moves and cuts the pictures, which are of the whole photo.
        full: whether the pictures have the photo's size, or are at most `PREVIEW_SIDE` long.
        version: of the painting that this answers; that of the result if not given.
    """
    alpha = result.alpha if full else drop_parts(result.preview.alpha, result.parts)
    image = result.matte.image if full else result.preview.image
    foreground = estimate_foreground(image, alpha, result.matte.input_alpha) if full else result.preview.foreground
    foreground, alpha = edged(foreground, alpha, framing, image.shape[1] / result.matte.image.shape[1])
    behind = _behind(result, background, framing, image, alpha) if background.kind in (BLUR, PICTURE) else None
    shadow = shadow_of(result, framing)
    return {
        "photo": session.painting.photo,
        "width": result.matte.image.shape[1],
        "height": result.matte.image.shape[0],
        "pixels": image.shape[1],
        "before": _write(image, result.stem, "input", session),
        "after": _write(foreground, result.stem, "cutout", session),
        "alpha": address_of(_write_mask(alpha, 255, f"{result.stem}-alpha", session)),
        "painting": painting_facts(result, version),
        "behind": "" if behind is None else _write(behind, result.stem, "background", session),
        "shape": framing.shape,
        "frame": _frame(result, framing),
        "shadow": "" if shadow is None else address_of(_write_mask(shadow.darkness, 0, f"{result.stem}-shadow", session)),
        "margin": (0, 0) if shadow is None else shadow.margin,
        "labels": (text.VIEWER_BEFORE, text.VIEWER_AFTER, text.VIEWER_ALPHA),
        "alts": (text.VIEWER_BEFORE_ALT, text.VIEWER_AFTER_ALT),
    }


def show_pair(
    pictures: tuple[NDArray[np.uint8], NDArray[np.uint8]], titles: tuple[str, str], stem: str, session: Session, *, lossy: bool
) -> Shown:
    """What the viewer shows of two pictures (h, w, 3) of one size."""
    height, width = pictures[0].shape[:2]
    before, after = (address_of(session.write(picture, f"{stem}-pair", lossy=lossy)) for picture in pictures)
    return {
        "photo": f"{stem} {width} {height}",
        "width": width,
        "height": height,
        "pixels": width,
        "before": before,
        "after": after,
        "alpha": "",
        "behind": "",
        "labels": titles,
        "alts": titles,
    }


def _write(pixels: NDArray[np.uint8], stem: str, name: str, session: Session) -> str:
    return address_of(session.write(pixels, f"{stem}-{name}", lossy=True))


def _frame(result: Result, framing: Framing) -> dict[str, Any] | None:
    """Where the frame lies before the person is moved in it, in pixels of the photo, and its fixed size if it has one."""
    if framing.shape == AS_IT_CAME:
        return None
    shape = SHAPES[framing.shape]
    return {**base_frame(result, framing.shape)._asdict(), "size": shape.size, "head": shape.head}


def _behind(
    result: Result, background: BackgroundChoice, framing: Framing, image: NDArray[np.uint8], alpha: NDArray[np.float32]
) -> NDArray[np.uint8]:
    if framing.shape == AS_IT_CAME:
        return render_background(background, image, alpha)
    height, width = size_in_pixels(result, framing)
    scale = min(1.0, max(image.shape[:2]) / max(height, width))
    return behind_frame(background, result, (max(1, round(scale * height)), max(1, round(scale * width))))


def _write_mask(alpha: NDArray[np.float32], grey: int, stem: str, session: Session) -> Path:
    """A grey with an alpha, without loss: white is a mask for the colours, and on black the alpha as grey."""
    opacity = to_8_bit(alpha)
    path = session.path(f"{stem}.png")
    Image.merge("LA", (Image.new("L", opacity.shape[::-1], grey), Image.fromarray(opacity))).save(path, compress_level=1)
    return path


def _layers() -> str:
    """The pictures from the bottom to the top; what is left out is shown grey while it is painted on."""
    layers = (
        ("left-out", "before"),
        ("behind", "behind"),
        ("shadow", "shadow"),
        ("after", "after"),
        ("alpha", "alpha"),
        ("before", "before"),
    )
    return "".join(f'<img class="{name}" data-shows="{shows}" alt="" draggable="false"/>' for name, shows in layers)


def _template(label: str, stage: bool) -> str:
    choices = "".join(
        f'<button type="button" data-view="{view}" aria-pressed="{str(view == "result").lower()}">{title}</button>'
        for view, title in text.VIEWS.items()
    )
    looks = f'<div class="views" role="group" aria-label="{text.VIEWS_LABEL}">{choices}</div>' if stage else "<span></span>"
    zooms = "".join(
        f'<button type="button" data-zoom="{zoom}" aria-label="{name}" title="{name}">{sign}</button>'
        for zoom, (sign, name) in text.ZOOMS.items()
    )
    return (
        f'<div class="viewer empty" data-view="result" role="group" aria-label="{escape(label)}">'
        f'<div class="frame" tabindex="0" role="group" aria-label="{escape(text.VIEWER_FRAME)}">'
        f'<div class="canvas">{_layers()}{_ABOVE if stage else ""}</div>{_RING if stage else ""}'
        '<span class="tag left"></span><span class="tag right"></span><i class="border"></i>'
        f'<span class="grip" role="slider" tabindex="0" aria-label="{escape(text.VIEWER_GRIP)}" aria-valuemin="0" '
        'aria-valuemax="100" aria-valuenow="50"></span>'
        f'<p class="nothing">{text.VIEWER_EMPTY}</p></div>'
        f'{tools_html() if stage else ""}<div class="looks">{looks}'
        f'<div class="zooms" role="group" aria-label="{text.ZOOMS_LABEL}">{zooms}'
        f'<output class="percent"></output><button type="button" data-full="1" aria-label="{text.VIEWER_FULL}" '
        f'title="{text.VIEWER_FULL}">{_FULL_SCREEN}</button></div></div></div>'
    )
