"""Tab "Photo": what its components show of a session, all of it from one result."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

from matting.app import text
from matting.app.results.background import BackgroundChoice
from matting.app.results.framing import Look
from matting.app.results.result import Result, shrink
from matting.app.service import Service
from matting.app.session import Session, address_of
from matting.app.views import actions, viewer
from matting.app.views.facts import facts_html
from matting.app.views.ground_truth import ground_truth_html, headline_html
from matting.app.views.magnifier import find_spots, magnifier_html
from matting.app.views.panels import panels_html
from matting.app.views.people_drawing import PEOPLE_SIDE, Person, people_html
from matting.app.views.photo_page import PhotoPage, example_strip, note_html

Update = dict[Any, Any]

_TINY = 64  # pixels, the longer side of a picture in which nobody can be told
BROWSERS_SHOW = (".jpg", ".jpeg", ".png", ".webp")


class PhotoShown:
    """Values of the tab's components."""

    def __init__(self, page: PhotoPage, service: Service):
        self._page = page
        self._service = service

    def result(self, result: Result, session: Session, seconds: float | None) -> Update:
        """What is said of a cut-out and can be done with it. `seconds` the visitor has waited, None if it was there already."""
        page, service = self._page, self._service
        return {
            page.actions: actions.actions_value(result),
            page.stop: gr.Button(visible=False),
            page.facts: facts_html(result, service.device, service.weights, seconds),
            page.parts: gr.Column(visible=result.parts.count > 1),
            page.parts_title: parts_title(result),
            page.examples: example_strip(service.examples, result.example),
            page.headline: gr.skip() if result.truth_8 is not None else "",
        }

    def stage(self, result: Result, session: Session, look: Look) -> Update:
        """What changes with the background and with the parts that are kept."""
        return {
            self._page.viewer: viewer.show_result(result, session, look.background, look.framing),
            self._page.parts_picture: _parts_picture(result, look.background, session),
        }

    def details(self, result: Result, session: Session) -> Update:
        """How the cut-out came about."""
        return {
            self._page.magnifier: magnifier_html(result, find_spots(result)),
            self._page.panels: panels_html(result, session),
            **self.truth(result, session),
        }

    def truth(self, result: Result, session: Session) -> Update:
        """What was measured against the true alpha; nothing without one."""
        return {self._page.truth: ground_truth_html(result, session), self._page.headline: headline_html(result)}

    def tray(self, session: Session) -> Update:
        """The photo that the stage shows, for the tray; our own pictures lie beside it and not in it."""
        result = session.result
        if result is None or result.example:
            return {self._page.photo: None}
        return {self._page.photo: str(session.write(result.preview.image, result.stem, lossy=True))}

    def nothing(self) -> Update:
        """No photo: everything is empty."""
        page = self._page
        empty = (page.facts, page.parts_title, page.parts_picture, page.magnifier, page.panels, page.truth, page.headline)
        return {
            page.photo: None,
            page.truth_file: None,
            page.note: note_html(text.WAITING),
            page.stop: gr.Button(visible=False),
            page.viewer: viewer.NOTHING,
            page.actions: actions.NOTHING,
            page.parts: gr.Column(visible=False),
            page.examples: example_strip(self._service.examples),
            **dict.fromkeys(empty, ""),
        }


def browsers_show(photo: str | Path) -> bool:
    """Whether the tray can show this upload itself; some formats it can only be shown a copy of."""
    return Path(photo).suffix.lower() in BROWSERS_SHOW


def parts_title(result: Result) -> str:
    title = text.PARTS_TITLE.format(count=result.parts.count)
    return f"<h2>{title}</h2><p>{text.PARTS_NOTE}</p>"


def done_note(result: Result, seconds: float, dropped_truth: bool = False) -> str:
    """What to say when a photo is done."""
    if result.example:
        return note_html(text.EXAMPLE_NOTE)
    message = text.DONE_NOTE.format(seconds=seconds) if result.found_somebody else nobody_text(result)
    if result.found_somebody and result.unknown_bias:
        message += " " + text.OFF_PAPER.format(bias=result.unknown_bias)
    if dropped_truth:
        message += " " + text.TRUTH_DROPPED
    return note_html(message, "plain" if result.found_somebody and not dropped_truth else "calm")


def _parts_picture(result: Result, background: BackgroundChoice, session: Session) -> str:
    """Everybody on the background, a button each; nothing to choose from if there is one part alone."""
    parts = result.parts
    if parts.count < 2:
        return ""
    everybody = result.keeping(replace(parts, dropped=frozenset())).preview_on(background)
    source = address_of(session.write(shrink(everybody, PEOPLE_SIDE), f"{result.stem}-parts", lossy=True))
    people = {
        number: Person(
            parts.solid & (parts.labels == number),
            number not in parts.dropped,
            text.PART.format(number=number + 1, count=parts.count),
        )
        for number in range(parts.count)
    }
    return people_html(source, text.PARTS_ALT, text.PARTS_NOTE, people, 1, picked=bool(parts.dropped))


def nobody_text(result: Result) -> str:
    """Why nobody may have been found, and what to do."""
    height, width = result.matte.size
    return text.NOBODY_TINY.format(width=width, height=height) if max(height, width) < _TINY else text.NOBODY
