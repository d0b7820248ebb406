"""What the guard in front of Gradio lets through, on a server that only says what it was asked."""

import asyncio
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from weakref import WeakKeyDictionary

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from gradio.state_holder import StateHolder
from loops import run_alone
from starlette.responses import FileResponse, PlainTextResponse, StreamingResponse

from matting.app import limits
from matting.app.guard.lifespan import Keeper, sweep_files
from matting.app.guard.middleware import Guard
from matting.app.guard.origins import Origins
from matting.app.guard.visitors import Allowance, Visitors, address_of

API = "/gradio_api"
JOIN = f"{API}/queue/join"


@pytest.fixture
def seen() -> list[Any]:
    """What came through."""
    return []


@pytest.fixture
def served(seen) -> Callable[..., TestClient]:
    """Clients of a guarded server, each at an address; they share one guard."""
    inner = FastAPI()
    state = SimpleNamespace(events=0, admitted=[], cancelled=[], visitors=Visitors())

    @inner.post("/{path:path}")
    async def post(path: str, request: Request) -> PlainTextResponse:
        seen.append((path, len(await request.body()), request.scope["visitor"]))
        return PlainTextResponse("taken")

    @inner.get("/gradio_api/file={path:path}")
    async def file(path: str, request: Request) -> FileResponse:
        extra = {"cookie": "of the visitor", "x-echo": "1"} if "range" in request.headers else {}
        return FileResponse(path, headers=extra)

    @inner.get("/{path:path}")
    async def get(path: str, request: Request) -> PlainTextResponse:
        seen.append((path, dict(request.headers), request.scope["visitor"]))
        return PlainTextResponse("shown", headers={"Access-Control-Allow-Origin": "*"})

    origins = Origins(friends=frozenset({"friend.example"}))
    guard = Guard(
        inner,
        state.visitors,
        origins,
        lambda address: state.events,
        lambda *page: state.admitted.append(page),
        lambda *event: state.cancelled.append(event),
    )

    def client(address: str = "198.51.100.1", host: str = "app.example") -> TestClient:
        return TestClient(guard, base_url=f"http://{host}", client=(address, 1), raise_server_exceptions=False)

    client.state, client.guard = state, guard
    return client


# Bodies


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (JOIN, b'{"data": "' + b"x" * limits.JSON_BYTES + b'"}'),
        (JOIN, b"[" * (limits.JSON_MARKS + 1)),
        (f"{API}/mcp/", b"[" * (limits.JSON_MARKS + 1)),
        (f"{API}/mcp/", b"x" * (limits.MCP_BYTES + 1)),
        (f"{API}/call/matte_image", b"," * (limits.JSON_MARKS + 1)),
        (f"{API}/upload", b"x" * (limits.UPLOAD_BYTES + 2 * limits.MB)),
    ],
    ids=["large", "nested", "nested for MCP", "large for MCP", "commas", "upload"],
)
def test_too_large_a_body_is_refused_before_anybody_reads_it(served, seen, path, body):
    assert served().post(path, content=body).status_code == 413
    assert [size for _, size, _ in seen if size > limits.UPLOAD_BYTES] == []
    assert path.endswith("upload") or seen == []


def test_a_body_of_unknown_length_is_counted(served, seen):
    def pieces():
        for _ in range(20):
            yield b"x" * 100_000

    assert served().post(JOIN, content=pieces()).status_code == 413
    assert seen == []


def test_strokes_and_photos_for_mcp_fit(served, seen):
    points = [[0.12345678901234567, 0.12345678901234567]] * 20_000
    assert served().post(JOIN, json={"session_hash": "abcdefgh", "data": [points]}).text == "taken"
    assert served().post(f"{API}/mcp/", content=b'"data:' + b"A" * 15_000_000 + b'"').text == "taken"
    assert len(seen) == 2
    assert served.state.admitted == [("abcdefgh", "198.51.100.1")]


def test_a_body_that_stalls_is_given_up(served, monkeypatch, seen):
    monkeypatch.setattr(limits, "BODY_IDLE_S", 0.05)
    answered = []

    async def send(message):
        answered.append(message)

    async def receive():
        if not answered and not receive.begun:
            receive.begun = True
            return {"type": "http.request", "body": b"{", "more_body": True}
        await asyncio.sleep(60)

    for path in (JOIN, f"{API}/upload", f"{API}/mcp/"):
        answered.clear()
        receive.begun = False
        started = time.monotonic()
        run_alone(served.guard(scope_of("POST", path), receive, send))
        assert answered[0]["status"] == 408 and time.monotonic() - started < 2


def scope_of(method: str, path: str, *headers: tuple[bytes, bytes]) -> dict[str, Any]:
    return {
        "type": "http", "http_version": "1.1", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"",
        "headers": [(b"host", b"app.example"), *headers], "client": ("198.51.100.1", 1), "server": ("app.example", 80),
        "scheme": "http", "root_path": "",
    }  # fmt: skip


# Addresses


def test_one_address_that_asks_too_often_is_told_to_wait_and_others_are_served(served):
    served.state.visitors.requests = Allowance(0.01, 20)
    greedy, other = served("198.51.100.1"), served("198.51.100.2")
    assert [greedy.get("/config").status_code for _ in range(5)] == [200] * 4 + [429]
    assert greedy.get("/assets/index.js").status_code == 429
    assert int(greedy.get("/assets/index.js").headers["retry-after"]) > 0
    assert other.get("/config").status_code == 200


def test_events_of_one_address_are_limited(served):
    body = {"session_hash": "abcdefgh"}
    served.state.visitors.events = Allowance(0.01, 10)
    assert [served().post(JOIN, json=body).status_code for _ in range(12)] == [200] * 10 + [429] * 2
    served.state.events = limits.EVENTS_OPEN
    for path in (JOIN, f"{API}/call/matte_image", f"{API}/call/v2/tables", f"{API}/run/stop_work", f"{API}/mcp/"):
        assert served("198.51.100.7").post(path, json=body).status_code == 429


def test_limits_per_address_can_be_off(served, monkeypatch):
    monkeypatch.setenv("MATTING_LIMITS", "off")
    served.state.events = 1000
    served.state.visitors.events = Allowance(0.01, 2)
    assert {served().post(JOIN, json={}).status_code for _ in range(5)} == {200}
    assert served().post(JOIN, content=b"[" * (limits.JSON_MARKS + 1)).status_code == 413  # not per address


def test_open_requests_of_one_address_are_limited(served):
    visitors = served.state.visitors
    visitors.open["198.51.100.1"] = limits.REQUESTS_OPEN
    assert served().get("/config").status_code == 429
    assert served("198.51.100.2").get("/config").status_code == 200
    assert visitors.open == {"198.51.100.1": limits.REQUESTS_OPEN}


def test_stored_bytes_of_one_address_are_limited(served, tmp_path):
    visitors = served.state.visitors
    for number in range(3):
        (tmp_path / str(number)).touch()
    visitors.stored = {tmp_path / "0": ("198.51.100.1", limits.STORED_BYTES_EACH + 1), tmp_path / "1": ("198.51.100.3", 9)}
    answer = served().post(f"{API}/upload", content=b"x")
    assert answer.status_code == 429 and "half an hour" in answer.text
    assert served("198.51.100.2").post(f"{API}/upload", content=b"x").status_code == 200
    (tmp_path / "0").unlink()  # its page was closed
    assert served().post(f"{API}/upload", content=b"x").status_code == 200
    visitors.stored[tmp_path / "2"] = ("198.51.100.4", limits.STORED_BYTES)
    assert served("198.51.100.2").post(f"{API}/upload", content=b"x").status_code == 429
    assert not any(visitors.incoming.values())


def test_bytes_sent_to_mcp_are_limited_like_uploads(served):
    body = b'"' + b"A" * 15_000_000 + b'"'
    served.state.visitors.posted = Allowance(1, 70_000_000)
    assert [served().post(f"{API}/mcp/", content=body).status_code for _ in range(3)] == [200, 200, 429]


@pytest.mark.parametrize(
    ("client", "environment", "expected"),
    [
        ("198.51.100.1", {}, "198.51.100.1"),
        ("192.168.1.5", {}, "192.168.1.5"),
        ("192.168.1.5", {"SPACE_ID": "a/b"}, ""),  # the proxy that all visitors of a Space come through
        ("10.16.3.80", {"SPACE_ID": "a/b"}, ""),
        ("8.8.8.8", {"SPACE_ID": "a/b"}, "8.8.8.8"),
        ("2001:db8:1:2:3:4:5:6", {}, "2001:db8:1:2::/64"),
        ("::ffff:198.51.100.1", {}, "198.51.100.1"),
        ("testclient", {}, ""),
    ],
)
def test_address(client, environment, expected, monkeypatch):
    monkeypatch.delenv("SPACE_ID", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert address_of({"client": (client, 1)}) == expected


def test_who_has_no_address_is_not_limited(served, monkeypatch):
    """All visitors of a Space whose proxies say nothing would be locked out for one of them."""
    monkeypatch.setenv("SPACE_ID", "a/b")
    served.state.visitors.requests = Allowance(0.01, 2)
    assert {served("10.0.0.1").get("/config").status_code for _ in range(5)} == {200}


def test_an_allowance_comes_back():
    allowance = Allowance(per_s=2, burst=3)
    assert [allowance.take("a", now=0.0) for _ in range(4)] == [True, True, True, False]
    assert allowance.take("b", now=0.0)
    assert [allowance.take("a", now=1.0) for _ in range(3)] == [True, True, False]


# Origins


def preflight(client: TestClient, origin: str):
    asks = {"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    return client.options(JOIN, headers=asks)


@pytest.mark.parametrize(
    "origin",
    ["null", "https://evil.example", "https://app.example.evil.example", "https://evil.example:80", "file://", "http://[", ""],
)
@pytest.mark.parametrize("host", ["app.example", "127.0.0.1:7860", "owner-matting.hf.space"])
def test_other_sites_can_neither_send_nor_read(served, seen, origin, host):
    client = served(host=host)
    assert client.post(JOIN, json={}, headers={"Origin": origin}).status_code == 403
    assert client.post(f"{API}/upload", files={"files": ("a", b"x")}, headers={"Origin": origin}).status_code == 403
    assert seen == []
    for answer in (client.get("/config", headers={"Origin": origin}), preflight(client, origin)):
        assert not {name for name in answer.headers if name.startswith("access-control")}


def test_forms_of_other_sites_are_refused_where_the_browser_names_no_origin(served, seen):
    headers = {"Sec-Fetch-Site": "cross-site"}
    assert served().post(f"{API}/upload", files={"files": ("a", b"x")}, headers=headers).status_code == 403
    assert seen == []
    assert served().get("/", headers=headers).status_code == 200  # a link, or the frame of a Space


@pytest.mark.parametrize("origin", ["https://app.example", "http://app.example", "https://friend.example"])
def test_own_pages_and_friends_can(served, origin):
    answer = served().post(JOIN, json={}, headers={"Origin": origin})
    assert answer.text == "taken" and answer.headers["access-control-allow-origin"] == origin
    assert "Origin" in answer.headers["vary"]
    assert preflight(served(), origin).headers["access-control-allow-origin"] == origin
    assert served().post(JOIN, json={}).text == "taken"  # programs send none


def test_a_proxy_may_say_the_name_only_if_it_is_trusted(served, seen):
    for forwarded, arrives in (("evil.example", False), ("friend.example", True), ("app.example", True), ("/\r", False)):
        served().get("/config", headers={"X-Forwarded-Host": forwarded, "X-Gradio-Server": "http://evil.example"})
        assert ("x-forwarded-host" in seen[-1][1]) is arrives
        assert arrives or "x-gradio-server" not in seen[-1][1]
    headers = {"Origin": "https://friend.example", "X-Forwarded-Host": "friend.example"}
    assert served(host="10.0.0.1:7860").post(JOIN, json={}, headers=headers).text == "taken"


@pytest.mark.parametrize(
    ("environment", "known", "unknown"),
    [
        ({}, ["localhost:7860", "127.0.0.1:1", "[::1]:7860"], ["evil.example:7860", "192.168.1.2", "", "a/b"]),
        ({"GRADIO_SERVER_NAME": "0.0.0.0"}, ["app.example", "192.168.1.2:7860"], ["", "a b", 'x"y']),
        ({"MATTING_HOSTS": "app.example, other.example:8443"}, ["app.example:1", "other.example:8443"], ["other.example:1"]),
        ({"SPACE_ID": "owner/matting"}, ["owner-matting.hf.space"], [""]),
    ],
)
def test_names_the_server_answers_to(environment, known, unknown, monkeypatch):
    for name in ("GRADIO_SERVER_NAME", "MATTING_HOSTS", "SPACE_ID"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    origins = Origins.from_environment()
    assert [host for host in known if not origins.answers_to(host)] == []
    assert [host for host in unknown if origins.answers_to(host)] == []
    assert origins.allows("https://huggingface.co", "owner-matting.hf.space") is ("SPACE_ID" in environment)


# Answers


def test_headers_of_answers(served, tmp_path):
    (tmp_path / "a.txt").write_text("0123456789")
    for answer in (served().get("/config"), served().post(JOIN, content=b"[" * 200_000), served().get(f"{API}/proxy=x")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "https://huggingface.co" in answer.headers["content-security-policy"]
        assert "access-control-allow-origin" not in answer.headers
    part = served().get(f"{API}/file={tmp_path / 'a.txt'}", headers={"Range": "bytes=2-4", "Cookie": "mine"})
    assert (part.status_code, part.text) == (206, "234")
    assert not {"cookie", "x-echo"} & {*part.headers}
    assert {"content-range", "content-length", "content-type"} <= {*part.headers}


@pytest.mark.parametrize(
    "name",
    ["proxy=http://a", "file=http://a", "file/x", "deep_link", "dev/reload", "process_recording", "component_server",
     "custom_component/1/client/a/b", "run-history/connect", "vibe-edit", "stream/1", "../gradio_api/proxy=http://a"],
)  # fmt: skip
def test_what_no_page_needs_is_closed(served, seen, name):
    assert served().get(f"{API}/{name}").status_code == 404
    assert served().post(f"{API}/{name}", json={}).status_code == 404
    assert served().post("/login", data={"username": "a"}).status_code == 404
    assert seen == []


def test_errors_reach_the_log_without_what_caused_them(served, capfd):
    async def failing(scope, receive, send):
        raise KeyError("name of a visitor's photo")

    served.guard.app = failing
    answer = served().get("/config")
    assert (answer.status_code, answer.text) == (500, "Something went wrong.")
    served().get("/config")
    logged = capfd.readouterr().err
    assert logged.count("unexpected KeyError in test_guard.py:") == 1
    assert "photo" not in logged and "Traceback" not in logged


def test_who_listens_is_known(served):
    visitors = served.state.visitors
    during = []

    async def listening(scope, receive, send):
        during.append({**visitors.listening})
        await StreamingResponse(iter([b"data"]))(scope, receive, send)

    served.guard.app = listening
    for path, key in (("queue/data?session_hash=abc", "abc"), ("call/matte_image/def", "def"), ("heartbeat/ghi", "ghi")):
        served().get(f"{API}/{path}")
        assert during.pop() == {key: 1} and not visitors.attended(key)
        assert visitors.unheard_s((key,), 0.0, time.monotonic()) < 5
    assert visitors.unheard_s(("nobody",), time.monotonic() - 60, time.monotonic()) >= 60


# Housekeeping


def test_old_files_are_swept(tmp_path):
    for name in ("a" * 64, "upload-x", "session-x", "vibe_edit_history"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "photo.jpg").touch()
    (tmp_path / "tmpabcdefgh").touch()
    (tmp_path / "log.txt").touch()
    sweep_files(tmp_path, time.time())
    assert len([*tmp_path.iterdir()]) == 6
    sweep_files(tmp_path, time.time() + limits.FILES_S + 60)
    assert {path.name for path in tmp_path.iterdir()} == {"session-x", "vibe_edit_history", "log.txt"}


def test_pages_of_one_address_make_room_for_each_other_alone():
    holder = StateHolder()
    held = holder.session_data
    keeper = object.__new__(Keeper)
    keeper.visitors, keeper.app = Visitors(), SimpleNamespace(state_holder=holder)
    for number in range(limits.SESSIONS_EACH + 5):
        for address in ("a", "b") if number < 2 else ("a",):
            keeper.admit(f"{address}{number}", address)
            held[f"{address}{number}"] = SimpleNamespace(state_components=())
    assert {"b0", "b1"} <= {*held}
    assert sum(key.startswith("a") for key in held) <= limits.SESSIONS_EACH and f"a{limits.SESSIONS_EACH + 4}" in held


def test_connections_that_ask_for_nothing_are_closed():
    closed = []

    class Connection:
        def __init__(self, name: str, address: str, busy: bool):
            self.client, self.cycle = (address, 1), SimpleNamespace(response_complete=False) if busy else None
            self.transport = SimpleNamespace(close=lambda: closed.append(name))

    kept = [Connection("busy", "198.51.100.1", busy=True), Connection("idle", "198.51.100.2", busy=False)]
    kept += [Connection("many", "198.51.100.3", busy=False) for _ in range(limits.CONNECTIONS_EACH + 3)]
    server = SimpleNamespace(server_state=SimpleNamespace(connections=kept))
    keeper = object.__new__(Keeper)
    keeper.app, keeper.visitors = SimpleNamespace(get_blocks=lambda: SimpleNamespace(server=server)), Visitors()
    keeper._idle = WeakKeyDictionary()
    keeper.close_idle(0.0)
    assert closed == ["many"] * 3
    closed.clear()
    keeper.close_idle(limits.IDLE_CONNECTION_S + 1.0)
    assert "idle" in closed and "busy" not in closed
