"""Helper processes: what happens to one takes nothing else with it, and nothing stays."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from clips import make_clip
from sounds import tones, write_clip

from matting.media import child as child_module
from matting.media import sound_plan
from matting.media.child import Child
from matting.media.encoding import H264_MP4
from matting.media.reader import ClipReader
from matting.media.writer import ClipWriter


def helpers() -> set[int]:
    """Numbers of this process's children that have not ended."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == os.getpid() and fields[0] != "Z":
                found.add(int(entry.name))
    return found


@pytest.fixture
def clip(tmp_path) -> Path:
    return make_clip(tmp_path / "a.mp4", width=128, height=96, frames=60)


def test_a_decoder_that_dies_is_one_files_error_and_the_next_clip_works(clip):
    before = helpers()
    with ClipReader(clip) as reader:
        frames = iter(reader)
        next(frames)
        (helper,) = helpers() - before
        os.kill(helper, signal.SIGABRT)
        with pytest.raises(ValueError, match=r"a\.mp4 cannot be decoded: it is damaged in a way that ended its decoder \(-6\)"):
            list(frames)
    assert helpers() == before
    with ClipReader(clip) as reader:
        assert len(list(reader)) == 60


def test_an_encoder_that_dies_leaves_no_file(clip, tmp_path):
    before = helpers()
    with pytest.raises(ValueError, match=r"out\.mp4"), ClipReader(clip) as reader:
        frames = iter(reader)
        first = next(frames)
        reading = helpers()
        with ClipWriter(tmp_path / "out.mp4", H264_MP4, 128, 96, reader) as writer:
            (helper,) = helpers() - reading
            os.kill(helper, signal.SIGSEGV)
            for number in range(1000):
                writer.write(first.image, number, 1)
    assert helpers() == before and [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_sound_that_ends_its_decoder_is_left_out(tmp_path, monkeypatch):
    class Dying(Child):
        def receive(self):
            self._process.kill()
            return super().receive()

    monkeypatch.setattr(sound_plan, "Child", Dying)
    source = write_clip(tmp_path / "b.mp4", [("aac", 48000, "mono", tones(48000, 1, [500]))])
    with ClipReader(source) as reader, ClipWriter(tmp_path / "out.mp4", H264_MP4, 48, 32, reader) as writer:
        for frame in reader:
            writer.write(frame.image, frame.pts, frame.duration)
    assert "ended its decoder" in writer.notes[0] and writer.notes[-1] == "the result has no sound"
    with ClipReader(tmp_path / "out.mp4") as reader:
        assert reader.info.sound_tracks == () and len(list(reader)) == 10


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs a limit of memory that holds")
@pytest.mark.parametrize("threads", ["1", "2"])  # libraries that start fewer leave more of the memory to the decoder
def test_a_clip_that_needs_too_much_memory_is_refused(tmp_path, monkeypatch, threads):
    monkeypatch.setenv("OMP_NUM_THREADS", threads)

    def plain(frame: int, width: int, height: int) -> np.ndarray:
        return np.full((height, width, 3), 90, np.uint8)

    large = make_clip(tmp_path / "large.mp4", width=4096, height=2304, frames=3, sound=None, picture=plain)
    monkeypatch.setattr(child_module, "MEMORY_BYTES", 200 << 20)
    with pytest.raises(ValueError, match=r"large\.mp4") as told:  # noqa: SIM117 - either may be what tells
        with ClipReader(large) as reader:
            list(reader)
    assert any(words in str(told.value) for words in ("needs more memory", "cannot allocate memory", "ended its decoder"))


def test_a_decoder_that_hangs_is_ended(clip, monkeypatch):
    before = helpers()
    with ClipReader(clip) as reader:
        frames = iter(reader)
        next(frames)
        (helper,) = helpers() - before
        monkeypatch.setattr(child_module, "PATIENCE_S", 0.3)
        os.kill(helper, signal.SIGSTOP)
        began = time.monotonic()
        with pytest.raises(ValueError, match="ended its decoder"):
            list(frames)
        assert time.monotonic() - began < 10
    assert helpers() == before


def test_errors_keep_their_kind_and_what_nobody_foresaw_is_no_error_of_the_file(tmp_path):
    helper = Child("pictures", "b.mp4", path=str(tmp_path / "b.mp4"))
    with pytest.raises(FileNotFoundError, match="there is no file"):
        helper.receive()
    helper.close()
    helper = Child("no such task", "b.mp4")
    with pytest.raises(RuntimeError, match="KeyError"):
        helper.receive()
    helper.close()


def test_a_helper_loads_neither_torch_nor_the_app():
    script = "import matting.media.tasks, matting.media.encoder, matting.media.sound, sys; print(sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert "'av'" in loaded and "'torch'" not in loaded and "'gradio'" not in loaded and "'cv2'" not in loaded
