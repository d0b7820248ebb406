"""The flicker filter on coarse frames made by hand."""

import numpy as np
import pytest
import torch

from matting.inference.temporal import (
    AlphaChange,
    ChangeMeter,
    CoarseFrame,
    TemporalFilter,
    alpha_change,
    flickery_frames,
    is_cut,
)

SIZE = 128


def coarse_frame(colour: float, alpha: float, cut: bool = False) -> CoarseFrame:
    cells = (SIZE // 8, SIZE // 8)
    trimap = torch.tensor([0.2, 0.5, 0.3])[:, None, None].expand(3, *cells).clone()
    return CoarseFrame(torch.full((3, SIZE, SIZE), colour), torch.full((1, *cells), alpha), trimap, cut)


def run(frames: list[CoarseFrame]) -> list[CoarseFrame]:
    steady = TemporalFilter()
    out = [steady.push(frame) for frame in frames]
    assert out[0] is None
    return [*out[1:], steady.flush()]


def alphas(frames: list[CoarseFrame]) -> list[float]:
    return [frame.alpha.mean().item() for frame in frames]


def test_a_still_picture_gets_the_mean_odds_of_three_frames():
    frames = run([coarse_frame(0.5, a) for a in (0.8, 0.5, 0.8)])  # odds 4, 1, 4
    assert alphas(frames) == pytest.approx([2 / 3, 16 ** (1 / 3) / (1 + 16 ** (1 / 3)), 2 / 3], abs=1e-5)


def test_a_changed_picture_keeps_its_own_alpha():
    frames = run([coarse_frame(colour, a) for colour, a in ((0.1, 0.2), (0.9, 0.8), (0.4, 0.5))])
    assert alphas(frames) == pytest.approx([0.2, 0.8, 0.5], abs=1e-4)


def test_only_the_cells_that_moved_keep_their_own_alpha():
    moved = coarse_frame(0.5, 0.9)
    moved.image[:, :8, :8] = 1.0
    frames = run([coarse_frame(0.5, 0.1), moved, coarse_frame(0.5, 0.5)])  # odds 1/9, 9, 1
    assert frames[1].alpha[0, 0, 0].item() == pytest.approx(0.9, abs=1e-4)
    assert frames[1].alpha[0, 9, 9].item() == pytest.approx(0.5)


def test_the_mean_follows_what_moves():
    generator = torch.Generator().manual_seed(0)
    texture = torch.nn.functional.interpolate(torch.rand(1, 3, 24, 24, generator=generator), size=(SIZE, SIZE), mode="bicubic")
    image = texture[0].clamp(0, 1)
    truth = (torch.arange(SIZE // 8) > 7).float().expand(1, SIZE // 8, SIZE // 8)
    frames = []
    for i, error in enumerate((0.0, 0.3, 0.0)):
        alpha = (truth.roll(i, 2) - error).clamp(0, 1)
        frames.append(coarse_frame(0.5, 0.5)._replace(image=image.roll(8 * i, 2), alpha=alpha))
    middle = run(frames)[1].alpha[0, 2:-2, 3:-3]
    wrong = (frames[1].alpha - truth.roll(1, 2))[0, 2:-2, 3:-3].abs().mean()
    assert (middle - truth.roll(1, 2)[0, 2:-2, 3:-3]).abs().mean() < 0.6 * wrong


def test_trimap_stays_a_distribution():
    for frame in run([coarse_frame(0.5, a) for a in (0.1, 0.9, 0.4, 0.2)]):
        torch.testing.assert_close(frame.trimap.sum(0), torch.ones(SIZE // 8, SIZE // 8))
        assert 0 <= frame.alpha.min() <= frame.alpha.max() <= 1


def test_a_scene_cut_starts_anew():
    frames = run([coarse_frame(0.5, 0.0), coarse_frame(0.5, 1.0, cut=True), coarse_frame(0.5, 1.0)])
    assert alphas(frames) == pytest.approx([0.0, 1.0, 1.0], abs=0.0011)


def test_one_frame_and_none():
    assert alphas(run([coarse_frame(0.5, 0.3)])) == pytest.approx([0.3])
    assert TemporalFilter().flush() is None


def test_scene_cuts_are_told_from_movement():
    generator = torch.Generator().manual_seed(0)
    scene = torch.nn.functional.interpolate(torch.rand(1, 3, 6, 6, generator=generator), size=(128, 128))[0]
    other = torch.nn.functional.interpolate(torch.rand(1, 3, 6, 6, generator=generator), size=(128, 128))[0]
    assert is_cut(scene, other)
    assert not is_cut(scene, scene.roll(3, dims=2))


def test_alpha_change_by_hand():
    before, alpha, after = np.array([[0.0, 0.0]]), np.array([[0.5, 0.4]]), np.array([[0.2, 0.8]])
    change = alpha_change(before, alpha, after)
    assert change.change == pytest.approx((0.5 + 0.4) / 2)
    assert change.undone == pytest.approx(0.3 / 2)  # the first pixel goes back by 0.3, the second goes on
    assert alpha_change(None, alpha, after) == (0.0, 0.0, False)
    assert alpha_change(before, alpha, None).undone == 0


def test_change_meter_restarts_at_a_cut():
    meter = ChangeMeter()
    for value, cut in ((0.0, False), (0.5, False), (0.0, False), (1.0, True), (1.0, False)):
        meter.push(np.full((2, 2), value, np.float32), cut)
    changes = meter.finish()
    assert [round(c.change, 3) for c in changes] == [0, 0.5, 0.5, 0, 0]
    assert [round(c.undone, 3) for c in changes] == [0, 0.5, 0, 0, 0]
    assert [c.cut for c in changes] == [False, False, False, True, False]


def test_flickery_frames_stand_out_from_the_clip():
    changes = [AlphaChange(0.01, undone, False) for undone in (0, 0.001, 0.02, 0.001, 0.001, 0.05, 0.001)]
    assert flickery_frames(changes) == [5, 2]
    assert flickery_frames(changes, most=1) == [5]
    assert flickery_frames([AlphaChange(0.01, 0.001, False)] * 9) == []
    assert flickery_frames([]) == []
