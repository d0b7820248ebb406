"""The Clip tab without a browser: limits, drawings, and the endpoint as programs call it."""

import re
from fractions import Fraction

import av
import gradio as gr
import numpy as np
import pytest
from gradio_client import Client, handle_file

from matting.app.builder import build_space
from matting.app.results.clip_start import parse_place
from matting.app.service import Service
from matting.app.sessions import Sessions
from matting.app.tabs import clip_work
from matting.app.tabs.clip_work import find_problem
from matting.app.views.clip_drawing import clip_chart_html, clip_facts_html, progress_html, strip_html
from matting.inference.clip import ClipProgress, ClipReport, FrameFacts
from matting.inference.temporal import AlphaChange
from matting.media.encoding import H264_MP4
from matting.media.orientation import Orientation
from matting.media.reader import ClipInfo, ClipReader
from matting.media.writer import ClipWriter


def make_clip(path, frames=4, width=64, height=48):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height = width, height
        for value in range(frames):
            pixels = np.full((height, width, 3), value * 40 % 256, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
    return str(path)


@pytest.fixture
def report(tmp_path):
    info = ClipInfo(64, 48, 9, 0.36, Fraction(25), Fraction(1, 25), Fraction(1), Orientation(), "h264", None)
    changes = [AlphaChange(0.01 * (i > 0), 0.03 if i == 5 else 0.001, i == 7) for i in range(9)]
    frames = tuple(FrameFacts(i / 25, 0.02, change) for i, change in enumerate(changes))
    return ClipReport(info, (384, 512), frames, {"decode": 0.5, "network": 1.0, "encode": 1.5}, 2.0, {})


def test_no_clip_and_no_video(tmp_path):
    assert "no clip yet" in find_problem(None)
    (tmp_path / "a.mp4").write_text("hello")
    assert "a.mp4 is not a video" in find_problem(tmp_path / "a.mp4")
    assert find_problem(make_clip(tmp_path / "good.mp4")) == ""


@pytest.mark.parametrize(("limit", "value"), [("MAX_SECONDS", 0.1), ("MAX_FRAMES", 3)])
def test_a_long_clip_is_refused_with_the_limit_and_the_way_out(tmp_path, monkeypatch, limit, value):
    monkeypatch.setattr(clip_work, limit, value)
    problem = find_problem(make_clip(tmp_path / "a.mp4"))
    assert "0.2 seconds long and has 4 frames" in problem
    assert f"limit here is {clip_work.MAX_SECONDS} seconds and {clip_work.MAX_FRAMES} frames" in problem
    assert "python -m matting clip.mp4 -o out.webm" in problem


@pytest.mark.slow
def test_an_8k_clip_is_refused(tmp_path):
    problem = find_problem(make_clip(tmp_path / "a.mp4", 1, 7680, 4320))
    assert "7680 × 4320" in problem and "2.1 million pixels" in problem and "python -m matting" in problem


def test_progress_tells_frames_and_time_left():
    text = progress_html(ClipProgress(30, 120, 12.3))
    assert "Frame 30 of 120 · about 13 s left" in text
    assert 'aria-valuenow="30"' in text and "width:25.0%" in text
    assert "about 3 min left" in progress_html(ClipProgress(10, 500, 170))
    assert "Frame 1 of 500<" in progress_html(ClipProgress(1, 500, 800)), "one frame says nothing about the others"


def test_facts(report):
    text = clip_facts_html(report, "lite <1>")
    assert "64 × 48" in text and "512 × 384" in text and "2.0%" in text and "0.22" in text
    assert "lite &lt;1&gt;" in text
    assert "network 50%" in text


def test_the_frame_that_flickers_can_be_picked(report):
    chart = clip_chart_html(report)
    assert re.findall(r'data-pick="(\d+)"', chart) == ["5"]
    assert "Frame 6 at 0.20 s" in chart
    assert chart.count('class="cut"') == 1
    assert 'class="flicker chosen"' in clip_chart_html(report, 5)


def test_the_strip_shows_a_frame_and_its_neighbours(report, tmp_path):
    source = make_clip(tmp_path / "a.mp4", 9, 128, 96)
    with ClipReader(source) as reader, ClipWriter(tmp_path / "preview.mp4", H264_MP4, 128, 96, reader) as writer:
        for frame in reader:
            writer.write(frame.image, frame.pts, frame.duration)
    assert strip_html(report, tmp_path / "preview.mp4", 5).count("<img") == 3
    assert strip_html(report, tmp_path / "preview.mp4", 8).count("<img") == 2


@pytest.fixture
def server(lite_model, tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "gradio"))
    demo = build_space(Service(lite_model, "random", Sessions(tmp_path / "gradio")))
    _, address, _ = demo.launch(prevent_thread_lock=True, quiet=True, max_file_size="80mb")
    yield address
    demo.close()


@pytest.mark.slow
def test_endpoint_returns_files_and_facts(server, tmp_path):
    client = Client(server, verbose=False, download_files=str(tmp_path / "down"))
    clip = make_clip(tmp_path / "walk.mp4", frames=3)
    files, facts = client.predict(handle_file(clip), "512", False, "blur", ["webm", "alpha"], api_name="/matte_clip")
    assert [path.rpartition("/")[2] for path in files] == ["walk-cutout.webm", "walk-alpha.mp4"]
    assert facts["frames"] == 3 and facts["size_px"] == [64, 48] and facts["working_size_px"] == [512, 384]
    with ClipReader(files[0]) as reader:
        assert reader.info.codec == "vp9" and len(list(reader)) == 3
    with pytest.raises(Exception, match="two numbers from 0 to 1"):
        client.predict(handle_file(clip), "512", False, "blur", ["alpha"], True, "2, 0", api_name="/matte_clip")
    (tmp_path / "bad.mp4").write_text("hello")
    bad = handle_file(str(tmp_path / "bad.mp4"))
    with pytest.raises(Exception, match="not a video"):
        client.predict(bad, "512", False, "blur", ["webm"], api_name="/matte_clip")
    with pytest.raises(Exception, match="at least one kind of file"):
        client.predict(handle_file(clip), "512", False, "blur", [], api_name="/matte_clip")


def test_a_visit_forgets_its_clips(tmp_path):
    session = Sessions(tmp_path).of(None, gr.Request(session_hash="a"))
    folder = session.begin_clip()
    (folder / "out.webm").touch()
    session.begin(None)
    assert (folder / "out.webm").exists()  # a new photo leaves the clip alone
    assert not list(session.begin_clip().iterdir()) and not folder.exists()
    session.clear()
    assert not session.clip_folder.exists()


@pytest.mark.parametrize("text", ["0.3", "0.3, 0.5, 1", "a, b", "0.3, 1.5", "nan, 0"])
def test_a_place_is_two_shares(text):
    assert parse_place("0.3, 0.5") == (0.3, 0.5) and parse_place(" ") is None
    with pytest.raises(ValueError, match="two numbers from 0 to 1"):
        parse_place(text)
