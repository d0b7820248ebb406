"""What a visitor can take along: one large button, a copy for the clipboard, and a menu of other files."""

import gradio as gr

from matting.app import text
from matting.app.results.downloads import OTHERS, PNG
from matting.app.results.result import Result
from matting.app.scripts import ACTIONS

NOTHING = ""


def build_actions() -> gr.HTML:
    """Buttons that are asleep while the value is `NOTHING`; events `select` (which file) and `input` (a picture to copy)."""
    return gr.HTML(NOTHING, html_template=_template(), js_on_load=ACTIONS, apply_default_css=False, elem_id="save")


def actions_value(result: Result) -> str:
    """What stands on the large button: the photo's size."""
    height, width = result.matte.size
    return f"{width} × {height}"


def _template() -> str:
    words = " ".join(f'data-{kind}="{words}"' for kind, words in text.SAVE_ON.items())
    entries = "".join(
        f'<li><button type="button" id="save-{what}" data-pick="{what}">{title}</button></li>' for what, title in OTHERS.items()
    )
    return (
        f'<div class="actions" inert><button type="button" class="act main" id="save-{PNG}" data-pick="{PNG}" {words}>'
        f"<b>{text.SAVE_PNG}</b><small></small></button>"
        f'<button type="button" class="act copy" data-name="{text.SAVE_COPY}" data-copied="{text.SAVE_COPIED}" '
        f'data-failed="{text.SAVE_NOT_COPIED}"><span aria-live="polite">{text.SAVE_COPY}</span></button>'
        f'<details class="menu"><summary class="act">{text.SAVE_MORE}</summary><div class="popup"><ul>{entries}</ul>'
        f"<p>{text.SAVE_NOTE}</p></div></details></div>"
    )
