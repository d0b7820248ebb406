"""What a stranger can get at over HTTP: nothing of other visitors, nothing of the server, and no address is ever asked."""

import json
import re
import secrets
import shutil
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest
from gradio_client import handle_file
from tabs import files_in, paths_in

ROOT = Path(__file__).parents[2]
PHOTO = ROOT / "examples" / "silver.jpg"
FILE_INPUTS = {"image", "video", "file"}


@pytest.fixture
def stranger(app):
    with httpx.Client(base_url=app.url, timeout=60, headers={"Connection": "close"}) as client:
        yield client


@pytest.fixture
def asked():
    """An address on this machine, and who asks it for anything."""
    paths = []

    class Note(BaseHTTPRequestHandler):
        def do_GET(self):
            paths.append(self.path)
            self.send_error(404)

        do_HEAD = do_GET  # noqa: N815

    with HTTPServer(("127.0.0.1", 0), Note) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/me.jpg", paths
        server.shutdown()


@pytest.fixture
def upload(stranger):
    (path,) = stranger.post("/gradio_api/upload", files={"files": ("me.jpg", PHOTO.read_bytes())}).json()
    return Path(path)


def call(stranger: httpx.Client, number: int, data: list) -> dict:
    """What the queue says in the end, to a visitor of its own."""
    session = secrets.token_hex(8)
    request = {"data": data, "fn_index": number, "session_hash": session}
    answer = stranger.post("/gradio_api/queue/join", json=request)
    if answer.status_code in (400, 422):  # refused before it was queued
        return {"success": False, "output": answer.json()}
    assert answer.status_code == 200
    with stranger.stream("GET", "/gradio_api/queue/data", params={"session_hash": session}) as lines:
        for line in lines.iter_lines():
            message = json.loads(line.removeprefix("data: ") or "{}")
            if message.get("msg") == "process_completed":
                return message
    raise AssertionError("the queue closed without an answer")


def hostile_calls(stranger: httpx.Client, file: dict):
    """Every function of the app that takes a file, with this file in each such place in turn."""
    config = stranger.get("/config").json()
    components = {component["id"]: component for component in config["components"]}
    for function in config["dependencies"]:
        inputs = [components[number] for number in function["inputs"]]
        if not function["backend_fn"]:
            continue
        for place, component in enumerate(inputs):
            if component["type"] in FILE_INPUTS:
                values = [other["props"].get("value") for other in inputs]
                values[place] = [file] if component["props"].get("file_count") == "multiple" else file
                yield function["api_name"], function["id"], values


def test_a_plain_path_is_told_what_to_send_instead(app, connect):
    before = (app.folder / "log.txt").read_text()
    with pytest.raises(Exception, match=r"handle_file\("):
        connect().predict("portrait.jpg", "512", 0, True, True, api_name="/matte_image")
    assert (app.folder / "log.txt").read_text() == before


@pytest.mark.parametrize("meta", [{"meta": {"_type": "gradio.FileData"}}, {}], ids=["as a file", "as any object"])
def test_no_function_takes_a_file_of_the_server(app, stranger, tmp_path, meta):
    shutil.copy(PHOTO, tmp_path / "secret.jpg")
    names = []
    for number, path in enumerate((tmp_path / "secret.jpg", f"{app.folder}/../{tmp_path.name}/secret.jpg")):
        for name, function, values in hostile_calls(stranger, {"path": str(path), **meta}):
            if number == 0 or name in ("announce", "matte_clip", "matte_image"):
                answer = call(stranger, function, values)
                assert not answer["success"], name
                assert re.search("Files of the server are not read|not hold what was asked for", str(answer["output"])), answer
                names.append(name)
    assert {"cut_out", "compare_truth", "matte_upload", "matte_clip", "matte_image", "compare_methods"} <= {*names}
    assert (tmp_path / "secret.jpg").is_file()


def test_no_address_is_asked(stranger, upload, asked):
    address, paths = asked
    meta = {"meta": {"_type": "gradio.FileData"}}
    for name, number, values in hostile_calls(stranger, {"path": address, **meta}):
        answer = call(stranger, number, values)
        assert not answer["success"] and "not fetched" in str(answer), name
    for there in (address, "https://example.com/a.png", "HTTP://example.com/a.png"):
        for route in ("file=", "file/", "proxy="):
            assert stranger.get(f"/gradio_api/{route}{there}").status_code in (403, 404)
    number = next(n for name, n, _ in hostile_calls(stranger, {}) if name == "announce")
    assert call(stranger, number, [{"path": str(upload), "url": address, **meta}, None])["success"]  # only the upload counts
    assert not call(stranger, number, [{"path": address}])["success"]
    assert paths == []


def test_the_file_route_gives_nothing_of_the_server(app, stranger, upload):
    for path in (
        "/etc/passwd", "app.py", "../../app.py", ".git/config", "examples/silver.jpg", "/proc/self/environ", "file:///etc/passwd",
        app.folder, upload.parent, f"{app.folder}/log.txt/..", f"{upload}/../../../../../../etc/passwd", "%2e%2e/etc/passwd",
    ):  # fmt: skip
        assert stranger.get(f"/gradio_api/file={path}").status_code in (403, 404), path
    for path in ("/static/%2e%2e/%2e%2e/%2e%2e/etc/passwd", "/assets/..%2f..%2f..%2fapp.py"):
        assert stranger.get(path).status_code in (403, 404)
    answer = stranger.get(f"/gradio_api/file={upload}")
    assert answer.content == PHOTO.read_bytes()


def test_names_of_files_cannot_be_guessed(app, connect, upload):
    """Who knows a file's whole address can read it, as with any Gradio app; so none may be known."""
    client = connect()
    client.predict(handle_file(str(PHOTO)), "512", 0, True, True, api_name="/matte_image")
    results = files_in(app.folder, "*silver*.png")
    assert results
    for path in results:
        assert re.fullmatch(r"session-[\w-]{32}", path.relative_to(app.folder).parts[0])
    assert re.fullmatch(r"[0-9a-f]{64}", upload.parent.name) and upload.parent.parent == app.folder


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1.evil.example", "http://localhost:3000"])
def test_pages_of_other_sites_cannot_read_answers(stranger, origin):
    for path in ("/config", "/gradio_api/info", "/gradio_api/queue/status"):
        assert "access-control-allow-origin" not in stranger.get(path, headers={"Origin": origin}).headers
    asks = {"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    assert "access-control-allow-origin" not in stranger.options("/gradio_api/queue/join", headers=asks).headers


def test_own_pages_can(app, stranger):
    assert stranger.get("/config", headers={"Origin": app.url}).headers["access-control-allow-origin"] == app.url


def test_parts_of_gradio_that_keep_files_are_closed(app, stranger):
    before = paths_in(app.folder)
    assert stranger.get("/gradio_api/deep_link", params={"session_hash": "a"}).status_code == 404
    assert stranger.post("/gradio_api/process_recording", files={"video": ("a.mp4", b"x" * 99)}).status_code == 404
    assert stranger.post("/gradio_api/component_server", json={}).status_code == 404
    assert paths_in(app.folder) <= before


def test_uploads_served_as_pages_are_downloaded_instead(stranger):
    for name in ("a.html", "a.svg"):
        (path,) = stranger.post("/gradio_api/upload", files={"files": (name, b"<script>alert(1)</script>")}).json()
        assert stranger.get(f"/gradio_api/file={path}").headers["content-disposition"].startswith("attachment")
