"""Things behind people and in their hands."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from matting.training.objects import draw_object, hold_objects, load_objects, stand_at_head, stand_behind

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def things(tmp_path_factory: pytest.TempPathFactory) -> list[Tensor]:
    """One red disc on transparent white, 200 pixels wide; files that are no things lie beside it."""
    folder = tmp_path_factory.mktemp("things")
    (folder / "round").mkdir()
    y, x = np.mgrid[:200, :200] - 99.5
    pixels = np.full((200, 200, 4), 255, np.uint8)
    pixels[..., 1:3] = 0
    pixels[..., 3] = 255 * (np.hypot(y, x) < 90)
    pixels[pixels[..., 3] == 0, :3] = 255
    Image.fromarray(pixels).save(folder / "round" / "disc.png")
    Image.fromarray(pixels[:50, :50]).save(folder / "small.png")
    Image.fromarray(pixels[..., :3]).save(folder / "photo.png")
    return load_objects(folder, CPU)


def test_only_large_transparent_pictures_are_things(things):
    (disc,) = things
    assert disc.shape == (4, 204, 204) and disc.dtype == torch.uint8
    assert (disc[:3, disc[3] == 0] == 0).all(), "no colour where nothing is"
    assert not disc[:, [0, -1]].any() and not disc[:, :, [0, -1]].any()


def test_a_folder_without_things_says_so(tmp_path: Path):
    with pytest.raises(ValueError, match="transparent PNGs of at least 120 px"):
        load_objects(tmp_path, CPU)


@pytest.mark.parametrize("seed", range(3))
def test_a_thing_lies_where_it_was_put(things, seed):
    layer = draw_object(things, (70.0, 40.0), 50.0, (96, 160), np.random.default_rng(seed))
    assert layer.shape == (4, 96, 160) and layer.min() >= 0 and (layer[:3] <= layer[3:] + 1e-6).all()
    rows, columns = torch.nonzero(layer[3] > 0.5).float().T
    assert columns.mean().item() == pytest.approx(70, abs=1.5) and rows.mean().item() == pytest.approx(40, abs=1.5)
    assert len(rows) == pytest.approx(np.pi * (50 * 90 / 204) ** 2, rel=0.1)


@pytest.mark.slow
def test_things_stand_behind_mostly_where_nobody_is(things):
    backgrounds = torch.zeros(400, 3, 16, 16)
    nobody = np.arange(400) < 200
    stand_behind(backgrounds, things, nobody, np.random.default_rng(0))
    red = backgrounds[:, 0].flatten(1).amax(1) > 0
    assert red[:200].float().mean().item() == pytest.approx(0.5, abs=0.12)
    assert red[200:].float().mean().item() == pytest.approx(0.05, abs=0.04)
    assert not backgrounds[:, 1:].any()


def test_without_things_nothing_stands_behind():
    backgrounds = torch.zeros(4, 3, 16, 16)
    stand_behind(backgrounds, [], np.ones(4, bool), np.random.default_rng(0))
    assert not backgrounds.any()


def test_things_at_the_head_are_background_in_the_photo_and_out_of_it(things):
    alpha = torch.zeros(4, 1, 64, 64)
    alpha[:3, :, 16:, 20:44] = 1
    alpha[:3, :, 16:, 44] = 0.5  # the last picture shows nobody
    foreground, backgrounds = torch.full((4, 3, 64, 64), 0.25), torch.zeros(4, 3, 64, 64)
    photo = alpha * foreground
    stand_at_head(photo, alpha, foreground, backgrounds, things, np.random.default_rng(1), chance=1.0)
    torch.testing.assert_close(photo, alpha * foreground + (1 - alpha) * backgrounds)
    red = backgrounds[:, 0] > 0
    assert red[:3].flatten(1).any(1).all() and not backgrounds[3].any() and not backgrounds[:, 1:].any()
    assert red[:3, :40].sum() > 5 * red[:3, 48:].sum()


@pytest.mark.parametrize("kind", ["things", "boards"])
def test_held_objects_are_foreground(things, kind):
    alpha = torch.zeros(6, 1, 64, 64)
    alpha[:5, :, 16:, 20:44] = 1  # the last picture shows nobody
    photo, foreground = torch.full((6, 3, 64, 64), 0.5), torch.full((6, 3, 64, 64), 0.5)
    before = alpha.clone()
    textures = torch.rand(6, 3, 64, 64)
    hold_objects(photo, alpha, foreground, textures, things if kind == "things" else [], np.random.default_rng(4), chance=1)
    grown = (alpha - before).flatten(1).sum(1)
    assert (alpha >= before - 1e-6).all() and alpha.max() <= 1 + 1e-6 and (grown[:5] > 0).sum() >= 3 and grown[5] == 0
    held = (foreground - 0.5).abs().amax(1, keepdim=True) > 0.02
    assert held[:5].flatten(1).any(1).all() and not held[5].any()
    solid = alpha > 1 - 1e-6
    assert torch.allclose(photo[solid.expand_as(photo)], foreground[solid.expand_as(photo)], atol=1e-5)
    assert torch.isfinite(foreground).all()
