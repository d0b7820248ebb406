"""The Clip tab in Chromium, on the real app with the bundled weights: upload, wait, look at it, download, stop."""

from itertools import islice
from pathlib import Path
from time import monotonic, perf_counter

import av
import numpy as np
import pytest
from tabs import files_in, open_tab

from matting.media.encoding import H264_MP4
from matting.media.reader import ClipReader
from matting.media.writer import ClipWriter

EXAMPLE = Path(__file__).parents[2] / "examples" / "clip.mp4"
FRAMES = 10  # of the example; all of it would only take longer
PATIENCE_S = 120  # for a busy machine

pytestmark = pytest.mark.browser


@pytest.fixture
def clip_tab(open_page):
    """Opens the app at the Clip tab."""

    def open_clip_tab(*args):
        page = open_page(*args)
        open_tab(page, "Clip")
        page.locator("#clip-run").wait_for()
        return page

    return open_clip_tab


def wait_until(condition) -> None:
    deadline = monotonic() + PATIENCE_S
    while not condition():
        assert monotonic() < deadline


@pytest.fixture(scope="module")
def short_clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("clip") / "walk.mp4"
    with ClipReader(EXAMPLE) as reader, ClipWriter(path, H264_MP4, reader.info.width, reader.info.height, reader) as writer:
        for frame in islice(reader, FRAMES):
            writer.write(frame.image, frame.pts, frame.duration)
    return path


def decode_alpha(path):
    """(frames, H, W) of a VP9 clip; raises if it has no alpha plane."""
    decoder = av.CodecContext.create("libvpx-vp9", "r")
    with av.open(str(path)) as container:
        frames = [f for packet in container.demux(video=0) if packet.size for f in decoder.decode(packet)]
    assert all(frame.format.name == "yuva420p" for frame in frames)
    return [frame.to_ndarray(format="rgba")[..., 3] for frame in frames]


def test_upload_preview_and_download_a_webm_with_alpha(clip_tab, short_clip, tmp_path):
    page = clip_tab()
    page.locator("#clip input[type=file]").set_input_files(short_clip)
    page.get_by_text(f"{FRAMES} frames, 0.4 seconds, 400 × 400 pixels").wait_for()
    page.locator("#clip-run").click()
    page.locator(".live img").wait_for()
    page.locator("#clip-facts dd").first.wait_for()
    files = page.locator("#clip-files").bounding_box()
    assert files["y"] + files["height"] < 900, "the files are seen without scrolling"
    assert page.locator("#clip-facts dd").first.inner_text() == str(FRAMES)
    video = page.locator("#clip-preview video")
    assert "-checkerboard" in video.evaluate("video => video.currentSrc || video.src")
    page.get_by_label("All steps").check()
    page.wait_for_function("(document.querySelector('#clip-preview video')?.currentSrc ?? '').includes('-preview')")
    assert page.locator("#clip-chart polyline").count() == 2
    links = page.locator("#clip-files a[download]")
    names = [links.nth(i).get_attribute("download") for i in range(links.count())]
    assert names == ["walk-cutout.webm", "walk-composite.mp4"]
    with page.expect_download() as download:
        links.first.click()
    download.value.save_as(tmp_path / "walk.webm")
    alphas = decode_alpha(tmp_path / "walk.webm")
    assert len(alphas) == FRAMES
    for alpha in alphas:
        assert alpha.shape == (400, 400)
        assert alpha.min() < 20 and alpha.max() > 235  # somebody is there, and so is the background
        assert alpha[300:, 150:250].mean() > alpha[:60, :60].mean() + 150  # the chest against a corner

    page.locator("#clip-example").click()
    page.locator(".clip-progress").wait_for()
    for gone in ("#clip-preview video", "#clip-facts dd", "#clip-files a[download]", "#clip-chart polyline"):
        assert page.locator(gone).count() == 0, "what a new run replaces is not there any more"
    page.locator("#clip-stop").click()


def test_stop_ends_the_work_and_removes_its_files(clip_tab, app):
    page = clip_tab()
    page.locator("#clip-example").click()
    page.locator(".clip-progress").wait_for()
    wait_until(lambda: files_in(app.folder, ".*.part"))
    assert page.locator("#clip-products input:enabled").count() == 0, "what is made was chosen before"
    began = perf_counter()
    page.locator("#clip-stop").click()
    page.get_by_text("Stopped. Nothing was kept.").wait_for()
    print(f"stopped {perf_counter() - began:.2f} s after the click")
    wait_until(lambda: not files_in(app.folder, ".*.part"))  # the step under way ends first
    assert not files_in(app.folder, "session-*-clip/*/clip*")


def test_a_clip_is_begun_again_right_after_a_stop(clip_tab):
    page = clip_tab()
    for _ in range(2):
        page.locator("#clip-example").click()
        page.locator(".clip-progress").wait_for()
        assert page.locator("#clip-run").is_disabled() and page.locator("#clip-example").is_disabled(), "one at a time"
        page.locator("#clip-stop").click()
        page.locator("#clip-example:enabled").wait_for()


def test_what_is_no_clip_is_refused_at_once_and_forgotten_with_the_next_one(clip_tab, two_people, tmp_path):
    (tmp_path / "text.mp4").write_text("hello")
    page = clip_tab()
    page.locator("#clip input[type=file]").set_input_files(tmp_path / "text.mp4")
    page.locator("#clip-note", has_text="is not a video").wait_for()
    page.locator("#clip-run").click()
    page.get_by_text("is not a video").nth(1).wait_for()
    assert page.locator(".clip-progress").count() == 0
    page.locator("#clip [aria-label=Clear]").last.click()
    page.locator("#clip input[type=file]").set_input_files(two_people)
    page.locator(".people path").first.wait_for()
    assert page.get_by_text("is not a video").count() == 0


@pytest.fixture(scope="module")
def two_people(tmp_path_factory):
    """The example beside itself, mirrored: shoulders touch."""
    path = tmp_path_factory.mktemp("clip") / "two.mp4"
    with ClipReader(EXAMPLE) as reader, ClipWriter(path, H264_MP4, 2 * reader.info.width, reader.info.height, reader) as writer:
        for frame in islice(reader, 6):
            writer.write(np.hstack([frame.image, frame.image[:, ::-1]]), frame.pts, frame.duration)
    return path


def test_one_of_two_people_is_kept(clip_tab, two_people, tmp_path):
    page = clip_tab(390, 844, "dark")
    page.locator("#clip input[type=file]").set_input_files(two_people)
    page.locator(".people path").nth(1).focus()
    page.keyboard.press("Enter")
    page.locator(".people.picked").wait_for()
    assert page.locator(".people path").nth(1).evaluate("person => person === document.activeElement"), "the focus stays"
    page.locator("#clip-run").click()
    page.locator("#clip-facts dd").first.wait_for()
    with page.expect_download() as download:
        page.locator("#clip-files a[download]").first.click()
    download.value.save_as(tmp_path / "two.webm")
    for alpha in decode_alpha(tmp_path / "two.webm"):
        assert alpha[:, :380].max() < 20 and alpha[150:350, 550:650].mean() > 235


def test_phone_without_a_clip(clip_tab):
    page = clip_tab(390, 844)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator("#clip-run").click()
    page.get_by_text("There is no clip yet.").first.wait_for()
