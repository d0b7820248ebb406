"""The first frame of a clip with its people, each of whom can be clicked, and the frame that is being worked on."""

from html import escape

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from matting.app import text
from matting.app.results.clip_start import ClipStart
from matting.app.results.result import shrink
from matting.app.views.people_drawing import PEOPLE_SIDE, Person, people_html
from matting.app.views.region_drawing import data_uri

_SMOOTH = 6  # points of an outline to a cell


def first_frame_html(start: ClipStart) -> str:
    """The first frame, if several people are in it: a button each in their shape. Else there is nothing to choose."""
    if start.count < 2:
        return ""
    people = {
        number: Person(
            start.people == number, number == start.person, text.CLIP_PERSON.format(number=number, count=start.count)
        )
        for number in range(1, start.count + 1)
    }
    picture = data_uri(shrink(start.image, PEOPLE_SIDE), "JPEG")
    frame = people_html(picture, text.CLIP_PEOPLE_ALT, text.CLIP_PEOPLE_TITLE, people, _SMOOTH, picked=bool(start.person))
    note = text.CLIP_PEOPLE_NOTE if start.person == 0 else text.CLIP_PEOPLE_CHOSEN.format(number=start.person)
    return f'<h3>{text.CLIP_PEOPLE_TITLE}</h3>{frame}<p class="small" role="status">{escape(note)}</p>'


def live_html(cutout: NDArray[np.uint8], frame: int) -> str:
    """The frame finished last, (h, w, 4) straight RGBA, over a checkerboard."""
    picture = data_uri(Image.fromarray(cutout, "RGBA"), "WebP")
    return f'<div class="live"><img src="{picture}" alt="{text.CLIP_LIVE_ALT.format(frame=frame)}"/></div>'
