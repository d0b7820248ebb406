"""Following one person through a clip: apart, past each other, lost and found, new scenes."""

import numpy as np
import pytest
import torch

from matting.inference.people import NobodyThereError, PersonFollower, find_people, point_in, separate
from matting.network import CoarsePrediction

SHAPE = (20, 60)  # of the grid of cells
LEFT = 4, 16  # rows of the person that is followed


def frame(*people: tuple[int, int], rows: tuple[int, int] = LEFT) -> np.ndarray:
    """Cells with people in them, each from a column on and so many wide."""
    mask = np.zeros(SHAPE, bool)
    for column, width in people:
        mask[rows[0] : rows[1], max(column, 0) : max(column + width, 0)] = True
    return mask


def follow(*frames: np.ndarray, point: tuple[float, float] = (0.1, 0.5)) -> list[np.ndarray]:
    """What is kept of each frame."""
    follower = PersonFollower(*point)
    return [mask & ~follower.push(mask) for mask in frames]


def test_the_person_at_the_point_is_kept_wherever_they_go():
    kept = follow(*(frame((2 + step, 8), (40 - step, 8)) for step in range(10)))
    for step, mask in enumerate(kept):
        np.testing.assert_array_equal(mask, frame((2 + step, 8)))


def test_the_other_one_is_kept_if_the_point_is_theirs():
    kept = follow(frame((2, 8), (40, 8)), frame((3, 8), (41, 8)), point=(44 / 60, 0.5))
    np.testing.assert_array_equal(kept[-1], frame((41, 8)))


def test_people_who_touch_and_part_again_are_told_apart():
    gaps = [*range(6, -1, -1), 0, *range(7)]
    kept = follow(*(frame((10, 8), (18 + gap, 10)) for gap in gaps), point=(0.2, 0.5))
    for gap, mask in zip(gaps, kept, strict=True):
        wrong = mask ^ frame((10, 8))
        assert wrong.sum() <= 12 and (gap == 0 or not wrong.any()), f"{wrong.sum()} cells wrong at a gap of {gap}"


def test_people_who_touch_in_the_first_frame_are_two_if_they_touch_narrowly():
    bridge = frame((18, 4), rows=(13, 16))
    apart = frame((8, 10), (22, 10))
    kept = follow(apart | bridge, apart | bridge, apart, point=(0.2, 0.5))
    np.testing.assert_array_equal(kept[-1], frame((8, 10)))
    assert not any(((mask ^ frame((8, 10))) & ~bridge).any() for mask in kept)
    shoulder_to_shoulder = frame((8, 10), (18, 10))
    np.testing.assert_array_equal(follow(shoulder_to_shoulder, point=(0.2, 0.5))[0], shoulder_to_shoulder)


def test_a_head_a_body_and_an_arm_are_one_person():
    head, neck, body, arm = np.zeros((4, 20, 60), bool)
    head[0:7, 27:33], neck[7:9, 28:32], body[9:20, 20:40], arm[10:12, 2:20] = True, True, True, True
    assert separate(head | neck | body | arm).max() == 1


def test_a_near_neighbour_takes_nothing():
    kept = follow(*(frame((10 + step, 8), (19 + step, 8)) for step in (0, 2, 4)), point=(0.2, 0.5))
    np.testing.assert_array_equal(kept[-1], frame((14, 8)))


def test_who_comes_later_is_left_out_and_a_person_in_pieces_is_kept_whole():
    pieces = frame((10, 8))
    pieces[9] = False  # head and body apart
    kept = follow(frame((10, 8)), pieces | frame((50, 8)), frame((10, 8), (48, 8)), point=(0.2, 0.5))
    np.testing.assert_array_equal(kept[1], pieces)
    np.testing.assert_array_equal(kept[2], frame((10, 8)))


def test_whoever_leaves_is_not_mistaken_for_who_stays_and_is_found_again():
    both, alone = frame((2, 8), (30, 8)), frame((30, 8))
    passing = [frame((column, 8)) for column in range(28, 8, -2)]
    kept = follow(both, alone, *passing, frame((10, 8)), frame((3, 4), (10, 8)))
    assert not any(mask.any() for mask in kept[1:-1])
    np.testing.assert_array_equal(kept[-1], frame((3, 4)))


def test_a_new_scene_keeps_everybody():
    follower = PersonFollower(0.1, 0.5)
    assert follower.push(frame((2, 8), (40, 8)), cut=True).any(), "the first frame is no cut within the clip"
    assert not follower.push(frame((2, 8), (40, 8)), cut=True).any()
    assert not follower.push(frame((2, 8), (40, 8))).any()


def test_nobody_there_and_no_place():
    with pytest.raises(NobodyThereError, match=r"at 0\.50, 0\.50 of the first frame"):
        follow(frame((2, 8)), point=(0.5, 0.5))
    with pytest.raises(ValueError, match=r"from 0 to 1, got 1\.2, 0\.5"):
        PersonFollower(1.2, 0.5)


def coarse_of(masks: list[np.ndarray]) -> CoarsePrediction:
    alpha = torch.from_numpy(np.stack(masks)).float()[:, None]
    return CoarsePrediction(alpha, torch.cat([1 - alpha, 0 * alpha, alpha], 1), ())


def test_the_others_become_background_in_alpha_and_trimap():
    coarse = coarse_of([frame((2, 8), (40, 8)), frame((3, 8), (41, 8))])
    kept = PersonFollower(0.1, 0.5).keep(coarse, [False, False])
    for number, column in enumerate((2, 3)):
        np.testing.assert_array_equal(kept.alpha[number, 0].numpy() > 0, frame((column, 8)))
        np.testing.assert_array_equal(kept.trimap[number].argmax(0).numpy() == 2, frame((column, 8)))


class TwoPeople(torch.nn.Module):
    """A first stage that sees two people in every image, the larger one at the right."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def coarse(self, images: torch.Tensor) -> CoarsePrediction:
        mask = np.zeros((images.shape[2] // 8, images.shape[3] // 8), bool)
        mask[4:10, 2:6] = mask[2:14, 9:15] = True
        return coarse_of([mask] * len(images))


def test_people_are_numbered_from_the_left_and_pointed_at():
    people = find_people(np.zeros((128, 128, 3), np.uint8), TwoPeople(), 128)
    assert people.shape == (16, 16) and people.max() == 2
    x, y = point_in(people == 1)
    assert 2 / 16 < x < 6 / 16 and 4 / 16 < y < 10 / 16
    assert point_in(people == 2)[0] > 9 / 16
