"""The command line on clips, with a small network of random weights in a file."""

import os
import signal
import subprocess
import sys
import time
from argparse import ArgumentParser
from pathlib import Path

import numpy as np
import pytest
from clips import make_clip, read
from PIL import Image
from sounds import rename_codec, tones, write_clip

from matting.cli.clip import add_clip_options
from matting.cli.photo import main
from matting.weights import save_weights


@pytest.fixture(scope="module")
def weights(tmp_path_factory, lite_model) -> str:
    path = tmp_path_factory.mktemp("weights") / "random.safetensors"
    save_weights(lite_model, path, {})
    return str(path)


@pytest.fixture
def run(weights):
    return lambda *arguments: main([*map(str, arguments), "--weights", weights, "--max-side", "128", "--device", "cpu"])


@pytest.mark.slow
def test_one_clip_to_webm_and_where_the_time_went(tmp_path, run, capsys):
    clip = make_clip(tmp_path / "a.mp4", frames=3)
    assert run(clip, "-o", tmp_path / "out.webm") == 0
    info, frames = read(tmp_path / "out.webm")
    assert (info.codec, len(frames)) == ("vp9", 3)
    told = capsys.readouterr().err
    assert "3 frames" in told and "decode" in told and "network" in told and "encode" in told


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "name", "codec"),
    [
        (["--alpha"], "out.mp4", "h264"),
        (["--background", "red", "--no-temporal"], "out.mp4", "h264"),
        ([], "out.mov", "prores"),
    ],
)
def test_options_and_endings_choose_the_product(tmp_path, run, options, name, codec):
    clip = make_clip(tmp_path / "a.mp4", frames=2)
    assert run(clip, "-o", tmp_path / name, *options) == 0
    assert read(tmp_path / name)[0].codec == codec


@pytest.mark.parametrize(
    ("options", "temporal"),
    [([], True), (["--temporal"], True), (["--no-temporal"], False), (["--steady"], True), (["--no-steady"], False)],
)
def test_clips_are_steadied_unless_one_says_otherwise(options, temporal):
    parser = ArgumentParser()
    add_clip_options(parser)
    assert parser.parse_args(options).temporal is temporal and "--steady" in parser.format_help()


@pytest.mark.slow
def test_several_products_into_a_folder(tmp_path, run):
    clip = make_clip(tmp_path / "a.mp4", frames=2)
    assert run(clip, "-o", tmp_path / "out", "--save", "alpha", "png", "preview") == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a-alpha.mp4", "a-frames.zip", "a-preview.mp4"]


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("out.mp4", [], "mp4 holds no transparency: write .webm or .mov, or add --alpha or --background"),
        ("out.png", [], "expected an ending of .webm, .mov or .zip"),
        ("out.webm", ["--alpha"], "expected the ending .mp4"),
    ],
)
def test_outputs_that_cannot_be_are_refused_first(tmp_path, run, capsys, name, options, message):
    clip = make_clip(tmp_path / "a.mp4", frames=2)
    assert run(clip, "-o", tmp_path / name, *options) == 1
    assert message in capsys.readouterr().err


@pytest.mark.slow
def test_a_folder_of_photos_clips_and_other_things(tmp_path, run, capsys):
    folder = tmp_path / "in"
    folder.mkdir()
    make_clip(folder / "clip.mp4", frames=2)
    Image.fromarray(np.zeros((40, 30, 3), np.uint8)).save(folder / "photo.png")
    pictures = [Image.fromarray(np.full((32, 32), value, np.uint8)) for value in (0, 99)]
    pictures[0].save(folder / "moving.gif", save_all=True, append_images=pictures[1:])
    pictures[0].save(folder / "still.gif")
    (folder / "cut.mov").write_bytes((folder / "clip.mp4").read_bytes()[:300])
    (folder / "notes.txt").write_text("not a picture")
    assert run(folder, "-o", tmp_path / "out") == 1
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["clip.webm", "moving.webm", "photo.png", "still.png"]
    captured = capsys.readouterr()
    assert "cut.mov" in captured.err and "notes.txt" in captured.err
    assert "4 of 5 files done" in captured.out


@pytest.mark.slow
@pytest.mark.parametrize("stem", ["c" * 245, "人" * 82])
def test_a_clip_with_the_longest_name_is_written_under_what_fits_of_it(tmp_path, run, stem):
    (tmp_path / "in").mkdir()
    make_clip(tmp_path / "a.mp4", frames=2).rename(tmp_path / "in" / f"{stem}.mp4")
    assert run(tmp_path / "in", "-o", tmp_path / "out", "--save", "webm", "composite", "png") == 0
    names = [path.name for path in (tmp_path / "out").iterdir()]
    assert len(names) == 3 and all(stem.startswith(name.rpartition("-")[0] or name.partition(".")[0]) for name in names)


@pytest.mark.slow
def test_sound_that_is_left_out_is_said(tmp_path, run, capsys):
    source = write_clip(tmp_path / "a.mov", [("pcm_s16le", 48000, "mono", tones(48000, 1, [500]))])
    rename_codec(source, 0)
    assert run(source, "-o", tmp_path / "out.webm") == 0
    assert "a.mov: sound track 1 of 1 is left out: its codec is not known" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_no_file(tmp_path, weights, number):
    make_clip(tmp_path / "a.mp4", frames=400)
    arguments = [sys.executable, "-m", "matting", "a.mp4", "-o", "out.webm", "--weights", weights, "--max-side", "128"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    heard = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job hands on that it hears none
    process = subprocess.Popen(arguments, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True)
    signal.signal(signal.SIGINT, heard)
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob(".out-*.part")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(number)
    _, told = process.communicate(timeout=120)
    assert process.returncode == 130, told
    assert "interrupted" in told
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]
