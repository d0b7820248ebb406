"""Tab "Clip": what is on the page."""

from typing import NamedTuple

import gradio as gr

from matting.app import text
from matting.app.results.background import BackgroundChoice
from matting.app.scripts import PEOPLE, PICK
from matting.app.uploads import PhotoInput
from matting.app.views.photo_page import note_html
from matting.app.views.swatches import build_swatches
from matting.media.export import EXPORT_FORMATS

SIZES = ("512", "768", "1024")
ALWAYS = tuple(text.CLIP_LOOKS)  # export formats that are made in any case, to be looked at
CHOICES = [(kind.title, name) for name, kind in EXPORT_FORMATS.items() if name not in ALWAYS]
FIRST_CHOICE = ("webm", "composite")


class ClipPage(NamedTuple):
    """The components of the tab that take part in events."""

    clip: gr.Video
    size: gr.Radio
    steady: gr.Checkbox
    ignore_alpha: gr.Checkbox
    behind: gr.HTML
    picture: PhotoInput
    products: gr.CheckboxGroup
    run: gr.Button
    example: gr.Button
    stop: gr.Button
    note: gr.HTML
    live: gr.HTML
    files: gr.File
    look: gr.Radio
    preview: gr.Video
    facts: gr.HTML
    people: gr.HTML
    chart: gr.HTML
    strip: gr.HTML


def build_clip_page(has_example: bool, waiting: str) -> ClipPage:
    gr.HTML(f"<p>{text.CLIP_LEAD}</p>")
    with gr.Row(equal_height=False, elem_classes="stage"):
        with gr.Column(scale=4, min_width=280, elem_classes="tray"):
            tray = _build_tray(has_example)
        with gr.Column(scale=9, min_width=320):
            stage = _build_stage(waiting)
    return ClipPage(**tray, **stage)


def _build_tray(has_example: bool) -> dict:
    clip = gr.Video(
        label=text.CLIP_DROP, sources=["upload", "webcam"], include_audio=True, height=300, buttons=[], elem_id="clip"
    )
    with gr.Row(elem_classes="saves"):
        run = gr.Button(text.CLIP_RUN, variant="primary", min_width=140, elem_id="clip-run")
        example = gr.Button(text.CLIP_EXAMPLE, visible=has_example, min_width=140, elem_id="clip-example")
    products = gr.CheckboxGroup(
        CHOICES, value=list(FIRST_CHOICE), label=text.CLIP_SAVE, info=text.CLIP_SAVE_INFO, elem_id="clip-products"
    )
    swatches = build_swatches(text.CLIP_BACKGROUND, "clip-background", BackgroundChoice().colour)
    with gr.Accordion(text.CLIP_SETTINGS, open=False, elem_id="clip-settings"):
        size = gr.Radio(SIZES, value=SIZES[0], label=text.CLIP_SIZE, info=text.CLIP_SIZE_INFO)
        steady = gr.Checkbox(True, label=text.CLIP_STEADY, info=text.CLIP_STEADY_INFO)
        ignore_alpha = gr.Checkbox(False, label=text.CLIP_IGNORE_ALPHA, info=text.CLIP_IGNORE_ALPHA_INFO)
    return {
        "clip": clip,
        "run": run,
        "example": example,
        "products": products,
        "size": size,
        "steady": steady,
        "ignore_alpha": ignore_alpha,
        "behind": swatches.choice,
        "picture": swatches.picture,
    }


def _build_stage(waiting: str) -> dict:
    with gr.Row(elem_classes="status"):
        note = gr.HTML(note_html(waiting), elem_id="clip-note")
        stop = gr.Button(text.CLIP_STOP, size="sm", visible=False, min_width=80, scale=0, elem_id="clip-stop")
    live = gr.HTML(elem_id="clip-live")
    files = gr.File(label=text.CLIP_FILES, file_count="multiple", interactive=False, visible=False, elem_id="clip-files")
    looks = [(title, name) for name, title in text.CLIP_LOOKS.items()]
    look = gr.Radio(looks, value=ALWAYS[0], label=text.CLIP_LOOK, show_label=False, container=False, visible=False)
    preview = gr.Video(
        label=text.CLIP_PREVIEW,
        show_label=False,
        interactive=False,
        loop=True,
        autoplay=True,
        buttons=[],
        visible=False,
        elem_id="clip-preview",
    )
    facts = gr.HTML(elem_id="clip-facts")
    people = gr.HTML(js_on_load=PEOPLE, elem_id="clip-people")
    chart = gr.HTML(js_on_load=PICK, elem_id="clip-chart")
    strip = gr.HTML(elem_id="clip-strip")
    return {
        "note": note,
        "stop": stop,
        "live": live,
        "files": files,
        "look": look,
        "preview": preview,
        "facts": facts,
        "people": people,
        "chart": chart,
        "strip": strip,
    }
