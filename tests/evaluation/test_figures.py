import threading

import numpy as np
import pytest

from matting.evaluation import figures
from matting.evaluation.figures import Panel


def luminance(pixels):
    return pixels.astype(float) @ (0.2126, 0.7152, 0.0722)


def test_error_colours_brighten_with_the_error_and_stop_at_the_limit():
    error = np.array([[0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 1.0]])
    colours = figures.error_colours(error, 0.5)
    assert colours.shape == (1, 7, 3) and colours.dtype == np.uint8
    bright = luminance(colours)[0]
    assert (np.diff(bright[:6]) > 0).all()
    assert (colours[0, 5] == colours[0, 6]).all()
    assert bright[0] < 10


def test_one_limit_makes_two_maps_comparable():
    small, large = np.full((3, 4), 0.1), np.full((3, 4), 0.6)
    limit = figures.shared_limit([small, large])
    assert limit == pytest.approx(0.6)
    assert luminance(figures.error_colours(large, limit)).min() > luminance(figures.error_colours(small, limit)).max()
    assert figures.shared_limit([np.zeros((2, 2)), np.zeros((2, 2))]) == 0.05


def test_signed_colours_say_the_direction():
    colours = figures.signed_colours(np.array([[-0.5, 0.0, 0.5]]), 0.5).astype(int)
    less, none, more = colours[0]
    assert less[2] > less[0] + 40 and more[0] > more[2] + 40
    assert none.min() > 240


def test_signed_colours_mirror_the_sign():
    delta = np.random.default_rng(0).uniform(-1, 1, (8, 9))
    forward = figures.signed_colours(delta, 1.0)
    backward = figures.signed_colours(-delta, 1.0)
    red_wins = forward[..., 0].astype(int) - forward[..., 2]
    assert (np.sign(red_wins)[np.abs(delta) > 0.1] == np.sign(delta)[np.abs(delta) > 0.1]).all()
    assert (forward != backward).any()


def test_trimap_colours_are_three_and_strict():
    painted = figures.trimap_colours(np.array([[0, 128, 255]], np.uint8))
    assert len({tuple(colour) for colour in painted[0].tolist()}) == 3
    with pytest.raises(ValueError, match=r"0, 128 and 255, got \[7\]"):
        figures.trimap_colours(np.array([[0, 7]], np.uint8))


def test_alpha_grey_rounds():
    assert figures.alpha_grey(np.array([[0.0, 0.5, 1.0]]))[0, :, 0].tolist() == [0, 128, 255]


@pytest.mark.parametrize("draw", [figures.error_colours, figures.signed_colours])
def test_maps_refuse_nonsense(draw):
    with pytest.raises(ValueError, match="above 0"):
        draw(np.zeros((2, 2)), 0.0)
    with pytest.raises(ValueError, match=r"\(H, W\) array, got \(2, 2, 3\)"):
        draw(np.zeros((2, 2, 3)), 1.0)


def test_the_legend_has_the_asked_width_and_the_colours_of_its_map():
    bar = figures.error_legend(0.5, 400)
    assert bar.shape[1] == 400 and bar.shape[2] == 3
    end = figures.error_colours(np.array([[0.45]]), 0.5)[0, 0].astype(int)
    assert np.abs(bar.astype(int) - end).sum(2).min() <= 6


def test_colour_stops_are_the_map():
    stops = figures.colour_stops(figures.ERROR_MAP, 3)
    assert len(stops) == 3 and all(stop.startswith("#") and len(stop) == 7 for stop in stops)
    first = figures.error_colours(np.zeros((1, 1)), 1.0)[0, 0]
    assert stops[0] == "#" + "".join(f"{value:02x}" for value in first)


def panels(count, size=(30, 20)):
    return [Panel(np.full((*size, 3), 60 * index, np.uint8), f"panel {index}") for index in range(count)]


def test_a_strip_shows_the_panels_in_order():
    picture = figures.strip(panels(3), panel_width_px=100)
    assert picture.shape == (150 + 24, 300, 3)
    middle = picture[100]
    assert [int(middle[x, 0]) for x in (50, 150, 250)] == [0, 60, 120]


def test_a_sheet_stacks_rows_of_different_sizes():
    legend = figures.error_legend(0.5, 150)
    picture = figures.sheet([panels(2), panels(1, (10, 20))], 100, legend)
    assert picture.shape == (150 + 24 + 50 + 24 + legend.shape[0], 200, 3)


def test_strips_and_sheets_refuse_nonsense():
    with pytest.raises(ValueError, match="at least one panel"):
        figures.strip([])
    with pytest.raises(ValueError, match="at least one row"):
        figures.sheet([])
    with pytest.raises(ValueError, match="one size"):
        figures.strip([*panels(1), *panels(1, (31, 20))])


def test_figures_may_be_drawn_from_any_thread():
    pictures = []
    threads = [threading.Thread(target=lambda: pictures.append(figures.error_legend(0.5, 300))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(pictures) == 2 and (pictures[0] == pictures[1]).all()
