"""The real app under load and under faults, on the loopback address; prints a table and returns 1 if something is wrong.

python tests/load.py users --users 8 --seconds 180    # mixed photos, batches, clips, camera, cancelled, garbage, oversize
python tests/load.py kill                             # killed in the middle of a clip, then started again
python tests/load.py inputs FOLDER --users 2          # every file of a folder, by all visitors at once
python tests/load.py memory                           # a photo that is too much for the memory there is
python tests/load.py attacker --seconds 120           # two visitors beside one who wants the whole server
"""

import argparse
import io
import os
import resource
import socket
import sys
import tempfile
import threading
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

import av
import httpx
import numpy as np
from gradio_client import Client, handle_file
from hostile import png
from PIL import Image

PROJECT = Path(__file__).parents[1]
sys.path.insert(0, str(PROJECT))
CLIP_SUFFIXES = (".gif", ".mkv", ".mov", ".mp4", ".ts", ".webm")
PORTRAIT = PROJECT / "examples" / "curls.jpg"
UPLOAD_LIMIT = 80_000_000
WAIT_S = 60
_STATUSES: Counter[int] = Counter()


def count_statuses() -> None:
    """Note the status of every answer that any client in this process gets."""
    for kind in (httpx.Client, httpx.AsyncClient):
        kind._send_single_request = _noting(kind._send_single_request)


def _noting(send: Callable) -> Callable:
    def note(self: object, request: httpx.Request) -> httpx.Response:
        response = send(self, request)
        _STATUSES[response.status_code] += 1
        return response

    async def note_async(self: object, request: httpx.Request) -> httpx.Response:
        response = await send(self, request)
        _STATUSES[response.status_code] += 1
        return response

    return note_async if "Async" in send.__qualname__ else note


@dataclass
class User:
    """One visitor with photos that nobody else has."""

    number: int
    url: str
    folder: Path
    counts: Counter = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def visit(self, until: float) -> None:
        random = np.random.default_rng(self.number)
        actions = [self.photo, self.photo, self.photo, self.batch, self.live, self.clip]
        actions += [self.cancel, self.garbage, self.oversize]
        client = self.connect()
        while time.monotonic() < until:
            action = actions[random.integers(len(actions))]
            try:
                action(client, random)
                self.counts[action.__name__] += 1
            except Exception as error:  # noqa: BLE001 - whatever it is, it belongs into the table
                self.wrong.append(f"user {self.number}, {action.__name__}: {type(error).__name__}: {str(error)[:200]}")
            if random.random() < 0.1:
                client.close()
                client = self.connect()
        client.close()

    def connect(self) -> Client:
        return Client(self.url, verbose=False, download_files=str(self.folder))

    def photo(self, client: Client, random: np.random.Generator) -> None:
        sent = tinted(random)
        path = self.folder / "mine.png"
        Image.fromarray(sent).save(path)
        cutout, _alpha, facts, *_ = client.predict(handle_file(str(path)), "512", 0, True, True, api_name="/matte_image")
        if facts["size_px"] != [sent.shape[1], sent.shape[0]]:
            raise AssertionError(f"crossed: sent {sent.shape}, got {facts['size_px']}")
        check_colours(sent, cutout)

    def batch(self, client: Client, random: np.random.Generator) -> None:
        sent = {f"{number}-{random.integers(10**9)}": tinted(random) for number in range(int(random.integers(2, 5)))}
        with zipfile.ZipFile(self.folder / "mine.zip", "w") as archive:
            for name, pixels in sent.items():
                archive.writestr(f"{name}.png", encoded(pixels, "PNG"))
        photos = [handle_file(str(self.folder / "mine.zip"))]
        archive, facts, *_ = client.predict(photos, "512", "transparent", False, api_name="/matte_batch")
        if {fact["name"]: fact["size_px"] for fact in facts} != {
            f"mine.zip: {name}.png": [pixels.shape[1], pixels.shape[0]] for name, pixels in sent.items()
        }:
            raise AssertionError(f"crossed: sent {[*sent]}, got {facts}")
        with zipfile.ZipFile(archive) as received:
            for name, pixels in sent.items():
                check_colours(pixels, received.open(f"{name}-cutout.png"))

    def live(self, client: Client, random: np.random.Generator) -> None:
        """A few frames of a size that nobody else has, once it is this visitor's turn; some leave without a word."""
        width, height, ticket = int(random.integers(160, 320)), int(random.integers(120, 240)), ""
        frame = encoded(np.full((height, width, 3), 90, np.uint8), "JPEG")
        with httpx.Client(base_url=f"{self.url}/gradio_api/live", timeout=WAIT_S) as visitor:
            while (told := visitor.post("/ask", headers={"x-live-ticket": ticket}).json())["before"]:
                ticket = told["ticket"]
                time.sleep(1)
            visitor.headers["x-live-ticket"] = told["ticket"]
            for number in range(int(random.integers(3, 12))):
                answer = visitor.post("/frame", params={"number": number, "side": 256}, content=frame)
                if answer.status_code != (200 if number else 204):
                    raise AssertionError(f"frame {number}: {answer.status_code} {answer.text[:100]}")
                if number and Image.open(io.BytesIO(answer.content)).size != (width, height):
                    raise AssertionError("crossed: a matte of another size")
            if random.random() < 0.7:
                visitor.post("/leave")

    def clip(self, client: Client, random: np.random.Generator) -> None:
        width, height, frames = 2 * random.integers(40, 90), 2 * random.integers(40, 90), int(random.integers(2, 6))
        path = self.folder / "mine.mp4"
        path.write_bytes(small_clip(int(width), int(height), frames))
        _, facts, *_ = client.predict(handle_file(str(path)), "512", True, "blur", ["alpha"], api_name="/matte_clip")
        if facts["size_px"] != [width, height] or facts["frames"] != frames:
            raise AssertionError(f"crossed: sent {width} x {height}, {frames} frames, got {facts}")

    def send_all(self, folder: Path) -> None:
        """Every file of a folder, whatever it is; each ends in a result or in a sentence, and then a photo works."""
        client = self.connect()
        for path in sorted(folder.iterdir()):
            endpoint, options = "/matte_image", ("512", 0, True, True)
            if path.suffix in CLIP_SUFFIXES:
                endpoint, options = "/matte_clip", ("512", True, "blur", ["webm", "alpha"])
            try:
                client.predict(handle_file(str(path)), *options, api_name=endpoint)
                self.counts["results"] += 1
            except Exception as error:  # noqa: BLE001 - whatever it is, it belongs into the table
                sentence = str(error)
                self.counts["refused"] += 1
                print(f"user {self.number}: {path.name}: {sentence}")
                if "Traceback" in sentence or "cannot be used" not in sentence:
                    self.wrong.append(f"user {self.number}, {path.name}: {type(error).__name__}: {sentence[:200]}")
        self.photo(client, np.random.default_rng(self.number))
        client.close()

    def cancel(self, client: Client, random: np.random.Generator) -> None:
        path = self.folder / "cancelled.png"
        Image.fromarray(tinted(random)).save(path)
        job = client.submit(handle_file(str(path)), "Auto", 0, True, True, api_name="/matte_image")
        time.sleep(random.uniform(0, 1))
        job.cancel()
        with suppress(Exception):
            job.result(WAIT_S)

    def garbage(self, client: Client, random: np.random.Generator) -> None:
        ending, endpoint, options = [
            ("jpg", "/matte_image", ("512", 0, True, True)),
            ("mp4", "/matte_clip", ("512", True, "blur", ["alpha"])),
        ][random.integers(2)]
        path = self.folder / f"garbage.{ending}"
        path.write_bytes(random.bytes(10_000))
        self.expect_refusal("cannot be used", lambda: client.predict(handle_file(str(path)), *options, api_name=endpoint))

    def oversize(self, client: Client, random: np.random.Generator) -> None:
        if random.random() < 0.7:
            path = self.folder / "wide.png"
            path.write_bytes(png(60_000, 60_000))
            self.expect_refusal(
                "million pixels",
                lambda: client.predict(handle_file(str(path)), "512", 0, True, True, api_name="/matte_image"),
            )
            return
        content = bytes(UPLOAD_LIMIT + 5_000_000)
        answer = httpx.post(f"{self.url}/gradio_api/upload", files={"files": ("big.png", content)}, timeout=WAIT_S)
        if answer.status_code != 413:
            raise AssertionError(f"expected 413 for an upload that is too large, got {answer.status_code}")

    def expect_refusal(self, words: str, request: Callable[[], object]) -> None:
        try:
            request()
        except Exception as error:
            if words not in str(error) or "Traceback" in str(error):
                raise AssertionError(f"expected a message with {words!r}, got {error}") from error
        else:
            raise AssertionError("garbage was accepted")


def tinted(random: np.random.Generator) -> np.ndarray:
    """The portrait in a size and a tint that no other request has."""
    size = tuple(int(side) for side in random.integers(180, 420, 2))
    tint = random.uniform(0.35, 1.0, 3)
    return (np.asarray(Image.open(PORTRAIT).convert("RGB").resize(size)) * tint).astype(np.uint8)


def encoded(pixels: np.ndarray, kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


def check_colours(sent: np.ndarray, cutout: object) -> None:
    """Raises AssertionError unless a cut-out is of the photo that was sent."""
    received = np.asarray(Image.open(cutout).convert("RGBA"))
    if received.shape[:2] != sent.shape[:2]:
        raise AssertionError(f"crossed: sent {sent.shape}, got {received.shape}")
    opaque = received[..., 3] > 250
    if not opaque.any() or np.abs(received[opaque, :3].astype(int) - sent[opaque]).mean() > 4:
        raise AssertionError("crossed: the colours are not those of the photo that was sent")


def small_clip(width: int, height: int, frames: int) -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height = width, height
        for value in range(frames):
            frame = np.full((height, width, 3), 40 * value % 256, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))
    return buffer.getvalue()


def memory_gb(process: int, name: str = "VmRSS") -> float:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) * 1024 / 1e9


@contextmanager
def app(folder: Path, limits: str = "off"):
    """The app with everything it writes below a folder; its limits per address are off, for here all share one."""
    from check_space import started

    with started(Path(sys.executable), PROJECT, folder, {"MATTING_LIMITS": limits}) as (process, url, _):
        yield process, url


def files_of(folder: Path) -> list[str]:
    """What lies below its temporary folder; folders may go while they are walked through."""
    found = [os.path.relpath(os.path.join(path, name), folder) for path, _, names in os.walk(folder / "tmp") for name in names]
    return [name for name in found if not name.endswith(".lock")]  # of the server's own folder


def drive_users(options: argparse.Namespace) -> list[str]:
    count_statuses()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "server").mkdir()
        with app(folder / "server") as (process, url):
            Client(url, verbose=False).close()
            users = [User(number, url, folder / str(number)) for number in range(options.users)]
            for user in users:
                user.folder.mkdir()
            began = time.monotonic()
            threads = [threading.Thread(target=user.visit, args=(began + options.seconds,)) for user in users]
            for thread in threads:
                thread.start()
            memory = []
            while any(thread.is_alive() for thread in threads):
                memory.append((time.monotonic() - began, memory_gb(process.pid)))
                time.sleep(1)
            deadline = time.monotonic() + WAIT_S
            while (left := files_of(folder / "server")) and time.monotonic() < deadline:
                time.sleep(1)
            waiting = [path for path in left if path.endswith("cancelled.png")]  # never worked on: they go after half an hour
            log = (folder / "server" / "log.txt").read_text(errors="replace")
        after = files_of(folder / "server")
    total = sum((user.counts for user in users), Counter())
    minutes = [max((gb for at, gb in memory if start <= at < start + 60), default=0) for start in range(0, options.seconds, 60)]
    print("requests     " + ", ".join(f"{count} {name}" for name, count in sorted(total.items())))
    print("answers      " + ", ".join(f"{count} x {status}" for status, count in sorted(_STATUSES.items())))
    print("memory       " + ", ".join(f"{gb:.2f}" for gb in minutes) + " GB at most in each minute")
    print(
        f"files left   {len(left)} when the visitors had left, {len(waiting)} of them uploads cancelled before work began; "
        f"{len(after)} after the end of the server"
    )
    wrong = [line for user in users for line in user.wrong]
    wrong += [f"status {status}" for status in _STATUSES if status >= 500]
    wrong += [f"left behind: {path}" for path in [*after, *left] if path not in waiting]
    wrong += ["the server's log has a traceback:\n" + log[-3000:]] if "Traceback" in log else []
    if len(minutes) > 2 and minutes[-1] > 1.15 * minutes[1]:
        wrong.append("memory grows")
    return wrong


def send_inputs(options: argparse.Namespace) -> list[str]:
    count_statuses()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "server").mkdir()
        with app(folder / "server") as (process, url):
            users = [User(number, url, folder / str(number)) for number in range(options.users)]
            for user in users:
                user.folder.mkdir()
            threads = [threading.Thread(target=user.send_all, args=(options.folder,)) for user in users]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            deadline = time.monotonic() + WAIT_S
            while (left := files_of(folder / "server")) and time.monotonic() < deadline:
                time.sleep(1)
            alive = process.poll() is None
            log = (folder / "server" / "log.txt").read_text(errors="replace")
    total = sum((user.counts for user in users), Counter())
    print("requests     " + ", ".join(f"{count} {name}" for name, count in sorted(total.items())))
    print("answers      " + ", ".join(f"{count} x {status}" for status, count in sorted(_STATUSES.items())))
    print(f"files left   {len(left)}")
    wrong = [line for user in users for line in user.wrong]
    wrong += [] if alive else ["the server died"]
    wrong += [f"status {status}" for status in _STATUSES if status >= 500]
    wrong += [f"left behind: {path}" for path in left]
    return wrong + (["the server's log has a traceback:\n" + log[-3000:]] if "Traceback" in log else [])


def kill_in_clip(options: argparse.Namespace) -> list[str]:
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        process, url = stack.enter_context(app(folder))
        path = folder / "long.mp4"
        path.write_bytes(small_clip(640, 480, 200))
        client = Client(url, verbose=False)
        client.submit(handle_file(str(path)), "512", True, "blur", ["webm"], api_name="/matte_clip")
        deadline = time.monotonic() + WAIT_S
        while not any("clip" in left for left in files_of(folder)) and time.monotonic() < deadline:
            time.sleep(0.2)
        process.kill()
        process.wait()
        left = files_of(folder)
        with app(folder) as (_, url):
            again = files_of(folder)
            user = User(0, url, folder)
            user.photo(user.connect(), np.random.default_rng(0))
        print(f"killed in a clip: {len(left)} files left; after the next start {len(again)}; a photo works")
        return [f"left behind: {path}" for path in again] + ([] if left else ["it was killed before it wrote anything"])


def exhaust_memory(options: argparse.Namespace) -> list[str]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with app(folder) as (process, url):
            user = User(0, url, folder)
            client, random = user.connect(), np.random.default_rng(0)
            user.photo(client, random)
            limit = int(memory_gb(process.pid, "VmData") * 1e9 + options.megabytes * 1e6)
            resource.prlimit(process.pid, resource.RLIMIT_DATA, (limit, limit))
            before = memory_gb(process.pid)
            path = folder / "large.jpg"
            Image.open(PORTRAIT).convert("RGB").resize((6000, 6000)).save(path)
            try:
                client.predict(handle_file(str(path)), "Full", 0, True, True, api_name="/matte_image")
                return ["the memory sufficed; give less with --megabytes"]
            except Exception as error:  # noqa: BLE001 - what the visitor is told is judged by its words
                print(f"told the visitor: {error}")
                wrong = [] if "not enough memory" in str(error) else [f"expected a message about memory, got {error}"]
            if process.poll() is not None:
                return [*wrong, "the server died"]
            print(f"memory {before:.2f} GB before, {memory_gb(process.pid):.2f} GB after")
            user.photo(client, random)
            print("the next photo works")
            return wrong


PATIENCE_S = 10.0
ATTACKER = "127.0.0.9"
_GRADIO = "/gradio_api"


def client_at(url: str, address: str) -> httpx.Client:
    """A program at an address of its own; every 127.x.x.x is this machine."""
    return httpx.Client(base_url=url, transport=httpx.HTTPTransport(local_address=address), timeout=WAIT_S)


@dataclass
class Visitor:
    """Sends a photo, waits for its cut-out, looks at it, and sends the next one."""

    url: str
    address: str
    seconds: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def visit(self, until: float) -> None:
        random = np.random.default_rng(int(self.address.rpartition(".")[2]))
        with client_at(self.url, self.address) as client:
            while True:
                began = time.monotonic()
                try:
                    self.send(client, random)
                except Exception as error:  # noqa: BLE001 - whatever it is, it belongs into the table
                    self.wrong.append(f"visitor {self.address}: {type(error).__name__}: {str(error)[:200]}")
                self.seconds.append(time.monotonic() - began)
                if time.monotonic() > until:
                    return
                time.sleep(2)

    def send(self, client: httpx.Client, random: np.random.Generator) -> None:
        client.get("/").raise_for_status()
        sent, buffer = tinted(random), io.BytesIO()
        Image.fromarray(sent).save(buffer, "PNG")
        (path,) = client.post(f"{_GRADIO}/upload", files={"files": ("mine.png", buffer.getvalue())}).raise_for_status().json()
        data = [{"path": path, "meta": {"_type": "gradio.FileData"}}, "512", 0, True, True]
        event = client.post(f"{_GRADIO}/call/matte_image", json={"data": data}).raise_for_status().json()["event_id"]
        told = client.get(f"{_GRADIO}/call/matte_image/{event}").text
        if f'"size_px": [{sent.shape[1]}, {sent.shape[0]}]' not in told:
            raise AssertionError(f"expected a photo of {sent.shape}, got {told[-300:]}")


class Attacker:
    """One address that does everything at once, and listens to nothing."""

    def __init__(self, url: str):
        self.url, self.statuses = url, Counter[str]()
        buffer = io.BytesIO()
        Image.open(PORTRAIT).convert("RGB").resize((4000, 4000)).save(buffer, "JPEG")
        self.photo = buffer.getvalue()

    def run(self, seconds: float) -> Counter[str]:
        """Attack in every way at once, each in a thread of its own; what came of it."""
        ways = [self.flood, self.photos, self.photos, self.methods, self.nested, self.uploads, self.broken, self.pages]
        ways.append(self.cancels)
        until = time.monotonic() + seconds
        threads = [threading.Thread(target=self._repeat, args=(way, until), daemon=True) for way in ways]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(seconds + WAIT_S)
        return self.statuses

    def use_all(self) -> None:
        """Once what it will do, and wait for it: libraries that are loaded and compiled then are no growth."""
        with client_at(self.url, ATTACKER) as client:
            for call in (self.photos, self.methods):
                if event := call(client).json().get("event_id"):
                    client.get(f"{_GRADIO}/call/any/{event}", timeout=300)

    def _repeat(self, way: Callable[[httpx.Client], httpx.Response | None], until: float) -> None:
        with client_at(self.url, ATTACKER) as client:
            while time.monotonic() < until:
                try:
                    answer = way(client)
                    self.statuses[f"{way.__name__} {answer.status_code if answer else 'sent'}"] += 1
                except httpx.HTTPError as error:
                    self.statuses[f"{way.__name__} {type(error).__name__}"] += 1
                time.sleep(0.02)

    def _photo(self, client: httpx.Client) -> dict | None:
        answer = client.post(f"{_GRADIO}/upload", files={"files": ("large.jpg", self.photo)})
        return {"path": answer.json()[0], "meta": {"_type": "gradio.FileData"}} if answer.status_code == 200 else None

    def _join(self, client: httpx.Client, name: str, data: list) -> httpx.Response:
        return client.post(f"{_GRADIO}/call/{name}", json={"data": data, "session_hash": os.urandom(8).hex()})

    def flood(self, client: httpx.Client) -> httpx.Response:
        return self._join(client, "tables", [])

    def photos(self, client: httpx.Client) -> httpx.Response:
        client.post(f"{_GRADIO}/run/matte_image", json={"data": [self._photo(client), "Full", 0, True, True, None]})
        return self._join(client, "matte_image", [self._photo(client), "Full", 0, True, True])

    def methods(self, client: httpx.Client) -> httpx.Response:
        self._join(client, "compare_methods", [self._photo(client), ["coarse"] * 100_000, None])
        return self._join(client, "compare_methods", [self._photo(client), ["closed-form", "knn", "grabcut", "ours"], None])

    def nested(self, client: httpx.Client) -> httpx.Response:
        return client.post(f"{_GRADIO}/queue/join", content=b"[" * 20_000_000 + b"]" * 20_000_000)

    def uploads(self, client: httpx.Client) -> httpx.Response:
        return client.post(f"{_GRADIO}/upload", files={"files": ("a.bin", bytes(20_000_000))})

    def broken(self, client: httpx.Client) -> None:
        with socket.create_connection((client.base_url.host, client.base_url.port), WAIT_S, (ATTACKER, 0)) as connection:
            head = f"POST {_GRADIO}/upload HTTP/1.1\r\nHost: {client.base_url.netloc.decode()}\r\nContent-Length: 90000\r\n"
            part = '--x\r\nContent-Disposition: form-data; name="files"; filename="broken.jpg"\r\n\r\nface'
            connection.sendall(f"{head}Content-Type: multipart/form-data; boundary=x\r\n\r\n{part}".encode())
            time.sleep(0.05)

    def pages(self, client: httpx.Client) -> httpx.Response:
        return client.get("/")

    def cancels(self, client: httpx.Client) -> httpx.Response:
        session = os.urandom(8).hex()
        data = {"data": [self._photo(client), ["knn"], None], "session_hash": session}
        event = client.post(f"{_GRADIO}/call/compare_methods", json=data)
        for function in range(60 if event.status_code == 200 else 0):
            body = {"session_hash": session, "fn_index": function, "event_id": event.json()["event_id"]}
            client.post(f"{_GRADIO}/cancel", json=body)
        return event


def attack(url: str, seconds: float) -> Counter[str]:
    """The attacker in a process of its own, which stands for another machine: it yields the processors to the server."""
    os.nice(10)
    return Attacker(url).run(seconds)


def drive_attacker(options: argparse.Namespace) -> list[str]:
    with tempfile.TemporaryDirectory() as name, ProcessPoolExecutor(1, get_context("spawn")) as elsewhere:
        folder = Path(name)
        with app(folder, limits="on") as (process, url):
            Attacker(url).use_all()
            visitors = [Visitor(url, f"127.0.0.{number}") for number in (2, 3)]
            alone = min(visitor.visit(0.0) or visitor.seconds.pop() for visitor in 2 * visitors)
            start = peak = settled(process.pid, 0.0, options.rest)
            attacker = elsewhere.submit(attack, url, options.seconds)
            until = time.monotonic() + options.seconds
            threads = [threading.Thread(target=visitor.visit, args=(until,)) for visitor in visitors]
            for thread in threads:
                thread.start()
            while not attacker.done() or any(thread.is_alive() for thread in threads):
                peak = max(peak, memory_gb(process.pid))
                time.sleep(0.5)
            end = settled(process.pid, 1.2 * start, options.rest)
            log = (folder / "log.txt").read_text(errors="replace")
    print(f"alone        {alone:.1f} s for a photo")
    for visitor in visitors:
        served = len(visitor.seconds) - len(visitor.wrong)
        took = f"{np.mean(visitor.seconds):.1f} s each, {max(visitor.seconds):.1f} s at most"
        print(f"visitor      {served} of {len(visitor.seconds)} photos served, {took}")
    print("attacker     " + ", ".join(f"{count} x {what}" for what, count in sorted(attacker.result().items())))
    print(f"memory       {start:.2f} GB before, {peak:.2f} GB at most, {end:.2f} GB after; log {len(log)} bytes")
    late = [seconds for visitor in visitors for seconds in visitor.seconds if seconds > PATIENCE_S]
    wrong = [line for visitor in visitors for line in visitor.wrong]
    wrong += [f"{len(late)} photos took more than {PATIENCE_S:g} s"] if late else []
    wrong += ["memory did not come back"] if end > 1.2 * start else []
    return [*wrong, "the log has a traceback"] if "Traceback" in log else wrong


def settled(process: int, enough: float, seconds: float) -> float:
    """Memory once it is low enough, or else the least that it was within so many seconds."""
    least, deadline = memory_gb(process), time.monotonic() + seconds
    while least > enough and time.monotonic() < deadline:
        time.sleep(2)
        least = min(least, memory_gb(process))
    return least


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    users = commands.add_parser("users")
    users.add_argument("--users", type=int, default=8)
    users.add_argument("--seconds", type=int, default=180)
    users.set_defaults(run=drive_users)
    inputs = commands.add_parser("inputs")
    inputs.add_argument("folder", type=Path)
    inputs.add_argument("--users", type=int, default=2)
    inputs.set_defaults(run=send_inputs)
    commands.add_parser("kill").set_defaults(run=kill_in_clip)
    memory = commands.add_parser("memory")
    memory.add_argument("--megabytes", type=int, default=500, help="that the process may grow by")
    memory.set_defaults(run=exhaust_memory)
    attacker = commands.add_parser("attacker")
    attacker.add_argument("--seconds", type=int, default=60)
    attacker.add_argument("--rest", type=int, default=240, help="seconds afterwards in which memory has to come back")
    attacker.set_defaults(run=drive_attacker)
    options = parser.parse_args()
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    with tempfile.TemporaryDirectory() as folder:
        tempfile.tempdir = folder  # of clients too, which leave an empty folder for every file that they fetch
        wrong = options.run(options)
    print("\n".join(wrong) or "nothing is wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
