"""What users of other tools expect of a command line: pipes, many inputs, names made up, resuming, JSON, exit codes."""

import io
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from clips import Brightness
from pictures import draw_person
from PIL import Image

from matting import weights
from matting.cli import run as heavy
from matting.cli import watch as watching
from matting.cli.arguments import build_parser
from matting.cli.photo import main
from matting.media.export import EXPORT_FORMATS

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Call the command line in an empty folder; everything but the network is real."""
    monkeypatch.setattr(heavy, "load_model", lambda *given: Brightness())
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: main([*map(str, arguments), "--max-side", "256"])


@pytest.fixture
def photos(tmp_path) -> list[Path]:
    paths = [tmp_path / name for name in ("a.png", "b.png", "c.webp")]
    for path in paths:
        Image.fromarray(draw_person(200, 150)[0]).save(path, lossless=True)
    return paths


def test_without_an_output_the_result_lies_beside_the_photo_and_its_name_is_printed(photos, run, tmp_path, capsys):
    assert run(photos[0]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'a-cutout.png'}\n"
    assert run(photos[0], "--trimap", "--format", "webp") == 0
    assert run("b.png", "--background", "red", "--format", "jpg") == 0
    assert {path.name for path in tmp_path.iterdir()} - {path.name for path in photos} == {
        "a-cutout.png", "a-trimap.webp", "b-composite.jpg"
    }  # fmt: skip


def test_several_inputs_go_to_a_folder_in_any_format(photos, run, tmp_path, capsys):
    assert run(*photos, "-o", "out", "--format", "tiff") == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.tif", "b.tif", "c.tif"]
    assert "3 of 3 files done, in out" in capsys.readouterr().out
    with Image.open(tmp_path / "out" / "c.tif") as picture:
        assert picture.mode == "RGBA" and picture.size == (150, 200)


def test_from_standard_input_to_standard_output(photos, run, monkeypatch, capfdbinary):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(photos[0].read_bytes())))
    assert run("-", "-o", "-", "--format", "webp") == 0
    with Image.open(io.BytesIO(capfdbinary.readouterr().out)) as picture:
        assert (picture.format, picture.mode, picture.size) == ("WEBP", "RGBA", (150, 200))


@pytest.mark.parametrize(
    ("option", "values"), [("--only-mask", 256), ("--coarse", 256), ("--trimap", {0, 128, 255}), ("--regions", {0, 255})]
)
def test_what_the_network_says_in_grey(option, values, photos, run, tmp_path):
    assert run(photos[0], "-o", "grey.png", option) == 0
    with Image.open(tmp_path / "grey.png") as picture:
        assert picture.mode == "L" and picture.size == (150, 200)
        found = set(np.unique(np.asarray(picture)).tolist())
    assert found == values if isinstance(values, set) else len(found) > 2


def test_crop_cuts_off_what_is_transparent(photos, run, tmp_path):
    assert run(photos[0], "-o", "whole.png") == 0 == run(photos[0], "-o", "cropped.png", "--crop")
    with Image.open(tmp_path / "whole.png") as whole, Image.open(tmp_path / "cropped.png") as cropped:
        left, top, right, bottom = whole.getchannel("A").getbbox()
        box = cropped.getchannel("A").point(lambda value: 255 * (value > 0)).getbbox()
        assert cropped.size == (right - left, bottom - top)
        assert box is not None and cropped.width < whole.width


def test_files_under_names_that_were_not_given_are_not_replaced_without_a_word(photos, run, tmp_path, capsys):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.png").write_bytes(b"mine")
    assert run(*photos, "-o", "out") == 1
    assert "out/a.png exists already: add --overwrite or --skip-existing" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.png"]
    assert run(*photos, "-o", "out", "--skip-existing") == 0
    assert (tmp_path / "out" / "a.png").read_bytes() == b"mine" and (tmp_path / "out" / "b.png").exists()
    assert run(*photos, "-o", "out", "--skip-existing") == 0
    assert "nothing to do" in capsys.readouterr().err
    assert run(*photos, "-o", "out", "--overwrite") == 0
    assert (tmp_path / "out" / "a.png").read_bytes() != b"mine"


def test_a_line_of_json_for_every_file(photos, run, tmp_path, capsys):
    photos[1].write_bytes(b"no picture")
    assert run(*photos[:2], "-o", "out", "--json") == 1
    good, bad = map(json.loads, capsys.readouterr().out.splitlines())
    assert good["source"] == str(photos[0]) and good["targets"] == ["out/a.png"] and good["nobody_found"] is False
    assert good["size"] == good["result_size"] == [150, 200] and good["working_size"] == [256, 256]
    assert good["regions"] > 0 and good["seconds"] > 0
    assert bad["source"] == str(photos[1]) and bad["targets"] == [] and "b.png is not a" in bad["error"]


def test_nobody_found_is_said_and_with_strict_ends_with_3(run, tmp_path, capsys):
    Image.new("RGB", (60, 40)).save(tmp_path / "night.png")
    assert run("night.png", "-o", "out.png") == 0
    assert "nobody found in night.png" in capsys.readouterr().err
    assert run("night.png", "-o", "out.png", "--strict") == 3


def test_a_side_that_the_network_cannot_take_is_warned_of(photos, run, monkeypatch, capsys):
    monkeypatch.setattr(heavy, "load_model", lambda *given: Brightness())
    assert main([str(photos[0]), "-o", "out.png", "--max-side", "100"]) == 0
    assert "--max-side 100 is below 128" in capsys.readouterr().err


def test_clips_have_no_trimap(run, tmp_path, capsys):
    (tmp_path / "clip.mp4").touch()
    assert run("clip.mp4", "-o", "out.webm", "--trimap") == 1
    assert "are for photos, not for clips" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "message"),
    [(["gone.png"], "there is no file or folder gone.png"), (["watch", "gone", "out"], "there is no folder gone")],
)
def test_mistakes_are_answered_before_anything_large_is_loaded(given: list[str], message: str, tmp_path):
    script = (
        f"import sys; from matting.cli.photo import main; code = main({given}); "
        "sys.exit(code if not {'torch', 'scipy', 'numba', 'gradio'} & set(sys.modules) else 9)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (1, f"error: {message}\n")


def test_help_has_examples_and_every_export_format(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    told = capsys.readouterr().out
    assert "curl -s" in told and all(name in told for name in EXPORT_FORMATS)
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out.startswith("matting ")
    assert build_parser(watches=True).parse_args(["in", "out"]).output == Path("out")


def test_files_are_worked_on_as_they_arrive(run, photos, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(weights, "load_model", lambda *given: Brightness())
    monkeypatch.setattr(watching, "_PAUSE_S", 0.05)
    arrivals = watching.arrivals
    monkeypatch.setattr(watching, "arrivals", lambda folder: stop_after(arrivals(folder, 0.05), 2))
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    photos[0].rename(inbox / "a.png")
    late = threading.Thread(target=lambda: (time.sleep(0.4), photos[1].rename(inbox / "b.png")))
    late.start()
    assert run("watch", inbox, tmp_path / "out") == 130
    late.join()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.png", "b.png"]
    assert capsys.readouterr().out.splitlines() == [str(tmp_path / "out" / name) for name in ("a.png", "b.png")]


def stop_after(files, count):
    for _ in range(count):
        yield next(files)
    raise KeyboardInterrupt


def test_a_failure_without_words_is_named_by_its_kind(photos, run, monkeypatch, capsys):
    def fail(*arguments, **options):
        raise MemoryError

    monkeypatch.setattr(heavy, "matte_image", fail)
    assert run(photos[0]) == 1
    assert capsys.readouterr().err == f"failed: {photos[0]}: MemoryError\n"
