"""Where the frame lies on a person's photo."""

import numpy as np
import torch

from matting.training.framing import free_window, inner_window


def test_heads_cut_off_by_the_photo_stay_at_the_upper_edge():
    mips, rng = [torch.zeros(7, 200, 100, dtype=torch.uint8)], np.random.default_rng(0)
    for _ in range(20):
        window = free_window(mips, (0, 0, 150, 100), (128, 128), rng)
        assert window.y >= window.height / 2 - 1e-6


def test_only_people_seen_whole_are_far_away():
    mips, rng = [torch.zeros(7, 200, 200, dtype=torch.uint8)], np.random.default_rng(0)
    whole, cut_off = (20, 60, 180, 140), (20, 60, 200, 140)
    far, near = ([free_window(mips, box, (128, 128), rng).height / 160 for _ in range(200)] for box in (whole, cut_off))
    assert max(far) > 6 and 0.02 < np.mean(np.array(far) > 4) < 0.4
    assert max(near) < 2.6


def test_inner_windows_stay_inside():
    mips, rng = [torch.zeros(7, 200, 100, dtype=torch.uint8)], np.random.default_rng(0)
    for _ in range(50):
        window = inner_window(mips, (20, 10, 180, 90), (128, 192), rng)
        assert window.y - window.height / 2 + 1e-6 >= 0 and window.y + window.height / 2 <= 200 + 1e-6
        assert window.x - window.width / 2 + 1e-6 >= 0 and window.x + window.width / 2 <= 100 + 1e-6
