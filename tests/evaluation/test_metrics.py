import time

import numpy as np
import pytest

from matting.evaluation import metrics
from matting.evaluation.metrics import Metrics, enclosed_background, measure, trimap_from_alpha

WHOLE_IMAGE = (metrics.sad, metrics.mse, metrics.mad, metrics.grad, metrics.conn)
WITH_TRIMAP = (metrics.sad_t, metrics.mse_t, metrics.mad_t, metrics.sad_fg, metrics.sad_bg)


@pytest.fixture
def pair():
    rng = np.random.default_rng(0)
    return rng.random((37, 53)), rng.random((37, 53))


@pytest.fixture
def trimap():
    return np.random.default_rng(1).choice(np.array([0, 128, 255], np.uint8), (37, 53))


def test_sums_and_means_by_hand():
    prediction = np.array([[1.0, 0.5], [0.0, 0.25]])
    truth = np.array([[0.5, 0.5], [0.25, 1.0]])
    assert metrics.sad(prediction, truth) == pytest.approx((0.5 + 0.25 + 0.75) / 1000)
    assert metrics.mad(prediction, truth) == pytest.approx(1.5 / 4)
    assert metrics.mse(prediction, truth) == pytest.approx((0.25 + 0.0625 + 0.5625) / 4)


def test_trimap_metrics_by_hand():
    prediction = np.array([[0.5, 0.5, 0.5, 0.5]])
    truth = np.array([[0.75, 0.0, 0.9, 0.25]])  # 0.9 is marked foreground: the truth is 0.1 off its own trimap
    trimap = np.array([[128, 0, 255, 128]], np.uint8)
    assert metrics.sad_t(prediction, truth, trimap) == pytest.approx((0.25 + 0 + 0.1 + 0.25) / 1000)
    assert metrics.mad_t(prediction, truth, trimap) == pytest.approx(0.6 / 2)
    assert metrics.mse_t(prediction, truth, trimap) == pytest.approx((0.0625 + 0.01 + 0.0625) / 2)
    assert metrics.sad_fg(prediction, truth, trimap) == pytest.approx(0.4 / 1000)
    assert metrics.sad_bg(prediction, truth, trimap) == pytest.approx(0.5 / 1000)


def test_grad_of_a_step_edge_follows_the_gaussian():
    truth = np.zeros((40, 60))
    truth[:, 30:] = 1
    # The derivative of a blurred step is the kernel itself, so each row holds the sum of its squared weights.
    offsets = np.arange(-6, 7)
    kernel = np.exp(-(offsets**2) / (2 * 1.4**2))
    kernel /= kernel.sum()
    weights = offsets * kernel / 1.4**2
    magnitudes = np.cumsum(weights)
    assert metrics.grad(np.zeros_like(truth), truth) == pytest.approx(40 * np.square(magnitudes).sum() / 10, rel=1e-4)


def test_grad_sees_stripes_that_sad_takes_for_a_shift():
    truth = np.full((24, 24), 0.5)
    shifted = truth + 0.1
    striped = truth + 0.1 * np.where(np.arange(24) % 12 < 6, 1, -1)
    assert metrics.sad(striped, truth) == pytest.approx(metrics.sad(shifted, truth))
    assert metrics.grad(shifted, truth) == pytest.approx(0, abs=1e-9)
    assert metrics.grad(striped, truth) > 0.01


def test_conn_of_an_island_by_hand():
    truth = np.zeros((1, 7))
    truth[0, :4] = 1
    prediction = truth.copy()
    prediction[0, 6] = 0.5
    # At 0.1 the truth fails at the island already: level 0, and the prediction is unconnected by 0.5.
    assert metrics.conn(prediction, truth) == pytest.approx(0.5 / 1000)


def test_conn_ignores_an_excess_below_the_tolerance():
    truth = np.ones((4, 4))
    prediction = truth.copy()
    prediction[0, 0] = 0.92
    # Level 0.9 there: the truth's excess of 0.1 and the prediction's of 0.02 are both below 0.15.
    assert metrics.conn(prediction, truth) == 0
    prediction[0, 0] = 0.5
    # Level 0.5: excess 0 against 0.5.
    assert metrics.conn(prediction, truth) == pytest.approx(0.5 / 1000)


def test_conn_joins_by_sides_not_corners():
    truth = np.zeros((3, 3))
    truth[0, :2] = truth[1, 2] = 1  # the last touches by a corner only
    prediction = truth.copy()
    prediction[1, 2] = 0.5
    assert metrics.conn(prediction, truth) == pytest.approx(0.5 / 1000)
    truth[0, 2] = prediction[0, 2] = 1  # now joined: level 0.5 instead of 0, prediction's excess 0, truth's 0.5
    assert metrics.conn(prediction, truth) == pytest.approx(0.5 / 1000)
    prediction[1, 2] = 0.9  # joined up to 0.9: excess of the truth is 0.1 and does not count
    assert metrics.conn(prediction, truth) == 0


def test_conn_matches_a_slow_reading_of_the_definition(pair):
    prediction, truth = (np.round(alpha[:9, :11] ** 0.5, 2) for alpha in pair)
    assert metrics.conn(prediction, truth) == pytest.approx(_conn_pixel_by_pixel(prediction, truth))


def _conn_pixel_by_pixel(prediction, truth):
    height, width = prediction.shape
    level = {}
    for step in range(1, 11):
        mask = {
            (row, column)
            for row in range(height)
            for column in range(width)
            if min(prediction[row, column], truth[row, column]) >= step / 10
        }
        components = []
        while mask:
            stack, component = [min(mask)], set()
            while stack:
                row, column = stack.pop()
                if (row, column) in mask:
                    mask.remove((row, column))
                    component.add((row, column))
                    stack += [(row + 1, column), (row - 1, column), (row, column + 1), (row, column - 1)]
            components.append(component)
        largest = max(components, key=len, default=set())
        for row in range(height):
            for column in range(width):
                if (row, column) not in largest:
                    level.setdefault((row, column), (step - 1) / 10)
    total = 0.0
    for row in range(height):
        for column in range(width):
            here = level.get((row, column), 1.0)
            excesses = [alpha[row, column] - here for alpha in (prediction, truth)]
            ours, theirs = (excess if excess >= 0.15 else 0.0 for excess in excesses)
            total += abs(ours - theirs)
    return total / 1000


def test_iou_by_hand_and_empty():
    prediction = np.array([[0.6, 0.6, 0.5, 0.0]])
    truth = np.array([[1.0, 0.0, 1.0, 0.0]])
    assert metrics.iou(prediction, truth) == pytest.approx(1 / 3)
    assert metrics.iou(np.zeros((2, 2)), np.zeros((2, 2))) == 1.0
    assert metrics.iou(np.ones((2, 2)), np.zeros((2, 2))) == 0.0


def test_dtssd_by_hand():
    truths = [np.zeros((2, 2))] * 4
    flicker = [np.full((2, 2), value) for value in (0.0, 0.2, 0.0, 0.0)]
    assert metrics.dtssd(flicker, truths) == pytest.approx((0 + 20 + 20 + 0) / 4)
    assert metrics.dtssd([np.full((2, 2), 0.3)] * 4, truths) == 0  # a steady error does not flicker


def test_dtssd_reads_generators_and_checks_counts():
    frames = [np.zeros((2, 2)), np.ones((2, 2))]
    assert metrics.dtssd(iter(frames), (frame for frame in frames)) == 0
    with pytest.raises(ValueError, match="same number of frames"):
        metrics.dtssd(frames, frames[:1])
    with pytest.raises(ValueError, match="at least one frame"):
        metrics.dtssd([], [])
    with pytest.raises(ValueError, match="one size"):
        metrics.dtssd([np.zeros((2, 2)), np.zeros((2, 3))], [np.zeros((2, 2)), np.zeros((2, 3))])


@pytest.mark.parametrize("metric", WHOLE_IMAGE)
def test_zero_for_equal_and_symmetric(metric, pair):
    prediction, truth = pair
    assert metric(truth, truth) == 0
    assert metric(prediction, truth) > 0
    assert metric(prediction, truth) == pytest.approx(metric(truth, prediction))


@pytest.mark.parametrize("metric", WITH_TRIMAP)
def test_trimap_metrics_vanish_for_a_truth_that_fits_its_trimap(metric, pair, trimap):
    prediction, truth = pair
    truth = np.where(trimap == 128, truth, trimap / 255)
    assert metric(truth, truth, trimap) == 0
    assert metric(prediction, truth, trimap) > 0


def test_scale_laws(pair, trimap):
    prediction, truth = pair
    halved = truth + (prediction - truth) / 2
    assert metrics.sad(halved, truth) == pytest.approx(metrics.sad(prediction, truth) / 2)
    assert metrics.mad(halved, truth) == pytest.approx(metrics.mad(prediction, truth) / 2)
    assert metrics.mse(halved, truth) == pytest.approx(metrics.mse(prediction, truth) / 4)
    assert metrics.grad(prediction / 2, truth / 2) == pytest.approx(metrics.grad(prediction, truth) / 4, rel=1e-5)
    tiled = [np.tile(array, (2, 1)) for array in (prediction, truth, trimap)]
    assert metrics.sad(*tiled[:2]) == pytest.approx(2 * metrics.sad(prediction, truth))
    assert metrics.sad_t(*tiled) == pytest.approx(2 * metrics.sad_t(prediction, truth, trimap))
    assert metrics.mad(*tiled[:2]) == pytest.approx(metrics.mad(prediction, truth))
    assert metrics.mad_t(*tiled) == pytest.approx(metrics.mad_t(prediction, truth, trimap))


def test_sad_is_the_sum_of_its_three_areas(pair, trimap):
    prediction, truth = pair
    unknown = np.abs(prediction - truth)[trimap == 128].sum() / 1000
    parts = metrics.sad_fg(prediction, truth, trimap) + metrics.sad_bg(prediction, truth, trimap) + unknown
    assert metrics.sad(prediction, truth) == pytest.approx(parts)


@pytest.mark.parametrize("name", Metrics._fields)
def test_measure_agrees_with_each_function(name, pair, trimap):
    function = getattr(metrics, name)
    arguments = (*pair, trimap) if function in WITH_TRIMAP else pair
    assert getattr(measure(*pair, trimap), name) == function(*arguments)


def test_empty_foreground_is_finite_but_for_the_unknown():
    empty = np.zeros((20, 20))
    result = measure(empty, empty)
    assert result.iou == 1 and np.isnan(result.mse_t) and np.isnan(result.mad_t)
    assert all(getattr(result, name) == 0 for name in Metrics._fields if name not in ("iou", "mse_t", "mad_t"))


def test_float32_and_float64_agree(pair, trimap):
    wide = measure(*pair, trimap)
    narrow = measure(*(alpha.astype(np.float32) for alpha in pair), trimap)
    assert np.allclose(narrow, wide, rtol=1e-4)


@pytest.mark.parametrize("metric", [*WHOLE_IMAGE, metrics.iou])
def test_shapes_must_agree(metric):
    with pytest.raises(ValueError, match=r"the same shape, got \(2, 2\) and \(2, 3\)"):
        metric(np.zeros((2, 2)), np.zeros((2, 3)))


@pytest.mark.parametrize(
    ("prediction", "message"),
    [
        (np.full((2, 2), 255, np.uint8), r"float array of shape \(H, W\), got uint8"),
        (np.full((2, 2), 1.5), r"lie in \[0, 1\], got 1.5"),
        (np.full((2, 2), np.nan), r"lie in \[0, 1\]"),
        (np.zeros((2, 2, 1)), r"got float64 of shape \(2, 2, 1\)"),
        (np.zeros((0, 2)), "must have pixels"),
        ([[0.0]], "got list"),
    ],
)
def test_wrong_alphas_are_refused(prediction, message):
    with pytest.raises(ValueError, match=message):
        metrics.sad(prediction, np.zeros((2, 2)))


@pytest.mark.parametrize("metric", WITH_TRIMAP)
def test_wrong_trimaps_are_refused(metric):
    alpha = np.zeros((2, 2))
    with pytest.raises(ValueError, match="the alpha's shape"):
        metric(alpha, alpha, np.zeros((3, 3), np.uint8))
    with pytest.raises(ValueError, match="0, 128 and 255, got"):
        metric(alpha, alpha, np.full((2, 2), 127, np.uint8))


def test_trimap_from_a_step():
    alpha = np.zeros((120, 200), np.uint8)
    alpha[:, 100:] = 255
    trimap = trimap_from_alpha(alpha)
    row = trimap[60]
    assert trimap.dtype == np.uint8
    assert set(np.unique(row)) == {0, 128, 255}
    # The 30 px ellipse reaches 15 px to one side of its anchor and 14 px to the other.
    assert np.flatnonzero(row == 128)[0] == 100 - 14 and np.flatnonzero(row == 255)[0] == 100 + 15


def test_trimap_keeps_soft_pixels_unknown_and_takes_floats():
    alpha = np.full((50, 50), 128, np.uint8)
    assert (trimap_from_alpha(alpha) == 128).all()
    assert (trimap_from_alpha(np.ones((50, 50))) == 255).all()
    assert (trimap_from_alpha(np.zeros((50, 50))) == 0).all()
    assert (trimap_from_alpha(np.full((50, 50), 0.001)) == 0).all()  # rounds to 0 of 255


def test_grad_and_conn_take_little_time():
    rng = np.random.default_rng(0)
    truth = np.clip(rng.random((1350, 1320)) * 3 - 1, 0, 1)
    prediction = np.clip(truth + 0.1 * rng.standard_normal(truth.shape), 0, 1)
    start = time.process_time()
    metrics.grad(prediction, truth)
    metrics.conn(prediction, truth)
    seconds = time.process_time() - start
    print(f"Grad and Conn on 1350x1320: {seconds:.2f} s")
    assert seconds < 1.5


def test_enclosed_background_by_hand():
    truth = np.zeros((120, 160), np.float32)
    truth[20:100, 30:60] = truth[20:100, 80:110] = 1  # two parts, 20 px apart
    truth[20:30, 60:80] = 1  # joined above
    enclosed = enclosed_background(truth)
    assert enclosed[45:80, 60:80].all()
    assert not enclosed[truth > 0].any() and not enclosed[:15].any() and not enclosed[:, 125:].any()
    assert not enclosed_background(truth, width_px=15)[60, 70]
    truth[40:90, 31:35] = 0  # 4 px wide: a jagged mask
    assert not enclosed_background(truth)[40:90, 31:35].any()
    assert not enclosed_background(np.ones((10, 10))).any() and not enclosed_background(np.zeros((10, 10))).any()
