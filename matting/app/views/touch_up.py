"""Touching up: the tools with which a visitor paints over what is wrong, and what the browser is told beside the picture."""

from matting.app import text
from matting.app.results.result import Result
from matting.app.results.strokes import MOST_POINTS, MOST_STROKES

_BRUSHES = (6, 80)  # radius in thousandths of the longer side; the first one is a cell of the working size


def tools_html() -> str:
    """Two kinds of brush, its size, and the way back."""
    kinds = "".join(
        f'<button type="button" class="{kind}" data-kind="{kind}">{title}</button>'
        for kind, title in (("remove", text.TOUCH_UP_REMOVE), ("keep", text.TOUCH_UP_KEEP))
    )
    acts = "".join(
        f'<button type="button" data-act="{act}" title="{keys}">{title}</button>'
        for act, (title, keys) in text.TOUCH_UP_ACTS.items()
    )
    brush = f'<input type="range" min="{_BRUSHES[0]}" max="{_BRUSHES[1]}" title="{text.TOUCH_UP_BRUSH_KEYS}"/>'
    return (
        f'<div class="tools"><p>{text.TOUCH_UP_NOTE}</p>{kinds}'
        f"<label>{text.TOUCH_UP_BRUSH} {brush}</label><span>{acts}</span></div>"
    )


def painting_facts(result: Result, version: int | None = None) -> dict[str, float]:
    """What of a painting is answered, and how much may be painted.

    Args:
        result: of the photo.
        version: of the painting that this answers; that of the result if not given.
    """
    painting = result.painting
    return {
        "version": painting.version if version is None else version,
        "answered": len(painting.strokes),
        "strokes": MOST_STROKES,
        "points": 0.9 * MOST_POINTS,
    }
