"""Hair that the network has only blurred comes out of the photo's colours; edges and known pixels stay as they are."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from pymatting import cf_laplacian
from scipy import sparse
from scipy.sparse.linalg import spsolve

from matting import load_image, load_model, matte_image
from matting.evaluation.methods import METHODS, Resources
from matting.postprocess import closed_form
from matting.postprocess.closed_form import EDGE_WEIGHT, HAIR_WEIGHT, laplacian_rows, prior_weights, solve_closed_form

EXAMPLES = Path(__file__).parents[2] / "examples"
SIDE = 180


def hairy_photo() -> tuple[np.ndarray, np.ndarray]:
    """(180, 180, 3) in [0, 1] and its alpha: dark strands two pixels wide rise from a dark body, in front of a light wall."""
    canvas = np.zeros((SIDE * 4, SIDE * 4), np.uint8)
    for x in range(100, 660, 40):
        cv2.line(canvas, (x, 480), (x + 60, 200), 255, 8)
    canvas[480:] = 255
    alpha = cv2.resize(canvas, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    wall = np.linspace(0.7, 0.9, SIDE, dtype=np.float32)[None, :, None] * np.array([0.8, 0.9, 1], np.float32)
    body = np.array([0.25, 0.15, 0.1], np.float32)
    return (alpha[..., None] * body + (1 - alpha[..., None]) * wall).astype(np.float32), alpha


def test_blurred_hair_becomes_strands():
    image, alpha = hairy_photo()
    drawn = cv2.GaussianBlur(alpha, (0, 0), 4)
    unknown = np.zeros(alpha.shape, bool)
    unknown[40:130] = True
    followed = solve_closed_form(drawn, image, unknown)
    before, after = (np.abs(x - alpha)[unknown].mean() for x in (drawn, followed))
    assert after < 0.7 * before
    assert np.array_equal(followed[~unknown], drawn[~unknown])
    assert followed.dtype == np.float32 and followed.min() >= 0 and followed.max() <= 1


def test_an_edge_that_is_drawn_sharp_is_believed_though_the_colours_blur_it():
    alpha = np.zeros((SIDE, SIDE), np.float32)
    alpha[:, SIDE // 2 :] = 1
    wall = np.linspace(0.4, 0.6, SIDE, dtype=np.float32)[None, :, None]
    image = np.broadcast_to(wall, (SIDE, SIDE, 3)).copy()
    unknown = np.zeros(alpha.shape, bool)
    unknown[:, 80:100] = True
    assert np.abs(solve_closed_form(alpha, image, unknown) - alpha).max() < 0.06


def test_nothing_unknown_changes_nothing():
    image, alpha = hairy_photo()
    assert np.array_equal(solve_closed_form(alpha, image, np.zeros(alpha.shape, bool)), alpha)


@pytest.mark.slow
@pytest.mark.parametrize("pixels", [1, 200, 1000, 40_000])
def test_strips_make_up_the_laplacian_of_the_whole_picture(pixels: int, monkeypatch: pytest.MonkeyPatch):
    image, unknown = hair_at_a_border()
    whole = cf_laplacian(blurred(image).astype(np.float64), 1e-5, 1, ~unknown)[np.flatnonzero(unknown)].toarray()
    monkeypatch.setattr(closed_form, "_STRIP_PIXELS", pixels)
    padded = np.zeros((len(whole), SIDE + 4, SIDE + 4))
    padded[:, 2:-2, 2:-2] = whole.reshape(-1, SIDE, SIDE)
    found, rows = (np.concatenate(parts, -1) for parts in zip(*laplacian_rows(image, unknown), strict=True))
    assert np.array_equal(found, np.flatnonzero(unknown))
    for number, pixel in enumerate(found):
        row, column = divmod(pixel, SIDE)
        assert np.abs(padded[number, row : row + 5, column : column + 5] - rows[:, number].reshape(5, 5)).max() < 2e-6


def blurred(image: np.ndarray) -> np.ndarray:
    return cv2.GaussianBlur(image, (0, 0), closed_form._BLUR_SIGMA)


def hair_at_a_border() -> tuple[np.ndarray, np.ndarray]:
    """A photo, and unknown pixels among which are a corner, a border and single ones."""
    image, alpha = hairy_photo()
    unknown = (alpha > 0.1) & (alpha < 0.9)
    unknown[100:140, 90:] = unknown[::50, ::50] = unknown[:3, -3:] = True
    return image, unknown


def test_the_system_is_solved_to_less_than_half_a_255th_of_its_exact_solution():
    image, unknown = hair_at_a_border()
    unknown[20:140, 20:160] = True
    drawn = cv2.GaussianBlur(hairy_photo()[1], (0, 0), 4)
    colours, everywhere = blurred(image).astype(np.float64), np.ones_like(unknown)
    weights = prior_weights(drawn, everywhere).reshape(drawn.shape)
    laplacian = cf_laplacian(colours, 1e-5, 1, ~unknown) + sparse.diags(np.where(unknown, weights, 0).ravel())
    inside, known = np.flatnonzero(unknown), np.flatnonzero(~unknown)
    wanted = (weights * drawn).ravel()[inside] - laplacian[inside][:, known] @ drawn.ravel()[known]
    exact = spsolve(laplacian[inside][:, inside].tocsc(), wanted).clip(0, 1)
    assert np.abs(exact - drawn[unknown]).max() > 0.3
    assert np.abs(solve_closed_form(drawn, image, unknown)[unknown] - exact).max() < 0.5 / 255


@pytest.mark.parametrize("size", [(300, 200), (2000, 1501)])
def test_softness_of_a_large_photo_is_averaged_at_a_smaller_size(size: tuple[int, int]):
    alpha = cv2.resize(np.random.default_rng(0).random((12, 9), np.float32), size[::-1], interpolation=cv2.INTER_NEAREST)
    soft = cv2.GaussianBlur(4 * alpha * (1 - alpha), (0, 0), max(size) / 90)
    assert np.abs(closed_form._blur(4 * alpha * (1 - alpha), max(size) / 90) - soft).max() < 0.01


@pytest.mark.slow
@pytest.mark.parametrize("size", [(1, 1), (1, 50), (50, 1), (2, 2), (5, 40_000)])
def test_pictures_narrower_than_a_window_or_a_strip(size: tuple[int, int]):
    random = np.random.default_rng(0)
    alpha, image = random.random(size, np.float32), random.random((*size, 3), np.float32)
    followed = solve_closed_form(alpha, image, np.ones(size, bool))
    assert followed.shape == size and followed.min() >= 0 and followed.max() <= 1


def test_belief_falls_where_all_around_is_soft():
    alpha = np.zeros((SIDE, SIDE), np.float32)
    alpha[:, 90:] = 0.5
    weights = prior_weights(alpha, np.ones(alpha.shape, bool)).reshape(alpha.shape)
    assert weights[:, 20] == pytest.approx(1.05 * EDGE_WEIGHT)
    assert weights[:, 150] == pytest.approx(0.05 * HAIR_WEIGHT)


@pytest.fixture(scope="module")
def windswept() -> np.ndarray:
    """(300, 300, 3) uint8."""
    return cv2.resize(load_image(EXAMPLES / "windswept.jpg"), (300, 300), interpolation=cv2.INTER_AREA)


@pytest.mark.slow
@pytest.mark.parametrize("side", [256, 512])
def test_photos_larger_and_smaller_than_the_working_size_keep_what_is_known(side: int, windswept):
    model = load_model("bundled")
    soft, fine = (matte_image(windswept, model, side, closed_form=strands) for strands in (False, True))
    assert fine.alpha.shape == (300, 300) and fine.alpha.min() >= 0 and fine.alpha.max() <= 1
    changed = np.abs(fine.alpha - soft.alpha)
    assert changed.max() > 0.1
    known = cv2.erode((soft.trimap != 128).astype(np.uint8), np.ones((9, 9))) > 0
    assert changed[known].max() < 1e-6


@pytest.mark.slow
def test_hair_of_a_photo_is_drawn_in_strands():
    model, photo = load_model("bundled"), EXAMPLES / "curls.jpg"
    soft, fine = (matte_image(photo, model, closed_form=strands).alpha for strands in (False, True))
    changed = np.abs(fine - soft) > 0.03
    roughness = [np.abs(np.diff(alpha, axis=1))[changed[:, 1:]].mean() for alpha in (soft, fine)]
    assert roughness[1] > 1.05 * roughness[0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "options"), [("no-closed-form", {"closed_form": False}), ("no-guided-filter", {"guided_filter": False})]
)
def test_the_steps_after_the_network_can_be_left_out_in_a_comparison(name: str, options: dict, windswept):
    model = load_model("bundled")
    alpha = METHODS[name].load(Resources(model))(windswept).alpha
    assert np.array_equal(alpha, matte_image(windswept, model, **options).alpha)
    assert not np.array_equal(alpha, matte_image(windswept, model).alpha)


def test_what_changes_in_one_place_leaves_hair_far_from_it_as_it_was():
    image, alpha = hairy_photo()
    drawn, unknown = cv2.GaussianBlur(alpha, (0, 0), 4), np.zeros(alpha.shape, bool)
    unknown[40:130] = True
    painted = drawn.copy()
    painted[:, :20] = 0
    before, after = (solve_closed_form(one, image, unknown) for one in (drawn, painted))
    assert np.abs(after - before)[:, :20].max() > 0.3
    assert np.abs(after - before)[:, 90:].max() < 3e-4  # twice as much and more if the solver stops early
