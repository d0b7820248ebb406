"""The controls that frame a result: its shape, a shadow, blur, the edge. Folded up until they are wanted."""

import gradio as gr

from matting.app import text
from matting.app.results.framing import AS_IT_CAME, AS_IT_IS, SHAPES
from matting.app.scripts import FRAMING

_SLIDERS = (  # name, title, lowest, highest, step, factor of what is shown, unit
    ("zoom", text.FRAME_SIZE, 0.2, 5, 0.01, 100, "%"),
    ("shadow", text.FRAME_SHADOW, 0, 1, 0.05, 100, "%"),
    ("blur", text.FRAME_BLUR, 0.005, 0.15, 0.005, 100, "%"),
    ("shift", text.FRAME_SHIFT, -3, 3, 0.5, 1, text.FRAME_PIXELS),
    ("feather", text.FRAME_FEATHER, 0, 5, 0.5, 1, text.FRAME_PIXELS),
)


def build_framing() -> gr.HTML:
    """Controls whose value `read_framing` reads. Event `select`: the stage needs new pictures."""
    return gr.HTML("", html_template=_template(), js_on_load=FRAMING, apply_default_css=False, elem_id="framing")


def _template() -> str:
    shapes = "".join(
        f'<label class="chip-choice"><input type="radio" name="frame-shape" value="{shape}"'
        f"{' checked' if shape == AS_IT_CAME else ''}/><span><b>{text.FRAME_SHAPES[shape][0]}</b>"
        f"<small>{text.FRAME_SHAPES[shape][1]}</small></span></label>"
        for shape in SHAPES
    )
    sliders = {
        name: f'<label data-row="{name}"><span>{title}</span><input type="range" data-name="{name}" min="{low}" max="{high}" '
        f'step="{step}" value="{getattr(AS_IT_IS, name)}"/><output data-factor="{factor}" data-unit="{unit}"></output></label>'
        for name, title, low, high, step, factor, unit in _SLIDERS
    }
    place = f'{sliders["zoom"]}<button type="button" class="chip" data-act="back">{text.FRAME_BACK}</button>'
    return (
        f'<details class="framing"><summary>{text.FRAME}</summary><div class="framing-body">'
        f'<fieldset class="shapes"><legend>{text.FRAME_SHAPE}</legend>{shapes}</fieldset>'
        f'<div class="placing" hidden><p class="small">{text.FRAME_MOVE} <span class="head">{text.FRAME_HEAD}</span></p>'
        f'<div class="sliders">{place}</div></div>'
        f'<div class="sliders">{"".join(sliders[name] for name in ("shadow", "blur", "shift", "feather"))}</div>'
        f'<p class="small">{text.FRAME_EDGE_NOTE}</p></div></details>'
    )
