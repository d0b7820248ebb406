"""Tab "Photo": what is on the page, from the tray at the left to the panels at the bottom."""

from functools import cache
from html import escape
from pathlib import Path
from typing import NamedTuple

import gradio as gr
from PIL import Image

from matting.app import text
from matting.app.results.background import TRANSPARENT
from matting.app.results.result import ExamplePhoto
from matting.app.scripts import PANELS, PEOPLE, PICK, VISIT, WIPE
from matting.app.service import SIZES
from matting.app.uploads import PhotoInput
from matting.app.views.actions import build_actions
from matting.app.views.framing import build_framing
from matting.app.views.region_drawing import data_uri
from matting.app.views.swatches import build_swatches
from matting.app.views.viewer import build_viewer

_THUMBNAIL_PX = 144


class PhotoPage(NamedTuple):
    """The components of the tab that take part in events."""

    photo: PhotoInput
    examples: gr.HTML
    size: gr.Radio
    bias: gr.Slider
    refine: gr.Checkbox
    cross: gr.Checkbox
    ignore_alpha: gr.Checkbox
    truth_file: PhotoInput
    note: gr.HTML
    headline: gr.HTML
    stop: gr.Button
    viewer: gr.HTML
    actions: gr.HTML
    sink: gr.File
    copied: gr.File
    behind: gr.HTML
    picture: PhotoInput
    framing: gr.HTML
    facts: gr.HTML
    parts: gr.Column
    parts_title: gr.HTML
    parts_picture: gr.HTML
    magnifier: gr.HTML
    panels: gr.HTML
    truth: gr.HTML
    visit: gr.HTML


def build_photo_page(examples: tuple[ExamplePhoto, ...]) -> PhotoPage:
    with gr.Row(equal_height=False, elem_classes="stage"):
        with gr.Column(scale=4, min_width=280, elem_classes="tray"):
            tray = _build_tray(examples)
        with gr.Column(scale=9, min_width=320):
            stage = _build_stage()
    with gr.Column(visible=False, elem_classes="parts") as parts:
        details = {
            "parts": parts,
            "parts_title": gr.HTML(),
            "parts_picture": gr.HTML(js_on_load=PEOPLE, elem_id="parts"),
        }
    details["magnifier"] = gr.HTML(js_on_load=WIPE, elem_id="magnifier")
    details["panels"] = gr.HTML(js_on_load=PANELS, elem_id="panels")
    details["truth"] = gr.HTML(js_on_load=PICK, elem_id="truth")
    details["visit"] = gr.HTML(js_on_load=VISIT, visible="hidden", elem_id="visit")
    return PhotoPage(**tray, **stage, **details)


def _build_tray(examples: tuple[ExamplePhoto, ...]) -> dict:
    photo = PhotoInput(
        label=text.DROP_LABEL,
        sources=["upload", "clipboard", "webcam"],
        height=250,
        buttons=[],
        placeholder=text.DROP_PLACEHOLDER,
        elem_id="photo",
    )
    strip = gr.HTML(example_strip(examples), js_on_load=PICK, elem_id="examples")
    with gr.Accordion(text.SETTINGS, open=False, elem_id="settings"):
        size = gr.Radio(SIZES, value="Auto", label=text.SIZE_LABEL, info=text.SIZE_INFO)
        bias = gr.Slider(-3, 3, 0, step=0.5, label=text.BIAS_LABEL, info=text.BIAS_INFO)
        refine = gr.Checkbox(True, label=text.REFINE_LABEL, info=text.REFINE_INFO)
        cross = gr.Checkbox(True, label=text.CROSS_LABEL, info=text.CROSS_INFO)
        ignore_alpha = gr.Checkbox(False, label=text.IGNORE_ALPHA_LABEL, info=text.IGNORE_ALPHA_INFO)
    with gr.Accordion(text.TRUTH, open=False, elem_id="truth-upload"):
        truth_file = PhotoInput(
            label=text.TRUTH_LABEL,
            sources=["upload", "clipboard"],
            height=160,
            buttons=[],
            placeholder=text.TRUTH_PLACEHOLDER,
        )
    return {
        "photo": photo,
        "examples": strip,
        "size": size,
        "bias": bias,
        "refine": refine,
        "cross": cross,
        "ignore_alpha": ignore_alpha,
        "truth_file": truth_file,
    }


def _build_stage() -> dict:
    with gr.Row(elem_classes="status"):
        note = gr.HTML(note_html(text.WAITING), elem_id="note")
        headline = gr.HTML(elem_id="headline")
        stop = gr.Button(text.STOP, size="sm", visible=False, min_width=80, scale=0, elem_id="stop")
    viewer = build_viewer(text.VIEWER_LABEL, "result", stage=True)
    actions = build_actions()
    sink, copied = gr.File(visible="hidden", elem_id="sink"), gr.File(visible="hidden", elem_id="copied")
    swatches = build_swatches(text.BACKGROUND_LABEL, "background", TRANSPARENT)
    framing = build_framing()
    facts = gr.HTML(elem_id="facts")
    return {
        "note": note,
        "headline": headline,
        "stop": stop,
        "viewer": viewer,
        "actions": actions,
        "sink": sink,
        "copied": copied,
        "behind": swatches.choice,
        "picture": swatches.picture,
        "framing": framing,
        "facts": facts,
    }


def note_html(message: str, kind: str = "plain") -> str:
    """A line above the result; kind is "plain" or "calm" (something the visitor should read)."""
    return f'<p class="note {kind}" role="status">{escape(message)}</p>'


def example_strip(examples: tuple[ExamplePhoto, ...], chosen: ExamplePhoto | None = None) -> str:
    """Thumbnails of our own pictures, a button each; the one that is shown is pressed."""
    buttons = []
    for number, example in enumerate(examples):
        name = escape(example.name)
        buttons.append(
            f'<button type="button" data-pick="{number}" aria-pressed="{str(example is chosen).lower()}" '
            f'aria-label="{text.EXAMPLE_BUTTON.format(name=name)}">'
            f'<img src="{_thumbnail(example.image)}" alt="{name}"/></button>'
        )
    hint = f'<p class="small"><span class="keys">{text.PASTE_HINT}</span>{text.EXAMPLES_LABEL}</p>'
    return f'{hint}<div class="strip">{"".join(buttons)}</div>'


@cache
def _thumbnail(path: Path) -> str:
    with Image.open(path) as picture:
        small = picture.convert("RGB")
        small.thumbnail((_THUMBNAIL_PX, _THUMBNAIL_PX))
    return data_uri(small, "JPEG")
