"""Tab "Clip": what is on the page."""

from typing import NamedTuple

import gradio as gr

from matting.app import text
from matting.app.results.background import BackgroundChoice
from matting.app.scripts import PICK
from matting.app.uploads import PhotoInput
from matting.app.views.photo_page import note_html
from matting.app.views.swatches import build_swatches
from matting.media.export import EXPORT_FORMATS

SIZES = ("512", "768", "1024")
CHOICES = [(kind.title, name) for name, kind in EXPORT_FORMATS.items() if name != "preview"]  # the preview is always made
FIRST_CHOICE = ("webm", "composite")


class ClipPage(NamedTuple):
    """The components of the tab that take part in events."""

    clip: gr.Video
    size: gr.Radio
    steady: gr.Checkbox
    behind: gr.HTML
    picture: PhotoInput
    products: gr.CheckboxGroup
    run: gr.Button
    example: gr.Button
    stop: gr.Button
    note: gr.HTML
    preview: gr.Video
    files: gr.File
    facts: gr.HTML
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
    with gr.Accordion(text.CLIP_SETTINGS, open=False, elem_id="clip-settings"):
        size = gr.Radio(SIZES, value=SIZES[0], label=text.CLIP_SIZE, info=text.CLIP_SIZE_INFO)
        steady = gr.Checkbox(True, label=text.CLIP_STEADY, info=text.CLIP_STEADY_INFO)
        swatches = build_swatches(text.CLIP_BACKGROUND, "clip-background", BackgroundChoice().colour)
    return {
        "clip": clip,
        "run": run,
        "example": example,
        "products": products,
        "size": size,
        "steady": steady,
        "behind": swatches.choice,
        "picture": swatches.picture,
    }


def _build_stage(waiting: str) -> dict:
    with gr.Row(elem_classes="status"):
        note = gr.HTML(note_html(waiting), elem_id="clip-note")
        stop = gr.Button(text.CLIP_STOP, size="sm", visible=False, min_width=80, scale=0, elem_id="clip-stop")
    preview = gr.Video(label=text.CLIP_PREVIEW, interactive=False, loop=True, autoplay=True, buttons=[], elem_id="clip-preview")
    gr.HTML(f'<p class="small">{text.CLIP_PREVIEW_NOTE}</p>')
    facts = gr.HTML(elem_id="clip-facts")
    files = gr.File(label=text.CLIP_FILES, file_count="multiple", interactive=False, visible=False, elem_id="clip-files")
    chart = gr.HTML(js_on_load=PICK, elem_id="clip-chart")
    strip = gr.HTML(elem_id="clip-strip")
    return {
        "note": note,
        "stop": stop,
        "preview": preview,
        "facts": facts,
        "files": files,
        "chart": chart,
        "strip": strip,
    }
