"""Close-ups show what the whole picture shows at that place, lie where hair is, and teach the second stage alone."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from matting.network import PRESETS, CoarsePrediction, MattingNetwork
from matting.network.refine import region_context
from matting.training.close_ups import SIDE, CloseUps, cut_close_ups, square_chances
from matting.training.dataset import Batch
from matting.training.objective import Objective

CELLS = SIDE // 8


def batch_and_coarse(height: int = 384, width: int = 512) -> tuple[Batch, CoarsePrediction]:
    """Two pictures in which every plane tells where it was cut, and a first stage that is sure of background everywhere."""
    down, across = torch.meshgrid(torch.arange(height) / height, torch.arange(width) / width, indexing="ij")
    place = torch.stack([down, across, torch.zeros(height, width)])
    image = torch.stack([place, place + torch.tensor([0.0, 0.0, 1.0])[:, None, None]])
    alpha = torch.zeros(2, 1, height, width)
    cells = F.avg_pool2d(down[None, None], 8).expand(2, -1, -1, -1)
    trimap = torch.tensor([1.0, 0, 0])[None, :, None, None].expand(2, -1, height // 8, width // 8)
    return Batch(image, alpha, image, 1 - image), CoarsePrediction(cells, trimap, ())


def test_all_planes_are_cut_at_the_same_place():
    batch, coarse = batch_and_coarse()
    batch.alpha[:, :, 100:140, 300:340] = 0.5
    squares = cut_close_ups(batch, coarse, 20, np.random.default_rng(0))
    assert squares.image.shape == (20, 3, SIDE, SIDE) and squares.unknown.shape == (20, 1, CELLS, CELLS)
    torch.testing.assert_close(squares.background, 1 - squares.image)
    torch.testing.assert_close(F.avg_pool2d(squares.image[:, :1], 8), squares.coarse_alpha)
    for image, alpha, unknown in zip(squares.image, squares.alpha, squares.unknown, strict=True):
        top, left = round(float(image[0, 0, 0]) * 384), round(float(image[1, 0, 0]) * 512)
        assert top % 8 == left % 8 == 0
        assert torch.equal(alpha, batch.alpha[0, :, top : top + SIDE, left : left + SIDE])
        touched = F.max_pool2d(alpha[None], 8)[0] > 0
        assert bool((unknown[touched] == 1).all()), "soft pixels are unknown"


def test_what_only_the_first_stage_calls_unknown_is_redrawn_too():
    batch, coarse = batch_and_coarse()
    trimap = coarse.trimap.clone()
    trimap[:, 1, 5, 7] = 2
    squares = cut_close_ups(batch, CoarsePrediction(coarse.alpha, trimap, ()), 4, np.random.default_rng(0))
    assert squares.unknown.sum((1, 2, 3)).tolist() == [1, 1, 1, 1]
    assert squares.unknown[:, 0, 5, 7].tolist() == [1, 1, 1, 1], "the squares are pushed into the picture's corner"


def test_squares_tell_the_refinement_what_the_whole_picture_does():
    """The context of a region is the same in a square, but for the square's outermost cells."""
    batch, coarse = batch_and_coarse()
    batch.alpha[:, :, 100:140, 300:340] = 0.5
    features = torch.rand(2, 5, 48, 64).bfloat16().float()
    coarse = replace(coarse, trimap=torch.rand(2, 3, 48, 64), features=features)
    (square,) = zip(*cut_close_ups(batch, coarse, 1, np.random.default_rng(0)), strict=True)
    squares = CloseUps(*(plane[None] for plane in square))
    top, left = round(float(squares.image[0, 0, 0, 0]) * 48), round(float(squares.image[0, 1, 0, 0]) * 64)
    picture = round(float(squares.image[0, 2, 0, 0]))
    inner = torch.nonzero(torch.ones(1, CELLS - 2, CELLS - 2)) + torch.tensor([0, 1, 1])
    there = inner + torch.tensor([picture, top, left])
    torch.testing.assert_close(region_context(squares.coarse, inner), region_context(coarse, there))


def test_squares_lie_where_the_alpha_is_fine():
    alpha = torch.zeros(1, 1, 256, 256)
    alpha[..., :64, :64] = 1
    alpha[..., 128:192, 128:192] = 0.25 + 0.5 * (torch.arange(64) % 2)
    unknown = torch.ones(1, 1, 32, 32)
    chances = square_chances(alpha, unknown).reshape(32, 32)
    assert chances.sum() == pytest.approx(1)
    assert chances[16:24, 16:24].sum() > 0.6, "stripes of soft alpha"
    assert chances[:9, :9].sum() < 0.05, "a body with a hard edge"
    unknown[..., 20:24, :] = 0
    assert square_chances(alpha, unknown).reshape(32, 32)[20:24].sum() == 0


def test_a_picture_full_of_hair_does_not_get_all_squares():
    alpha = torch.zeros(2, 1, 256, 256)
    stripes = 0.25 + 0.5 * (torch.arange(256) % 2)
    alpha[0], alpha[1, :, :8] = stripes, stripes
    chances = square_chances(alpha, (F.avg_pool2d(alpha, 8) > 0).float()).reshape(2, -1).sum(1)
    assert 0.1 < chances[1] < 0.2, "a 33rd of what is fine, but 15% of the squares"


def test_pictures_without_anybody_give_squares_too():
    batch, coarse = batch_and_coarse()
    coarse = replace(coarse, features=torch.rand(2, 152, 48, 64))
    squares = cut_close_ups(batch, coarse, 3, np.random.default_rng(0))
    assert squares.unknown.sum() == 0
    loss = Objective(MattingNetwork(PRESETS["lite"]), max_regions=64).eval()(squares).loss
    assert float(loss.total.detach()) == 0


@pytest.mark.slow
def test_the_second_stage_learns_from_them_alone():
    torch.manual_seed(0)
    model = MattingNetwork(PRESETS["lite"])
    objective = Objective(model, max_regions=64, guided=True).eval()
    alpha = torch.zeros(2, 1, SIDE, SIDE)
    alpha[..., 100:200, 100:200] = 1
    image = alpha.expand(-1, 3, -1, -1) * 0.8 + 0.1
    unknown = F.max_pool2d(alpha, 24, 8, 8) * (1 - F.avg_pool2d(alpha, 8).floor())
    trimap, features = torch.rand(2, 3, CELLS, CELLS), torch.rand(2, 152, CELLS, CELLS).bfloat16()
    squares = CloseUps(image, alpha, image, 1 - image, F.avg_pool2d(alpha, 8), unknown, trimap, features)
    optimiser = torch.optim.AdamW(model.refine.parameters(), lr=2e-3)
    totals = []
    for _ in range(16):
        result = objective(squares)
        result.total.backward()
        optimiser.step()
        optimiser.zero_grad()
        totals.append(float(result.total.detach()))
    assert totals[-1] < 0.7 * totals[0]
    assert result.regions == int(unknown.sum())
    assert all(p.grad is None for p in model.coarse.parameters())
    assert result.loss.coarse == result.loss.trimap == 0
