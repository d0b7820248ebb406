"""Where the frame lies on a person's photo."""

import numpy as np
import torch

from matting.training.framing import Box, Subject, free_crop, inner_crop, whole_crop


def somebody(size: tuple[int, int], box: Box) -> Subject:
    return Subject([torch.zeros(7, *size, dtype=torch.uint8)], box, False)


def test_heads_cut_off_by_the_photo_stay_at_the_upper_edge():
    rng, subject = np.random.default_rng(0), somebody((200, 100), (0, 0, 150, 100))
    for _ in range(20):
        crop = free_crop(subject, (128, 128), rng)
        assert crop.y >= crop.height / 2 - 1e-6


def test_only_people_seen_whole_are_far_away():
    rng = np.random.default_rng(0)
    people = [somebody((200, 200), box) for box in ((20, 60, 180, 140), (20, 60, 200, 140))]
    assert [subject.is_whole for subject in people] == [True, False]
    far, near = ([free_crop(subject, (128, 128), rng).height / 160 for _ in range(200)] for subject in people)
    assert max(far) > 6 and 0.02 < np.mean(np.array(far) > 4) < 0.4
    assert max(near) < 2.6


def test_inner_windows_stay_inside():
    rng, subject = np.random.default_rng(0), somebody((200, 100), (20, 10, 180, 90))
    for _ in range(50):
        crop = inner_crop(subject, (128, 192), rng)
        assert crop.y - crop.height / 2 + 1e-6 >= 0 and crop.y + crop.height / 2 <= 200 + 1e-6
        assert crop.x - crop.width / 2 + 1e-6 >= 0 and crop.x + crop.width / 2 <= 100 + 1e-6


def test_little_is_seen_below_people_whom_the_photo_cuts_off():
    rng, subject = np.random.default_rng(0), somebody((200, 100), (20, 10, 200, 90))
    for _ in range(200):
        crop = free_crop(subject, (128, 128), rng)
        assert crop.y + crop.height / 2 < 200 + 0.06 * crop.height or crop.height > 180, crop


def test_whole_windows_take_in_all_that_fits():
    rng = np.random.default_rng(0)
    tall, like_the_frame = somebody((300, 100), (20, 10, 280, 90)), somebody((130, 100), (20, 10, 110, 90))
    for _ in range(50):
        crop = whole_crop(tall, (128, 128), rng)
        assert 0.92 * 125 <= crop.height <= 125 and 92 <= crop.width <= 100 and crop.angle == 0
        assert crop.y - crop.height / 2 + 1e-6 >= 0 and crop.y + crop.height / 2 <= 300 + 1e-6
        assert crop.x - crop.width / 2 + 1e-6 >= 0 and crop.x + crop.width / 2 <= 100 + 1e-6
        crop = whole_crop(like_the_frame, (128, 128), rng)
        assert 0.92 * 125 <= crop.height <= 125 and 92 <= crop.width <= 100
