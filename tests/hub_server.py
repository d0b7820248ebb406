"""A small server on the loopback address that speaks the Hub's protocols for downloads and commits, well or badly."""

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

REVISION = "0123456789abcdef0123456789abcdef01234567"
TOKEN = "hf_a_token_for_tests"
_RESOLVE = re.compile(rf"/(?P<repo>[^/]+/[^/]+)/resolve/(?:main|v1|{REVISION})/(?P<path>.+)")


@dataclass
class Behaviour:
    """What the server does.

    Attributes:
        files: path in the repository -> content.
        repos: the repositories there are, all with the same files; None is any.
        status: answered to everything, where it is not 200.
        cut_after: a transfer breaks off after so many bytes.
        cuts: how many transfers do.
        stall_head_s: pause before the first answer.
        stall_body_s: pause in the middle of each transfer.
        etags: path -> hash that is stated instead of the true one.
        requests: (method, path, Range header) of what was asked.
        uploads: SHA-256 -> content, uploaded but perhaps not committed.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    repos: set[str] | None = None
    status: int = 200
    cut_after: int | None = None
    cuts: int = 1
    stall_head_s: float = 0.0
    stall_body_s: float = 0.0
    etags: dict[str, str] = field(default_factory=dict)
    requests: list[tuple[str, str, str | None]] = field(default_factory=list)
    uploads: dict[str, bytes] = field(default_factory=dict)


def _pause(seconds: float) -> None:
    threading.Event().wait(seconds)  # tests replace time.sleep


def _handler(behaviour: Behaviour) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def do_PUT(self) -> None:
            content = self._read()
            sha256 = self.path.rpartition("/")[2]
            whole = hashlib.sha256(content).hexdigest() == sha256
            if whole:
                behaviour.uploads[sha256] = content
            self._reply({}, 200 if whole else 400)

        def do_POST(self) -> None:
            content = self._read()
            if self.headers["Authorization"] != f"Bearer {TOKEN}":
                self._reply({"error": "Invalid username or password."}, 401)
            elif behaviour.status != 200:
                self._reply({"error": "no"}, behaviour.status)
            else:
                self._reply(*self._act(content))

        def log_message(self, *_: object) -> None:
            pass

        def _read(self) -> bytes:
            content = self.rfile.read(int(self.headers["Content-Length"] or 0))
            behaviour.requests.append((self.command, self.path, None))
            return content

        def _act(self, content: bytes) -> tuple[dict, int]:
            address = f"http://{self.headers['Host']}"
            if self.path == "/api/repos/create":
                asked = json.loads(content)
                repo = "/".join(part for part in (asked.get("organization"), asked["name"]) if part)
                known = behaviour.repos is not None and repo in behaviour.repos
                behaviour.repos = (behaviour.repos or set()) | {repo}
                return {"url": f"{address}/{repo}", "error": "there is one" if known else None}, 409 if known else 200
            if self.path == "/api/validate-yaml":
                return {"errors": [], "warnings": []}, 200
            if "/preupload/" in self.path:
                files = [{"path": file["path"], **_upload_mode(file)} for file in json.loads(content)["files"]]
                return {"files": files}, 200
            if self.path.endswith("/info/lfs/objects/batch"):
                objects = [
                    {**entry, "actions": {"upload": {"href": f"{address}/lfs/{entry['oid']}", "header": {}}}}
                    for entry in json.loads(content)["objects"]
                ]
                return {"transfer": "basic", "objects": objects}, 200
            if "/commit/" in self.path:
                repo = "/".join(self.path.split("/")[3:5])
                return _commit(behaviour, content, f"{address}/{repo}")
            return {"error": "not known here"}, 404

        def _reply(self, answer: dict, status: int = 200) -> None:
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _answer(self, body: bool) -> None:
            behaviour.requests.append((self.command, self.path, self.headers["Range"]))
            if not body:
                _pause(behaviour.stall_head_s)
            match = _RESOLVE.fullmatch(self.path)
            if behaviour.status != 200:
                self._refuse(behaviour.status)
            elif match is None or (behaviour.repos is not None and match["repo"] not in behaviour.repos):
                self._refuse(404, "RepoNotFound")
            elif match["path"] not in behaviour.files:
                self._refuse(404, "EntryNotFound")
            else:
                self._send(behaviour.files[match["path"]], match["path"], body)

        def _refuse(self, status: int, code: str | None = None) -> None:
            self.send_response(status)
            if code:
                self.send_header("X-Error-Code", code)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def _send(self, content: bytes, path: str, body: bool) -> None:
            asked = self.headers["Range"]
            start = int(asked.removeprefix("bytes=").split("-")[0]) if asked else 0
            self.send_response(206 if start else 200)
            self.send_header("X-Repo-Commit", REVISION)
            self.send_header("ETag", f'"{behaviour.etags.get(path) or hashlib.sha256(content).hexdigest()}"')
            self.send_header("Content-Length", str(len(content) - start))
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            self.end_headers()
            if not body:
                return
            stop = len(content)
            if behaviour.cut_after is not None and behaviour.cuts > 0:
                behaviour.cuts -= 1
                stop = max(start, behaviour.cut_after)
            middle = (start + stop) // 2
            self.wfile.write(content[start:middle])
            self.wfile.flush()
            _pause(behaviour.stall_body_s)
            self.wfile.write(content[middle:stop])
            self.wfile.flush()
            if stop < len(content):
                self.connection.close()
                self.close_connection = True

    return Handler


def _upload_mode(file: dict) -> dict:
    large = file["path"].endswith(".safetensors")
    return {"uploadMode": "lfs" if large else "regular", "shouldIgnore": False, "oid": None}


def _commit(behaviour: Behaviour, content: bytes, repo_url: str) -> tuple[dict, int]:
    """Lines of JSON: a header, small files with their content, large ones with the hash they were uploaded under."""
    for line in map(json.loads, content.splitlines()):
        value = line["value"]
        if line["key"] == "file":
            behaviour.files[value["path"]] = base64.b64decode(value["content"])
        elif line["key"] == "lfsFile":
            if value["oid"] not in behaviour.uploads:
                return {"error": f"{value['path']} was not uploaded"}, 400
            behaviour.files[value["path"]] = behaviour.uploads[value["oid"]]
    return {"success": True, "commitOid": REVISION, "commitUrl": f"{repo_url}/commit/{REVISION}", "hookOutput": ""}, 200


@contextmanager
def hub_server(behaviour: Behaviour) -> Iterator[str]:
    """Serve until the block ends; gives the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(behaviour))
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # clients that hang up are part of the tests
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
