"""The tab Live: one stream at a time, others in line; frames that are none are refused; and the real page with a camera."""

import io
import shutil
import time
from fractions import Fraction
from itertools import islice

import av
import httpx
import numpy as np
import pytest
from PIL import Image
from tabs import EXAMPLES, open_tab

from matting.app import limits, text
from matting.app.errors import Problem
from matting.app.live import SIDES, GoneError, LiveDesk
from matting.media.reader import ClipReader

PATIENCE_S = 120


@pytest.fixture
def now() -> list[float]:
    return [100.0]


@pytest.fixture
def desk(lite_model, now) -> LiveDesk:
    return LiveDesk(lite_model, clock=lambda: now[0])


def test_one_at_a_time_and_the_others_in_the_order_they_came(desk, now):
    first, second, third = (desk.ask("", address)[0] for address in "abc")
    assert [desk.ask(ticket, "")[1] for ticket in (first, second, third)] == [0, 1, 2]
    for stranger in (second, "", "\u00e9", first[:-1]):
        with pytest.raises(GoneError):
            desk.turn(stranger)
    desk.leave(first)
    assert desk.ask(third, "c")[1] == 2, "who came before is first"
    assert desk.ask(second, "b")[1] == 0 and desk.ask(third, "c")[1] == 1


def test_who_is_not_heard_of_is_forgotten_with_the_frames(desk, now):
    ticket, _ = desk.ask("", "a")
    desk.ask("", "b")
    other, _ = desk.ask("", "c")
    for _ in range(4):
        now[0] += limits.LIVE_IDLE_S / 2
        assert desk.turn(ticket).ticket == ticket
        place = desk.ask(other, "c")
    assert place == (other, 1), "who waited before has gone"
    now[0] += limits.LIVE_IDLE_S + 1
    assert desk.busy
    desk.sweep()
    assert not desk.busy


def test_a_turn_ends_only_if_others_wait(desk, now):
    ticket, _ = desk.ask("", "a")
    for _ in range(100):
        now[0] += 5
        desk.turn(ticket)
    desk.ask("", "b")
    with pytest.raises(GoneError):
        desk.turn(ticket)
    assert desk.ask(ticket, "a")[1] == 2, "at the end of the line"


def test_nobody_fills_the_line(desk, monkeypatch):
    for _ in range(1 + limits.LIVE_WAITING_EACH):
        desk.ask("", "a")
    with pytest.raises(Problem, match="Too many people"):
        desk.ask("", "a")
    assert desk.ask("", "b")[1] == 1 + limits.LIVE_WAITING_EACH


def jpeg(width: int, height: int) -> bytes:
    buffer = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.mark.slow
def test_frames_are_answered_with_mattes_or_sentences(app):
    with httpx.Client(base_url=f"{app.url}/gradio_api/live", timeout=60) as visitor:
        ticket = visitor.post("/ask").json()["ticket"]
        visitor.headers["x-live-ticket"] = ticket

        def frame(number: int, body: bytes, side: object = 256) -> httpx.Response:
            return visitor.post("/frame", params={"number": number, "side": side}, content=body)

        assert frame(0, jpeg(320, 240)).status_code == 204
        answer = frame(1, jpeg(320, 240))
        matte = Image.open(io.BytesIO(answer.content))
        assert (answer.headers["x-live-number"], matte.mode, matte.size) == ("0", "RGBA", (320, 240))
        for bad in (b"", b"hello", jpeg(4000, 3000), jpeg(8, 8)):
            refused = frame(2, bad)
            assert refused.status_code == 400 and "frame" in refused.text and "Traceback" not in refused.text
        assert frame(2, jpeg(320, 240), side=4096).status_code == 400
        assert frame(2, jpeg(320, 240), side="x").status_code == 400
        stranger = httpx.post(f"{app.url}/gradio_api/live/ask", headers={"x-live-ticket": "mine"}).json()
        assert stranger["before"] == 1 and stranger["ticket"] != "mine"
        assert visitor.post("/leave").status_code == 204
        over = frame(3, jpeg(320, 240))
        assert (over.status_code, over.text) == (409, text.LIVE_OVER)
        httpx.post(f"{app.url}/gradio_api/live/leave", headers={"x-live-ticket": stranger["ticket"]})


@pytest.fixture(scope="module")
def camera(tmp_path_factory):
    """The example clip at 640x480 as Chromium takes it for a camera."""
    path = tmp_path_factory.mktemp("camera") / "clip.mjpeg"
    with ClipReader(EXAMPLES / "clip.mp4") as reader, av.open(str(path), "w", format="mjpeg") as container:
        stream = container.add_stream("mjpeg", rate=Fraction(25))
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuvj420p"
        for frame in islice(reader, 50):
            wide = np.pad(np.asarray(Image.fromarray(frame.image).resize((480, 480))), ((0, 0), (80, 80), (0, 0)), mode="edge")
            container.mux(stream.encode(av.VideoFrame.from_ndarray(wide, format="rgb24")))
        container.mux(stream.encode(None))
    return path


@pytest.fixture
def camera_page(browser, app, camera):
    """Opens the tab Live in a browser that has this camera."""
    fake = [
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={camera}",
    ]
    fake.append(f"--use-file-for-fake-video-capture={camera}")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    own = browser.browser_type.launch(
        executable_path=chromium, args=["--no-sandbox", *fake, f"--use-file-for-fake-video-capture={camera}"]
    )

    def open_page():
        page = own.new_page(viewport={"width": 390, "height": 844})
        page.set_default_timeout(PATIENCE_S * 1000)
        page.goto(app.url)
        page.wait_for_selector("#panels img")
        open_tab(page, "Live")
        return page

    yield open_page
    own.close()


CORNER = "c => [...c.getContext('2d').getImageData(2, 2, 1, 1).data]"


@pytest.mark.browser
def test_the_camera_is_cut_out_as_it_runs(camera_page, app, capsys):
    page = camera_page()
    page.locator(".camera .start").press("Enter")
    rate = page.locator(".camera .rate[data-fps]")
    rate.wait_for()
    page.wait_for_timeout(12_000)  # for the working size to settle
    fps, side = float(rate.get_attribute("data-fps")), int(rate.get_attribute("data-side"))
    with capsys.disabled():
        print(f"\nlive at 640x480, refined: {rate.inner_text()}")
    assert fps >= 8 or side == min(SIDES), "it is as small as it can be, or quick enough"
    assert fps > 0
    stage = page.locator(".camera canvas")
    assert stage.evaluate(CORNER)[:3] == [63, 95, 90], "the colour behind"
    middle = stage.evaluate("c => [...c.getContext('2d').getImageData(320, 300, 1, 1).data]")
    assert abs(middle[0] - 63) + abs(middle[1] - 95) + abs(middle[2] - 90) > 60, "the person"
    page.locator("#live-background").get_by_label("Blur").check(force=True)
    page.wait_for_function(f"!({CORNER})(document.querySelector('.camera canvas')).slice(0, 3).includes(63)")
    page.get_by_role("radio", name="Coarse").check(force=True)
    small = page.locator(".camera button, .camera label").evaluate_all("all => all.map(each => each.offsetHeight)")
    assert min(small) >= 44 and page.evaluate("document.documentElement.scrollWidth") <= 390

    other = camera_page()
    other.locator(".camera .start").click()
    other.get_by_text("Somebody else's camera is on. 1 before you").wait_for()
    page.close()
    other.get_by_text("The camera is on.").wait_for()

    open_tab(other, "About")
    ask = f"{app.url}/gradio_api/live/ask"
    deadline, ticket = time.monotonic() + PATIENCE_S, ""
    while (told := httpx.post(ask, headers={"x-live-ticket": ticket}).json())["before"] > 0:
        assert time.monotonic() < deadline
        ticket = told["ticket"]
        time.sleep(0.5)
    httpx.post(ask.replace("ask", "leave"), headers={"x-live-ticket": told["ticket"]})
    assert other.locator(".camera .note").text_content() == text.LIVE_IDLE
