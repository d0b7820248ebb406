"""Conditions keep the truth exact, the two tables add up, plainly wrong pixels are counted by hand."""

from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from matting.evaluation import robustness
from matting.evaluation.conditions import CONDITIONS, SIDE, Portrait, place
from matting.evaluation.datasets import Item
from matting.evaluation.metrics import far_errors
from matting.inference.photo import matte_image


@pytest.fixture
def portrait():
    alpha = np.zeros((40, 30), np.float32)
    alpha[10:, 5:25] = 1
    return Portrait(np.full((40, 30, 3), 0.7, np.float32), alpha)


@pytest.fixture
def scenes():
    return [np.full((SIDE, SIDE, 3), value, np.float32) for value in (0.2, 0.5)]


def test_far_errors_by_hand():
    truth = np.zeros((100, 100))
    truth[:, 50:] = 1
    hole, island, shifted = truth.copy(), truth.copy(), truth.copy()
    hole[10:20, 90:100] = 0  # 100 px, 40 px inside
    island[0:10, 0:5] = 0.6  # 50 px, 45 px outside
    shifted[:, 30:] = 1  # 20 px too far, near the edge everywhere
    assert far_errors(truth, truth) == 0
    assert far_errors(hole, truth) == pytest.approx(0.01)
    assert far_errors(island, truth) == pytest.approx(0.005)
    assert far_errors(shifted, truth) == 0


def test_far_errors_count_everything_where_nobody_is():
    assert far_errors(np.ones((10, 10)), np.zeros((10, 10))) == 1


def test_a_portrait_stands_on_the_lower_edge(portrait, scenes):
    scene = place(portrait, scenes[0], height=0.5, centre=0.25)
    rows, columns = np.nonzero(scene.alpha > 0.5)
    assert rows.min() == pytest.approx(SIDE * (0.5 + 0.5 * 10 / 40), abs=3) and rows.max() == SIDE - 1
    assert columns.mean() == pytest.approx(SIDE * 0.25, abs=3)
    image, alpha = scene.shot()
    assert np.allclose(image[alpha == 1], 0.7, atol=1e-4) and np.allclose(image[alpha == 0], 0.2)


def test_a_portrait_larger_than_the_picture_is_cut_below(portrait, scenes):
    alpha = place(portrait, scenes[0], height=2).alpha
    assert alpha[: SIDE // 4].max() == 0 and alpha[-1, SIDE // 2] == 1


def test_sides_that_cut_somebody_off_lie_on_the_sides_of_the_picture(scenes):
    portrait = Portrait(np.full((40, 30, 3), 0.7, np.float32), np.pad(np.ones((20, 30), np.float32), ((20, 0), (0, 0))))
    alpha = place(portrait, scenes[0]).alpha
    assert alpha[-1].min() == alpha[SIDE * 3 // 4].min() == 1


def test_the_old_backdrop_is_not_in_a_shrunk_portrait(scenes):
    alpha = np.zeros((400, 300), np.float32)
    alpha[100:, 51:252] = 1
    colours = np.where(alpha[..., None] > 0, 0.7, 0).astype(np.float32).repeat(3, axis=2)
    scene = place(Portrait(colours, alpha), scenes[0], height=0.1)
    soft = (scene.alpha > 0.05) & (scene.alpha < 0.95)
    assert soft.any() and np.allclose(scene.foreground[soft], 0.7, atol=0.01)


def test_whole_people_are_those_whom_no_side_cuts_off(tmp_path):
    people = {"whole": np.s_[5:35, 10:20], "cut": np.s_[5:40, 10:20], "nobody": np.s_[0:0, 0:0]}
    items = []
    for name, box in people.items():
        alpha = np.zeros((40, 30), np.uint8)
        alpha[box] = 255
        Image.fromarray(alpha).save(tmp_path / f"{name}.png")
        items.append(Item("street", name, tmp_path / f"{name}.png", tmp_path / f"{name}.png"))
    (whole,) = robustness.load_whole_people(items, 3)
    assert whole.alpha.shape == (30, 10) and whole.alpha.min() == 1
    assert len(robustness.load_whole_people([items[0]] * 3, 2)) == 2
    with pytest.raises(ValueError, match="a whole person, got none among 2"):
        robustness.load_whole_people(items[1:], 3)


@pytest.mark.parametrize("name", CONDITIONS)
def test_every_condition_shows_somebody(name, portrait, scenes):
    shots = [CONDITIONS[name](portrait, portrait, scenes, np.random.default_rng(3)) for _ in range(2)]
    image, alpha = shots[0]
    assert image.shape == (SIDE, SIDE, 3) and alpha.shape == (SIDE, SIDE)
    assert np.isfinite(image).all() and alpha.min() >= 0 and alpha.max() == pytest.approx(1, abs=1e-3)
    assert np.array_equal(image, shots[1].image)


def test_conditions_do_what_they_say(portrait, scenes):
    shots = {name: make(portrait, portrait, scenes, np.random.default_rng(0)) for name, make in CONDITIONS.items()}
    clean = shots["clean"]
    person = clean.alpha == 1
    assert shots["silhouette"].image[person].max() < 0.1 < 0.7 < shots["silhouette"].image[clean.alpha == 0].min()
    assert shots["dark"].image.mean() < 0.25 * clean.image.mean()
    assert shots["backlit"].image[person].mean() < 0.5 * shots["backlit"].image[~person].mean()
    assert np.ptp(shots["low contrast"].image.mean(2)) < 0.1
    assert np.ptp(shots["greyscale"].image, axis=2).max() < 1e-6
    assert (shots["small person"].alpha > 0).any(1).sum() <= SIDE // 10
    assert shots["two people"].alpha.mean() > 1.3 * clean.alpha.mean()
    assert shots["held object"].alpha.mean() > clean.alpha.mean()


@pytest.mark.slow
def test_the_command_prints_its_tables(tmp_path, lite_model, monkeypatch, capsys):
    rng = np.random.default_rng(0)
    for subset in ("keyed", "cc0_portraits", "web_portraits", "street"):
        somebody = np.pad(rng.integers(128, 256, (38, 28), np.uint8), 1)
        for kind, pixels in (("image", rng.integers(0, 256, (40, 30, 3), np.uint8)), ("alpha", somebody)):
            folder = tmp_path / subset / "val" / kind
            folder.mkdir(parents=True)
            Image.fromarray(pixels).save(folder / "a.png")
    (tmp_path / "backgrounds").mkdir()
    Image.fromarray(rng.integers(0, 256, (30, 40, 3), np.uint8)).save(tmp_path / "backgrounds" / "b.png")
    monkeypatch.setattr(robustness, "load_model", lambda *_: lite_model)
    monkeypatch.setattr(robustness, "matte_image", partial(matte_image, max_side=128))
    monkeypatch.setattr(robustness, "CONDITIONS", {name: CONDITIONS[name] for name in ("clean", "dark")})
    robustness.main(["--root", str(tmp_path)])
    printed = capsys.readouterr().out
    assert "| clean | " in printed and "| dark | " in printed and "| all | " in printed
    assert "| street | 0 | 0.0% |" in printed and "| flickr | 0 | 0.0% |" in printed
    assert "| cutouts | " not in printed
    clean = next(line for line in printed.splitlines() if line.startswith("| clean | ")).split(" | ")
    assert clean[2] == "1.00x" and 0 <= float(clean[3]) <= 1 and clean[4].endswith("% |")


def test_somebody_small_who_is_lost_shows_in_the_overlap_not_in_the_mean(portrait, scenes):
    truth = CONDITIONS["small person"](portrait, portrait, scenes, np.random.default_rng(0)).alpha
    nothing = np.zeros_like(truth)
    pairs = [(robustness.mad(alpha, truth), robustness.iou(alpha, truth)) for alpha in (nothing, truth, truth, truth)]
    held = robustness._scores(np.array(pairs))
    assert held.mad < 0.005 and held.iou == held.found == 0.75


def test_a_missing_folder_is_named(tmp_path, lite_model, monkeypatch, capsys):
    monkeypatch.setattr(robustness, "load_model", lambda *_: lite_model)
    with pytest.raises(SystemExit):
        robustness.main(["--root", str(tmp_path / "none")])
    assert "none" in capsys.readouterr().err


def test_background_in_gaps_that_is_kept_is_counted(tmp_path, monkeypatch):
    alpha = np.zeros((60, 60), np.uint8)
    alpha[5:55, 10:25] = alpha[5:55, 35:50] = 255
    for kind, pixels in (("image", np.zeros((60, 60, 3), np.uint8)), ("alpha", alpha)):
        folder = tmp_path / "street" / "val" / kind
        folder.mkdir(parents=True)
        Image.fromarray(pixels).save(folder / "a.png")
    (tmp_path / "backgrounds").mkdir()
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / "backgrounds" / "b.png")
    kept = np.zeros((60, 60), np.float32)
    kept[30:40, 25:35] = 0.9
    monkeypatch.setattr(robustness, "matte_image", lambda *_: SimpleNamespace(alpha=kept))
    gaps = robustness.measure_gaps(tmp_path, None, None)["street"]
    assert gaps.kept == 100 and 400 <= gaps.pixels <= 600
