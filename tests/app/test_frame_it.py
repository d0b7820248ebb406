"""Framing: what the page sends is read with care, and files are what the stage shows."""

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from tabs import save

from matting.app.results import downloads
from matting.app.results.background import BLUR, COLOUR, PICTURE, BackgroundChoice
from matting.app.results.downloads import make_file
from matting.app.results.framing import SHAPES, Framing, base_frame, framed_alpha, framed_picture, read_framing, size_in_pixels
from matting.app.results.result import Result, make_result
from matting.app.session import Session
from matting.app.views.viewer import show_result

RED = BackgroundChoice(COLOUR, "#ff0000")


@pytest.fixture
def session(tmp_path) -> Session:
    return Session(tmp_path / "session-1")


@pytest.fixture
def person(matte_of) -> Result:
    """A grey person of 100 x 60 pixels in a photo of 200 x 300, from row 60 and column 120."""
    alpha = np.zeros((200, 300), np.float32)
    alpha[60:160, 120:180] = 1
    result = make_result("p", matte_of(alpha))
    return replace(result, matte=replace(result.matte, image=np.full((200, 300, 3), 90, np.uint8)))


def test_a_framing_is_read_from_json():
    assert read_framing("") == Framing() and Framing().changes_nothing
    sent = json.dumps({"shape": "square", "x": 0.1, "zoom": 2, "shadow": 0.5, "else": "left aside"})
    assert read_framing(sent) == Framing("square", x=0.1, zoom=2, shadow=0.5)


@pytest.mark.parametrize(
    "sent",
    [
        *("no json", "[]", "3", "[" * 50_000, '{"shape": "star"}', '{"shape": []}'),
        *(
            f'{{"shape": "square", {rest}}}'
            for rest in ('"zoom": 0', '"x": NaN', '"x": 1e999', '"shift": 4', '"feather": "much"')
        ),
    ],
)
def test_what_is_no_framing_is_refused(sent):
    with pytest.raises(ValueError, match=r"expected shape|must be"):
        read_framing(sent)


@pytest.mark.parametrize("shape", list(SHAPES))
def test_every_shape_gives_its_size_and_holds_some_of_the_person(person, session, shape):
    framing = Framing(shape)
    path = make_file(person, downloads.PNG, RED, session, framing)
    picture = Image.open(path)
    assert picture.size == size_in_pixels(person, framing)[::-1] and picture.mode == "RGB"
    if SHAPES[shape].size:
        assert picture.size == SHAPES[shape].size
    elif SHAPES[shape].aspect:
        assert picture.width / picture.height == pytest.approx(SHAPES[shape].aspect, rel=0.01)
    shown = np.asarray(picture)
    assert (np.abs(shown.astype(int) - 90).max(-1) < 3).mean() > 0.05 and (shown == (255, 0, 0)).all(-1).mean() > 0.05
    dpi = SHAPES[shape].dpi
    assert (dpi is None and "dpi" not in picture.info) or picture.info["dpi"] == pytest.approx((dpi, dpi), rel=1e-3)


def test_the_person_goes_where_they_are_moved(person):
    middle = np.argwhere(framed_alpha(person, Framing("square")) > 0.5).mean(0)
    height, width = size_in_pixels(person, Framing("square"))
    moved = np.argwhere(framed_alpha(person, Framing("square", x=0.2, y=-0.05)) > 0.5).mean(0)
    assert moved - middle == pytest.approx((-0.05 * height, 0.2 * width), abs=1)
    for zoom, side in ((1, height), (0.5, 2 * height)):
        alpha = framed_alpha(person, Framing("square", zoom=zoom))
        assert alpha.shape == (side, side) and (alpha > 0.5).sum() == pytest.approx(6000, abs=200), "in the photo's own pixels"
    assert framed_alpha(person, Framing("square", zoom=0.2)).shape == (300, 300), "but not longer than the photo"


def test_the_background_stays_where_it_is(person):
    picture = np.zeros((50, 50, 3), np.uint8)
    picture[:, 25:] = 255
    for framing in (Framing("square"), Framing("square", x=0.3, y=0.2, zoom=0.7)):
        drawn = np.asarray(framed_picture(person, framing, BackgroundChoice(PICTURE, picture=picture)))
        assert drawn[2, 2].max() == 0 and drawn[2, -3].min() == 255
    assert framed_picture(person, Framing("16x9", zoom=0.3), BackgroundChoice(BLUR)).mode == "RGB"


def test_a_shadow_is_in_files_and_darkens_only_the_background(person, session):
    plain, shadowed = Framing("square", zoom=0.8), Framing("square", zoom=0.8, shadow=0.8)
    before, after = (np.asarray(framed_picture(person, each, RED), int) for each in (plain, shadowed))
    alpha = framed_alpha(person, plain)
    inside, outside = alpha > 0.999, alpha < 0.001
    assert np.abs(before - after)[inside].max() <= 1 and (before - after)[outside].max() > 60 and (before - after).min() >= -1
    clear = np.asarray(Image.open(make_file(person, downloads.CUTOUT, RED, session, shadowed)), int)
    np.testing.assert_allclose(255 - after[..., 0][outside], clear[..., 3][outside], atol=1)  # on red, so much is lost of it
    assert clear[..., :3][outside].max() <= 8, "black"


def test_an_edge_that_was_changed_is_in_the_alpha_and_off_in_the_panels(person, session):
    framing = Framing(shift=2)
    alpha = np.asarray(Image.open(make_file(person, downloads.ALPHA, RED, session, framing)))
    assert alpha[100, 116:122].tolist() == [0, 0, 255, 255, 255, 255]
    assert make_file(person, downloads.ALPHA16, RED, session, framing).name == "p-alpha16.png"
    panel = np.asarray(Image.open(make_file(person, "coarse", RED, session, framing)))
    assert panel[100, 116:122].tolist() == [0, 0, 0, 0, 255, 255]
    assert make_file(person, downloads.JPG, RED, session, Framing("35x45mm")).name == "p-35x45mm-composite.jpg"


def test_the_stage_is_told_where_the_frame_lies(person, session):
    shown = show_result(person, session, RED, Framing("35x45mm", shadow=0.5))
    frame = shown["frame"]
    assert (frame["left"], frame["top"]) == base_frame(person, "35x45mm")[:2] and frame["size"] == (413, 531)
    assert shown["shadow"].endswith("p-shadow.png") and shown["margin"][0] > 0
    assert show_result(person, session, RED)["frame"] is None


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize(("width", "theme"), [(1360, "light"), (390, "dark")])
def test_the_person_is_moved_by_hand_and_the_file_is_what_is_seen(open_page, width, theme):
    page = open_page(width, 900, theme)
    page.locator("#background input[value='#c8553d']").click()
    page.locator(".framing summary").press("Enter")
    page.locator(".shapes input[value='2x2in']").press("Space")
    page.wait_for_selector("#result .viewer[data-view=move]")
    assert "600 × 600" in page.inner_text("#save-png")
    page.locator("[data-name=shadow]").fill("0.8")
    page.locator("[data-name=shadow]").dispatch_event("change")
    page.wait_for_selector("#result img.shadow[src]")
    page.evaluate("document.querySelector('#result .frame').scrollIntoView()")
    page.wait_for_timeout(600)
    frame = page.locator("#result .frame").bounding_box()
    x, y = frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2
    if width > 500:
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + 60, y + 30, steps=3)
        page.mouse.up()
        page.keyboard.down("Control")
        page.mouse.wheel(0, 60)
        page.keyboard.up("Control")
    else:
        fingers(page, [[(x, y)], [(x + 30, y + 20)], [(x + 60, y + 30)]])
        fingers(page, [[(x - 50, y), (x + 50, y)], [(x - 40, y), (x + 40, y)]])
    page.locator("#result .frame").focus()
    page.keyboard.press("ArrowDown")
    sent = json.loads(page.evaluate("document.querySelector('.framing').dataset.value"))
    assert sent["x"] > 0.08 and sent["y"] > 0.02 and sent["zoom"] < 0.95
    page.add_style_tag(content="#result .guide { display: none !important; }")
    page.mouse.move(0, 0)
    seen = Image.open(io.BytesIO(page.locator("#result .canvas").screenshot())).convert("RGB")
    name, data = save(page, page.locator("#save-png"))
    saved = Image.open(io.BytesIO(data))
    assert name.endswith("-2x2in-composite.png") and saved.size == (600, 600)
    small = [np.asarray(each.resize((100, 100), Image.Resampling.BOX), int)[4:-4, 4:-4] for each in (seen, saved)]
    assert np.abs(small[0] - small[1]).mean() < 4
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    heights = (
        "[...document.querySelectorAll('.framing :is(summary, label, .chip)')].map(each => each.getBoundingClientRect().height)"
    )
    assert all(height >= 44 for height in page.evaluate(heights) if height), "for fingers"

    page.click("#result [data-view=paint]")
    page.wait_for_function(
        "document.querySelector('#result .canvas').clientWidth == document.querySelector('#result .canvas').clientHeight"
    )
    assert "600 × 600" in page.inner_text("#save-png"), "painted on is the whole photo, saved is the frame"
    alpha = page.locator("#result img.alpha").get_attribute("src")
    page.locator("#result canvas").click(position={"x": 30, "y": 30})
    page.wait_for_function("old => document.querySelector('#result img.alpha').getAttribute('src') != old", arg=alpha)
    assert page.locator("#result .viewer[data-view=paint].framed").count() == 1, "the brush stays in the hand"
    page.locator(".shapes input[value=photo]").click()
    page.wait_for_selector("#result .viewer[data-view=result]:not(.framed)")
    assert "1000 × 1000" in page.inner_text("#save-png")


def fingers(page, steps: list[list[tuple[float, float]]]) -> None:
    """Touch, move and lift one or two fingers."""
    touch = page.context.new_cdp_session(page)
    for number, step in enumerate(steps):
        points = [{"x": x, "y": y, "id": finger} for finger, (x, y) in enumerate(step)]
        touch.send("Input.dispatchTouchEvent", {"type": "touchMove" if number else "touchStart", "touchPoints": points})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
