"""Every tab in Chromium, on the real app with the bundled weights."""

import io
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tabs import EXAMPLES, files_in, open_tab, save, upload

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def photo(tmp_path_factory) -> Path:
    """A portrait of 1500 x 1500 pixels."""
    path = tmp_path_factory.mktemp("photos") / "my portrait.jpg"
    Image.open(EXAMPLES / "curls.jpg").resize((1500, 1500), Image.Resampling.BICUBIC).save(path, quality=92)
    return path


def test_photo_from_upload_to_files(open_page, photo, matte_elsewhere, capsys):
    page = open_page()
    assert "example" in page.inner_text("#note")
    seconds = upload(page, photo)
    with capsys.disabled():
        print(f"\nfrom upload to cut-out, 1500 x 1500 px: {seconds:.2f} s")
    page.wait_for_function("stem => document.querySelector('#panels img').src.includes(stem)", arg="my%20portrait-input")
    assert page.locator("#panels figure").count() == 6
    assert "1500 × 1500" in page.inner_text("#facts")
    assert "Done in" in page.inner_text("#note")

    name, data = save(page, page.locator("#save-alpha"))
    assert name == "my portrait-alpha.png"
    alpha = np.asarray(Image.open(io.BytesIO(data)))
    expected = matte_elsewhere(photo)
    np.testing.assert_array_equal(alpha, np.rint(expected.alpha * 255).astype(np.uint8))

    name, data = save(page, page.locator("#save-alpha16"))
    off = np.abs(np.asarray(Image.open(io.BytesIO(data)), int) - np.rint(expected.alpha * 65535))
    assert off.max() <= 1 and (off > 0).mean() < 1e-4, "but where 8 bits are half way between two"
    name, data = save(page, page.locator("#save-cutout"))
    cutout = Image.open(io.BytesIO(data))
    assert (name, cutout.mode, cutout.size) == ("my portrait-cutout.png", "RGBA", (1500, 1500))
    name, data = save(page, page.locator("#panels [data-pick]").nth(2))
    assert name == "my portrait-trimap.png"
    name, data = save(page, page.locator("#save-panels"))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert len(archive.namelist()) == 6
        assert archive.testzip() is None


def test_photo_against_a_true_alpha_of_the_visitor(open_page, tmp_path):
    page = open_page()
    upload(page, EXAMPLES / "silver.jpg")
    page.click("#truth-upload button")
    Image.open(EXAMPLES / "alpha" / "silver.png").resize((50, 50)).save(tmp_path / "small.png")
    page.set_input_files("#truth-upload input[type=file]", str(tmp_path / "small.png"))
    page.get_by_text("The true alpha is 50 × 50").first.wait_for()
    page.wait_for_function("!document.querySelector('#truth-upload img')")
    page.set_input_files("#truth-upload input[type=file]", str(EXAMPLES / "alpha" / "silver.png"))
    page.wait_for_selector("#truth .framed .inset")
    assert page.inner_text("#truth h2") == "Against the true alpha"
    assert page.locator("#truth .metrics tbody tr").count() == 2
    Image.open(EXAMPLES / "brick.jpg").resize((300, 400)).save(tmp_path / "next.png")
    upload(page, tmp_path / "next.png")
    page.get_by_text("was put aside").wait_for()
    page.wait_for_function("!document.querySelector('#truth h2') && !document.querySelector('#truth-upload img')")


def test_photo_of_two_people_one_of_them_dropped(open_page, tmp_path):
    together = Image.new("RGB", (1400, 640), "#7c8b92")
    for left, name in ((40, "brick"), (760, "headwrap")):
        alpha = Image.open(EXAMPLES / "alpha" / f"{name}.png").convert("L").resize((600, 600))
        together.paste(Image.open(EXAMPLES / f"{name}.jpg").resize((600, 600)), (left, 40), alpha)
    together.save(tmp_path / "two.png")
    page = open_page()
    upload(page, tmp_path / "two.png")
    people = page.locator("#parts [data-pick]")
    people.nth(1).wait_for()
    boxes = [person.bounding_box() for person in people.all()]
    right = max((0, 1), key=lambda number: boxes[number]["x"])
    answered = "old => document.querySelector('#result img.alpha').getAttribute('src') != old"
    dropped, kept = people.nth(right), people.nth(1 - right)
    for act in (kept.click, lambda: kept.press("Enter"), lambda: dropped.press("Enter")):
        before = page.locator("#result img.alpha").get_attribute("src")
        act()
        page.wait_for_function(answered, arg=before)
    assert dropped.get_attribute("aria-pressed") == "false"
    _, data = save(page, page.locator("#save-alpha"))
    alpha = np.asarray(Image.open(io.BytesIO(data)))
    assert alpha[:, :700].max() == 255
    assert alpha[400:, 900:1200].max() == 0


def test_photo_touched_up_with_a_brush(open_page):
    page = open_page()
    canvas = open_brush(page, 1, "curls")
    before = saved_alpha(page)
    undo = page.locator("#result [data-act=undo]")
    assert undo.is_disabled()

    stroke(page, canvas, (0.44, 0.06), (0.5, 0.12))  # through the hair
    removed = saved_alpha(page)
    assert before[90:110, 470:490].min() > 200 and removed[90:110, 470:490].max() < 50
    assert np.abs(removed[600:] - before[600:]).max() < 3, "far from the stroke nothing changes"

    page.click("#result [data-kind=keep]")
    zoom_at(page, canvas, 0.1, 0.2)
    stroke(page, canvas, (0.05, 0.2), (0.15, 0.2))  # on the wall
    assert page.locator("#result .zoomed").count() == 1, "the zoom stays"
    assert saved_alpha(page)[190:210, 60:140].min() > 200
    answered(page, lambda: page.keyboard.press("Control+z"))
    answered(page, lambda: page.keyboard.press("Control+Shift+z"))
    assert saved_alpha(page)[190:210, 60:140].min() > 200
    answered(page, undo.click)
    before_size = page.locator("#result .tools input").input_value()
    page.keyboard.press("]")
    assert int(page.locator("#result .tools input").input_value()) > int(before_size)
    np.testing.assert_allclose(saved_alpha(page), removed, atol=2)
    page.click("#settings button")
    answered(page, page.get_by_role("checkbox", name="Refinement").uncheck)
    assert saved_alpha(page)[90:110, 470:490].max() < 50, "strokes stay when settings change"
    answered(page, page.get_by_role("checkbox", name="Refinement").check)
    answered(page, page.locator("#result [data-act=clear]").click)
    np.testing.assert_allclose(saved_alpha(page), before, atol=2)


def test_photo_painted_faster_than_it_is_redrawn(open_page):
    page = open_page()
    canvas = open_brush(page, 1, "curls")
    for x in (0.40, 0.45, 0.50, 0.55):
        stroke(page, canvas, (x, 0.08), wait=False)
    assert ink(page) > 0, "a tap is drawn at once"
    page.click("#settings button")
    page.get_by_text("512", exact=True).first.click()
    settle(page)
    assert page.locator("#result .viewer").get_attribute("data-answered") == "4" and ink(page) == 0
    alpha = saved_alpha(page)
    assert all(alpha[78:82, int(1000 * x) - 2 : int(1000 * x) + 2].max() < 50 for x in (0.40, 0.45, 0.50, 0.55))

    for _ in range(3):
        stroke(page, canvas, (0.44, 0.06), (0.5, 0.12), wait=False)
    page.locator("#examples button").nth(2).click()
    page.wait_for_function("document.querySelector('#result img.after').src.includes('headwrap')")
    page.wait_for_timeout(2500)
    settle(page)
    assert "headwrap" in page.locator("#result img.after").get_attribute("src"), "what is asked for last is shown"
    assert page.locator("#result .viewer").get_attribute("data-answered") == "0"
    assert page.locator("#result [data-act=undo]").is_disabled()


def test_photo_taken_away_while_it_is_painted_on(open_page):
    page = open_page()
    upload(page, EXAMPLES / "silver.jpg")
    page.wait_for_selector("#panels img")
    page.click("#result [data-view=paint]")
    canvas = page.locator("#result canvas")
    stroke(page, canvas, (0.5, 0.5), wait=False)
    page.locator("#photo").get_by_label("Remove Image").click()
    page.wait_for_function("document.querySelector('#result .viewer').classList.contains('empty')")
    page.wait_for_timeout(1500)
    assert page.locator("#result img[src]").count() == 0 and page.locator("#panels img").count() == 0
    assert page.locator("#save .actions[inert]").count() == 1 and page.inner_text("#facts").strip() == ""
    open_tab(page, "Compare")
    page.get_by_text("Cut out a photo on the first tab").wait_for()


def test_two_fingers_paint_nothing(open_page):
    page = open_page(390, 844)
    canvas = open_brush(page, 1, "curls")
    box = canvas.bounding_box()
    touches = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        fingers = [
            {"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"], "id": number}
            for number, (x, y) in enumerate(points)
        ]
        touches.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})

    touch("touchStart", (0.4, 0.4))
    touch("touchStart", (0.4, 0.4), (0.6, 0.6))
    touch("touchMove", (0.3, 0.3), (0.7, 0.7))
    touch("touchEnd")
    page.wait_for_timeout(300)
    assert page.locator("#result [data-act=undo]").is_disabled() and ink(page) == 0
    touch("touchStart", (0.4, 0.08))
    touch("touchMove", (0.5, 0.1))
    answered(page, lambda: touch("touchEnd"))
    assert page.locator("#result [data-act=undo]").is_enabled()


def open_brush(page, example: int, stem: str):
    """Choose an example and open the brush; returns what is painted on."""
    page.locator("#examples button").nth(example).click()
    page.wait_for_function("stem => document.querySelector('#panels img').src.includes(stem)", arg=stem)
    page.click("#result [data-view=paint]")
    return page.locator("#result canvas")


def zoom_at(page, canvas, x: float, y: float) -> None:
    """Zoom in on a place, given as shares of the picture, so that it stays where it is."""
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
    page.keyboard.down("Control")
    for _ in range(2):
        page.mouse.wheel(0, -60)
    page.keyboard.up("Control")
    page.wait_for_selector("#result .zoomed")
    page.wait_for_timeout(100)


def settle(page) -> None:
    """Wait until all that was painted is answered."""
    page.wait_for_function("!document.querySelector('#result .busy')")


def ink(page) -> int:
    """How many pixels of strokes are seen."""
    return page.evaluate(
        "() => { const c = document.querySelector('#result canvas');"
        " const data = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
        " return data.filter((value, i) => i % 4 == 3 && value > 0).length; }"
    )


def answered(page, act) -> None:
    """Do something that has the photo redrawn, and wait until it is."""
    before = page.locator("#result img.alpha").get_attribute("src")
    act()
    page.wait_for_function("old => document.querySelector('#result img.alpha').getAttribute('src') != old", arg=before)
    settle(page)


def stroke(page, canvas, *points: tuple[float, float], wait: bool = True) -> None:
    """Paint a line through points given as shares of the picture, and wait until it was answered."""
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    for number, (x, y) in enumerate(points):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=4)
        if number == 0:
            page.mouse.down()
    if wait:
        answered(page, page.mouse.up)
    else:
        page.mouse.up()


def saved_alpha(page) -> np.ndarray:
    _, data = save(page, page.locator("#save-alpha"))
    return np.asarray(Image.open(io.BytesIO(data))).astype(int)


def test_photo_background_settings_and_loupe(open_page):
    page = open_page()
    page.locator("#background").get_by_label("Blur").check()
    page.wait_for_function("document.querySelector('#result img.behind').naturalWidth > 0")
    page.locator("#background input[type=color]").fill("#123456")
    name, data = save(page, page.locator("#save-png"))
    assert (name, Image.open(io.BytesIO(data)).getpixel((999, 0))) == ("windswept-composite.png", (0x12, 0x34, 0x56))
    with page.expect_file_chooser():
        page.locator("#background").get_by_label("My picture").check()
    page.click("#save-png")
    page.get_by_text("Choose a background picture first").wait_for()
    page.locator("#background").get_by_label("Transparent").check()

    page.click("#settings button")
    nothing_redrawn = r"/^0\.0%$/m.test(document.querySelector('#facts').innerText)"
    page.get_by_role("checkbox", name="Refinement").uncheck()
    page.wait_for_function(nothing_redrawn)
    page.get_by_text("this is the coarse alpha, enlarged").wait_for()
    page.locator("#panels .large").nth(2).click()
    page.wait_for_selector("dialog.large-picture[open] img")
    for close in (
        lambda: page.keyboard.press("Escape"),
        page.go_back,
        page.locator(".large-picture button").click,
    ):
        close()
        page.wait_for_selector("dialog.large-picture", state="detached")
        page.locator("#panels .large").nth(2).click()
        page.wait_for_selector("dialog.large-picture[open] img")
    page.keyboard.press("Escape")
    open_tab(page, "Regions")
    page.get_by_text("Refinement is off in the settings").wait_for()
    page.go_back()
    page.get_by_role("checkbox", name="Refinement").check()
    page.wait_for_function(f"!{nothing_redrawn}")

    page.locator("#magnifier .map button").last.click()
    page.wait_for_function("[...document.querySelectorAll('#magnifier .map button')].pop().ariaPressed == 'true'")
    page.locator("#magnifier input[type=range]").fill("80")
    assert page.eval_on_selector("#magnifier .glass", "e => e.style.getPropertyValue('--wipe')") == "80"


def test_photo_example_has_a_true_alpha(open_page):
    page = open_page()
    page.locator("#examples button").last.click()
    page.wait_for_function("document.querySelector('#truth h2')?.innerText.includes('true alpha')")
    assert page.locator("#truth .metrics tbody tr").count() == 2
    assert page.locator("#truth .framed").count() == 2
    assert page.locator("#truth .metrics td b").count() >= 6


def test_photo_examples_clicked_one_after_the_other(open_page):
    page = open_page()
    for number in (2, 3):
        page.locator("#examples button").nth(number).click()
    page.wait_for_function("document.querySelector('#panels img').src.includes('brick')")
    page.wait_for_timeout(1500)
    assert "brick" in page.locator("#result img.before").get_attribute("src"), "the last one clicked is shown"


def test_photo_stopped_while_it_is_worked_on(open_page, tmp_path):
    Image.open(EXAMPLES / "curls.jpg").resize((2400, 2400)).save(tmp_path / "large.jpg")
    page = open_page()
    before = page.locator("#result img.after").get_attribute("src")
    page.click("#settings button")
    page.get_by_label("Full", exact=True).check()
    page.wait_for_function("old => document.querySelector('#result img.after').getAttribute('src') != old", arg=before)
    page.set_input_files("#photo input[type=file]", str(tmp_path / "large.jpg"))
    with page.expect_response(lambda response: response.url.endswith("/cancel")):
        page.locator("#stop").click()
    page.get_by_text("Stopped. Drop a photo to start again.").wait_for()
    page.wait_for_function("!document.querySelector('#photo img')")
    assert save(page, page.locator("#save-png"))[0] == "windswept-cutout.png"
    page.locator("#examples button").nth(1).click()
    page.wait_for_function("[...document.querySelectorAll('#result img')].some(i => i.src.includes('curls'))")
    assert "example" in page.inner_text("#note")


def test_photo_of_200_megapixels_is_refused(open_page, tmp_path):
    Image.new("1", (20000, 10000)).save(tmp_path / "huge.png")
    page = open_page()
    page.set_input_files("#photo input[type=file]", str(tmp_path / "huge.png"))
    page.get_by_text("more than 179 million pixels; the limit here is 50").first.wait_for()
    page.wait_for_function("!document.querySelector('#photo img')")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [("empty.jpg", b"", "is empty"), ("letter.png", b"Dear Sir or Madam", "cannot be used")],
    ids=["0 bytes", "no image"],
)
def test_photo_says_what_is_wrong_with_a_file(open_page, tmp_path, name, content, message):
    page = open_page()
    path = tmp_path / name
    path.write_bytes(content)
    page.set_input_files("#photo input[type=file]", str(path))
    toast = page.locator(".toast-body")
    toast.wait_for()
    assert message in toast.inner_text()
    assert "Traceback" not in toast.inner_text()
    page.wait_for_function("/still the photo before|Choose or drop a photo/.test(document.querySelector('#note').innerText)")
    assert not page.locator("#stop").is_visible()
    page.wait_for_function("!document.querySelector('#photo img')")


def test_photo_with_nobody_in_it(open_page, tmp_path):
    Image.linear_gradient("L").resize((400, 300)).save(tmp_path / "sky.png")
    page = open_page()
    page.set_input_files("#photo input[type=file]", str(tmp_path / "sky.png"))
    page.get_by_text("Nobody found").wait_for()


def test_inside_a_region(open_page, capsys):
    page = open_page()
    open_tab(page, "Regions")
    page.wait_for_selector("#locator .ring")
    seconds = []
    for x, y in ((0.1, 0.7), (0.7, 0.2), (0.9, 0.6)):
        seconds.append(_click_region(page, x, y))
    with capsys.disabled():
        print(f"\na click on a region, seen in the browser: {1000 * min(seconds):.0f} to {1000 * max(seconds):.0f} ms")
    assert page.locator("#patches img.pixels").count() == 5
    assert page.locator("#neighbourhood line").count() == 8
    assert page.locator("#attention rect").count() == 72

    facts = page.inner_text("#region-facts")
    page.get_by_role("button", name="Most changed").click()
    page.wait_for_function("document.querySelector('#region-facts').innerText.includes('number 1 of')")
    page.get_by_role("button", name="Changed more").and_(page.locator(":disabled")).wait_for()
    page.get_by_role("button", name="Changed less").click()
    page.wait_for_function("document.querySelector('#region-facts').innerText.includes('number 2 of')")
    assert page.inner_text("#region-facts") != facts
    _walk(page)

    page.locator("#histogram .bar").first.click()
    page.wait_for_selector("#locator .lit")
    page.get_by_role("button", name="Most changed").click()
    page.wait_for_function("!document.querySelector('#histogram .chosen')")


def test_an_open_tab_follows_the_first_one(open_page, tmp_path):
    Image.open(EXAMPLES / "curls.jpg").resize((1800, 1800)).save(tmp_path / "later.jpg")
    page = open_page()
    page.wait_for_function("[...document.querySelectorAll('#result img')].some(i => i.naturalWidth)")
    page.set_input_files("#photo input[type=file]", str(tmp_path / "later.jpg"))
    page.locator(".note", has_text="Looking for the person").wait_for()
    open_tab(page, "Regions")
    page.wait_for_function("document.querySelector('#region-picture img')?.src.includes('later')")


def test_every_key_counts_inside_a_region(open_page):
    page = open_page()
    open_tab(page, "Regions")
    page.wait_for_selector("#locator .ring")
    page.get_by_role("button", name="Most changed").click()
    page.locator("#locator svg").focus()
    for fast in (False, True):
        page.get_by_role("button", name="Most changed").click()
        page.wait_for_function("document.querySelector('#region-facts').innerText.includes('number 1 of')")
        page.locator("#locator svg").focus()
        for key in ("ArrowDown", "ArrowDown", "ArrowRight", "ArrowDown", "ArrowDown", "ArrowLeft", "ArrowDown"):
            page.keyboard.press(key)
            page.wait_for_timeout(0 if fast else 400)
        if not fast:
            page.wait_for_timeout(1500)
            slowly = page.inner_text("#region-facts")
    page.wait_for_function("all => document.querySelector('#region-facts').innerText == all", arg=slowly)
    assert "number 1 of" not in slowly


def _click_region(page, x: float, y: float) -> float:
    before = page.inner_html("#locator")
    box = page.locator("#locator svg").bounding_box()
    started = time.perf_counter()
    page.locator("#locator svg").click(position={"x": x * box["width"], "y": y * box["height"]})
    page.wait_for_function("old => document.querySelector('#locator').innerHTML != old", arg=before, polling=5)
    return time.perf_counter() - started


def _walk(page) -> None:
    """At least one of the arrow keys leads to another region."""
    page.locator("#locator svg").focus()
    before = page.inner_text("#region-facts")
    for key in ("ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"):
        page.keyboard.press(key)
        page.wait_for_timeout(500)
        if page.inner_text("#region-facts") != before:
            return
    pytest.fail("no arrow key moved to another region")


def test_compare(open_page):
    page = open_page()
    page.locator("#examples button").last.click()
    page.wait_for_function("document.querySelector('#truth h2')?.innerText.includes('true alpha')")
    open_tab(page, "Compare")
    page.wait_for_selector("#comparison figure")
    page.get_by_label("MODNet (downloads 25.9 MB)").check()
    page.get_by_label("GrabCut").check()
    page.click("#compare")
    page.wait_for_function("document.querySelectorAll('#compare-table tbody tr').length == 3")
    assert page.locator("#comparison figure").count() == 4
    failed = page.locator("#comparison .missing").inner_text()
    assert "Xenova/modnet" in failed and "could not be downloaded" in failed and "check the connection" in failed
    assert page.locator("#compare-table td b").count() >= 6
    page.get_by_label("Error", exact=True).check()
    page.wait_for_selector("#comparison .scale")
    before = page.locator("#pair img.before").get_attribute("src")
    page.locator("#left input").click()
    page.get_by_role("option", name="GrabCut").click()
    page.wait_for_function("old => document.querySelector('#pair img.before').getAttribute('src') != old", arg=before)
    page.locator("#comparison .zoomed").first.hover()
    page.locator("#comparison input[type=range]").fill("4")
    assert "matrix(4" in page.eval_on_selector("#comparison .zoomed img", "e => getComputedStyle(e).transform")


def test_compare_says_what_errors_need(open_page):
    page = open_page()
    upload(page, EXAMPLES / "silver.jpg")
    open_tab(page, "Compare")
    page.wait_for_selector("#comparison figure")
    page.get_by_label("Error", exact=True).check()
    page.get_by_text("Errors need the true alpha").wait_for()


def test_tables(open_page):
    page = open_page()
    open_tab(page, "Tables")
    title = page.locator("#published thead tr").last.get_by_role("button", name="SAD", exact=True).first
    title.click()
    column = page.locator("#published tbody tr td:nth-child(3)").all_inner_texts()
    assert [float(text) for text in column] == sorted(map(float, column)) and column[0] == "5.32"
    title.click()
    assert page.locator("#published tbody tr td:nth-child(3)").first.inner_text() == "63.74"
    assert page.locator("#chart .mark").count() == 11
    assert page.locator("#chart .mark.trimap").count() == 1
    before = page.inner_html("#chart")
    page.get_by_label("P3M-500-P", exact=True).check()
    page.wait_for_function("old => document.querySelector('#chart').innerHTML != old", arg=before)
    assert page.locator(".measured").last.locator("tbody tr", has_text="KNN matting").count() >= 4
    page.locator("#published input").fill("modnet")
    assert page.locator("#published tbody tr:visible").count() == 2
    page.locator("#worst img").scroll_into_view_if_needed()
    page.wait_for_function("document.querySelector('#worst img').naturalWidth > 500")


def test_about(open_page):
    page = open_page()
    open_tab(page, "About")
    page.wait_for_selector(".stages .step")
    text = page.inner_text("body")
    assert "Privacy" in text and "WACV" in text and "/matte_image" in text
    page.locator("#about-use", has_text=page.url.split("/?")[0]).wait_for()  # the program calls this page's address
    assert "examples/browser" in text
    assert page.evaluate("[...document.querySelectorAll('pre')].every(code => code.scrollWidth <= code.clientWidth)")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_phone_needs_no_sideways_scrolling(open_page, theme):
    page = open_page(390, 844, theme)
    tabs = page.get_by_role("tab")
    assert tabs.all_inner_texts()[:4] == ["Photo", "Batch", "Clip", "Live"]  # others may be in a menu
    for name in ("Photo", "Batch", "Clip", "Live", "Regions", "Compare", "Tables", "About"):
        open_tab(page, name)
        page.wait_for_timeout(700)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, name


def test_every_picture_has_an_alt_text_or_is_decoration(open_page):
    page = open_page()
    missing = page.evaluate("[...document.images].filter(i => !i.hasAttribute('alt')).map(i => i.src)")
    assert missing == []
    assert page.locator("#examples img[alt='']").count() == 0
    assert page.locator("#panels img[alt='']").count() == 0


def test_files_go_when_the_page_is_closed(open_page, photo, app):
    page = open_page()
    before = set(app.folder.glob("session-*"))
    other = open_page()
    (own,) = set(app.folder.glob("session-*")) - before
    upload(other, photo)
    assert files_in(own, "*my portrait*")
    other.close()
    deadline = time.monotonic() + 60
    while own.exists() and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not own.exists()
    assert not files_in(app.folder, "my portrait.jpg")
    assert page.locator("#result img[src]").count() == 4
