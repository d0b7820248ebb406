"""The ASGI application in front of Gradio's: refuses what no page needs and what is too much, and says no more than it must."""

import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from matting.app import limits
from matting.app.guard.bodies import RefusedError, Upload, read_json, replay
from matting.app.guard.log import report
from matting.app.guard.origins import Origins
from matting.app.guard.visitors import Visitors, address_of

_API = "/gradio_api/"
_CLOSED = (  # of Gradio's: they fetch addresses, keep files that nobody removes, or print what they are sent
    "component_server", "custom_component", "deep_link", "dev/", "file/", "file=http", "login", "logout", "process_recording",
    "proxy=", "run-history", "runs", "stream/", "token", "vibe-", "vibe_",
)  # fmt: skip
_EVENTS = ("queue/join", "call/", "run/", "api/", "mcp")
_STATIC = ("/assets/", "/static/", "/svelte/", "/theme.css", "/favicon.ico")
_PAGES = ("/", "/config", "/gradio_api/info", "/gradio_api/openapi.json", "/gradio_api/mcp/schema")
_FILE_HEADERS = ("accept-ranges", "content-disposition", "content-length", "content-range", "content-type", "etag", "vary")
_TOO_OFTEN = "Too many requests at once from your address. Please wait a moment."
_FORWARDED = ("x-forwarded-host", "x-gradio-server")


class Guard:
    """Everything goes through here, the answers too.

    Args:
        app: Gradio's.
        visitors: what they have under way.
        origins: whom this server answers to.
        events_of: how many events an address has waiting or at work.
        admit: makes room for a page with this session hash, or raises `RefusedError`.
        cancelled: told the id of an event that its sender no longer wants, and its session hash.
    """

    def __init__(
        self,
        app: ASGIApp,
        visitors: Visitors,
        origins: Origins,
        events_of: Callable[[str], int],
        admit: Callable[[str, str], None],
        cancelled: Callable[[str, str], None],
    ):
        self.app, self.visitors, self.origins = app, visitors, origins
        self.events_of, self.admit, self.cancelled = events_of, admit, cancelled

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":  # Gradio has none
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] != "http":
            await self.app(scope, receive, send)
        else:
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = _Answer(send, self._headers_for(scope))
        scope["visitor"] = address = address_of(scope)
        try:
            with ExitStack() as stack:
                if response := self._preflight(scope):
                    await response(scope, receive, answer.send)
                    return
                self._check_origin(scope)
                self._check_address(scope, address)
                stack.enter_context(self.visitors.asks(address))
                if key := _listened(scope):
                    stack.enter_context(self.visitors.listens(key))
                await self._pass_on(scope, receive, answer)
        except RefusedError as error:
            await answer.refuse(error, scope, receive)
        except Exception as error:  # noqa: BLE001 - whatever it is, an answer is due
            report(error)
            await answer.refuse(RefusedError(500, "Something went wrong."), scope, receive)

    def _preflight(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if scope["method"] != "OPTIONS" or "access-control-request-method" not in headers:
            return None
        if not self._allowed(headers):
            return PlainTextResponse("This site may not use this app.", 403)
        allow = {
            "Access-Control-Allow-Methods": "GET, HEAD, POST",
            "Access-Control-Allow-Headers": headers.get("access-control-request-headers", "content-type"),
            "Access-Control-Max-Age": "600",
        }
        return PlainTextResponse("OK", headers=allow)

    def _allowed(self, headers: Headers) -> bool:
        host = headers.get("host", "")
        own = (host, forwarded) if (forwarded := self._forwarded_host(headers)) else (host,)
        return any(self.origins.allows(headers.get("origin", ""), name) for name in own)

    def _forwarded_host(self, headers: Headers) -> str:
        forwarded = headers.get("x-forwarded-host", "").split(",")[0].strip()
        return forwarded if forwarded and self.origins.forwards(forwarded, headers.get("host", "")) else ""

    def _check_origin(self, scope: Scope) -> None:
        """Raises `RefusedError` for what pages of other sites make a browser send."""
        headers = Headers(scope=scope)
        if not self.origins.answers_to(headers.get("host", "")):
            raise RefusedError(421, "This server does not go by that name; see MATTING_HOSTS.")
        if not self._forwarded_host(headers):  # what Gradio would believe
            scope["headers"] = [(name, value) for name, value in scope["headers"] if name.decode("latin-1") not in _FORWARDED]
        if scope["method"] in ("GET", "HEAD"):
            return
        foreign = headers.get("sec-fetch-site") in ("cross-site", "same-site") and "origin" not in headers
        if foreign or ("origin" in headers and not self._allowed(headers)):
            raise RefusedError(403, "This site may not use this app.")

    def _check_address(self, scope: Scope, address: str) -> None:
        """Raises `RefusedError` for what is closed to everybody, and for what is too much from one address."""
        path = scope["path"]
        name = path.partition(_API)[2] or path.lstrip("/")
        if name.startswith(_CLOSED):
            raise RefusedError(404, "Not Found")
        if not (limits.per_address() and address):
            return
        often = not self.visitors.requests.take(address, _cost(scope["method"], path))
        if often or self.visitors.open[address] >= limits.REQUESTS_OPEN:
            raise RefusedError(429, _TOO_OFTEN)
        event = scope["method"] == "POST" and name.startswith(_EVENTS)
        if event and (not self.visitors.events.take(address) or self.events_of(address) >= limits.EVENTS_OPEN):
            raise RefusedError(429, _TOO_OFTEN)

    async def _pass_on(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        name = scope["path"].partition(_API)[2]
        headers = Headers(scope=scope)
        declared = int(headers["content-length"]) if headers.get("content-length", "").isdecimal() else 0
        if scope["method"] in ("GET", "HEAD"):
            await self.app(scope, receive, answer.send)
        elif name.startswith("upload"):
            await self._upload(scope, receive, answer, declared)
        else:
            mcp = name.startswith("mcp")
            if mcp:
                _say_for_whom(scope)
            body = await read_json(receive, declared, limits.MCP_BYTES if mcp else limits.JSON_BYTES)
            address = scope["visitor"]
            if mcp and body and limits.per_address() and address and not self.visitors.posted.take(address, 2 * len(body)):
                raise RefusedError(429, _TOO_OFTEN)
            if body is not None:
                self._note(name, body, address)
                await self.app(scope, replay(body, receive), answer.send)

    async def _upload(self, scope: Scope, receive: Receive, answer: "_Answer", declared: int) -> None:
        address, visitors, before = scope["visitor"], self.visitors, 0

        def count(size: int) -> None:
            nonlocal before
            before += size
            visitors.incoming[address] += size

        upload = Upload(receive, declared, count, lambda: visitors.room_for(address))
        try:
            await self.app(scope, upload.receive, answer.unless(lambda: upload.refused))
        except Exception as error:
            if upload.refused is None and type(error).__name__ != "ClientDisconnect":
                raise
        finally:
            visitors.incoming[address] -= before
        if upload.refused:
            raise upload.refused

    def _note(self, name: str, body: bytes, address: str) -> None:
        """Look into an event before Gradio does: is there room for its page, and is it the end of another one?"""
        if not name.startswith((*_EVENTS, "cancel")) or name.startswith("mcp"):
            return
        try:
            fields = json.loads(body)
        except (ValueError, RecursionError):
            raise RefusedError(400, "This request is no JSON.") from None
        session = fields.get("session_hash") if isinstance(fields, Mapping) else None
        if session is None:
            return
        if not isinstance(session, str) or not session:
            raise RefusedError(400, "This request names no session.")
        if name.startswith("cancel"):
            self.cancelled(str(fields.get("event_id")), session)
        else:
            self.admit(session, address)

    def _headers_for(self, scope: Scope) -> dict[str, str]:
        headers = Headers(scope=scope)
        secure = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": self.origins.policy}
        if "origin" in headers and self._allowed(headers):
            return secure | {
                "Access-Control-Allow-Origin": headers["origin"],
                "Access-Control-Allow-Credentials": "true",
                "Vary": "Origin",
            }
        return secure


class _Answer:
    """Sends with headers of ours, and nothing of what others say about them."""

    def __init__(self, send: Send, headers: dict[str, str]):
        self._send, self._headers = send, headers
        self.begun = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            if message["status"] == 206:  # Gradio sends the request's headers back
                message["headers"] = [(k, v) for k, v in message["headers"] if k.decode("latin-1").lower() in _FILE_HEADERS]
            headers = MutableHeaders(scope=message)
            for name in [name for name in headers if name.startswith("access-control-allow-origin")]:
                del headers[name]
            if "access-control-allow-origin" not in {name.lower() for name in self._headers}:
                del headers["access-control-allow-credentials"]
            for name, value in self._headers.items():
                if name == "Vary":
                    headers.add_vary_header(value)
                else:
                    headers[name] = value
        await self._send(message)

    def unless(self, refused: Callable[[], RefusedError | None]) -> Send:
        """Sends nothing any more once the request is refused."""

        async def send(message: Message) -> None:
            if refused() is None:
                await self.send(message)

        return send

    async def refuse(self, error: RefusedError, scope: Scope, receive: Receive) -> None:
        if not self.begun:
            headers = {"Retry-After": "5"} if error.status == 429 else None
            await PlainTextResponse(error.message, error.status, headers)(scope, receive, self.send)


def _cost(method: str, path: str) -> float:
    """What a request takes of an address's allowance: the page itself and descriptions of it are made anew each time."""
    if path.startswith(_STATIC):
        return 0.1
    return 5.0 if method == "GET" and path in _PAGES else 1.0


def _listened(scope: Scope) -> str:
    """The session hash or event that a request waits for answers to; empty if it is another request."""
    name = scope["path"].partition(_API)[2]
    if scope["method"] != "GET":
        return ""
    if name == "queue/data":
        return parse_qs(scope["query_string"].decode("latin-1")).get("session_hash", [""])[0]
    return name.rpartition("/")[2] if name.startswith(("heartbeat/", "call/")) else ""


def _say_for_whom(scope: Scope) -> None:
    """Gradio's MCP server passes the headers on to the request that it makes of us itself."""
    if scope["visitor"]:
        kept = [(name, value) for name, value in scope["headers"] if name != b"x-forwarded-for"]
        scope["headers"] = [*kept, (b"x-forwarded-for", scope["client"][0].encode())]
