"""Swatches of what the person is put on, and the box for a picture of the visitor's own."""

from typing import NamedTuple

import gradio as gr

from matting.app import text
from matting.app.results.background import BLUR, PICTURE, TRANSPARENT, BackgroundChoice
from matting.app.scripts import SWATCHES
from matting.app.uploads import PhotoInput


class Swatches(NamedTuple):
    """Components that take part in events. The value of `choice` is a colour such as #ffffff or a kind of background."""

    choice: gr.HTML
    picture: PhotoInput


def build_swatches(label: str, elem_id: str, first: str) -> Swatches:
    """Swatches, of which `first` is chosen; without it being `TRANSPARENT` that is not among them."""
    box = f"{elem_id}-picture"
    choice = build_choice(label, elem_id, first, box)
    picture = PhotoInput(
        label=text.BACKGROUND_PICTURE, sources=["upload", "clipboard"], height=130, visible="hidden", buttons=[], elem_id=box
    )
    return Swatches(choice, picture)


def build_choice(label: str, elem_id: str, first: str, box: str) -> gr.HTML:
    """The swatches alone; `box` is the id of what holds an input for a picture of the visitor's own, and shows it."""
    template = _template(label, elem_id, box, transparent=first == TRANSPARENT)
    return gr.HTML(first, html_template=template, js_on_load=SWATCHES, apply_default_css=False, elem_id=elem_id)


def picture_box(choice: str) -> gr.Image:
    """The box for a picture is seen where one is needed."""
    return gr.Image(visible=True if choice == PICTURE else "hidden")


def _template(label: str, name: str, box: str, *, transparent: bool) -> str:
    kinds = [(TRANSPARENT, text.BACKGROUND_TRANSPARENT)] if transparent else []
    dots = [*kinds, *text.BACKGROUND_COLOURS.items()]
    colours = "".join(
        f'<label class="swatch" title="{title}" style="--swatch:{value if value != TRANSPARENT else "transparent"}">'
        f'<input type="radio" name="{name}" value="{value}" aria-label="{title}"/></label>'
        for value, title in dots
    )
    pictures = "".join(
        f'<label class="swatch word"><input type="radio" name="{name}" value="{value}"/><span>{title}</span></label>'
        for value, title in ((BLUR, text.BACKGROUND_BLUR), (PICTURE, text.BACKGROUND_OWN))
    )
    own = (
        f'<label class="swatch own" title="{text.BACKGROUND_COLOUR}"><input type="color" '
        f'value="{BackgroundChoice().colour}" aria-label="{text.BACKGROUND_COLOUR}"/></label>'
    )
    return f'<fieldset class="swatches" data-picture="#{box}"><legend>{label}</legend>{colours}{own}{pictures}</fieldset>'
