"""Answers of the tab "Photo" that need no network: other backgrounds, parts, true alphas and files of its last result."""

from collections.abc import Iterator
from typing import Any

import gradio as gr

from matting.app.errors import Problem, plain_errors
from matting.app.results.downloads import PNG, make_file
from matting.app.results.framing import read_framing
from matting.app.service import latest, make_background, read_ground_truth
from matting.app.session import Session
from matting.app.tabs.photo_controls import seen_look
from matting.app.views.magnifier import find_spots, magnifier_html
from matting.app.views.photo_page import PhotoPage
from matting.app.views.photo_shown import PhotoShown, Update
from matting.app.views.viewer import show_result


class PhotoAnswers:
    """Handlers that answer at once, from the result that the session keeps."""

    def __init__(self, page: PhotoPage, shown: PhotoShown):
        self.page = page
        self.shown = shown

    def change_look(self, choice: str, picture: str | None, framing: str, session: Session | None) -> Iterator[Update]:
        """Pictures behind the person are drawn here; a picture that cannot be read is taken out of its box."""
        if session is None or session.result is None:
            yield {self.page.picture: gr.skip()}
            return
        session.take(picture)
        try:
            look = seen_look(choice, picture, framing)
        except Problem:
            yield {self.page.picture: None}
            raise
        yield self.shown.stage(session.result, session, look)

    def show_full_size(
        self, choice: str, picture: str | None, framing: str, session: Session | None, event: gr.EventData
    ) -> Any:
        """The viewer was zoomed in so far that the photo's own pixels are seen."""
        session, result = latest(session)
        if event.value != session.painting.photo:
            return gr.skip()
        shown = show_result(result, session, *seen_look(choice, picture, framing), full=True)
        return shown if session.result is result else gr.skip()

    def toggle_part(
        self, choice: str, picture: str | None, framing: str, session: Session | None, event: gr.EventData
    ) -> Update:
        session, result = latest(session)
        with plain_errors():
            result = session.result = result.toggled(int(event.value))
        return {
            **self.shown.stage(result, session, seen_look(choice, picture, framing)),
            self.page.magnifier: magnifier_html(result, find_spots(result)),
        }

    def measure_again(self, session: Session | None) -> Update:
        """Parts were left out or brought back, and the errors follow."""
        session, result = latest(session)
        return self.shown.truth(result, session)

    def move_magnifier(self, session: Session | None, event: gr.EventData) -> str:
        _, result = latest(session)
        return magnifier_html(result, find_spots(result), int(event.value))

    def compare_truth(self, truth: str | None, session: Session | None) -> Iterator[Update]:
        """A true alpha for the photo, or for the next one if there is none; one that cannot be used is taken out of its box."""
        if session is None or session.result is None:
            yield {self.page.truth: "", self.page.headline: ""}
            return
        session.take(truth)
        result = session.result
        try:
            alpha = None if truth is None else read_ground_truth(truth, result.matte.image)
        except Problem:
            yield {self.page.truth_file: None}
            raise
        result = session.result = result.with_ground_truth(alpha)
        yield self.shown.truth(result, session)

    def save(self, choice: str, picture: str | None, framing: str, session: Session | None, event: gr.EventData) -> str:
        """The file that was asked for."""
        return self._make(str(event.value), choice, picture, framing, session)

    def copy(self, choice: str, picture: str | None, framing: str, session: Session | None) -> str:
        """The picture as it is seen, for the clipboard."""
        return self._make(PNG, choice, picture, framing, session)

    def _make(self, what: str, choice: str, picture: str | None, framing: str, session: Session | None) -> str:
        session, result = latest(session)
        with plain_errors():
            framed = read_framing(framing)
            return str(make_file(result, what, make_background(choice, picture, framed.blur), session, framed))
