"""Tab "About": the two stages drawn, privacy, licences, citation, programs."""

from pathlib import Path

import gradio as gr

from matting.app import text

FIGURE = Path(__file__).parents[1] / "static" / "stages.svg"  # drawn in the page, whose style colours its classes


def build_about_tab() -> None:
    gr.HTML(f'<div class="stages">{FIGURE.read_text(encoding="utf-8")}</div>')
    with gr.Row(equal_height=False):
        with gr.Column():
            gr.Markdown(text.ABOUT)
            gr.Markdown(text.ABOUT_PRIVACY)
            gr.Markdown(text.ABOUT_CREDITS)
        with gr.Column():
            gr.Markdown(text.ABOUT_USE)
            gr.Markdown(text.ABOUT_CITE)
