"""Islands: scraps apart from everybody become background."""

import torch

from matting.inference.components import drop_small_components
from matting.network import CoarsePrediction

BACKGROUND, UNKNOWN, FOREGROUND = 0, 1, 2


def prediction(*pieces: tuple[slice, slice, int, float], images: int = 1) -> CoarsePrediction:
    """Background on a grid of 20 x 30 cells with pieces (rows, columns, class, alpha) on it, all of them in each image."""
    alpha, classes = torch.full((images, 1, 20, 30), 0.01), torch.zeros(images, 20, 30, dtype=torch.long)
    for rows, columns, kind, value in pieces:
        alpha[:, 0, rows, columns], classes[:, rows, columns] = value, kind
    trimap = 0.1 + 0.7 * torch.nn.functional.one_hot(classes, 3).permute(0, 3, 1, 2).float()
    return CoarsePrediction(alpha, trimap, ())


BODY = slice(5, 15), slice(5, 15), FOREGROUND, 1.0


def test_a_small_island_becomes_background():
    dropped = drop_small_components(prediction(BODY, (slice(2, 4), slice(20, 22), FOREGROUND, 0.9)))
    assert not dropped.alpha[0, 0, 2:4, 20:22].any() and (dropped.trimap[0, :, 2:4, 20:22].argmax(0) == BACKGROUND).all()
    assert (dropped.alpha[0, 0, 5:15, 5:15] == 1).all() and (dropped.trimap[0, :, 5:15, 5:15].argmax(0) == FOREGROUND).all()


def test_unknown_islands_go_too_whatever_bias_is_added():
    dropped = drop_small_components(prediction(BODY, (slice(2, 5), slice(20, 24), UNKNOWN, 0.05)))
    assert not dropped.trimap[0, UNKNOWN, 2:5, 20:24].any() and not dropped.alpha[0, 0, 2:5, 20:24].any()


def test_a_second_person_stays():
    whole = prediction(BODY, (slice(5, 8), slice(20, 22), FOREGROUND, 1.0))  # 6 cells beside 100
    assert drop_small_components(whole) is whole


def test_hair_that_touches_stays():
    whole = prediction(BODY, (slice(3, 5), slice(15, 17), UNKNOWN, 0.2), (slice(2, 3), slice(17, 18), UNKNOWN, 0.05))
    assert drop_small_components(whole) is whole, "touching at a corner is enough"


def test_far_away_people_stay_if_nobody_is_near():
    whole = prediction((slice(9, 11), slice(9, 10), FOREGROUND, 0.9))
    assert drop_small_components(whole) is whole


def test_each_image_is_its_own():
    both = prediction(BODY, (slice(2, 4), slice(20, 22), FOREGROUND, 0.9), images=2)
    both.alpha[1, 0, 5:15, 5:15], both.trimap[1, :, 5:15, 5:15] = 0.0, torch.tensor([1.0, 0, 0])[:, None, None]
    dropped = drop_small_components(both)
    assert not dropped.alpha[0, 0, 2:4, 20:22].any() and (dropped.alpha[1, 0, 2:4, 20:22] == 0.9).all()


def test_nothing_anywhere_is_left_as_it_is():
    nothing = prediction()
    assert drop_small_components(nothing) is nothing
