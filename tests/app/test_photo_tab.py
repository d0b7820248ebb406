"""The tab Photo without a browser: answers that cross on their way."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from matting.app.results.result import ExamplePhoto
from matting.app.stopping import StoppedError
from matting.app.tabs.photo import PhotoTab
from matting.app.views.photo_page import PhotoPage
from matting.app.views.photo_shown import PhotoShown

SETTINGS = ("Auto", 0.0, True, True, False)
LOOK = ("transparent", None, "")


@pytest.fixture
def tab(sessions, result) -> PhotoTab:
    """The handlers, with a service that has everything at hand."""
    tab = PhotoTab.__new__(PhotoTab)
    tab.page = SimpleNamespace(**{name: name for name in PhotoPage._fields})
    tab.session = "session"
    tab.service = SimpleNamespace(sessions=sessions, examples=(), device="cpu", weights="random")
    tab.service.cut_out = lambda photo, *_: replace(result, stem=Path(photo).stem)
    tab.shown = PhotoShown(tab.page, tab.service)
    return tab


@pytest.fixture
def photo(tmp_path) -> str:
    folder = tmp_path / "upload"
    folder.mkdir()
    Image.new("RGB", (40, 30)).save(folder / "mine.png")
    return str(folder / "mine.png")


def test_an_example_that_is_late_does_not_take_the_new_photo_away(tab, photo, sessions, request_of, result):
    request = request_of("page")
    session = sessions.of(None, request)

    def example(number: int):
        list(tab.announce(photo, session, request))  # while it is computed
        return replace(result, example=ExamplePhoto(Path("a"), Path("b"), "an example", drawn=True))

    tab.service.example = example
    for shown in tab.show_example(*LOOK, session, request, SimpleNamespace(value=0)):
        assert "photo" not in shown and "viewer" not in shown
    assert session.result is None


def test_a_tray_emptied_by_an_answer_on_its_way_is_filled_again(tab, photo, sessions, request_of):
    request = request_of("page")
    session = sessions.of(None, request)
    list(tab.announce(photo, session, request))
    shown = list(tab.cut_out(request, session, None, None, *SETTINGS, *LOOK))
    assert session.result is not None and session.result.stem == "mine"
    assert "mine" in shown[-1]["photo"]
    list(tab.announce(None, session, request))
    assert list(tab.cut_out(request, session, None, None, *SETTINGS, *LOOK)) == [{"session": session}], "it was taken away"


def test_settings_changed_meanwhile_are_for_the_new_photo(tab, photo, sessions, request_of, result):
    request = request_of("page")
    session = sessions.of(None, request)
    session.begin(result)
    cut_out = tab.service.cut_out

    def stopped(*_):
        raise StoppedError

    list(tab.announce(photo, session, request))
    tab.service.cut_out = stopped  # as a change of the settings does
    list(tab.cut_out(request, session, photo, None, *SETTINGS, *LOOK))
    assert session.result is result
    tab.service.cut_out = cut_out
    list(tab.run_again(request, session, None, *SETTINGS, *LOOK))
    assert session.result.stem == "mine"


def test_an_example_chosen_after_a_photo_was_sent_stays(tab, photo, sessions, request_of, result):
    request = request_of("page")
    session = sessions.of(None, request)
    example = replace(result, example=ExamplePhoto(Path("a"), Path("b"), "an example", drawn=True))
    tab.service.example = lambda number: example
    list(tab.announce(photo, session, request))
    list(tab.show_example(*LOOK, session, request, SimpleNamespace(value=0)))
    assert list(tab.cut_out(request, session, photo, None, *SETTINGS, *LOOK)) == [{"session": session}]
    assert session.result.example is not None
