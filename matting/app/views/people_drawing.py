"""A picture with people in it, each of whom is a button in their own shape."""

from html import escape
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

PEOPLE_SIDE = 960  # pixels of the picture, at most
_UNITS = 1000  # of the drawing, to a side of the picture


class Person(NamedTuple):
    """One of them.

    Attributes:
        mask: (h, w), where they are, at any size.
        pressed: whether they are chosen.
        name: what a click does, and to whom.
    """

    mask: NDArray[np.bool_]
    pressed: bool
    name: str


def people_html(source: str, alt: str, title: str, people: dict[int, Person], smooth: int, *, picked: bool) -> str:
    """The picture; a click tells Python the number of the person.

    Args:
        source: address of the picture.
        alt: what the picture is.
        title: what can be done.
        people: by number.
        smooth: points of an outline to a cell of a mask.
        picked: whether those who are not chosen are darkened.
    """
    buttons = "".join(
        f'<path d="{_outline(person.mask, smooth)}" data-pick="{number}" role="button" tabindex="0" '
        f'aria-pressed="{str(person.pressed).lower()}" aria-label="{escape(person.name)}">'
        f"<title>{escape(person.name)}</title></path>"
        for number, person in people.items()
    )
    return (
        f'<div class="people{" picked" if picked else ""}"><img src="{source}" alt="{escape(alt)}"/>'
        f'<svg viewBox="0 0 {_UNITS} {_UNITS}" preserveAspectRatio="none" role="group" aria-label="{escape(title)}">'
        f"{buttons}</svg></div>"
    )


def _outline(mask: NDArray[np.bool_], smooth: int) -> str:
    """An SVG path around the cells of a mask (h, w), rounded."""
    height, width = (side * smooth for side in mask.shape)
    fine = cv2.resize(mask.astype(np.float32), (width, height), interpolation=cv2.INTER_NEAREST)
    fine = cv2.GaussianBlur(fine, (0, 0), smooth, borderType=cv2.BORDER_REPLICATE)
    outlines, _ = cv2.findContours((fine > 0.5).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    scale = np.array([_UNITS / width, _UNITS / height])
    paths = ("L".join(f"{x:.0f} {y:.0f}" for x, y in (outline[:, 0] + 0.5) * scale) for outline in outlines)
    return "".join(f"M{path}Z" for path in paths)
