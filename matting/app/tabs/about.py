"""Tab "About": the two stages drawn, privacy, licences, citation, programs."""

import os
import re
from pathlib import Path

import gradio as gr

from matting.app import text
from matting.app.scripts import ABOUT

FIGURE = Path(__file__).parents[1] / "static" / "stages.svg"  # drawn in the page, whose style colours its classes
_BROWSER_PAGE, _CREDITS, _CARD = "examples/browser", "examples/CREDITS.md", "matting/weights/bundled/lite.md"
_STEP_PX, _HIGH_PX, _GAP_PX = 164, 194, 38  # of one step of the figure, and from one to the next
_ARROW = (
    f'<svg class="next" viewBox="164 -2 {_GAP_PX} {_HIGH_PX}" aria-hidden="true">'
    '<path class="arrow" d="M170 80h24m-6 -5l6 5l-6 5"/></svg>'
)


def build_about_tab() -> None:
    gr.HTML(figure_html(FIGURE.read_text(encoding="utf-8")), js_on_load=ABOUT)
    with gr.Row(equal_height=False):
        with gr.Column():
            gr.Markdown(text.ABOUT)
            gr.Markdown(text.ABOUT_PRIVACY + text.ABOUT_BROWSER.format(link=file_link(_BROWSER_PAGE)))
            gr.Markdown(text.ABOUT_CREDITS.format(credits=file_link(_CREDITS), card=file_link(_CARD)))
        with gr.Column():
            gr.Markdown(text.ABOUT_USE, elem_id="about-use")
            gr.Markdown(text.ABOUT_CITE)


def file_link(path: str) -> str:
    """Name of a file or folder of the project: on a Space a link to where all of them can be read, else its path alone."""
    space = os.environ.get("SPACE_ID")
    kind = "blob" if Path(path).suffix else "tree"
    return f"`{path}`" if space is None else f"[`{path}`](https://huggingface.co/spaces/{space}/{kind}/main/{path})"


def figure_html(svg: str) -> str:
    """The figure taken apart: a drawing for each step and each arrow, so that narrow screens can put them below each other."""
    label = re.findall(r'aria-label="(.*?)"', svg)[0]
    steps = re.findall(r'<g transform="translate\(\d+ 0\)">(.*?)</g>', svg, re.DOTALL)
    drawings = (f'<svg class="step" viewBox="-2 -2 {_STEP_PX} {_HIGH_PX}" aria-hidden="true">{step}</svg>' for step in steps)
    return f'<div class="stages" role="img" aria-label="{label}">{_ARROW.join(drawings)}</div>'
