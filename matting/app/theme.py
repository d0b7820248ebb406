"""The look: warm paper by day, a darkroom by night, and amber for everything that is unknown."""

import base64
from pathlib import Path

import gradio as gr
from gradio.themes.utils import colors, sizes
from gradio.themes.utils.fonts import LocalFont

_STATIC = Path(__file__).parent / "static"
STYLE_PATH = _STATIC / "style.css"

_HEADINGS = _STATIC / "fonts" / "lora-latin-600.woff2"  # SIL Open Font License, see OFL.txt beside it
_AMBER = colors.Color(
    name="amber",
    c50="#fff6e6",
    c100="#fde8c6",
    c200="#fad08f",
    c300="#f6b65a",
    c400="#f0a13a",
    c500="#dc871b",
    c600="#b0650c",
    c700="#8b4d0d",
    c800="#6b3c10",
    c900="#52300f",
    c950="#321c06",
)
_PAPER = colors.Color(
    name="paper",
    c50="#fffdf9",
    c100="#f6f2ea",
    c200="#e8e1d4",
    c300="#d4cbba",
    c400="#a89e8c",
    c500="#776e60",
    c600="#5c554a",
    c700="#453f37",
    c800="#2a2622",
    c900="#1e1b18",
    c950="#141210",
)


def build_theme() -> gr.themes.Base:
    """Fonts come with Gradio, so nothing is fetched from elsewhere."""
    theme = gr.themes.Base(
        primary_hue=_AMBER,
        secondary_hue=_AMBER,
        neutral_hue=_PAPER,
        radius_size=sizes.radius_lg,
        text_size=sizes.text_md,
        font=[LocalFont("IBM Plex Sans", weights=(400, 700)), "system-ui", "sans-serif"],
        font_mono=[LocalFont("IBM Plex Mono", weights=(400, 700)), "ui-monospace", "monospace"],
    )
    return theme.set(**_surfaces(), **_buttons(), **_inputs())


def heading_font() -> str:
    """CSS that carries the font of the headings inside itself; the Lora that comes with Gradio lacks Latin letters."""
    data = base64.b64encode(_HEADINGS.read_bytes()).decode()
    source = f'url("data:font/woff2;base64,{data}") format("woff2")'
    return f'@font-face {{ font-family: "Lora"; src: {source}; font-weight: 600; }}'


def _surfaces() -> dict[str, str]:
    return {
        "body_background_fill": "#f6f2ea",
        "body_background_fill_dark": "#141210",
        "body_text_color": "#2a2622",
        "body_text_color_dark": "#ede7db",
        "body_text_color_subdued": "#665e52",
        "body_text_color_subdued_dark": "#b3a998",
        "background_fill_primary": "#fffdf9",
        "background_fill_primary_dark": "#1e1b18",
        "background_fill_secondary": "#f1ebdf",
        "background_fill_secondary_dark": "#27231f",
        "block_background_fill": "#fffdf9",
        "block_background_fill_dark": "#1e1b18",
        "block_border_color": "#e4dccd",
        "block_border_color_dark": "#37312a",
        "border_color_primary": "#e4dccd",
        "border_color_primary_dark": "#37312a",
        "block_shadow": "none",
        "block_label_background_fill": "#fffdf9",
        "block_label_background_fill_dark": "#1e1b18",
        "block_label_text_color": "#665e52",
        "block_label_text_color_dark": "#b3a998",
        "block_title_text_color": "#453f37",
        "block_title_text_color_dark": "#d4cbba",
        "link_text_color": "#8b4d0d",
        "link_text_color_dark": "#f6b65a",
    }


def _buttons() -> dict[str, str]:
    return {
        "button_primary_background_fill": "#2a2622",
        "button_primary_background_fill_dark": "#f0a13a",
        "button_primary_background_fill_hover": "#453f37",
        "button_primary_background_fill_hover_dark": "#f6b65a",
        "button_primary_text_color": "#fffdf9",
        "button_primary_text_color_dark": "#1e1b18",
        "button_secondary_background_fill": "#fffdf9",
        "button_secondary_background_fill_dark": "#27231f",
        "button_secondary_background_fill_hover": "#f1ebdf",
        "button_secondary_background_fill_hover_dark": "#37312a",
        "button_secondary_border_color": "#d4cbba",
        "button_secondary_border_color_dark": "#4a4239",
        "button_border_width": "1px",
        "button_transition": "background-color 120ms ease",
    }


def _inputs() -> dict[str, str]:
    return {
        "input_background_fill": "#fffdf9",
        "input_background_fill_dark": "#191613",
        "input_border_color": "#d4cbba",
        "input_border_color_dark": "#4a4239",
        "input_border_color_focus": "#dc871b",
        "input_border_color_focus_dark": "#f0a13a",
        "checkbox_background_color_selected": "#b0650c",
        "checkbox_background_color_selected_dark": "#f0a13a",
        "checkbox_border_color_selected": "#b0650c",
        "checkbox_border_color_selected_dark": "#f0a13a",
        "slider_color": "#b0650c",
        "slider_color_dark": "#f0a13a",
        "table_even_background_fill": "#fffdf9",
        "table_even_background_fill_dark": "#1e1b18",
        "table_odd_background_fill": "#faf6ee",
        "table_odd_background_fill_dark": "#221f1b",
    }
