import gc

import numpy as np
import pytest
import torch
from PIL import Image

from matting.app.session import StoppedError, Visits, address_of, not_stoppable, stoppable


def test_pages_have_folders_of_their_own_that_cannot_be_guessed(visits, request_of):
    one, two = visits.of(None, request_of("a")), visits.of(None, request_of("b"))
    assert one.folder != two.folder
    assert len(one.folder.name) > 30


def test_requests_of_one_page_share_a_visit_until_it_is_over(visits, request_of):
    visit = visits.of(None, request_of("a"))
    assert visits.of(None, request_of("a")) is visit
    visit.clear()
    assert visits.of(visit, request_of("a")) is not visit


def test_leaving_removes_files_uploads_and_result(visits, request_of, tmp_path):
    visit = visits.of(None, request_of("a"))
    upload = tmp_path / "upload.jpg"
    upload.touch()
    visit.begin("result")
    visit.take(str(upload), str(visits.of(None, request_of("c")).folder), None)
    path = visit.write(np.zeros((4, 4), np.uint8), "alpha")
    assert path.is_file()
    visits.leave(request_of("a"))
    assert not visit.folder.exists()
    assert not upload.exists()
    assert visit.result is None
    with pytest.raises(StoppedError):
        visit.path("late.png")
    with pytest.raises(StoppedError):
        visit.begin("late result")


def test_only_uploads_are_ever_removed(tmp_path, request_of):
    (root := tmp_path / "app").mkdir()
    visit = Visits(root).of(None, request_of("a"))
    for path in (tmp_path / "other.jpg", root, root / ".." / "other.jpg"):
        with pytest.raises(ValueError, match="expected an upload below"):
            visit.take(str(path))
    assert visit.uploads == set()


def test_leaving_touches_nobody_else(visits, request_of):
    one, two = visits.of(None, request_of("a")), visits.of(None, request_of("b"))
    two.begin("mine")
    kept = two.write(np.zeros((4, 4), np.uint8), "alpha")
    visits.leave(request_of("a"))
    visits.leave(request_of("nobody"))
    assert kept.is_file()
    assert two.result == "mine"
    assert one.closed


def test_new_photo_removes_the_last_ones_files(visits, request_of):
    visit = visits.of(None, request_of("a"))
    old = visit.write(np.zeros((4, 4), np.uint8), "old")
    visit.begin("new")
    assert not old.exists()


def test_pictures_are_written_without_loss_under_addresses_of_their_own(visits, request_of):
    visit = visits.of(None, request_of("a"))
    pixels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    first, second = visit.write(pixels, "ä b"), visit.write(pixels, "ä b")
    assert first.name == "ä b.png"
    assert first != second
    np.testing.assert_array_equal(np.asarray(Image.open(first)), pixels)
    assert " " not in address_of(first)


def test_forgotten_visits_are_not_kept_alive(visits, request_of):
    visits.of(None, request_of("a"))
    gc.collect()
    assert len(visits._by_session) == 0


def test_stop_ends_the_network_at_the_next_layer(visits, request_of):
    visit = visits.of(None, request_of("a"))
    layers = torch.nn.Sequential(*[torch.nn.Linear(4, 4) for _ in range(5)])
    ran = []
    hook = layers[1].register_forward_hook(lambda *_: ran.append(1) or visits.stop(request_of("a")))
    layers[3].register_forward_hook(lambda *_: ran.append(3))
    with pytest.raises(StoppedError), stoppable(layers, visit):
        layers(torch.zeros(1, 4))
    assert ran == [1]
    hook.remove()
    layers(torch.zeros(1, 4))  # the model is as before
    with stoppable(layers, visit):
        layers(torch.zeros(1, 4))


def test_stop_of_one_visit_leaves_others_work_alone(visits, request_of):
    visit = visits.of(None, request_of("a"))
    layer = torch.nn.Linear(4, 4)
    with stoppable(layer, visit):
        visits.stop(request_of("a"))
        with not_stoppable():
            layer(torch.zeros(1, 4))
        with pytest.raises(StoppedError):
            layer(torch.zeros(1, 4))


def test_state_expires_and_is_cleared(visits, request_of):
    from matting.app.session import TIME_TO_LIVE_S, visit_state

    state = visit_state()
    visit = visits.of(None, request_of("a"))
    visit.begin("result")
    assert 60 <= state.time_to_live == TIME_TO_LIVE_S <= 3600
    state.delete_callback(visit)
    assert visit.result is None
    state.delete_callback(None)
