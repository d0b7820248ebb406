"""Clips from end to end, with a network that takes brightness for alpha, and the real one where it matters."""

import csv
import io
import os
import subprocess
import sys
import textwrap
import threading
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from clips import FLASH_FRAME, Brightness, click_time, make_clip, read, read_alpha, times_ms
from PIL import Image

from matting.inference.clip import STAGES, ClipSettings, _batch_length, iterate_clip, matte_clip, matte_frames
from matting.inference.photo import matte_image
from matting.media.export import EXPORT_FORMATS, export_path
from matting.media.reader import ClipReader
from matting.network import PRESETS, MattingNetwork

SMALL = ClipSettings(max_side=128, temporal=False)
SIZE = (128, 96)  # of the clips: width, height


def ramp(frame: int, width: int, height: int) -> np.ndarray:
    """(H, W, 3): red rises from left to right and brightens over time; all white at the flash."""
    if frame == FLASH_FRAME:
        return np.full((height, width, 3), 255, np.uint8)
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0] = np.linspace(0, 200, width) + 2 * frame
    image[..., 1:] = 60
    return image


@pytest.fixture
def clip(tmp_path) -> Path:
    return make_clip(tmp_path / "in.mkv", width=SIZE[0], height=SIZE[1], sound="aac", picture=ramp, pixel_format="yuv444p")


@pytest.fixture(scope="module")
def network() -> MattingNetwork:
    torch.manual_seed(0)
    return MattingNetwork(PRESETS["lite"]).eval()


def paths_of(folder: Path, *products: str) -> dict[str, Path]:
    return {product: export_path(folder, "out", product) for product in products}


def matted(path: Path, model, settings=SMALL) -> list:
    with ClipReader(path) as reader:
        batches = matte_frames(reader, model, settings, dict.fromkeys(STAGES, 0.0))
        return [frame for batch in batches for frame in batch]


@pytest.mark.slow
def test_every_product_has_the_clips_frames_times_sound_and_alpha(clip, tmp_path):
    before, frames = read(clip)
    report = matte_clip(clip, Brightness(), paths_of(tmp_path, *EXPORT_FORMATS), SMALL, background=(10, 200, 30))
    expected = np.stack([frame.alpha for frame in matted(clip, Brightness())])
    for product, path in report.paths.items():
        if product == "png":
            continue
        after, decoded = read(path)
        assert times_ms(after, decoded) == times_ms(before, frames), product
        assert after.duration == pytest.approx(before.duration, abs=0.002)
        assert click_time(path) == pytest.approx(FLASH_FRAME / 25, abs=0.02)
        if product != "preview":
            assert (after.width, after.height) == SIZE
    checks = read(report.paths["checkerboard"])[1][0].image[[6, 18], :3].mean((1, 2))
    np.testing.assert_allclose(checks, (240, 214), atol=4)  # alpha is 0 at the left edge
    for product, decoder in (("webm", "libvpx-vp9"), ("prores", "prores")):
        alpha = read_alpha(report.paths[product], decoder) / 255
        assert np.abs(alpha - expected).mean() < 0.01, product
    grey = np.stack([frame.image[..., 0] for frame in read(report.paths["alpha"])[1]]) / 255
    assert np.abs(grey - expected).mean() < 0.01
    composite = read(report.paths["composite"])[1][0].image
    assert np.abs(composite[:, 0].astype(int) - (10, 200, 30)).mean() < 6  # alpha is 0 at the left edge
    assert len(report.frames) == before.frames == len(frames)


@pytest.mark.slow
def test_png_sequence_is_lossless_and_knows_its_times(clip, tmp_path):
    path = matte_clip(clip, Brightness(), paths_of(tmp_path, "png"), SMALL).paths["png"]
    expected = matted(clip, Brightness())
    with zipfile.ZipFile(path) as archive:
        rows = list(csv.DictReader(io.StringIO(archive.read("times.csv").decode())))
        pictures = [np.asarray(Image.open(io.BytesIO(archive.read(row["file"])))) for row in rows]
    assert [float(row["seconds"]) for row in rows] == pytest.approx([0.04 * i for i in range(20)])
    for picture, frame in zip(pictures, expected, strict=True):
        np.testing.assert_array_equal(picture[..., 3], np.rint(frame.alpha * 255))
        np.testing.assert_array_equal(picture, frame.cutout)


def test_colours_are_straight_and_nothing_of_the_background_stays(network):
    from matting.media.export import MatteFrame

    alpha = np.zeros((64, 64), np.float32)
    alpha[16:48, 16:48] = 1
    alpha[16:48, 14:16] = 0.5
    image = np.where(alpha[..., None] == 1, (200, 50, 50), (0, 0, 255)).astype(np.uint8)
    image[16:48, 14:16] = (100, 25, 152)  # half red, half blue
    cutout = MatteFrame(image, alpha, alpha, 0, 1, 0.0, False).cutout
    assert np.abs(cutout[20:44, 14:16, :3].astype(int) - (200, 50, 50)).max() < 25  # not darkened by alpha, not blue
    assert cutout[..., 2].max() < 120
    np.testing.assert_array_equal(cutout[..., 3], np.rint(alpha * 255))


@pytest.mark.slow
def test_without_filter_every_frame_is_what_the_photo_pipeline_makes(tmp_path, network):
    frames = matted(make_clip(tmp_path / "a.mp4", frames=5), network)
    assert all(frame.unknown_share > 0 for frame in frames)
    for frame in frames[::2]:
        alone = matte_image(frame.image, network, SMALL.max_side)
        np.testing.assert_allclose(frame.alpha, alone.alpha, atol=1e-5)
        np.testing.assert_allclose(frame.coarse_alpha, alone.coarse_alpha, atol=1e-5)


def test_clips_are_steadied_unless_one_says_otherwise():
    assert ClipSettings().temporal


@pytest.mark.parametrize("device", ["cpu", "cuda", "mps", "xpu"])
def test_every_kind_of_device_gets_a_batch(clip, device):
    with ClipReader(clip) as reader:
        small, large = (_batch_length(reader.info, (side, side), torch.device(device)) for side in (128, 4096))
    assert (small, large) == (8, 1)


def test_frames_are_batched_and_order_is_kept(clip):
    model = Brightness()
    frames = matted(clip, model)
    assert max(model.batches) > 1
    assert sum(model.batches) == 20
    assert [frame.pts for frame in frames] == sorted(frame.pts for frame in frames)


def test_filter_keeps_the_frames_and_changes_alpha_only_where_it_flickers(tmp_path):
    def blinking(frame, width, height):
        image = np.full((height, width, 3), 128, np.uint8)
        image[: height // 2, : width // 2, 0] += 6 * (frame % 2)
        image[-8:, -8:] = 240  # a lamp: nothing has to be brightened
        return image

    path = make_clip(tmp_path / "a.mkv", width=128, height=128, frames=9, sound=None, picture=blinking, pixel_format="yuv444p")
    plain = matted(path, Brightness(), ClipSettings(max_side=128, refine=False, temporal=False))
    steady = matted(path, Brightness(), ClipSettings(max_side=128, refine=False, temporal=True))
    assert [frame.pts for frame in steady] == [frame.pts for frame in plain]
    for one, other in zip(plain, steady, strict=True):
        np.testing.assert_array_equal(one.image, other.image)

    def swing(frames):
        return np.abs(np.diff([frame.alpha[:56, :56].mean() for frame in frames])).mean()

    assert swing(steady) < 0.6 * swing(plain)
    assert np.abs(plain[4].alpha[80:, 80:] - steady[4].alpha[80:, 80:]).max() < 0.01


@pytest.mark.slow
def test_a_flash_counts_as_a_scene_cut(clip, tmp_path):
    report = matte_clip(clip, Brightness(), {}, ClipSettings(max_side=128, temporal=True))
    cuts = [i for i, frame in enumerate(report.frames) if frame.change.cut]
    assert cuts == [FLASH_FRAME, FLASH_FRAME + 1]
    white = matted(clip, Brightness(), ClipSettings(max_side=128, temporal=True))[FLASH_FRAME]
    assert white.alpha.min() > 0.97


@pytest.mark.slow
def test_report_counts_pixels_and_time(clip):
    report = matte_clip(clip, Brightness(), {}, SMALL)
    assert report.working_size == (128, 128)
    assert report.frames[FLASH_FRAME].unknown_share == 0
    assert 0.9 < report.frames[5].unknown_share <= 1
    assert set(report.seconds) == {"decode", "network", "encode"}
    assert sum(report.seconds.values()) > 0
    assert "20 frames" in report.summary()
    everything = matte_clip(clip, Brightness(), {}, ClipSettings(max_side=128, unknown_bias=50))
    assert everything.frames[5].unknown_share == 1


@pytest.mark.slow
def test_closing_the_iterator_stops_the_work_and_removes_its_files(clip, tmp_path):
    threads = threading.active_count()
    outputs = paths_of(tmp_path, *EXPORT_FORMATS)
    steps = iterate_clip(clip, Brightness(), outputs, SMALL)
    step = next(steps)
    assert (step.done, step.total) == (1, 20)
    assert step.seconds_left > 0
    assert len(list(tmp_path.iterdir())) == 1 + len(EXPORT_FORMATS)
    steps.close()
    assert [path.name for path in tmp_path.iterdir()] == ["in.mkv"]
    assert threading.active_count() == threads


def test_an_error_of_the_network_leaves_no_files(clip, tmp_path):
    class Broken(Brightness):
        def refine(self, *_, **__):
            raise RuntimeError("no more memory")

    with pytest.raises(RuntimeError, match="no more memory"):
        matte_clip(clip, Broken(), paths_of(tmp_path, *EXPORT_FORMATS), SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["in.mkv"]


def test_unknown_product_and_bad_clip(clip, tmp_path):
    with pytest.raises(ValueError, match="unknown export format 'gif', expected some of webm, prores"):
        matte_clip(clip, Brightness(), {"gif": tmp_path / "a.gif"})
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    with pytest.raises(ValueError, match="cut off"):
        matte_clip(clip, Brightness(), paths_of(tmp_path, "webm"))
    assert [path.name for path in tmp_path.iterdir()] == ["in.mkv"]


def test_a_failing_product_takes_the_others_with_it(clip, tmp_path):
    outputs = paths_of(tmp_path, "webm") | {"alpha": tmp_path / "absent" / "out.mp4"}
    with pytest.raises(FileNotFoundError):
        matte_clip(clip, Brightness(), outputs, SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["in.mkv"]


@pytest.mark.slow
def test_memory_does_not_grow_with_the_clip(tmp_path):
    side, few, many = 256, 20, 160

    def peak(frames: int) -> int:
        path = make_clip(tmp_path / f"{frames}.mp4", width=side, height=side, frames=frames, sound=None, picture=ramp)
        tracemalloc.start()
        matte_clip(path, Brightness(), paths_of(tmp_path, "alpha"), SMALL)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(10)  # imports and caches
    alphas_of_the_added_frames = (many - few) * side * side  # bytes, as uint8; threads differ by a few frames at work
    assert peak(many) - peak(few) < alphas_of_the_added_frames / 3


@pytest.mark.slow
def test_an_8k_frame_is_matted_in_pieces_of_one(tmp_path):
    def plain(frame, width, height):
        return np.full((height, width, 3), (120, 90, 60), np.uint8)

    path = make_clip(tmp_path / "a.mp4", width=7680, height=4320, frames=1, sound=None, picture=plain)
    report = matte_clip(path, Brightness(), paths_of(tmp_path, "alpha"), SMALL)
    info, frames = read(report.paths["alpha"])
    assert (info.width, info.height, len(frames)) == (7680, 4320, 1)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="needs a limit on file sizes")
def test_a_full_disk_leaves_none_of_the_products(clip, tmp_path):
    script = """
        import resource, signal, sys
        from pathlib import Path
        from test_clip import *
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        try:
            matte_clip("in.mkv", Brightness(), paths_of(Path("."), "alpha", "webm", "png"), SMALL)
        except OSError as error:
            sys.exit(f"told: {error}")
    """
    tests = Path(__file__).parents[1]
    environment = {**os.environ, "PYTHONPATH": f"{tests.parent}:{tests}:{tests}/inference"}
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], cwd=tmp_path, capture_output=True, text=True, env=environment
    )
    assert "told: " in run.stderr and "oo large" in run.stderr
    assert "Traceback" not in run.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["in.mkv"]


def test_dark_clips_are_brightened_for_the_network_alone(tmp_path):
    def dim(frame, width, height):
        image = np.zeros((height, width, 3), np.uint8)
        image[:, width // 2 :] = 76
        return image

    path = make_clip(tmp_path / "a.mkv", width=128, height=128, frames=3, sound=None, picture=dim, pixel_format="yuv444p")
    for frame in matted(path, Brightness(), ClipSettings(max_side=128, refine=False)):
        assert frame.alpha[:, 96:].mean() == pytest.approx(0.9, abs=0.02), "the network saw 0.9 there"
        assert abs(frame.image[:, 96:].mean() - 76) < 3
