"""The line of facts under a result."""

from html import escape

from matting.app import text
from matting.app.results.result import Result
from matting.network.regions import REGION_SIZE

_NOTABLE_BRIGHTENING = 1.5


def facts_html(result: Result, device: str, weights: str, waited: float | None = None) -> str:
    """Size, working size, regions, seconds per step, device and weights as a list of terms.

    Args:
        result: of the photo.
        device: the network ran on.
        weights: what they are called.
        waited: seconds the visitor has waited in all; None if the result was there already.
    """
    matte = result.matte
    height, width = matte.size
    worked = sum(matte.seconds.values())
    total = worked if waited is None else waited
    steps = matte.seconds if waited is None else {**matte.seconds, "around": max(0.0, waited - worked)}
    stages = " · ".join(f"{text.STAGES.get(name, name)} {seconds:.2f} s" for name, seconds in steps.items())
    close_up = [(f"{matte.crop_share:.0%}", text.FACT_CLOSE_UP)] if matte.crop_share < 1 else []
    gain = [(f"{matte.brightening:.1f}×", text.FACT_BRIGHTENED)] if matte.brightening >= _NOTABLE_BRIGHTENING else []
    facts = (
        (f"{width} × {height}", text.FACT_SIZE),
        (f"{matte.working_size[1]} × {matte.working_size[0]}", text.FACT_WORKING),
        *close_up,
        *gain,
        (f"{len(matte.regions.cells):,}", text.FACT_REGIONS),
        (f"{refined_share(result):.1%}", text.FACT_SHARE),
        (f"{total:.2f}", text.FACT_TIME),
        (escape(device), text.FACT_DEVICE),
        (escape(weights), text.FACT_WEIGHTS),
    )
    items = "".join(f"<div><dd>{value}</dd><dt>{term}</dt></div>" for value, term in facts)
    return f'<dl class="facts">{items}</dl><p class="stages-line">{stages}</p>'


def refined_share(result: Result) -> float:
    """Share of the photo's area in refined regions, in [0, 1]."""
    matte = result.matte
    height, width = matte.working_size
    return matte.crop_share * len(matte.regions.cells) * REGION_SIZE**2 / (height * width)
