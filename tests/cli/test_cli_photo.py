"""The command line on photos, with a network that takes the red channel for alpha, and once with the bundled weights."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from clips import Brightness
from pictures import FACE, WALL, draw_person
from PIL import Image
from scipy.ndimage import binary_erosion

from matting.cli import run as heavy
from matting.cli.photo import main
from matting.inference.photo import matte_image
from matting.media.colour import DISPLAY_P3, SRGB
from matting.media.icc import write_profile
from matting.weights import save_weights

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def run(monkeypatch):
    """Call the command line; everything but the network is real."""
    monkeypatch.setattr(heavy, "load_model", lambda *given: Brightness())
    return lambda *arguments: main([*map(str, arguments), "--max-side", "256"])


@pytest.fixture
def photo(tmp_path) -> Path:
    path = tmp_path / "photo.png"
    Image.fromarray(draw_person(200, 150)[0]).save(path)
    return path


def pixels(path: Path, mode: str) -> np.ndarray:
    with Image.open(path) as picture:
        assert (picture.mode, picture.size) == (mode, (150, 200))
        return np.asarray(picture)


def test_a_photo_becomes_a_cutout_without_the_old_background(photo, run, tmp_path):
    assert run(photo, "-o", tmp_path / "new" / "cutout.png") == 0
    cutout, truth = pixels(tmp_path / "new" / "cutout.png", "RGBA"), draw_person(200, 150)[1]
    assert np.abs(cutout[..., 3] / 255 - truth).mean() < 0.01
    assert (cutout[binary_erosion(truth == 1, iterations=4)] == (*FACE, 255)).all()
    edge = (truth > 0.5) & (truth < 1)
    assert np.abs(cutout[edge][:, :3].astype(int) - FACE).mean() < 12  # the photo itself is 20 and more away
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["cutout.png"]


def test_alpha_alone(photo, run, tmp_path):
    assert run(photo, "-o", tmp_path / "alpha.png", "--alpha") == 0
    alpha = pixels(tmp_path / "alpha.png", "L")
    assert np.abs(alpha / 255 - draw_person(200, 150)[1]).mean() < 0.01


def test_on_a_colour_a_picture_and_the_blurred_background(photo, run, tmp_path):
    Image.new("RGB", (30, 30), (1, 2, 3)).save(tmp_path / "paper.png")
    corners = {"white": (255, 255, 255), "#102030": (16, 32, 48), tmp_path / "paper.png": (1, 2, 3), "blur": WALL}
    for background, corner in corners.items():
        assert run(photo, "-o", tmp_path / "out.png", "--background", background) == 0
        out = pixels(tmp_path / "out.png", "RGB")
        assert np.abs(out[0, 0].astype(int) - corner).max() <= 1 and tuple(out[100, 75]) == FACE
    assert run(photo, "-o", tmp_path / "out.jpg", "--background", "white") == 0


def test_an_existing_folder_takes_the_result(photo, run, tmp_path):
    (tmp_path / "out").mkdir()
    assert run(photo, "-o", tmp_path / "out") == 0
    pixels(tmp_path / "out" / "photo.png", "RGBA")


@pytest.fixture
def album(tmp_path) -> Path:
    folder = tmp_path / "album"
    (folder / "more").mkdir(parents=True)
    for name in ("a.png", "a.JPG", "b.webp"):
        Image.fromarray(draw_person(200, 150)[0]).save(folder / name)
    (folder / "notes.txt").write_text("a shopping list")
    (folder / ".hidden.png").write_text("")
    return folder


def test_a_folder_becomes_a_folder_and_nothing_is_skipped_silently(album, run, tmp_path, capsys):
    assert run(album, "-o", tmp_path / "out") == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.JPG.png", "a.png.png", "b.png"]
    told = capsys.readouterr()
    assert "3 of 3 files done" in told.out and "3/3" in told.err
    assert f"left out {album / 'more'}: a folder" in told.err and f"left out {album / 'notes.txt'}: not a photo" in told.err


def test_a_failure_is_named_and_the_rest_is_done(album, run, tmp_path, capsys):
    (album / "b.webp").write_bytes((album / "b.webp").read_bytes()[:50])
    assert run(album, "-o", tmp_path / "out") == 1
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.JPG.png", "a.png.png"]
    told = capsys.readouterr()
    assert f"failed: {album / 'b.webp'}: b.webp" in told.err and "2 of 3 files done" in told.out


def test_an_unexpected_error_is_one_files_failure(album, run, tmp_path, monkeypatch, capsys):
    def break_on_b(source, *arguments, **options):
        if source.name == "b.webp":
            raise AttributeError("nobody thought of this")
        return matte_image(source, *arguments, **options)

    monkeypatch.setattr(heavy, "matte_image", break_on_b)
    assert run(album, "-o", tmp_path / "out") == 1
    told = capsys.readouterr()
    assert f"failed: {album / 'b.webp'}: unexpected AttributeError: nobody thought of this" in told.err
    assert "2 of 3 files done" in told.out


def test_no_two_inputs_write_one_output(run, tmp_path, capsys):
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a.jpg", "a.jpg.jpg", "a.webp"):
        Image.fromarray(draw_person(60, 50)[0]).save(folder / name)
    assert run(folder, "-o", tmp_path / "out") == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.jpg.jpg.png", "a.jpg.png", "a.webp.png"]
    told = capsys.readouterr()
    assert "3 of 3 files done" in told.out and "named apart: a.jpg.jpg becomes a.jpg.jpg.png" in told.err


@pytest.mark.parametrize("name", ["😀" * 62 + ".jpg", "人" * 83 + ".jpg", "c" * 251 + ".jpg"])
def test_every_legal_name_works(name, run, tmp_path):
    (tmp_path / "in").mkdir()
    Image.fromarray(draw_person(60, 50)[0]).save(tmp_path / "in" / name)
    assert run(tmp_path / "in", "-o", tmp_path / "out") == 0
    assert run(tmp_path / "in" / name, "-o", tmp_path / "out", "--overwrite") == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == [name[:-4] + ".png"]


def test_transparency_of_a_photo_is_kept_or_ignored(run, tmp_path):
    image, truth = draw_person(200, 150)
    hole = np.full((200, 150), 255, np.uint8)
    hole[90:110, 65:85] = 0
    Image.fromarray(np.dstack([image, hole])).save(tmp_path / "in.png")
    assert run(tmp_path / "in.png", "-o", tmp_path / "kept.png") == 0
    assert run(tmp_path / "in.png", "-o", tmp_path / "ignored.png", "--ignore-alpha") == 0
    kept, ignored = (pixels(tmp_path / f"{name}.png", "RGBA") for name in ("kept", "ignored"))
    assert (kept[95:105, 70:80] == 0).all() and (ignored[95:105, 70:80] == 255).all()
    assert np.abs(kept[..., 3] / 255 - truth * (hole / 255)).mean() < 0.01


def photo_with_notes(path: Path) -> None:
    """A JPEG as a telephone writes it: place, camera, serial number, photographer, date."""
    exif = Image.Exif()
    exif[0x013B], exif[0x8298], exif[0x010F], exif[0x0112] = "A. Nyone", "(c) A. Nyone", "Camera & Co.", 1
    exif.get_ifd(0x8769).update({0x9003: "2024:05:06 07:08:09", 0xA431: "SERIAL123", 0x927C: b"maker note"})
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 51.0, 29.0), 3: "E", 4: (2.0, 17.0, 40.0)})
    Image.fromarray(draw_person(200, 150)[0]).save(path, exif=exif, dpi=(300, 300), comment=b"at home")


@pytest.mark.parametrize("name", ["out.png", "out.webp", "out.tif", "out.avif"])
def test_metadata_is_dropped_but_for_the_resolution_and_what_is_asked_for(run, tmp_path, name):
    photo_with_notes(tmp_path / "in.jpg")
    for options, kept in (([], False), (["--keep-metadata"], True)):
        assert run(tmp_path / "in.jpg", "-o", tmp_path / name, *options) == 0
        with Image.open(tmp_path / name) as picture:
            exif = picture.getexif()
            assert (exif.get(0x013B), exif.get(0x8298)) == (("A. Nyone", "(c) A. Nyone") if kept else (None, None))
            assert exif.get_ifd(0x8769).get(0x9003) == ("2024:05:06 07:08:09" if kept else None)
            assert 0x010F not in exif and not exif.get_ifd(0x8825) and 0xA431 not in exif.get_ifd(0x8769)
            dpi = picture.info.get("dpi") or (exif[0x011A], exif[0x011B])
            assert [round(float(value)) for value in dpi] == [300, 300]
        data = (tmp_path / name).read_bytes()
        assert not any(secret in data for secret in (b"SERIAL123", b"maker note", b"Camera & Co.", b"at home"))


def test_a_photo_is_written_as_display_p3_if_asked(run, tmp_path):
    image = draw_person(200, 150)[0]
    Image.fromarray(image).save(tmp_path / "in.png", icc_profile=write_profile(DISPLAY_P3))
    for options, space in (([], SRGB), (["--colour-space", "display-p3"], DISPLAY_P3)):
        assert run(tmp_path / "in.png", "-o", tmp_path / "out.png", "--background", "#00ff00", *options) == 0
        with Image.open(tmp_path / "out.png") as picture:
            assert picture.info["icc_profile"] == write_profile(space)
            seen = np.asarray(picture)
        assert np.abs(seen[100, 75].astype(int) - (FACE if space == DISPLAY_P3 else (255, 110, 33))).max() <= 3
        assert np.abs(seen[0, 0].astype(int) - ((117, 251, 76) if space == DISPLAY_P3 else (0, 255, 0))).max() <= 1


def test_a_failure_leaves_an_older_result_alone(photo, run, tmp_path, monkeypatch, capsys):
    (tmp_path / "out.png").write_bytes(b"old")

    def fill_disk(self, file, *arguments, **options):
        Path(file).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", fill_disk)
    assert run(photo, "-o", tmp_path / "out.png") == 1
    assert "No space left on device" in capsys.readouterr().err
    assert (tmp_path / "out.png").read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.png", "photo.png"]


@pytest.mark.parametrize(("arguments", "reason"), [
    (["gone.png", "-o", "out.png"], "there is no file or folder gone.png"),
    (["-", "-o", "-", "photo.png"], "standard output takes one photo"),
    (["photo.png", "-", "-o", "out"], "standard input is one photo and goes with no other input"),
    (["."], ". is a folder, so its results need one too: -o FOLDER"),
    (["photo.png", "-o", "photo.png/out.png"], r"photo.png cannot be written to: .*photo.png is a file"),
    (["photo.png", "-o", "empty/", "--format", "jpg"], "JPEG cannot hold transparency"),
    (["serve", "photo.png"], "serve takes no arguments, got 'photo.png'"),
    (["watch", "gone", "out"], "there is no folder gone"),
    (["photo.png", "-o", "out.jpg"], "JPEG cannot hold transparency: choose .png"),
    (["photo.png", "-o", "out.xyz"], "expected a name that ends in .png"),
    (["photo.png", "-o", "photo.png"], "photo.png would overwrite a file that is read"),
    (["photo.png", "-o", "."], "photo.png would overwrite a file that is read"),
    (["photo.png", "-o", "out.png", "--alpha", "--background", "red"], "not allowed with argument"),
    (["photo.png", "-o", "out.png", "--background", "reddish"], "expected 'blur', a colour such as white .* no file reddish"),
    (["photo.png", "-o", "out.png", "--background", "#ff000080"], "expected 'blur', a colour"),
    (["photo.png", "-o", "out.png", "--max-side", "0"], "expected a number of pixels of at least 1, got '0'"),
    (["photo.png", "-o", "out.png", "--max-side", "-5"], "expected a number of pixels of at least 1, got '-5'"),
    (["photo.png", "-o", "out.png", "--max-side", "big"], "expected a number of pixels of at least 1, got 'big'"),
    (["photo.png", "-o", "out.png", "--weights", "gone.pth"], "there is no file 'gone.pth'"),
    (["photo.png", "-o", "out.png", "--device", "toaster"], "device must be 'auto' or one .* got 'toaster'"),
    (["empty", "-o", "out"], "there are no photos"),
    ([".", "-o", "photo.png"], "so the output must be a folder; photo.png is a file"),
    ([".", "-o", "."], "would overwrite a file that is read"),
])  # fmt: skip
def test_wrong_arguments_say_what_is_wrong(arguments, reason, photo, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    try:
        code = main(arguments)
    except SystemExit as exit_:  # of the argument parser
        code = exit_.code
    assert code in (1, 2)
    *left_out, message = capsys.readouterr().err.splitlines()
    assert all(line.startswith("left out ") for line in left_out)
    assert re.search(reason, message), message
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "photo.png"]


@pytest.mark.slow
def test_the_module_runs_as_a_program(photo, lite_model, tmp_path):
    save_weights(lite_model, tmp_path / "random.safetensors", {})
    arguments = [photo, "-o", tmp_path / "out.png", "--weights", tmp_path / "random.safetensors", "--max-side", "128"]
    done = subprocess.run(
        [sys.executable, "-m", "matting", *map(str, arguments)],
        cwd=PROJECT, env={**os.environ, "HF_HUB_OFFLINE": "1"}, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    pixels(tmp_path / "out.png", "RGBA")


def test_a_folder_on_a_ray_cluster_gives_the_same_mattes_and_names_what_failed(album, lite_model, tmp_path):
    pytest.importorskip("ray.data")
    (album / "b.webp").write_bytes((album / "b.webp").read_bytes()[:50])
    save_weights(lite_model, tmp_path / "random.safetensors", {})
    options = ["--alpha", "--weights", str(tmp_path / "random.safetensors"), "--max-side", "128"]
    assert main([str(album), "-o", str(tmp_path / "here"), *options]) == 1
    done = subprocess.run(
        [sys.executable, "-m", "matting", str(album), "-o", str(tmp_path / "ray"), *options, "--ray", "local"],
        cwd=PROJECT, env={**os.environ, "RAY_worker_niceness": "0"}, capture_output=True, text=True, timeout=280,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert f"failed: {album / 'b.webp'}: b.webp" in done.stderr and "3/3" in done.stderr and "2 of 3 files done" in done.stdout
    assert sorted(path.name for path in (tmp_path / "ray").iterdir()) == ["a.JPG.png", "a.png.png"]
    for path in (tmp_path / "here").iterdir():
        here, there = pixels(path, "L"), pixels(tmp_path / "ray" / path.name, "L")
        assert np.abs(here.astype(int) - there).max() <= 1  # another number of threads adds up in another order


@pytest.mark.slow
def test_an_example_is_cut_out_with_the_bundled_weights(tmp_path):
    examples = PROJECT / "examples"
    assert main([str(examples / "headwrap.jpg"), "-o", str(tmp_path / "out.png"), "--alpha", "--max-side", "512"]) == 0
    with Image.open(tmp_path / "out.png") as found, Image.open(examples / "alpha" / "headwrap.png") as wanted:
        difference = np.abs(np.asarray(found, np.float32) - np.asarray(wanted, np.float32)) / 255
    assert difference.mean() < 0.03


def test_names_are_shown_and_not_obeyed(photo, run, tmp_path, capsys):
    """A file's name may hold what clears a terminal, renames its window, or stands for what was not printed."""
    folder = tmp_path / "album"
    folder.mkdir()
    evil = "\x1b]0;owned\x07\x1b[2J\r\u202e\u009b"
    (folder / f"{evil}.txt").touch()
    (folder / f"{evil}.png").write_bytes(b"no picture")
    photo.rename(folder / "b.png")
    assert run(folder, "-o", tmp_path / "out") == 1
    assert run(folder / f"{evil}missing", "-o", tmp_path / "out.png") == 1
    told = capsys.readouterr()
    assert r"left out" in told.err and r"\x1b]0;owned\x07" in told.err and r"\u202e" in told.err
    assert not {"\x1b", "\x07", "\u202e", "\u009b"} & {*told.err, *told.out}


def test_no_link_leads_out_of_the_folder(photo, run, tmp_path, capsys):
    folder = tmp_path / "album"
    folder.mkdir()
    (secret := tmp_path / "secret.png").write_bytes(photo.read_bytes())
    photo.rename(folder / "b.png")
    (folder / "inside.png").symlink_to(folder / "b.png")
    (folder / "outside.png").symlink_to(secret)
    assert run(folder, "-o", tmp_path / "out") == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["b.png", "inside.png"]
    assert "outside.png: a link that leads out of the folder" in capsys.readouterr().err
    assert run(folder / "outside.png", "-o", tmp_path / "asked.png") == 0  # the file itself was named
