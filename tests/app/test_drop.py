"""Files come from anywhere on the page, under any name, and the tray never shows another photo than the stage."""

import base64
from pathlib import Path
from urllib.parse import quote

import pillow_heif
import pytest
from PIL import Image
from tabs import EXAMPLES, open_tab, upload

pytestmark = pytest.mark.browser

_CARRY = """([kind, where, name, data]) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0)), carried = new DataTransfer();
  carried.items.add(new File([bytes], name));
  const target = document.querySelector(where);
  const told = {bubbles: true, cancelable: true, dataTransfer: carried, clipboardData: carried};
  if (kind === 'paste') target.dispatchEvent(new ClipboardEvent('paste', told));
  else for (const type of ['dragenter', 'dragover', 'drop']) target.dispatchEvent(new DragEvent(type, told));
}"""


def carry(page, kind: str, where: str, name: str, path: Path) -> None:
    """Drop a file on an element, or paste it there; the browser knows no type of it."""
    page.evaluate(_CARRY, [kind, where, name, base64.b64encode(path.read_bytes()).decode()])
    stem = quote(name.split(".")[0])
    page.wait_for_function("part => document.querySelector('#result img.after').src.includes(part)", arg=stem)


def tray(page) -> str:
    """Where the tray's picture comes from."""
    return page.eval_on_selector("#photo", "each => each.querySelector('img')?.src ?? ''")


def test_photos_are_taken_anywhere_and_under_any_name(open_page, tmp_path):
    small = Image.open(EXAMPLES / "curls.jpg").resize((320, 320))
    small.save(tmp_path / "small.png")
    pillow_heif.from_pillow(small).save(tmp_path / "phone.heic")
    page = open_page()
    page.set_input_files("#photo input[type=file]", {
        "name": "IMG_0001.HEIC", "mimeType": "", "buffer": (tmp_path / "phone.heic").read_bytes()
    })  # fmt: skip
    page.wait_for_function("document.querySelector('#result img.after').src.includes('IMG_0001')")
    page.wait_for_function("document.querySelector('#photo img')?.naturalWidth == 320")  # a copy that browsers show
    carry(page, "drop", "#facts", "on the facts.PNG", tmp_path / "small.png")
    assert page.locator("#anywhere").is_hidden()
    open_tab(page, "Tables")
    carry(page, "paste", "body", "no ending", tmp_path / "small.png")
    assert page.get_by_role("tab", name="Photo", exact=True).get_attribute("aria-selected") == "true"
    assert "no%20ending" in tray(page)
    carry(page, "drop", "#photo", "second.JXL", tmp_path / "small.png")  # what it is, is decided by its content


def test_the_tray_shows_what_the_stage_shows(open_page, tmp_path):
    page = open_page()
    Image.open(EXAMPLES / "brick.jpg").resize((300, 300)).save(tmp_path / "mine.png")
    upload(page, tmp_path / "mine.png")
    page.wait_for_function("document.querySelector('#photo img')?.naturalWidth == 300")
    assert page.locator("#examples [aria-pressed=true]").count() == 0
    assert page.get_by_test_id("block-label").get_by_text("Your photo").is_hidden(), "it would stand over a head"

    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff no photo")
    Image.new("1", (9500, 9500)).save(tmp_path / "huge.png")
    for name in ("broken.jpg", "huge.png"):
        page.set_input_files("#photo input[type=file]", str(tmp_path / name))
        page.wait_for_function("name => document.querySelector('.toast-body')?.innerText.includes(name)",
                               arg="cannot be used" if name == "broken.jpg" else "90 million pixels")  # fmt: skip
        page.wait_for_function("document.querySelector('#photo img')?.src.includes('mine.jpg')")
        page.wait_for_function("!document.querySelector('#save .actions').inert")
        assert "mine" in page.locator("#result img.after").get_attribute("src")
        page.locator(".toast-close").first.click()

    page.locator("#examples [data-pick]").nth(2).click()
    page.wait_for_function("document.querySelector('#result img.after').src.includes('headwrap')")
    page.wait_for_function("!document.querySelector('#photo img')")
    assert page.locator("#examples [data-pick]").nth(2).get_attribute("aria-pressed") == "true"

    upload(page, tmp_path / "mine.png")
    page.locator("#photo").get_by_label("Remove Image").click()
    page.wait_for_function("document.querySelectorAll('#result img[src], #panels img').length == 0")
    page.get_by_text("Choose or drop a photo, and the cut-out appears").wait_for()
    assert page.locator("#save .actions[inert]").count() == 1


def test_the_button_for_another_file_takes_nothing_away_before_that_has_come(open_page, tmp_path):
    page = open_page()
    upload(page, EXAMPLES / "brick.jpg")
    page.wait_for_selector("#photo img")
    with page.expect_file_chooser() as asked:
        page.locator("#photo .source-selection button").first.click()
    assert "brick" in tray(page)
    asked.value.set_files(EXAMPLES / "curls.jpg")
    page.wait_for_function("document.querySelector('#result img.after').src.includes('curls')")

    sources = page.locator("#photo .source-selection button")
    sources.nth(1).click()
    page.wait_for_selector("#photo .upload-container button > .wrap")
    sources.first.click()  # there is a way back from the camera
    page.locator("#photo").get_by_text("Choose a photo").wait_for()

    open_tab(page, "Clip")
    page.set_input_files("#clip input[type=file]", EXAMPLES / "clip.mp4")
    page.wait_for_function("document.querySelector('#clip video')?.currentSrc.includes('clip.mp4')")
    for other in ("chosen.mp4", "dropped.mp4"):
        (tmp_path / other).write_bytes((EXAMPLES / "clip.mp4").read_bytes())
    with page.expect_file_chooser() as asked:
        page.locator("#clip .source-selection button").first.click()
    assert page.locator("#clip video").count() == 1
    asked.value.set_files(tmp_path / "chosen.mp4")
    page.wait_for_function("document.querySelector('#clip video')?.currentSrc.includes('chosen')")
    page.evaluate(_CARRY, ["drop", "body", "dropped.mp4", base64.b64encode((tmp_path / "dropped.mp4").read_bytes()).decode()])
    page.wait_for_function("document.querySelector('#clip video')?.currentSrc.includes('dropped')")
