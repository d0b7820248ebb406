"""The stage: what it is sent, how it is scrolled past and zoomed, and the file that is saved from it."""

import io
import zipfile

import numpy as np
import pytest
from PIL import Image
from tabs import EXAMPLES, open_tab, save, upload

from matting.app.results import downloads
from matting.app.results.background import BLUR, COLOUR, BackgroundChoice
from matting.app.results.downloads import make_file
from matting.app.results.result import PREVIEW_SIDE, Result, make_result
from matting.app.results.strokes import Painting
from matting.app.session import Session
from matting.app.views.viewer import show_result
from matting.inference.photo import matte_image
from matting.media.colour import SRGB
from matting.media.icc import write_profile
from matting.postprocess.bit_depth import to_8_bit


@pytest.fixture
def session(tmp_path) -> Session:
    return Session(tmp_path / "session-1", painting=Painting("5e11"))


@pytest.fixture(scope="module")
def large(lite_model) -> Result:
    """Longer than what a browser is sent at first."""
    image = np.random.default_rng(2).integers(0, 256, (90, PREVIEW_SIDE + 320, 3), dtype=np.uint8)
    return make_result("large", matte_image(image, lite_model, 256, unknown_bias=5.0))


def picture_at(address: str) -> np.ndarray:
    return np.asarray(Image.open("/" + address.split("=/", 1)[1]))


def test_the_alpha_is_sent_without_loss_and_in_full_size_only_when_asked_for(large, session):
    small = show_result(large, session, BackgroundChoice())
    alpha = picture_at(small["alpha"])
    assert (small["width"], small["height"], small["pixels"], alpha.shape[1]) == (1600, 90, 1280, 1280)
    np.testing.assert_array_equal(alpha[..., 1], to_8_bit(large.preview.alpha))
    assert alpha[..., 0].min() == 255, "white, so that on black it is the alpha as grey"
    full = show_result(large, session, BackgroundChoice(), full=True)
    np.testing.assert_array_equal(picture_at(full["alpha"])[..., 1], to_8_bit(large.alpha))
    assert (full["photo"], full["pixels"]) == (small["photo"], 1600)
    assert picture_at(full["before"]).shape == picture_at(full["after"]).shape == (90, 1600, 3)


def test_only_backgrounds_that_are_pictures_are_sent(large, session):
    assert show_result(large, session, BackgroundChoice(COLOUR, "#ff0000"))["behind"] == ""
    assert picture_at(show_result(large, session, BackgroundChoice(BLUR))["behind"]).shape[1] == 1280


@pytest.mark.parametrize("what", [downloads.PNG, downloads.JPG, downloads.WEBP])
def test_a_file_has_the_background_that_is_seen(result, session, what):
    red = Image.open(make_file(result, what, BackgroundChoice(COLOUR, "#ff0000"), session)).convert("RGB")
    row, column = np.unravel_index(int(result.alpha.argmin()), result.alpha.shape)
    expected = np.array((255, 0, 0)) * (1 - result.alpha.min()) + result.alpha.min() * result.matte.image[row, column]
    assert np.abs(np.array(red.getpixel((int(column), int(row)))) - expected).max() < 60  # its colour is an estimate
    path = make_file(result, what, BackgroundChoice(), session)
    clear = Image.open(path)
    assert clear.mode == ("RGB" if what == downloads.JPG else "RGBA") and clear.size == (200, 150)
    assert path.name == ("noise-composite.jpg" if what == downloads.JPG else f"noise-cutout.{what}")
    if what != downloads.JPG:
        np.testing.assert_array_equal(np.asarray(clear)[..., 3], to_8_bit(result.alpha))


@pytest.mark.parametrize("what", [downloads.PNG, downloads.CUTOUT, downloads.JPG, downloads.WEBP, downloads.ALPHA, "input"])
def test_files_say_that_their_colours_are_srgb(result, session, what):
    for background in (BackgroundChoice(), BackgroundChoice(COLOUR, "#ff0000")):
        profile = Image.open(make_file(result, what, background, session)).info.get("icc_profile")
        assert profile == (None if what == downloads.ALPHA else write_profile(SRGB))


def test_panels_in_the_zip_say_that_their_colours_are_srgb(result, session):
    with zipfile.ZipFile(make_file(result, downloads.ZIP, BackgroundChoice(), session)) as archive:
        panel = Image.open(io.BytesIO(archive.read("noise-input.png")))
    assert panel.info["icc_profile"] == write_profile(SRGB)


def test_a_webp_that_would_be_too_large_says_so(result, session, monkeypatch):
    monkeypatch.setattr(downloads, "_WEBP_LARGEST", 100)
    with pytest.raises(ValueError, match="at most 100 pixels a side, this photo has 200"):
        make_file(result, downloads.WEBP, BackgroundChoice(), session)


def test_what_was_forgotten_is_gone(result, session):
    session.begin(result)
    path = make_file(result, downloads.PNG, BackgroundChoice(), session)
    turn, session.comparison = session.turn, ("something",)
    session.forget()
    assert session.result is None and session.comparison == () and session.turn is not turn and not path.exists()


@pytest.mark.browser
def test_the_stage_is_scrolled_past_and_zoomed_down_to_the_photos_own_pixels(open_page, tmp_path):
    Image.open(EXAMPLES / "curls.jpg").resize((2000, 2400)).save(tmp_path / "large one.jpg", quality=90)
    page = open_page(1360, 900)
    upload(page, tmp_path / "large one.jpg")
    button = page.locator("#save-png").bounding_box()
    assert button["y"] + button["height"] < 900, "above the fold"
    frame = page.locator("#result .frame").bounding_box()
    page.mouse.move(frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2)
    page.mouse.wheel(0, 300)
    page.wait_for_function("scrollY > 100")
    page.evaluate("scrollTo(0, 0)")
    assert _percent(page) < 25
    page.keyboard.down("Control")
    page.mouse.wheel(0, -60)
    page.keyboard.up("Control")
    page.wait_for_function("document.querySelector('#result .frame').classList.contains('zoomed')")
    assert page.evaluate("scrollY") == 0
    page.click("#result [data-zoom=own]")
    assert _percent(page) == 100
    page.wait_for_function("document.querySelector('#result img.before').naturalWidth == 2000")
    page.wait_for_function("document.querySelector('#result img.alpha').naturalWidth == 2000")

    before = page.locator("#result .canvas").bounding_box()
    page.mouse.move(frame["x"] + 200, frame["y"] + 200)
    page.mouse.down()
    page.mouse.move(frame["x"] + 290, frame["y"] + 130, steps=3)
    page.mouse.up()
    after = page.locator("#result .canvas").bounding_box()
    assert (round(after["x"] - before["x"]), round(after["y"] - before["y"])) == (90, -70), "a drag pans"
    page.mouse.dblclick(frame["x"] + 200, frame["y"] + 200)
    assert _percent(page) < 25, "a double click fits it in again"

    page.locator("#result .grip").focus()
    page.keyboard.press("End")
    assert page.locator("#result .grip").get_attribute("aria-valuenow") == "100"
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("+")
    assert page.locator("#result .grip").get_attribute("aria-valuenow") == "98" and _percent(page) > 25
    page.keyboard.press("0")
    page.keyboard.press("Home")
    page.click("#result [data-view=magenta]")
    corner = page.locator("#result .canvas").bounding_box()
    clip = {"x": corner["x"] + corner["width"] - 30, "y": corner["y"] + 40, "width": 4, "height": 4}
    shown = np.asarray(Image.open(io.BytesIO(page.screenshot(clip=clip))).convert("RGB")).reshape(-1, 3)
    assert np.abs(shown.astype(int) - (255, 0, 255)).max() <= 4, "what is left out is magenta"

    open_tab(page, "Compare")
    page.wait_for_selector("#pair img.after[src]")
    page.locator("#pair [data-zoom=in]").click()
    assert page.locator("#pair .frame.zoomed").count() == 1


@pytest.mark.browser
def test_the_stage_on_a_phone(open_page):
    page = open_page(390, 844)
    button = page.locator("#save-png").bounding_box()
    assert button["y"] > 700 and button["y"] + button["height"] < 844, "within reach of a thumb"
    page.click("#result [data-view=paint]")
    small = page.evaluate(
        "[...document.querySelectorAll('#result button, #result .grip, .actions .act, .swatch')].filter(each => {"
        " const box = each.getBoundingClientRect(); return box.width && Math.min(box.height, box.width) < 44; })"
        ".map(each => each.outerHTML)"
    )
    assert small == []
    page.click("#result [data-view=black]")
    page.locator("#background input[value='#f0a13a']").click()
    page.wait_for_selector("#result .viewer[data-view=result]")  # a background that was chosen is seen
    page.locator("#background input[value=transparent]").click()
    page.locator("#result .frame").scroll_into_view_if_needed()
    frame = page.locator("#result .frame").bounding_box()
    touches = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        fingers = [{"x": frame["x"] + x, "y": frame["y"] + y, "id": number} for number, (x, y) in enumerate(points)]
        touches.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})

    fitted = _percent(page)
    touch("touchStart", (150, 150))
    touch("touchStart", (150, 150), (200, 200))
    touch("touchMove", (110, 110), (240, 240))
    touch("touchEnd")
    assert _percent(page) > 1.5 * fitted, "two fingers zoom"
    page.click("#result [data-zoom=fit]")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.click("#save .copy")
    page.get_by_text("Copied", exact=True).wait_for()
    kinds = page.evaluate("navigator.clipboard.read().then(all => all.flatMap(each => each.types))")
    assert kinds == ["image/png"]
    assert save(page, page.locator("#save-jpg"))[0] == "windswept-composite.jpg"


def _percent(page) -> int:
    return int(page.inner_text("#result .percent").split()[0])
