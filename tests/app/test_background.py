import numpy as np
import pytest

from matting.app.results.background import (
    BLUR,
    COLOUR,
    PICTURE,
    TRANSPARENT,
    BackgroundChoice,
    checkerboard,
    parse_colour,
    read_choice,
    render_background,
)
from matting.postprocess.compositing import composite

IMAGE = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
ALPHA = np.linspace(0, 1, 2400, dtype=np.float32).reshape(40, 60)


@pytest.mark.parametrize("kind", [TRANSPARENT, COLOUR, BLUR])
def test_background_has_the_size_of_the_image(kind):
    assert render_background(BackgroundChoice(kind), IMAGE, ALPHA).shape == (40, 60, 3)


def test_picture_is_scaled_to_cover():
    picture = np.zeros((10, 100, 3), np.uint8)
    picture[:, 50:] = 255
    drawn = render_background(BackgroundChoice(PICTURE, picture=picture), IMAGE, ALPHA)
    assert drawn.shape == (40, 60, 3)
    assert drawn[:, :20].max() == 0
    assert drawn[:, 40:].min() == 255


def test_missing_picture_is_an_error():
    with pytest.raises(ValueError, match="with a picture"):
        render_background(BackgroundChoice(PICTURE), IMAGE, ALPHA)


def test_composite_by_hand():
    foreground = np.full((1, 2, 3), 200, np.uint8)
    background = np.full((1, 2, 3), 100, np.uint8)
    mixed = composite(foreground, np.array([[0.25, 1.0]], np.float32), background)
    assert mixed[0, 0, 0] == 125
    assert mixed[0, 1, 0] == 200


@pytest.mark.parametrize(("text", "rgb"), [("#ff8000", (255, 128, 0)), ("white", (255, 255, 255))])
def test_colours(text, rgb):
    assert parse_colour(text) == rgb


@pytest.mark.parametrize("text", ["mauve-ish", "rgba(a, b, c, 1)", "rgba(1e999, 0, 0)", "colour", ""])
def test_no_colour(text):
    with pytest.raises(ValueError, match="colo"):
        parse_colour(text)
    with pytest.raises(ValueError, match="colo"):
        read_choice(text)


def test_choices_are_kinds_or_colours():
    assert [read_choice(choice).kind for choice in (TRANSPARENT, BLUR, "#ff8000")] == [TRANSPARENT, BLUR, COLOUR]
    assert read_choice("#ff8000").colour == "#ff8000"


def test_checkerboard_has_two_greys():
    assert len(np.unique(checkerboard(50, 80))) == 2
