"""Pairs on disk, batches in memory, the true trimap."""

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from collections_of_tests import in_memory
from PIL import Image

from matting.training import augmentation, backgrounds
from matting.training.dataset import Sampler, true_trimap
from matting.training.pairs import PHOTO_LIST, find_pairs, photo_shares, read_sets
from matting.training.prepare import load_person


@pytest.fixture(scope="module")
def sampler(portraits: Path) -> Sampler:
    return Sampler(in_memory(portraits, portraits / "backgrounds"), seed=3)


@pytest.mark.slow
def test_photos_with_doubtful_alphas_are_left_out(portraits: Path, tmp_path: Path):
    shutil.copytree(portraits / "cc0_portraits", tmp_path / "cc0_portraits")
    for kind in ("image", "alpha"):
        folder = tmp_path / "cc0_portraits/train" / kind
        (folder / "p1.png").rename(folder / "074.png")
    loaded = in_memory(tmp_path)
    assert len(loaded.subjects) == len(loaded.chances) == 1


def test_missing_partner_is_named(tmp_path: Path):
    for kind in ("image", "alpha"):
        (tmp_path / kind).mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "image" / "lonely.png")
    with pytest.raises(ValueError, match=r"lonely\.png has no partner"):
        find_pairs(tmp_path)


def test_missing_folder_and_empty_folder(tmp_path: Path):
    with pytest.raises(ValueError, match="image or original_image or blurred_image"):
        find_pairs(tmp_path)
    (tmp_path / "image").mkdir()
    (tmp_path / "alpha").mkdir()
    with pytest.raises(ValueError, match="found none"):
        find_pairs(tmp_path)


def test_p3m_layout(tmp_path: Path):
    for kind, mode, name in (("blurred_image", "RGB", "p_1.jpg"), ("mask", "L", "p_1.png")):
        (tmp_path / kind).mkdir()
        Image.new(mode, (16, 16), 255 if mode == "L" else None).save(tmp_path / kind / name)
    (pair,) = find_pairs(tmp_path)
    assert pair.image.name == "p_1.jpg" and pair.alpha.name == "p_1.png"


def test_sizes_that_differ_are_named(tmp_path: Path):
    for kind, mode, side in (("image", "RGB", 16), ("alpha", "L", 12)):
        (tmp_path / kind).mkdir()
        Image.new(mode, (side, side)).save(tmp_path / kind / "p.png")
    with pytest.raises(ValueError, match=r"16x16.*12x12"):
        load_person(find_pairs(tmp_path)[0])


def test_foreground_is_free_of_the_background(portraits: Path, tmp_path: Path):
    person = load_person(find_pairs(portraits / "cc0_portraits/train")[0], tmp_path)
    edge = (person.alpha > 60) & (person.alpha < 200)
    wanted = np.array([200, 150, 100])
    error_before = np.abs(person.image[edge].astype(int) - wanted).mean()
    error_after = np.abs(person.foreground[edge].astype(int) - wanted).mean()
    assert error_after < 0.25 * error_before
    again = load_person(find_pairs(portraits / "cc0_portraits/train")[0], tmp_path)
    assert np.array_equal(again.foreground, person.foreground)


def test_a_foreground_that_could_not_be_stored_whole_is_not_found_later(portraits: Path, tmp_path: Path, monkeypatch):
    pair = find_pairs(portraits / "cc0_portraits/train")[0]

    def cut_off(file, **arrays):
        with file if hasattr(file, "write") else open(file, "wb") as stream:
            stream.write(b"PK")
        raise OSError("No space left on device")

    with monkeypatch.context() as full_disk, pytest.raises(OSError, match="No space"):
        full_disk.setattr(np, "savez", cut_off)
        load_person(pair, tmp_path)
    assert not list(tmp_path.iterdir())
    assert np.array_equal(load_person(pair, tmp_path).foreground, load_person(pair).foreground)


@pytest.mark.slow
def test_plain_batches_show_everybody_and_nothing_else(sampler: Sampler):
    def seen(plain: float) -> torch.Tensor:
        drawn = Sampler(sampler.collection, 3, plain)
        return torch.cat([drawn.draw(step, 6, (128, 128)).alpha.gt(0.5).flatten(1).any(1) for step in range(12)])

    assert seen(1.0).all() and not seen(0.0).all()


@pytest.mark.slow
def test_batches_have_the_promised_shapes_and_repeat(sampler: Sampler):
    batch, again, other = (sampler.draw(step, 3, (128, 256)) for step in (5, 5, 6))
    for tensor, channels in zip(batch, (3, 1, 3, 3), strict=True):
        assert tensor.shape == (3, channels, 128, 256)
        assert tensor.isfinite().all() and tensor.min() >= 0 and tensor.max() <= 1
    assert torch.equal(batch.image, again.image) and not torch.equal(batch.image, other.image)


def test_batches_show_people(sampler: Sampler):
    alphas = sampler.draw(0, 16, (128, 128)).alpha
    shown = alphas.mean((1, 2, 3))
    assert (shown > 0.01).float().mean() > 0.8 and shown.std() > 0.05


def test_darkened_pictures_keep_some_light():
    images = torch.rand(200, 3, 8, 8)
    gain = augmentation.darken(images, np.random.default_rng(0), chance=0.25).mean((1, 2, 3)) / images.mean((1, 2, 3))
    changed = gain < 1
    assert 0.15 < changed.float().mean() < 0.35 and gain.min() > 0.05 and (gain[changed] < 0.7).all()
    assert torch.equal(gain[~changed], torch.ones_like(gain[~changed]))


def test_coloured_lamps_take_away_light_of_other_colours():
    images = torch.full((100, 3, 16, 16), 0.8)
    lit = augmentation.tint(images, np.random.default_rng(0), chance=0.5)
    changed = (lit != images).any(1).any(1).any(1)
    assert 0.3 < changed.float().mean() < 0.7 and (lit <= images).all()
    spread = lit[changed].amax(1) - lit[changed].amin(1)
    assert spread.mean() > 0.3 and (lit.amax(1) > 0.4).all()  # colourful, and somewhere near as bright as before


def test_cut_of_everything_is_the_picture():
    picture = torch.randint(0, 256, (4, 32, 48), dtype=torch.uint8)
    crop = augmentation.AffineCrop(16, 24, 32, 48, 0.0, False)
    assert torch.allclose(augmentation.cut([picture], crop, (32, 48)), picture / 255, atol=1e-5)
    mirrored = augmentation.cut([picture], crop._replace(mirrored=True), (32, 48))
    assert torch.allclose(mirrored, picture.flip(2) / 255, atol=1e-5)


def test_cut_turns_by_a_quarter():
    picture = torch.randint(0, 256, (1, 32, 32), dtype=torch.uint8)
    turned = augmentation.cut([picture], augmentation.AffineCrop(16, 16, 32, 32, np.pi / 2, False), (32, 32))
    candidates = [torch.rot90(picture, k, (1, 2)) / 255 for k in (1, 3)]
    assert any(torch.allclose(turned, c, atol=1e-3) for c in candidates)


def test_true_trimap_by_hand():
    alpha = torch.zeros(1, 1, 64, 64)
    alpha[..., 24:] = 1  # the edge lies between columns 23 and 24, a border of cells: both sides are within 3 px
    assert true_trimap(alpha)[0, 0].tolist() == [0, 0, 1, 1, 2, 2, 2, 2]
    alpha[..., 20:24] = 1  # the edge in the middle of a cell, but 3 px reach to column 17 and 22 only
    assert true_trimap(alpha)[0, 0].tolist() == [0, 0, 1, 2, 2, 2, 2, 2]


def test_camera_effects_stay_in_range():
    rng = np.random.default_rng(0)
    images = torch.rand(6, 3, 64, 64)
    effects = [
        augmentation.shift_colours(images, rng),
        augmentation.add_noise(images, rng, chance=1),
        augmentation.compress(images, rng, chance=1),
        augmentation.soften(images, rng, chance=1, strongest=3),
        augmentation.shift_brightness(images, torch.rand(6, 1, 64, 64), images.flip(0), rng),
        augmentation.darken(images, rng, chance=1),
        augmentation.tint(images, rng, chance=1),
        augmentation.lift_shadows(images / 4, rng, chance=1),
    ]
    for changed in effects:
        assert changed.shape == images.shape and changed.min() >= 0 and changed.max() <= 1
        assert not torch.equal(changed, images)


@pytest.mark.parametrize("size", [(128, 256), (96, 64)])
@pytest.mark.parametrize("draw", [backgrounds.mosaic, backgrounds.wall, backgrounds.plain_scene, backgrounds.draw_scene])
def test_scenes_have_the_asked_size(sampler: Sampler, draw, size):
    pictures = () if draw is backgrounds.wall else (sampler.collection.pictures,)
    scene = draw(*pictures, size, np.random.default_rng(1), sampler.device)
    assert scene.shape == (3, *size) and scene.min() >= 0 and scene.max() <= 1


def test_some_pictures_show_nobody_and_their_background_is_a_picture_without_people(sampler: Sampler, monkeypatch):
    monkeypatch.setattr("matting.training.dataset._NOBODY_CHANCE", 0.5)
    seen = []
    monkeypatch.setattr(
        "matting.training.dataset.draw_scene", lambda from_, size, *_: seen.append(from_) or torch.zeros(3, *size)
    )
    monkeypatch.setattr("matting.training.dataset.stand_far", lambda *_: None)
    alpha = sampler.draw(1, 12, (64, 64)).alpha.flatten(1).amax(1)
    nobody = (alpha == 0).tolist()
    assert 0 < sum(nobody) < 12 and len(seen) == 12
    chosen = list(zip(seen, nobody, strict=True))
    assert all(behind is sampler.collection.pictures for behind, empty in chosen if empty)
    assert any(behind is sampler.collection.scenes for behind, empty in chosen if not empty)


def test_the_list_says_how_often_photos_are_shown(tmp_path: Path):
    path = tmp_path / "photos.csv"
    path.write_text("set,photos,share,why\nmine,a1,0,looked at\nmine,a*,0.25,all alike\nother,b,0,of another set\n")
    assert photo_shares(path, "mine", ["a1", "a2", "b"]) == [0, 0.25, 1]


def test_the_projects_own_list_is_in_order():
    with PHOTO_LIST.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert all(row["set"] in read_sets() and 0 <= float(row["share"]) <= 1 and row["why"] for row in rows)
    assert len({(row["set"], row["photos"]) for row in rows}) == len(rows)


def test_people_against_the_light_are_dark_in_front_of_something_bright():
    rng = np.random.default_rng(0)
    alpha = torch.zeros(1, 1, 8, 8)
    alpha[..., :4] = 1
    foreground = torch.full((1, 3, 8, 8), 0.6)
    image = alpha * foreground + (1 - alpha) * 0.3
    lit = augmentation.backlight(image, alpha, foreground, rng, chance=1)
    assert lit[..., :4].max() < 0.4 * 0.6 + 1e-6 and lit[..., 4:].min() > 0.3 and lit.max() <= 1
    assert torch.equal(augmentation.backlight(image, alpha, foreground, rng, chance=0), image)


def test_skies_are_bright():
    skies = [backgrounds.sky([], (64, 48), np.random.default_rng(seed), torch.device("cpu")) for seed in range(20)]
    assert all(sky.shape == (3, 64, 48) and sky.min() >= 0 and sky.max() <= 1 for sky in skies)
    assert np.mean([float(sky[:, :16].mean()) for sky in skies]) > 0.6
