"""The first frame of a clip with its people, each of whom can be clicked, and the frame that is being worked on."""

from html import escape

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from matting.app import text
from matting.app.results.clip_start import ClipStart
from matting.app.results.result import shrink
from matting.app.views.region_drawing import data_uri

_FIRST_SIDE = 960
_SMOOTH = 6  # points of an outline to a cell
_UNITS = 1000  # of the drawing, to a side of the frame


def first_frame_html(start: ClipStart) -> str:
    """The first frame, if several people are in it: a button each in their shape. Else there is nothing to choose."""
    if start.count < 2:
        return ""
    people = "".join(_person(start, number) for number in range(1, start.count + 1))
    picture = data_uri(shrink(start.image, _FIRST_SIDE), "JPEG")
    note = text.CLIP_PEOPLE_NOTE if start.person == 0 else text.CLIP_PEOPLE_CHOSEN.format(number=start.person)
    return (
        f"<h3>{text.CLIP_PEOPLE_TITLE}</h3>"
        f'<div class="first-frame{" picked" if start.person else ""}"><img src="{picture}" alt="{text.CLIP_PEOPLE_ALT}"/>'
        f'<svg viewBox="0 0 {_UNITS} {_UNITS}" preserveAspectRatio="none" role="group" aria-label="{text.CLIP_PEOPLE_TITLE}">'
        f'{people}</svg></div><p class="small" role="status">{escape(note)}</p>'
    )


def _person(start: ClipStart, number: int) -> str:
    name = text.CLIP_PERSON.format(number=number, count=start.count)
    return (
        f'<path d="{_outline(start.people == number)}" data-pick="{number}" role="button" tabindex="0" '
        f'aria-pressed="{str(number == start.person).lower()}" aria-label="{name}"><title>{name}</title></path>'
    )


def _outline(mask: NDArray[np.bool_]) -> str:
    """An SVG path around the cells of a mask (h, w), rounded."""
    height, width = (side * _SMOOTH for side in mask.shape)
    fine = cv2.resize(mask.astype(np.float32), (width, height), interpolation=cv2.INTER_NEAREST)
    fine = cv2.GaussianBlur(fine, (0, 0), _SMOOTH, borderType=cv2.BORDER_REPLICATE)
    outlines, _ = cv2.findContours((fine > 0.5).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    scale = np.array([_UNITS / width, _UNITS / height])
    paths = ("L".join(f"{x:.0f} {y:.0f}" for x, y in (outline[:, 0] + 0.5) * scale) for outline in outlines)
    return "".join(f"M{path}Z" for path in paths)


def live_html(cutout: NDArray[np.uint8], frame: int) -> str:
    """The frame finished last, (h, w, 4) straight RGBA, over a checkerboard."""
    picture = data_uri(Image.fromarray(cutout, "RGBA"), "WebP")
    return f'<div class="live"><img src="{picture}" alt="{text.CLIP_LIVE_ALT.format(frame=frame)}"/></div>'
