"""HTML and SVG of one region: its position, attention to its neighbours, its pixels, and the histogram of all changes."""

import base64
import io
from html import escape

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from matting.app import text
from matting.app.results.kept import KeptMatte
from matting.app.results.region import RegionView
from matting.evaluation.figures import signed_colours
from matting.network.regions import REGION_SIZE
from matting.postprocess.bit_depth import to_8_bit

BINS = 20
_HISTOGRAM = (400, 150)  # width and height of the drawing
_OUTSIDE = (216, 208, 195)  # between the pages of both themes
_NEIGHBOURHOOD_PX = 440


def data_uri(pixels: NDArray[np.uint8] | Image.Image, image_format: str = "PNG") -> str:
    """An image as a data URI, for pictures too small to be worth a file."""
    picture = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    stream = io.BytesIO()
    picture.save(stream, image_format, **({"quality": 92, "subsampling": 0} if image_format == "JPEG" else {}))
    return f"data:image/{image_format.lower()};base64,{base64.b64encode(stream.getvalue()).decode()}"


def locator_svg(matte: KeptMatte, view: RegionView | None = None, lit: NDArray[np.int64] | None = None) -> str:
    """The layer over the photo: lit regions, the chosen one and its neighbours, in working pixels of the crop."""
    left, top, width, height = _photo_box(matte)
    box = f"{left:g} {top:g} {width:g} {height:g}"
    parts = [] if lit is None else [f'<path class="lit" d="{_squares(matte.regions.cells[lit])}"/>']
    if view is not None:
        x, y = _centre(view.cell)
        parts.append(_links(view, 0, 0))
        parts.append(f'<path class="near" d="{_squares(view.neighbour_cells)}"/>')
        parts.append(f'<path class="own" d="{_squares(np.array([view.cell]))}"/>')
        parts.append(f'<circle class="ring" cx="{x}" cy="{y}" r="{max(height, width) * 0.045:.1f}"/>')
    return (
        f'<svg class="locator" viewBox="{box}" preserveAspectRatio="none" tabindex="0" role="application" '
        f'aria-label="{escape(text.REGIONS_PICTURE_ALT)}">{"".join(parts)}</svg>'
    )


def neighbourhood_html(matte: KeptMatte, view: RegionView) -> str:
    """The photo around the region, enlarged, with lines to its neighbours as thick as the attention they get."""
    offsets = np.abs(view.neighbour_cells - np.array(view.cell)).max(initial=0)
    reach = int(np.clip(offsets + 1, 3, 9))
    row, column = view.cell[0] - reach, view.cell[1] - reach
    side = (2 * reach + 1) * REGION_SIZE
    left, top = column * REGION_SIZE, row * REGION_SIZE
    order = "".join(
        f'<text x="{_centre(cell)[0] - left}" y="{_centre(cell)[1] - top}">{number}</text>'
        for number, cell in enumerate(view.neighbour_cells, 1)
    )
    near = _squares(view.neighbour_cells - np.array([row, column]))
    own = _squares(np.array([[reach, reach]]))
    return (
        f'<figure class="neighbourhood"><div class="square"><img src="{_crop(matte, left, top, side)}" '
        f'alt="{escape(text.NEIGHBOURHOOD_ALT)}"/><svg viewBox="0 0 {side} {side}" style="--side:{side}" aria-hidden="true">'
        f'{_links(view, left, top)}<path class="near" d="{near}"/><path class="own" d="{own}"/>{order}</svg></div>'
        f"<figcaption>{text.NEIGHBOURHOOD_CAPTION}</figcaption></figure>"
    )


def patches_html(view: RegionView) -> str:
    """The region's 64 pixels, five times: photo, coarse, refined, refined alone, difference."""
    difference = signed_colours(view.refined - view.coarse, 1.0)
    pictures = (view.image, to_8_bit(view.coarse), to_8_bit(view.refined), to_8_bit(view.alone), difference)
    tiles = "".join(
        f'<figure><img class="pixels" src="{data_uri(pixels)}" alt="{escape(title)}"/>'
        f"<figcaption><b>{title}</b> {caption}</figcaption></figure>"
        for pixels, (title, caption) in zip(pictures, text.PATCHES, strict=True)
    )
    return f'<div class="patches">{tiles}</div>'


def attention_svg(view: RegionView) -> str:
    """A row a head, a column a token: the region itself, then neighbours 1 to 8; the stronger the more attention."""
    heads, tokens = view.attention.shape
    cell, left, top = 30, 58, 22
    labels = [text.ATTENTION_OWN, *map(str, range(1, tokens))]
    parts = [
        f'<text x="{left + (i + 0.5) * cell}" y="{top - 8}" text-anchor="middle">{label}</text>'
        for i, label in enumerate(labels)
    ]
    least, largest = float(view.attention.min()), float(view.attention.max())
    caption = text.ATTENTION_CAPTION.format(heads=heads, low=least, high=largest)
    for head in range(heads):
        y = top + head * 20
        parts.append(f'<text x="{left - 10}" y="{y + 14}" text-anchor="end">{text.ATTENTION_HEAD} {head + 1}</text>')
        for token in range(tokens):
            share = float(view.attention[head, token])
            strength = 0.08 + 0.92 * (share - least) / max(largest - least, 1e-6)
            parts.append(
                f'<rect x="{left + token * cell}" y="{y}" width="{cell - 2}" height="18" rx="3" '
                f'style="fill-opacity:{strength:.3f}"><title>{share:.0%}</title></rect>'
            )
    size = (left + tokens * cell, top + heads * 20)
    return (
        f'<figure class="chart attention"><svg viewBox="0 0 {size[0]} {size[1]}" role="img" '
        f'aria-label="{escape(text.ATTENTION_ALT)}">{"".join(parts)}</svg>'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def histogram_svg(changes: NDArray[np.float32], chosen: int | None = None) -> str:
    """How many regions changed by how much; a click on a bar tells the page which (`data-pick`)."""
    counts = np.bincount(bins_of(changes), minlength=BINS)
    limit = histogram_limit(changes)
    width, height = _HISTOGRAM
    step = width / BINS
    tallest = max(int(counts.max()), 1)
    bars = []
    for number, count in enumerate(counts):
        tall = 0 if count == 0 else max(3.0, height * np.sqrt(count / tallest))
        low, high = limit * number / BINS, limit * (number + 1) / BINS
        caption = text.HISTOGRAM_BAR.format(count=count, low=low, high=high)
        bars.append(
            f'<g class="bar{" chosen" if number == chosen else ""}" data-pick="{number}" tabindex="0" role="button" '
            f'aria-label="{caption}"><title>{caption}</title><rect class="hit" x="{number * step}" y="0" width="{step}" '
            f'height="{height}"/><rect class="tall" x="{number * step + 1}" y="{height - tall:.1f}" '
            f'width="{step - 2}" height="{tall:.1f}" rx="2"/></g>'
        )
    ticks = "".join(
        f'<text x="{width * share}" y="{height + 16}" text-anchor="{anchor}">{limit * share:.2f}</text>'
        for share, anchor in ((0, "start"), (0.5, "middle"), (1, "end"))
    )
    return (
        f'<figure class="chart histogram"><svg viewBox="0 0 {width} {height + 20}" role="group" '
        f'aria-label="{escape(text.HISTOGRAM_ALT)}"><line x1="0" x2="{width}" y1="{height}" y2="{height}"/>'
        f"{''.join(bars)}{ticks}</svg><figcaption>{text.HISTOGRAM_CAPTION}</figcaption></figure>"
    )


def bins_of(changes: NDArray[np.float32]) -> NDArray[np.int64]:
    """(N,) number of the histogram bar each region belongs to."""
    return np.clip((changes / histogram_limit(changes) * BINS).astype(np.int64), 0, BINS - 1)


def histogram_limit(changes: NDArray[np.float32]) -> float:
    """Upper limit of the histogram: the largest change, rounded up to tenths."""
    return max(0.1, float(np.ceil(10 * changes.max(initial=0) - 1e-6)) / 10)


def _links(view: RegionView, left: float, top: float) -> str:
    x, y = _centre(view.cell)
    weights = view.attention.mean(0)[1:]
    largest = max(float(weights.max()), 1e-6)
    return "".join(
        f'<line class="link" x1="{x - left}" y1="{y - top}" x2="{u - left}" y2="{v - top}" '
        f'style="stroke-width:{0.6 + 5 * weight / largest:.2f}px;opacity:{0.35 + 0.65 * weight / largest:.2f}"/>'
        for (u, v), weight in zip(map(_centre, view.neighbour_cells), weights, strict=True)
    )


def _centre(cell: tuple[int, int] | NDArray[np.int64]) -> tuple[int, int]:
    """(x, y) in working pixels."""
    return int(cell[1]) * REGION_SIZE + REGION_SIZE // 2, int(cell[0]) * REGION_SIZE + REGION_SIZE // 2


def _photo_box(matte: KeptMatte) -> tuple[float, float, float, float]:
    """Left, top, width and height of the whole photo, in working pixels of its crop."""
    down, across = matte.working_scale
    height, width = matte.image.shape[:2]
    return -matte.crop.left * across, -matte.crop.top * down, width * across, height * down


def _squares(cells: NDArray[np.int64]) -> str:
    size = REGION_SIZE
    return "".join(f"M{column * size} {row * size}h{size}v{size}h-{size}z" for row, column in cells.tolist())


def _crop(matte: KeptMatte, left: int, top: int, side: int) -> str:
    """Data URI of a square given in working pixels, cut from the full photo; plain where it leaves the picture."""
    down, across = matte.working_scale
    x, y = matte.crop.left + left / across, matte.crop.top + top / down
    box = (x, y, x + side / across, y + side / down)
    size = (_NEIGHBOURHOOD_PX, _NEIGHBOURHOOD_PX)
    whole = tuple(int(np.floor(v)) for v in box[:2]) + tuple(int(np.ceil(v)) for v in box[2:])
    window = Image.new("RGB", (whole[2] - whole[0], whole[3] - whole[1]), _OUTSIDE)
    x0, y0 = max(whole[0], 0), max(whole[1], 0)
    inside = matte.image[y0 : max(whole[3], 0), x0 : max(whole[2], 0)]
    window.paste(Image.fromarray(inside), (x0 - whole[0], y0 - whole[1]))
    local = (box[0] - whole[0], box[1] - whole[1], box[2] - whole[0], box[3] - whole[1])
    return data_uri(window.resize(size, Image.Resampling.BICUBIC, box=local), "JPEG")
