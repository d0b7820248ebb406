import gc
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from matting.app import limits
from matting.app.results.comparison import Photo
from matting.app.results.kept import KeptPicture
from matting.app.results.result import ExamplePhoto
from matting.app.session import Session, address_of
from matting.app.sessions import Sessions
from matting.app.stopping import StoppedError, stoppable


def test_pages_have_folders_of_their_own_that_cannot_be_guessed(sessions, request_of):
    one, two = sessions.of(None, request_of("a")), sessions.of(None, request_of("b"))
    assert one.folder != two.folder
    assert len(one.folder.name) > 30


def test_requests_of_one_page_share_a_visit_until_it_is_over(sessions, request_of):
    session = sessions.of(None, request_of("a"))
    assert sessions.of(None, request_of("a")) is session
    session.clear()
    assert sessions.of(session, request_of("a")) is not session


def test_leaving_removes_files_uploads_and_result(sessions, request_of, tmp_path):
    session = sessions.of(None, request_of("a"))
    upload = tmp_path / "upload.jpg"
    upload.touch()
    session.begin("result")
    session.take(str(upload), str(sessions.of(None, request_of("c")).folder), None)
    path = session.write(np.zeros((4, 4), np.uint8), "alpha")
    assert path.is_file()
    sessions.leave(request_of("a"))
    assert not session.folder.exists()
    assert not upload.exists()
    assert session.result is None
    with pytest.raises(StoppedError):
        session.path("late.png")
    with pytest.raises(StoppedError):
        session.begin("late result")


def test_only_uploads_are_ever_removed(tmp_path, request_of):
    (root := tmp_path / "app").mkdir()
    session = Sessions(root).of(None, request_of("a"))
    for path in (tmp_path / "other.jpg", root, root / ".." / "other.jpg"):
        with pytest.raises(ValueError, match="expected an upload below"):
            session.take(str(path))
    assert session.uploads == set()


def test_leaving_touches_nobody_else(sessions, request_of):
    one, two = sessions.of(None, request_of("a")), sessions.of(None, request_of("b"))
    two.begin("mine")
    kept = two.write(np.zeros((4, 4), np.uint8), "alpha")
    sessions.leave(request_of("a"))
    sessions.leave(request_of("nobody"))
    assert kept.is_file()
    assert two.result == "mine"
    assert one.closed


def test_new_photo_removes_the_last_ones_files(sessions, request_of):
    session = sessions.of(None, request_of("a"))
    old = session.write(np.zeros((4, 4), np.uint8), "old")
    session.begin("new")
    assert not old.exists()


def test_pictures_are_written_without_loss_under_addresses_of_their_own(sessions, request_of):
    session = sessions.of(None, request_of("a"))
    pixels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    first, second = session.write(pixels, "ä b"), session.write(pixels, "ä b")
    assert first.name == "ä b.png"
    assert first != second
    np.testing.assert_array_equal(np.asarray(Image.open(first)), pixels)
    assert " " not in address_of(first)


def test_forgotten_visits_are_not_kept_alive(sessions, request_of):
    sessions.of(None, request_of("a"))
    gc.collect()
    assert len(sessions._by_hash) == 0


def test_stop_ends_the_network_at_the_next_layer(sessions, request_of):
    session = sessions.of(None, request_of("a"))
    layers = torch.nn.Sequential(*[torch.nn.Linear(4, 4) for _ in range(5)])
    ran = []
    hook = layers[1].register_forward_hook(lambda *_: ran.append(1) or sessions.stop(request_of("a")))
    layers[3].register_forward_hook(lambda *_: ran.append(3))
    with pytest.raises(StoppedError), stoppable(layers, session):
        layers(torch.zeros(1, 4))
    assert ran == [1]
    hook.remove()
    layers(torch.zeros(1, 4))  # the model is as before
    with stoppable(layers, session):
        layers(torch.zeros(1, 4))


def test_stop_of_one_visit_leaves_others_work_alone(sessions, request_of):
    session, other = (sessions.of(None, request_of(name)) for name in "ab")
    layer = torch.nn.Linear(4, 4)

    def work_of_another() -> None:
        with stoppable(layer, other):
            layer(torch.zeros(1, 4))

    with stoppable(layer, session), ThreadPoolExecutor(1) as thread:
        sessions.stop(request_of("a"))
        thread.submit(work_of_another).result()
        with pytest.raises(StoppedError):
            layer(torch.zeros(1, 4))
    layer(torch.zeros(1, 4))


def test_who_sends_no_session_is_nobody(sessions, request_of):
    """Otherwise strangers would share one visit: see each other's photos and stop each other's work."""
    nobody = request_of(None)
    one, two = sessions.of(None, nobody), sessions.of(None, request_of(""))
    assert one is not two and sessions.of(None, nobody) is not one
    one.begin("mine")
    sessions.stop(nobody)
    sessions.leave(nobody)
    assert not one.stop.is_set() and not one.closed and one.result is None


def test_state_expires_and_is_cleared(sessions, request_of):
    from matting.app.limits import TIME_TO_LIVE_S
    from matting.app.sessions import session_state

    state = session_state()
    session = sessions.of(None, request_of("a"))
    session.begin("result")
    assert 60 <= state.time_to_live == TIME_TO_LIVE_S <= 3600
    state.delete_callback(session)
    assert session.result is None
    state.delete_callback(None)


def test_callers_of_mcp_share_nothing(sessions, request_of):
    """They all come as one client of Gradio's, so with one session."""
    mcp = request_of("shared", x_gradio_user="mcp")
    first = sessions.of(None, mcp)
    first.begin("photo of the first")
    second = sessions.of(first, mcp)
    assert second is not first and second.result is None and first.result is None
    sessions.stop(mcp)
    assert not first.stop.is_set()
    kept = first.path("cutout.png")
    kept.touch()
    del first
    gc.collect()
    sessions.sweep(lambda key: True)
    assert kept.exists()  # to be fetched
    sessions.sweep(lambda key: True, time.monotonic() + limits.PASSING_S + 1)
    assert not kept.exists()


def test_sessions_nobody_is_connected_to_are_short_lived(sessions, request_of):
    page, program = (sessions.of(None, request_of(name)) for name in ("page", "program"))
    for session in (page, program):
        session.begin(photo_of(10))
    sessions.sweep(lambda key: key == "page", time.monotonic() + limits.UNATTENDED_S - 1)
    assert program.result
    sessions.sweep(lambda key: key == "page", time.monotonic() + limits.UNATTENDED_S + 1)
    assert page.result and program.result is None and program.closed


def photo_of(megabytes: float) -> Photo:
    return Photo("a", np.zeros(int(megabytes * limits.MB), np.uint8), None)


@pytest.fixture
def small_memory(monkeypatch):
    monkeypatch.setattr(limits, "RESULTS_BYTES", 10 * limits.MB)
    monkeypatch.setattr(limits, "RESULTS_BYTES_EACH", 4 * limits.MB)


def fill(sessions, request_of, *sent: tuple[str, str]) -> list:
    """Sessions of (hash, address), one after the other, each with 1.5 MB."""
    made = []
    for number, (key, address) in enumerate(sent):
        made.append(sessions.of(None, request_of(key, address)))
        made[-1].begin(photo_of(1.5))
        made[-1].used = number
    return made


def test_remembered_results_have_a_budget_and_the_oldest_go_first(sessions, request_of, small_memory, monkeypatch):
    monkeypatch.setenv("MATTING_LIMITS", "off")
    made = fill(sessions, request_of, *((str(number), "x") for number in range(9)))
    sessions.sweep(lambda key: True, 9.0)
    assert [session.result is not None for session in made] == [False] * 3 + [True] * 6


def test_one_address_cannot_push_out_the_results_of_others(sessions, request_of, small_memory):
    mine, *theirs = fill(sessions, request_of, ("mine", "198.51.100.2"), *((str(n), "198.51.100.1") for n in range(9)))
    sessions.sweep(lambda key: True, 9.0)
    assert mine.result is not None
    assert [session.result is not None for session in theirs] == [False] * 7 + [True] * 2


def test_bytes_of_a_result(result):
    session = Session(Path("a"))
    session.result = result = replace(result)  # without what others have computed of it
    pixels = result.matte.trimap.size
    regions = sum(part.nbytes for part in vars(result.matte.regions).values() if part is not None)
    assert session.held_bytes == 10 * pixels + regions  # colours 3, alpha 2, coarse 2, trimap 1, parts 2
    result = replace(result, picture=KeptPicture(result.matte.image, result.matte.coarse_8))
    session.result = result.with_ground_truth(result.alpha)
    shown = result.preview.foreground.nbytes + result.preview.alpha.nbytes
    assert session.held_bytes == 12 * pixels + regions + shown  # the true alpha 1, the picture's 1; the colours are held once
    session.result = replace(result, example=ExamplePhoto(Path("a"), Path("b"), "everybody's", False))
    assert session.held_bytes == 0
