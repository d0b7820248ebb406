"""What visitors must not notice of each other, and what they are told when something goes wrong."""

import gc

import cv2
import numpy as np
import pytest
import torch
from fastapi.testclient import TestClient
from gradio.routes import App

from matting.app import text
from matting.app.builder import build_space
from matting.app.errors import Problem, plain_errors
from matting.app.service import Service
from matting.app.sessions import Sessions
from matting.app.stopping import StoppedError


@pytest.mark.slow
def test_the_same_photo_sent_twice_is_two_files(lite_model, tmp_path, monkeypatch):
    """Otherwise the first visitor who leaves takes the other's photo along."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    demo = build_space(Service(lite_model, "random", Sessions(tmp_path)))
    demo.max_file_size = None  # otherwise set by launch()
    with TestClient(App.create_app(demo)) as client:
        sent = [client.post("/gradio_api/upload", files={"files": ("me.jpg", b"the same")}).json()[0] for _ in range(2)]
        assert sent[0] != sent[1] and all(path.startswith(str(tmp_path)) for path in sent)
        name = "../../../evil\x00\n<b>.jpg"
        (path,) = client.post("/gradio_api/upload", files={"files": (name, b"x")}).json()
        assert path.startswith(str(tmp_path)) and ".." not in path and "\n" not in path
    assert not list(tmp_path.parent.glob("evil*"))


def test_uploads_of_a_failed_first_request_go(tmp_path, request_of):
    sessions, upload = Sessions(tmp_path), tmp_path / "upload.jpg"
    upload.touch()
    session = sessions.of(None, request_of("a"))
    session.uploads.add(upload)
    del session
    gc.collect()
    assert not upload.exists()


@pytest.mark.parametrize("exhaust", [
    lambda: np.empty((1 << 50,), np.uint8),
    lambda: torch.empty(1 << 50, dtype=torch.uint8),
    lambda: cv2.resize(np.zeros((2, 2), np.uint8), (1 << 24, 1 << 30)),
])  # fmt: skip
def test_too_little_memory_is_said_in_one_sentence(exhaust):
    with pytest.raises(Problem, match="not enough memory"), plain_errors():
        exhaust()


def test_sentences_are_not_wrapped_again():
    for error in (Problem(text.ERROR_METHODS), StoppedError()):
        with pytest.raises(type(error)) as raised, plain_errors(text.ERROR_UPLOAD):
            raise error
        assert raised.value is error


def test_other_errors_stay_what_they_are():
    with pytest.raises(RuntimeError, match="a bug"), plain_errors():
        raise RuntimeError("a bug")


def test_no_file_of_the_app_lies_among_those_of_visitors(lite_model, tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    build_space(Service(lite_model, "random", Sessions(tmp_path)))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
