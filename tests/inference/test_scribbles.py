"""Scribbles: corrections by hand spread as far as colours are alike and the first stage was not certain."""

import numpy as np
import pytest
import torch
from networks import Bright

from matting import matte_image
from matting.inference.scribbles import apply_scribbles, check_scribbles, label_cells
from matting.network import CoarsePrediction

BACKGROUND, UNKNOWN, FOREGROUND = 0, 1, 2
GRID = (30, 112)


def answer(alpha: np.ndarray) -> CoarsePrediction:
    """A first stage's answer that calls everything unknown."""
    trimap = torch.tensor([0.1, 0.8, 0.1])[None, :, None, None].expand(1, 3, *alpha.shape)
    return CoarsePrediction(torch.from_numpy(alpha.astype(np.float32))[None, None], trimap, ())


def painted(colours: np.ndarray) -> torch.Tensor:
    """The image (1, 3, H, W) of grey cells (h, w)."""
    pixels = np.kron(colours, np.ones((8, 8))).astype(np.float32)
    return torch.from_numpy(pixels).expand(1, 3, *pixels.shape)


def cells(*marks: tuple[slice | int, slice | int, int]) -> np.ndarray:
    said = np.zeros(GRID, np.int8)
    for rows, columns, value in marks:
        said[rows, columns] = value
    return said


def follow(alpha, colours, said):
    followed = apply_scribbles(answer(alpha), painted(colours), said)
    return followed.alpha[0, 0].numpy(), followed.trimap[0].argmax(0).numpy()


def two_walls() -> np.ndarray:
    """Two greys, side by side."""
    return np.where(np.arange(112) < 20, 0.2, 0.9)[None].repeat(30, 0)


def test_a_smudge_goes_as_far_as_its_colour():
    alpha, trimap = follow(np.full(GRID, 0.5), two_walls(), cells((slice(10, 20), slice(8, 12), -1)))
    assert alpha[:, :20].max() < 0.25 and alpha[10:20, :20].max() < 0.01
    assert np.abs(alpha[:, 21:] - 0.5).max() < 0.01
    assert (trimap[12:18, 2:18] == BACKGROUND).all() and (trimap[:, 22:] == UNKNOWN).all()


def test_keeping_is_removing_turned_round():
    said = cells((slice(10, 20), slice(8, 12), 1))
    kept, _ = follow(np.full(GRID, 0.5), two_walls(), said)
    removed, _ = follow(np.full(GRID, 0.5), two_walls(), -said)
    np.testing.assert_allclose(kept, 1 - removed, atol=1e-6)


def test_what_was_certain_keeps_its_alpha_better():
    said, plain = cells((15, 20, -1)), np.full(GRID, 0.4)
    certain, _ = follow(np.ones(GRID), plain, said)
    doubtful, _ = follow(np.full(GRID, 0.8), plain, said)
    assert certain[15, 20] == doubtful[15, 20] == 0
    assert (doubtful < 0.5).sum() > 4 * (certain < 0.5).sum() > 0


def test_a_neighbour_by_hand():
    """Of two cells with an alpha of 0.2, the first is foreground; their greys are 0.06 apart, half of the scale."""
    w = np.exp(-3 * 0.5**2)  # three channels
    s = (0.01 + 0.05 * 0.6**8) * (112 / 2) ** 2  # on so coarse a grid
    added = 0.8 * w / (w + s)  # where w (added - 0.8)^2 + s added^2 is least
    expected = 0.2 + added + added / 0.3 * (3 - 1) * (0.2 + added - 0.5)  # contrast 3 where 0.3 is added
    alpha, _ = follow(np.full((1, 2), 0.2), np.array([[0.5, 0.56]]), np.array([[1, 0]], np.int8))
    assert 0.01 < added < 0.02 and alpha[0] == pytest.approx([1, expected], abs=1e-5)


def test_scribbles_do_the_same_at_every_working_size():
    shares = []
    for finer in (1, 2, 4):
        shape = 40 * finer, 112 * finer
        said = np.zeros(shape, np.int8)
        said[18 * finer : 22 * finer, 40 * finer : 44 * finer] = -1
        alpha, _ = follow(np.full(shape, 0.7), np.full(shape, 0.4), said)
        shares.append((alpha < 0.35).mean())
    assert min(shares) > 0.01 and max(shares) < 1.35 * min(shares)


def test_where_kept_meets_removed_regions_are_redrawn():
    said = cells((slice(None), slice(0, 20), 1), (slice(None), slice(20, 112), -1))
    alpha, trimap = follow(np.full(GRID, 0.5), np.full(GRID, 0.4), said)
    assert (alpha[:, :20] == 1).all() and (alpha[:, 20:] == 0).all(), "everything was said"
    assert (trimap[:, 19:21] == UNKNOWN).all()
    assert (trimap[:, :19] == FOREGROUND).all() and (trimap[:, 21:] == BACKGROUND).all()


def test_without_scribbles_nothing_changes():
    coarse = answer(np.full(GRID, 0.5))
    assert apply_scribbles(coarse, painted(two_walls()), cells()) is coarse


def test_far_away_nothing_changes():
    alpha = np.full((30, 120), 0.5)
    said = np.zeros((30, 120), np.int8)
    said[15, 5] = 1
    followed, trimap = follow(alpha, np.full((30, 120), 0.4), said)
    assert (followed[:, 50:] == 0.5).all() and (trimap[:, 50:] == UNKNOWN).all()


def test_a_quarter_of_a_cell_counts_and_the_larger_share_wins():
    scribbles = np.zeros((24, 24), np.int8)
    scribbles[0:4, 0:4] = 1  # a quarter
    scribbles[0:3, 8:12] = 1  # less
    scribbles[8:16, 0:5], scribbles[8:16, 5:8] = 1, -1
    scribbles[8:16, 8:16] = -1
    assert label_cells(scribbles, (3, 3)).tolist() == [[1, 0, 0], [1, -1, 0], [0, 0, 0]]


@pytest.mark.parametrize(
    ("scribbles", "message"),
    [
        (np.zeros((4, 6), np.int8), r"scribbles must have the photo's shape \(6, 4\), got \(4, 6\)"),
        (np.full((6, 4), 2, np.int8), r"integers, -1 \(background\), 0 or 1 \(foreground\), got int8 from 2 to 2"),
        (np.full((6, 4), 255, np.uint8), "got uint8 from 255 to 255"),
        (np.full((6, 4), -128, np.int8), "got int8 from -128 to -128"),
        (np.full((6, 4), 0.5), "got float64 from 0.5 to 0.5"),
    ],
)
def test_scribbles_that_do_not_fit_are_refused(scribbles, message):
    with pytest.raises(ValueError, match=message):
        check_scribbles(scribbles, 6, 4)
    with pytest.raises(ValueError, match=message):
        matte_image(np.zeros((6, 4, 3), np.uint8), Bright(), 128, scribbles=scribbles)


def bright_squares() -> np.ndarray:
    """A large bright square and a small one that stands apart, in the dark, (512, 512, 3)."""
    image = np.zeros((512, 512, 3), np.uint8)
    image[100:400, 100:300] = image[200:240, 400:440] = 255
    return image


def test_an_island_that_is_kept_by_hand_stays():
    image = bright_squares()
    assert matte_image(image, Bright(), 512, guided_filter=False).alpha[205:235, 405:435].max() == 0
    scribbles = np.zeros((512, 512), np.int8)
    scribbles[216:224, 416:424] = 1
    matte = matte_image(image, Bright(), 512, guided_filter=False, scribbles=scribbles)
    assert matte.alpha[210:230, 410:430].min() == 1
    assert matte.alpha[:, 460:].max() == 0


def test_a_person_crossed_out_is_gone():
    scribbles = np.zeros((512, 512), np.int8)
    scribbles[80:420, 80:320] = -1
    matte = matte_image(bright_squares(), Bright(), 512, guided_filter=False, scribbles=scribbles)
    assert matte.alpha[:, :340].max() == 0
    assert matte.alpha[210:230, 410:430].min() == 1, "the small one is the largest there is now"
