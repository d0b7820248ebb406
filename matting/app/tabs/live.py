"""Tab "Live": the camera, cut out as it runs. All of it happens in the browser and at the desk of `matting.app.live`."""

from html import escape

import gradio as gr

from matting.app import text
from matting.app.live import SIDES
from matting.app.results.background import BackgroundChoice
from matting.app.scripts import LIVE
from matting.app.views.swatches import build_choice

_PICTURE = "live-background-picture"


def build_live_tab(available: bool) -> None:
    """The page; `available` says whether this server has a device of its own."""
    gr.HTML(f'<p class="lead">{text.LIVE_LEAD if available else text.LIVE_NOT_HERE}</p>')
    if available:
        gr.HTML("", html_template=_template(), js_on_load=LIVE, apply_default_css=False, elem_id="live")
        build_choice(text.LIVE_BACKGROUND, "live-background", BackgroundChoice().colour, _PICTURE)
        gr.HTML(
            f'<div id="{_PICTURE}" hidden><label>{text.BACKGROUND_PICTURE} <input type="file" accept="image/*"/></label></div>'
        )


def _template() -> str:
    words = {
        "start": text.LIVE_START,
        "stop": text.LIVE_STOP,
        "idle": text.LIVE_IDLE,
        "starting": text.LIVE_STARTING,
        "running": text.LIVE_RUNNING,
        "wait": text.LIVE_WAIT,
        "camera": text.LIVE_NO_CAMERA,
        "unsafe": text.LIVE_NOT_SAFE,
        "again": text.LIVE_AGAIN,
        "lost": text.LIVE_LOST,
        "rate": text.LIVE_RATE,
        "colour": BackgroundChoice().colour,
        "sides": " ".join(map(str, SIDES)),
        "picture": f"#{_PICTURE}",
    }
    data = " ".join(f'data-{name}="{escape(value)}"' for name, value in words.items())
    stages = "".join(
        f'<label><input type="radio" name="live-stage" value="{value}" {checked}/><span>{title}</span></label>'
        for value, title, checked in (("0", text.LIVE_COARSE, ""), ("1", text.LIVE_REFINED, "checked"))
    )
    return (
        f'<section class="camera" {data}><div class="bar"><button type="button" class="start">{text.LIVE_START}</button>'
        f'<fieldset class="stages-of"><legend>{text.LIVE_STAGES}</legend>{stages}</fieldset>'
        f'<p class="rate"></p></div><p class="note" role="status">{text.LIVE_IDLE}</p>'
        f'<canvas width="640" height="480" role="img" aria-label="{text.LIVE_STAGE}"></canvas>'
        f"<video muted playsinline></video></section>"
    )
