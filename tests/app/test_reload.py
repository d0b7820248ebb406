"""A page that is loaded again has its last result; nobody else has."""

import time

import numpy as np
import pytest
from tabs import EXAMPLES, upload

from matting.app import limits
from matting.app.results.comparison import Photo
from matting.app.session import Session
from matting.app.sessions import Sessions

SECRET = "s" * 32


@pytest.fixture
def left(sessions, request_of, result) -> Session:
    """A page with a result, which has been closed."""
    session = sessions.of(None, request_of("before"))
    session.visit = SECRET
    session.begin(result)
    session.write(np.zeros((4, 4), np.uint8), "alpha")
    sessions.leave(request_of("before"))
    return session


def resumed(sessions: Sessions, request, visit: str = SECRET) -> Session:
    session = sessions.of(None, request)
    assert sessions.resume(visit, session) == (session.result is not None)
    return session


def test_a_reload_finds_the_last_result_and_no_file_is_kept_for_it(sessions, request_of, left, result):
    assert left.closed and left.result is None and not left.folder.exists()
    session = resumed(sessions, request_of("after"))
    assert session.result is result and session.painting is result.painting and session.turn is not None
    assert resumed(sessions, request_of("a third")).result is None, "once"


@pytest.mark.parametrize("visit", ["", "s", "S" * 32, "\u00e9", "s" * 33])
def test_who_does_not_know_the_secret_gets_nothing(sessions, request_of, left, visit):
    assert resumed(sessions, request_of("after"), visit).result is None
    assert resumed(sessions, request_of("after")).result is not None, "and takes nothing away"


def test_another_address_gets_nothing(sessions, request_of, left):
    assert resumed(sessions, request_of("after", "203.0.113.9")).result is None


def test_callers_without_a_session_and_of_mcp_get_nothing(sessions, request_of, left):
    for nobody in (request_of(None), request_of("mcp", x_gradio_user="mcp")):
        assert resumed(sessions, nobody).result is None


def test_the_page_before_may_not_be_known_to_be_gone(sessions, request_of, result):
    before = sessions.of(None, request_of("before"))
    before.visit = SECRET
    before.begin(result)
    after = resumed(sessions, request_of("after"))
    assert after.result is result
    sessions.leave(request_of("before"))
    assert after.result is result, "its end takes nothing from the new page"


def test_a_program_is_not_remembered_after_it_has_left(sessions, request_of, result):
    sessions.of(None, request_of("program")).begin(result)
    sessions.leave(request_of("program"))
    assert not sessions._left and resumed(sessions, request_of("after"), "").result is None


def test_the_last_result_has_a_short_life_and_counts_in_the_budget(sessions, request_of, left, monkeypatch):
    sessions.sweep(lambda key: True, time.monotonic() + limits.RELOAD_S - 1)
    assert SECRET in sessions._left
    monkeypatch.setattr(limits, "RESULTS_BYTES", 1 * limits.MB)
    latest = sessions.of(None, request_of("latest"))
    latest.begin(Photo("a", np.zeros(limits.MB, np.uint8), None))
    sessions.sweep(lambda key: True)
    sessions.sweep(lambda key: True)
    assert SECRET not in sessions._left and latest.result is not None


def test_after_a_minute_it_is_gone(sessions, request_of, left):
    sessions.sweep(lambda key: True, time.monotonic() + limits.RELOAD_S + 1)
    assert resumed(sessions, request_of("after")).result is None


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize("wait_ms", [0, 3000])
def test_a_page_loaded_again_shows_its_last_photo(open_page, wait_ms):
    page = open_page(390, 844) if wait_ms else open_page(1360, 900)
    upload(page, EXAMPLES / "silver.jpg")
    page.wait_for_selector("#panels img[src*=silver-change]")
    page.set_default_timeout(20000)
    address = page.url
    if wait_ms:  # long enough for the server to know that the page is gone
        page.goto("about:blank")
        page.wait_for_timeout(wait_ms)
        page.goto(address)
    else:
        page.reload()
    page.wait_for_selector("#panels img[src*=silver-change]")
    assert "your last result" in page.inner_text("#note") and page.locator("#photo img").count() == 1
    with page.expect_download() as download:
        page.click("#save-png")
    assert download.value.suggested_filename == "silver-cutout.png"
    other = page.context.new_page()
    other.goto(address)
    other.wait_for_selector("#panels img[src*=windswept]")
    assert "example" in other.inner_text("#note"), "another tab knows nothing of it"
