import errno
import hashlib
import os
import time

import huggingface_hub
import pytest
from hub_server import REVISION

from matting.weights.hub import DownloadError, HubFile, fetch, is_downloaded

CONTENT = os.urandom(300_000)


def wanted(content=CONTENT, **changes):
    fields = {
        "repo": "someone/network",
        "path": "onnx/model.onnx",
        "revision": REVISION,
        "size_bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    return HubFile(**{**fields, **changes})


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DOWNLOAD_TIMEOUT", 0.3)
    monkeypatch.setattr(huggingface_hub.constants, "DOWNLOAD_CHUNK_SIZE", 50_000)
    monkeypatch.setattr(huggingface_hub.file_download.time, "sleep", lambda _: None)


def test_a_cut_transfer_is_taken_up_where_it_stopped(hub, tmp_path, impatient):
    hub.files["onnx/model.onnx"] = CONTENT
    hub.cut_after = 200_000
    path = fetch(wanted(), tmp_path / "cache")
    assert path.read_bytes() == CONTENT
    ranges = [asked for method, _, asked in hub.requests if method == "GET"]
    assert ranges[0] is None and len(ranges) == 2
    start = int(ranges[1].removeprefix("bytes=").rstrip("-"))
    assert 0 < start <= 200_000


def test_a_wrong_hash_is_refused_and_not_kept(hub, tmp_path):
    hub.files["onnx/model.onnx"] = CONTENT[:-1] + bytes([CONTENT[-1] ^ 1])
    with pytest.raises(DownloadError, match=f"expected {wanted().sha256}; the file was deleted"):
        fetch(wanted(), tmp_path / "cache")
    assert not is_downloaded(wanted(), tmp_path / "cache")
    hub.files["onnx/model.onnx"] = CONTENT
    assert fetch(wanted(), tmp_path / "cache").read_bytes() == CONTENT


def test_a_wrong_size_is_refused_before_the_transfer(hub, tmp_path):
    hub.files["onnx/model.onnx"] = CONTENT
    with pytest.raises(DownloadError, match=r"should have 12 bytes, the server says 300,000; not downloaded"):
        fetch(wanted(size_bytes=12), tmp_path / "cache")
    assert [method for method, _, _ in hub.requests] == ["HEAD"]


@pytest.mark.parametrize(
    ("status", "message"),
    [(404, f"does not have it.*{REVISION}"), (401, "refuses access"), (403, "refuses access"), (418, "answered 418")],
)
def test_refusals_are_explained(hub, tmp_path, status, message):
    hub.status = status
    with pytest.raises(DownloadError, match=f"someone/network/onnx/model.onnx could not be downloaded: .*{message}"):
        fetch(wanted(), tmp_path / "cache")


def test_a_server_that_does_not_answer_is_given_up(hub, tmp_path, monkeypatch):
    monkeypatch.setattr("matting.weights.hub.CONNECT_TIMEOUT_S", 0.3)
    hub.files["onnx/model.onnx"] = CONTENT
    hub.stall_head_s = 2.0
    start = time.perf_counter()
    with pytest.raises(DownloadError, match="could not be reached or stopped answering"):
        fetch(wanted(), tmp_path / "cache")
    assert time.perf_counter() - start < 1.9


@pytest.mark.slow
def test_a_server_that_stops_in_the_middle_is_given_up(hub, tmp_path, impatient):
    hub.files["onnx/model.onnx"] = CONTENT[:1000]
    hub.stall_body_s = 1.0
    file = wanted(CONTENT[:1000])
    with pytest.raises(DownloadError, match="could not be downloaded"):
        fetch(file, tmp_path / "cache")
    assert not is_downloaded(file, tmp_path / "cache")


def test_a_full_disk_is_not_called_a_missing_connection(hub, tmp_path, monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    hub.files["onnx/model.onnx"] = CONTENT
    monkeypatch.setattr("matting.weights.hub.hf_hub_download", full)
    with pytest.raises(DownloadError, match=r"cannot be stored: .*No space left on device"):
        fetch(wanted(), tmp_path / "cache")


def test_nobody_listens(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(DownloadError, match="check the connection"):
        fetch(wanted(), tmp_path / "cache")


def test_the_cache_serves_without_a_network(hub, tmp_path, monkeypatch):
    hub.files["onnx/model.onnx"] = CONTENT
    assert not is_downloaded(wanted(), tmp_path / "cache")
    fetch(wanted(), tmp_path / "cache")
    assert is_downloaded(wanted(), tmp_path / "cache")
    asked = len(hub.requests)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert fetch(wanted(), tmp_path / "cache").read_bytes() == CONTENT
    assert len(hub.requests) == asked


def test_the_size_is_told_in_megabytes():
    assert wanted(size_bytes=25_888_640).size == "25.9 MB"
