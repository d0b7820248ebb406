"""What a stranger tries on the real app: past the queue, into memory, onto the disk, into the log."""

import base64
import re
import socket
import time
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

import httpx
import pytest
from gradio_client import handle_file
from loops import run_alone
from tabs import files_in

EXAMPLES = Path(__file__).parents[2] / "examples"
SECRET = "holiday-with-my-secret-friend"
FILE = {"meta": {"_type": "gradio.FileData"}}


@pytest.fixture
def stranger(app):
    with httpx.Client(base_url=app.url, timeout=60, headers={"Connection": "close"}) as client:
        yield client


@pytest.fixture
def functions(stranger) -> list[dict]:
    return [function for function in stranger.get("/config").json()["dependencies"] if function["backend_fn"]]


def ask(stranger: httpx.Client, function: dict, value: object, **more: object) -> str:
    """Send one value in all places of a function, as a page of its own; what is told about it within a few seconds."""
    session = f"{SECRET}-{token_hex(4)}"
    body = {"data": [value] * len(function["inputs"]), "fn_index": function["id"], "session_hash": session, **more}
    answer = stranger.post("/gradio_api/queue/join", json=body)
    told, deadline = answer.text, time.monotonic() + 10
    if answer.status_code == 200:
        with stranger.stream("GET", "/gradio_api/queue/data", params={"session_hash": session}) as lines:
            for line in lines.iter_lines():
                told = line
                if "process_completed" in line or time.monotonic() > deadline:
                    break
    return told


def files_of(app) -> set[Path]:
    return {*files_in(app.folder, "*")}


def left_of_uploads(app, before: set[Path]) -> set[Path]:
    """Files that were not there before, and folders of uploads on their way, which go a moment after their files."""
    return files_of(app) - before | {path for path in app.folder.iterdir() if path.name.startswith(("tmp", "upload-"))}


def raw(app, request: bytes, finish: bool) -> None:
    """Send bytes and hang up, at once or after the answer."""
    host, port = app.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(request)
        if finish:
            connection.shutdown(socket.SHUT_WR)
            connection.recv(10_000)
        else:
            time.sleep(0.3)


def test_nothing_that_waits_its_turn_can_be_run_beside_the_queue(stranger, functions):
    queued = [function for function in functions if function["queue"] is not False]
    assert {"matte_image", "matte_clip", "compare_methods", "inspect_region"} <= {function["api_name"] for function in queued}
    for function in queued:
        for route in ("run", "api"):
            body = {"data": [None] * len(function["inputs"]), "fn_index": function["id"]}
            assert stranger.post(f"/gradio_api/{route}/{function['api_name']}", json=body).status_code == 404, function


def test_methods_are_run_once_each(stranger, functions, connect):
    photo, many = handle_file(str(EXAMPLES / "silver.jpg")), ["coarse"] * 10_000
    for methods in (many, ["coarse", "ours", "coarse"]):
        with pytest.raises(Exception, match="every method once"):
            connect().predict(photo, methods, api_name="/compare_methods")
    (inner,) = (function["id"] for function in functions if function["api_name"] == "compare")
    body = {"data": [many, "Alpha", None], "fn_index": inner, "session_hash": "a-page-of-mine"}
    assert stranger.post("/gradio_api/queue/join", json=body).status_code == 200
    told = stranger.get("/gradio_api/queue/data", params={"session_hash": "a-page-of-mine"}).text
    assert "every method once" in told


@pytest.mark.parametrize("kind", ["broken off", "another name", "no end", "no file", "a field named files"])
def test_no_part_of_an_upload_stays(app, kind):
    name = {"another name": b'name="photo"; filename="a.jpg"', "a field named files": b'name="files"'}.get(
        kind, b'name="files"; filename="a.jpg"'
    )
    part = b"--xyz\r\nContent-Disposition: form-data; " + name + b"\r\n\r\n" + b"my face " * 50_000
    end = b"" if kind in ("broken off", "no end") else b"\r\n--xyz--\r\n"
    if kind == "no file":
        part = b""
    length = len(part + end) + (100_000 if kind == "broken off" else 0)
    head = f"POST /gradio_api/upload HTTP/1.1\r\nHost: {app.url[7:]}\r\nContent-Type: multipart/form-data; boundary=xyz\r\n"
    before = files_of(app)
    raw(app, f"{head}Content-Length: {length}\r\nConnection: close\r\n\r\n".encode() + part + end, finish=kind != "broken off")
    deadline = time.monotonic() + 20
    while (left := left_of_uploads(app, before)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left == set()


def test_requests_made_to_be_slow_are_refused_at_once(stranger):
    started = time.monotonic()
    nested = b'{"session_hash": "mine", "data": ' + b"[" * 450_000 + b"]" * 450_000 + b"}"
    for path in ("queue/join", "call/matte_image", "run/stop_work", "cancel", "mcp/"):
        assert stranger.post(f"/gradio_api/{path}", content=nested).status_code == 413
    assert stranger.get("/config").status_code == 200
    assert time.monotonic() - started < 20


@pytest.mark.slow
def test_answers_name_no_folder_of_the_server(app, stranger, functions):
    """Neither the validator's nor any other."""
    missing = {"path": f"{app.folder}/{'0' * 64}/{SECRET}.mp4", **FILE}
    garbage = stranger.post("/gradio_api/upload", files={"files": (f"{SECRET}.mp4", b"no clip at all")}).json()[0]
    clips = (missing, {"path": garbage, **FILE}, {"path": f"/etc/{SECRET}", **FILE})
    for number, function in enumerate(functions):
        for clip in clips if function["api_name"] in ("matte_upload", "matte_clip") else clips[number % 3 :][:1]:
            told = ask(stranger, function, clip)
            if '"success":true' not in told:  # else it holds addresses of the visitor's own files
                assert str(app.folder) not in told and "Traceback" not in told and "/etc/" not in told, function["api_name"]


@pytest.mark.slow
def test_the_log_says_nothing_of_visitors(app, stranger, functions, connect):
    """After names, values, paths and requests of many kinds that are wrong."""
    values = [{SECRET: [SECRET]}, 1e308, {"path": f"/etc/{SECRET}.png", **FILE}]
    for number, function in enumerate(functions):
        value = values[number % len(values)]
        ask(stranger, function, value, event_data={"value": value, "index": value, "x": value})
        body = {"data": [value] * len(function["inputs"]), "fn_index": function["id"], "trigger_id": SECRET}
        stranger.post(f"/gradio_api/run/{function['api_name']}", json=body)
    headers = {"X-Forwarded-Host": f"{SECRET}/\\", "Range": f"bytes={SECRET}"}
    for path in (f"queue/data?session_hash={SECRET}-of-nobody", f"file={SECRET}", f"call/{SECRET}/{SECRET}"):
        with suppress(httpx.RemoteProtocolError):  # Gradio breaks off where there is no such session
            stranger.get(f"/gradio_api/{path}", headers=headers)
    for fields in ({"fn_index": 9999}, {"fn_index": -1}, {"data": SECRET}, {"batched": True}, {"event_id": SECRET}, {}):
        for route in ("queue/join", "run/stop_work", f"run/{SECRET}", f"call/{SECRET}", f"call/v2/{SECRET}", "cancel", "reset"):
            stranger.post(f"/gradio_api/{route}", json={"data": [SECRET], "session_hash": SECRET, **fields})
    stranger.post("/gradio_api/mcp/", json={"jsonrpc": "2.0", "id": 1, "method": SECRET, "params": {SECRET: SECRET}})
    stranger.post("/gradio_api/mcp/", content=f"{SECRET}[")
    for name, content in ((f"{SECRET}.jpg", b"no photo"), (f"{SECRET}.tif", b"II*\0" + SECRET.encode() * 9)):
        (path,) = stranger.post("/gradio_api/upload", files={"files": (name, content)}).json()
        with pytest.raises(Exception, match="cannot be used"):
            connect().predict({"path": path, **FILE}, "512", 0, True, True, api_name="/matte_image")
    raw(app, f"GET /{SECRET}\x00 HTTP/9.9\r\nX: {SECRET}\r\n\r\n".encode(), finish=True)
    log = (app.folder / "log.txt").read_text(errors="replace")
    for said in (SECRET, "Traceback", str(app.folder), ".venv", "site-packages", "1e+308"):
        assert said not in log, log[-3000:]
    assert len(log) < 20_000


def test_a_part_of_a_file_comes_without_the_headers_of_its_request(stranger):
    (path,) = stranger.post("/gradio_api/upload", files={"files": ("a.mp4", bytes(range(100)))}).json()
    asked = {"Range": "bytes=10-19", "Cookie": "token=mine", "X-Anything": "mine", "Authorization": "Basic bWluZQ=="}
    part = stranger.get(f"/gradio_api/file={path}", headers=asked)
    assert (part.status_code, part.content) == (206, bytes(range(10, 20)))
    assert "mine" not in str(part.headers).lower() and "authorization" not in part.headers
    assert part.headers["x-content-type-options"] == "nosniff"


@pytest.mark.slow
def test_every_tool_of_mcp_works_and_none_remembers(app):
    mcp = pytest.importorskip("mcp", reason="gradio[mcp] is not installed")
    from mcp.client.streamable_http import streamablehttp_client

    def inlined(name: str, kind: str) -> str:
        return f"data:{kind};base64,{base64.b64encode((EXAMPLES / name).read_bytes()).decode()}"

    photo = inlined("silver.jpg", "image/jpeg")
    calls = {
        "matte_image": ({"image": photo, "size": "512"}, r"'size_px': \[335, 408\]"),
        "inspect_region": ({"image": photo, "x": 0.5, "y": 0.25}, "'neighbours'"),
        "compare_methods": ({"image": photo, "methods": ["coarse"]}, "'method': 'coarse'"),
        "tables": ({}, "'published'"),
        "matte_clip": ({"clip": inlined("clip.mp4", "video/mp4"), "products": []}, "at least one kind of file"),
    }

    async def note(*_: object) -> None:
        pass

    async def call_all() -> None:
        url = f"{app.url}/gradio_api/mcp/"
        async with streamablehttp_client(url) as (read, write, _), mcp.ClientSession(read, write) as session:
            await session.initialize()
            assert {tool.name for tool in (await session.list_tools()).tools} == {*calls}
            for progress in (None, note):
                for name, (arguments, expected) in calls.items():
                    told = await session.call_tool(name, arguments, progress_callback=progress)
                    text = " ".join(getattr(part, "text", "") for part in told.content)
                    assert re.search(expected, text), (name, progress, text[:300])
                    assert told.isError is (name == "matte_clip") and "pop index" not in text
                    if name == "matte_image":
                        assert [part.type for part in told.content].count("image") == 2
                alone = await session.call_tool("inspect_region", {"x": 0.5, "y": 0.25}, progress_callback=progress)
                assert alone.isError and "no photo yet" in alone.content[0].text
                for path in (f"/etc/{SECRET}", "http://127.0.0.1:9/a.jpg", "file:///etc/passwd"):
                    refused = await session.call_tool("matte_image", {"image": path}, progress_callback=progress)
                    assert refused.isError

    run_alone(call_all())


def test_a_request_without_a_session_finds_and_stops_nobody(stranger, connect):
    connect().predict(handle_file(str(EXAMPLES / "silver.jpg")), "512", 0, True, True, api_name="/matte_image")
    for session in ({}, {"session_hash": None}, {"session_hash": "None"}):
        answer = stranger.post("/gradio_api/call/inspect_region", json={"data": [0.5, 0.25, None], **session})
        event = answer.json()["event_id"]
        assert "no photo yet" in stranger.get(f"/gradio_api/call/inspect_region/{event}").text
        body = {"data": [0.5, 0.25, None, None], **session}
        assert stranger.post("/gradio_api/run/inspect_region", json=body).status_code == 404
    for wrong in ("", 7, ["a"]):
        body = {"data": [0.5, 0.25, None], "session_hash": wrong}
        assert stranger.post("/gradio_api/call/inspect_region", json=body).status_code == 400
    assert stranger.post("/gradio_api/run/stop_work", json={"data": []}).json()["data"] == []
