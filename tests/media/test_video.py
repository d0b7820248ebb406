"""Reading and writing clips: every product is decoded again and compared with what went in."""

import multiprocessing
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from fractions import Fraction
from multiprocessing.pool import Pool
from pathlib import Path

import av
import numpy as np
import pytest
from clips import FLASH_FRAME, click_time, make_clip, moving_square, read, read_alpha, times_ms

from matting.media.encoding import H264_MP4, PRORES_4444_MOV, VP9_ALPHA_WEBM
from matting.media.reader import ClipReader
from matting.media.writer import ClipWriter

UNEVEN_MS = [0, 40, 90, 100, 200, 333, 400, 480]
ENCODINGS = {"mp4": H264_MP4, "webm": VP9_ALPHA_WEBM, "mov": PRORES_4444_MOV}


def rewrite(source: Path, path: Path, encoding) -> None:
    """Copy a clip; where the encoding has alpha, alpha is a ramp from left to right."""
    with ClipReader(source) as reader:
        width, height = reader.info.width, reader.info.height
        ramp = np.broadcast_to(np.linspace(0, 255, width).astype(np.uint8), (height, width))
        with ClipWriter(path, encoding, width, height, reader) as writer:
            for frame in reader:
                pixels = np.dstack([frame.image, ramp]) if encoding.has_alpha else frame.image
                writer.write(pixels, frame.pts, frame.duration)


def stored_duration(path: Path) -> float:
    with av.open(str(path)) as container:
        return container.duration / av.time_base


@pytest.fixture(scope="module")
def apart() -> Iterator[Pool]:
    """A process for encoding: as root, SVT-AV1 makes its caller real-time for good."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        yield pool


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mp4", {}),
        ("a.mov", {"codec": "prores_ks", "pixel_format": "yuv422p10le", "sound": "pcm_s16le"}),
        ("a.webm", {"codec": "libvpx-vp9", "sound": "libopus"}),
        ("a.mkv", {"codec": "libx265", "pixel_format": "yuv420p10le", "sound": "flac"}),
        ("a.mp4", {"codec": "libsvtav1", "sound": None}),
        ("a.mp4", {"width": 63, "height": 47, "pixel_format": "yuv444p"}),
        ("a.webm", {"width": 63, "height": 47, "codec": "libvpx-vp9", "sound": None}),
    ],
)
def test_reads_containers_codecs_depths_and_odd_sizes(apart, tmp_path, name, options):
    path = apart.apply(make_clip, (tmp_path / name,), options)
    info, frames = read(path)
    size = options.get("width", 64), options.get("height", 48)
    assert (info.width, info.height) == size
    assert info.frames == len(frames) == 20
    assert info.duration == pytest.approx(0.8, abs=0.041)
    assert (info.audio_codec is None) == (options.get("sound", "aac") is None)
    assert times_ms(info, frames) == [40 * i for i in range(20)]
    for i in (0, 7, FLASH_FRAME):
        error = np.abs(frames[i].image.astype(int) - moving_square(i, *size))
        assert frames[i].image.shape == (size[1], size[0], 3)
        assert np.median(error) <= 4  # lossy, and colours bleed at the edges of the square


def test_reads_gif_with_its_time_stamps(tmp_path):
    path = make_clip(
        tmp_path / "a.gif",
        codec="gif",
        pixel_format="rgb8",
        sound=None,
        time_base=Fraction(1, 100),
        times_ms=[0, 40, 100, 300],
    )
    info, frames = read(path)
    assert times_ms(info, frames) == [0, 40, 100, 300]
    assert info.frames == 4


@pytest.mark.parametrize("quarter_turns", [1, 2, 3])
def test_rotation_metadata_is_applied(tmp_path, quarter_turns):
    path = make_clip(tmp_path / "a.mp4", sound=None, frames=2)
    upright = read(path)[1][0].image
    turn_display_matrix(path, quarter_turns)
    info, frames = read(path)
    assert info.orientation.transposed == (quarter_turns != 2)
    assert (info.height, info.width) == np.rot90(upright, quarter_turns).shape[:2]
    np.testing.assert_array_equal(frames[0].image, np.rot90(upright, quarter_turns))


def turn_display_matrix(path: Path, quarter_turns: int) -> None:
    """Write a counter-clockwise turn into the track header of an mp4 file, as cameras do (ISO 14496-12, 8.3.2)."""
    a, b = {0: (1, 0), 1: (0, -1), 2: (-1, 0), 3: (0, 1)}[quarter_turns]
    one = 1 << 16
    matrix = (a * one, b * one, 0, -b * one, a * one, 0, 0, 0, 1 << 30)
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    data[at : at + 36] = b"".join(value.to_bytes(4, "big", signed=True) for value in matrix)
    path.write_bytes(data)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ENCODINGS)
@pytest.mark.parametrize("aspect", [Fraction(4, 3), Fraction(3, 4)])
def test_anamorphic_clips_keep_their_shape(tmp_path, suffix, aspect):
    upright, source, product = make_clip(tmp_path / "a.mp4", frames=2), tmp_path / "b.mp4", tmp_path / f"out.{suffix}"
    with ClipReader(upright) as reader, ClipWriter(source, H264_MP4, 64, 48, reader, aspect) as writer:
        for frame in reader:
            writer.write(frame.image, frame.pts, frame.duration)
    encoding = ENCODINGS[suffix]
    with ClipReader(source) as reader:
        assert (reader.info.width, reader.info.height, reader.info.pixel_aspect) == (64, 48, aspect)
        with ClipWriter(product, encoding, 64, 48, reader, aspect) as writer:
            for frame in reader:
                pixels = np.dstack([frame.image, frame.image[..., 0]]) if encoding.has_alpha else frame.image
                writer.write(pixels, frame.pts, frame.duration)
    info, frames = read(product)
    assert info.width * info.pixel_aspect / info.height == pytest.approx(64 * aspect / 48, abs=0.02)
    assert len(frames) == 2


@pytest.mark.slow
def test_time_starts_at_zero_and_sound_moves_along(tmp_path):
    late = make_clip(tmp_path / "late.webm", codec="libvpx", sound=None, times_ms=[5000 + 40 * i for i in range(8)])
    info, frames = read(late)
    assert times_ms(info, frames) == [40 * i for i in range(8)]
    for name in ("a.ts", "a.mpg"):  # these begin somewhere above 0
        source = make_clip(
            tmp_path / name,
            sound="mp2",
            codec="mpeg2video",
            time_base=Fraction(1, 25),
            times_ms=[40 * i for i in range(20)],
        )
        with av.open(str(source)) as container:
            assert container.start_time > 0
        for suffix, encoding in ENCODINGS.items():
            product = tmp_path / f"out.{suffix}"
            rewrite(source, product, encoding)
            info, frames = read(product)
            assert info.frames == 20 and float(frames[0].pts * info.time_base) < 0.1
            brightest = max(range(len(frames)), key=lambda i: frames[i].image.mean())
            assert click_time(product) == pytest.approx(float(frames[brightest].pts * info.time_base), abs=0.04)


@pytest.mark.slow
def test_a_recording_of_a_browser_has_no_length_but_frames(tmp_path):
    """Recorders write webm as it comes: no length, no index, no steady rate."""
    whole = make_clip(tmp_path / "a.webm", codec="libvpx", sound="libopus", times_ms=[0, 33, 70, 71, 150, 300, 400, 480])
    live = tmp_path / "live.webm"
    with av.open(str(whole)) as source, av.open(str(live), "w", container_options={"live": "1"}) as target:
        streams = {stream.index: target.add_stream_from_template(stream) for stream in source.streams}
        for packet in source.demux():
            if packet.size:
                packet.stream = streams[packet.stream.index]
                target.mux(packet)
    with av.open(str(live)) as container:
        assert container.duration is None
    info, frames = read(live)
    assert times_ms(info, frames) == [0, 33, 70, 71, 150, 300, 400, 480]
    assert (info.frames, info.audio_codec) == (8, "opus")
    rewrite(live, tmp_path / "out.mp4", H264_MP4)
    assert times_ms(*read(tmp_path / "out.mp4")) == [0, 33, 70, 71, 150, 300, 400, 480]


def test_frames_with_equal_time_stamps_are_moved_apart(tmp_path):
    close = [0, 0.4, 10, 10.3]  # Matroska counts whole milliseconds
    path = make_clip(tmp_path / "a.mkv", sound=None, times_ms=close, time_base=Fraction(1, 10000))
    info, frames = read(path)
    assert times_ms(info, frames) == [0, 1, 10, 11]
    rewrite(path, tmp_path / "out.webm", VP9_ALPHA_WEBM)
    assert times_ms(*read(tmp_path / "out.webm")) == [0, 1, 10, 11]


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ENCODINGS)
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mp4", {}),
        ("a.webm", {"codec": "libvpx-vp9", "sound": "libopus"}),
        ("a.mov", {"sound": "pcm_s16le"}),
        ("a.mkv", {"sound": "flac"}),
    ],
)
def test_written_clip_keeps_frames_duration_and_sync(tmp_path, suffix, name, options):
    source, product = make_clip(tmp_path / name, **options), tmp_path / f"out.{suffix}"
    rewrite(source, product, ENCODINGS[suffix])
    (before, frames_before), (after, frames_after) = read(source), read(product)
    assert after.frames == before.frames
    assert (after.width, after.height) == (before.width, before.height)
    assert times_ms(after, frames_after) == times_ms(before, frames_before)
    assert stored_duration(product) == pytest.approx(stored_duration(source), abs=0.04)
    brightest = max(range(len(frames_after)), key=lambda i: frames_after[i].image.mean())
    flash = float(frames_after[brightest].pts * after.time_base)
    assert click_time(product) == pytest.approx(flash, abs=0.02)
    assert after.audio_codec in ENCODINGS[suffix].audio_kept
    if before.audio_codec in ENCODINGS[suffix].audio_kept:
        assert after.audio_codec == before.audio_codec


def sound_packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(container.streams.audio[0]) if packet.size]


def test_sound_that_fits_is_copied_byte_for_byte(tmp_path):
    source = make_clip(tmp_path / "a.mp4")
    rewrite(source, tmp_path / "out.mov", PRORES_4444_MOV)
    assert sound_packets(source) == sound_packets(tmp_path / "out.mov")


@pytest.mark.parametrize("suffix", ENCODINGS)
def test_uneven_time_stamps_and_the_last_duration_are_kept(tmp_path, suffix):
    source = make_clip(tmp_path / "a.mkv", sound=None, times_ms=UNEVEN_MS)
    product = tmp_path / f"out.{suffix}"
    rewrite(source, product, ENCODINGS[suffix])
    info, frames = read(product)
    assert times_ms(info, frames) == UNEVEN_MS
    assert info.duration == pytest.approx(0.52, abs=0.002)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ENCODINGS)
def test_odd_sizes_and_colours_survive(tmp_path, suffix):
    source = make_clip(tmp_path / "a.webm", codec="libvpx-vp9", sound=None, width=63, height=47, frames=3)
    product = tmp_path / f"out.{suffix}"
    rewrite(source, product, ENCODINGS[suffix])
    info, frames = read(product)
    assert (info.width, info.height) == (63, 47)
    for before, after in zip(read(source)[1], frames, strict=True):
        seen = slice(None) if after.alpha is None else after.alpha > 0  # where nothing is seen, frames are white
        assert np.abs(before.image.astype(int) - after.image)[seen].mean() < 4


@pytest.mark.parametrize(("suffix", "decoder"), [("webm", "libvpx-vp9"), ("mov", "prores")])
def test_alpha_comes_back(tmp_path, suffix, decoder):
    product = tmp_path / f"out.{suffix}"
    rewrite(make_clip(tmp_path / "a.mp4", frames=3), product, ENCODINGS[suffix])
    alphas = read_alpha(product, decoder)
    ramp = np.linspace(0, 255, 64).astype(np.uint8)
    assert len(alphas) == 3
    assert np.abs(alphas - ramp.astype(int)).mean() < 1.5
    assert (alphas[..., 0] == 0).all() or suffix == "webm"


def test_mp4_can_be_played_while_it_loads(tmp_path):
    rewrite(make_clip(tmp_path / "a.mp4"), tmp_path / "out.mp4", H264_MP4)
    data = (tmp_path / "out.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def halve(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def test_bad_input_says_what_is_wrong(tmp_path):
    (tmp_path / "text.mp4").write_text("not a clip" * 100)
    (tmp_path / "list.mp4").write_text("ffconcat version 1.0\nfile text.mp4\n")
    (tmp_path / "empty.mp4").touch()
    with av.open(str(tmp_path / "sound.m4a"), "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=48000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4800), np.int16), format="s16", layout="mono")
        frame.sample_rate, frame.pts = 48000, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    for name, message in [
        ("text.mp4", "text.mp4 is not a video"),
        ("list.mp4", "list.mp4 is not a video"),
        ("empty.mp4", "empty.mp4 is not a video"),
        ("sound.m4a", "no pictures, only sound"),
    ]:
        with pytest.raises(ValueError, match=message):
            ClipReader(tmp_path / name)
    with pytest.raises(FileNotFoundError, match="there is no file"):
        ClipReader(tmp_path / "absent.mp4")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.webm", "a.gif", "whole.mp4"])
def test_a_clip_cut_off_in_the_middle_is_refused(tmp_path, name):
    options = {
        "a.webm": {"codec": "libvpx-vp9", "sound": "libopus"},
        "a.gif": {"codec": "gif", "pixel_format": "rgb8", "sound": None, "time_base": Fraction(1, 100)},
    }.get(name, {})
    path = make_clip(tmp_path / name, frames=75, picture=noise, **options)
    if name == "whole.mp4":  # with its index in front, so that the first half can be played
        rewrite(path, tmp_path / "front.mp4", H264_MP4)
        path = tmp_path / "front.mp4"
    halve(path)
    with pytest.raises(ValueError, match=r"cut off|damaged"):
        ClipReader(path)


def noise(frame: int, width: int, height: int) -> np.ndarray:
    return np.random.default_rng(frame).integers(0, 255, (height, width, 3), np.uint8)


def test_an_interrupted_writer_leaves_nothing(tmp_path):
    source = make_clip(tmp_path / "a.mp4")
    with (
        pytest.raises(KeyboardInterrupt),
        ClipReader(source) as reader,
        ClipWriter(tmp_path / "out.mp4", H264_MP4, 64, 48, reader) as writer,
    ):
        writer.write(next(iter(reader)).image, 0, 40)
        raise KeyboardInterrupt
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_wrong_pixels_are_refused(tmp_path):
    source = make_clip(tmp_path / "a.mp4")
    with (
        pytest.raises(ValueError, match=r"expected \(48, 64, 3\) uint8 pixels, got \(48, 63, 3\)"),
        ClipReader(source) as reader,
        ClipWriter(tmp_path / "out.mp4", H264_MP4, 64, 48, reader) as writer,
    ):
        writer.write(np.zeros((48, 63, 3), np.uint8), 0, 1)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="needs a limit on file sizes")
@pytest.mark.parametrize("suffix", ENCODINGS)
def test_a_full_disk_is_reported_and_leaves_nothing(tmp_path, suffix):
    make_clip(tmp_path / "a.mp4", frames=60, picture=noise, width=128, height=128)
    script = f"""
        import resource, signal, sys
        import numpy as np
        from matting.media.reader import *
        from matting.media.encoding import *
        from matting.media.writer import *
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        encoding = {{"mp4": H264_MP4, "webm": VP9_ALPHA_WEBM, "mov": PRORES_4444_MOV}}[{suffix!r}]
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        try:
            with ClipReader("a.mp4") as reader, ClipWriter("out.{suffix}", encoding, 128, 128, reader) as writer:
                opaque = np.full((128, 128), 255, np.uint8)
                for frame in reader:
                    pixels = np.dstack([frame.image, opaque]) if encoding.has_alpha else frame.image
                    writer.write(pixels, frame.pts, frame.duration)
        except OSError as error:
            sys.exit(f"told: {{error}}")
    """
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], cwd=tmp_path, capture_output=True, text=True, env=environment
    )
    assert f"cannot write out.{suffix}: file too large" in run.stderr
    assert "Traceback" not in run.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]
