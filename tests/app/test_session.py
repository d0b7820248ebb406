import gc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from PIL import Image

from matting.app.session import Sessions, StoppedError, address_of, stoppable


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
    from matting.app.session import session_state

    state = session_state()
    session = sessions.of(None, request_of("a"))
    session.begin("result")
    assert 60 <= state.time_to_live == TIME_TO_LIVE_S <= 3600
    state.delete_callback(session)
    assert session.result is None
    state.delete_callback(None)
