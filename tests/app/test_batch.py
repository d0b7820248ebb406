"""A batch of photos: what is sent is judged, one photo's fault is its own, memory and files stay within bounds."""

import io
import struct
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from gradio_client import handle_file
from PIL import Image
from tabs import EXAMPLES, files_in, open_tab

from matting.app import limits, text
from matting.app.errors import Problem
from matting.app.results.background import BackgroundChoice
from matting.app.results.batch import DONE, FAILED, WAITING, Wanted, begin_batch, go_on_with_batch, run_batch
from matting.app.results.batch_sources import find_sources
from matting.app.results.result import Result
from matting.app.service import Service, Settings
from matting.app.stopping import StoppedError
from matting.app.tabs.batch import facts_of
from matting.app.views.batch_page import archive_html, gallery_value


@pytest.fixture
def uploads(sessions, tmp_path):
    """Puts files where uploads lie."""

    def write(name: str, content: bytes) -> Path:
        folder = tmp_path / f"upload{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        path = folder / name
        path.write_bytes(content)
        return path

    return write


@pytest.fixture
def service(lite_model, sessions) -> Service:
    return Service(lite_model, "random", sessions)


@pytest.fixture
def session(sessions, request_of):
    return sessions.of(None, request_of("page"))


def photo(size: tuple[int, int] = (40, 30), format: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(size).integers(0, 256, (*size[::-1], 3), dtype=np.uint8)).save(buffer, format)
    return buffer.getvalue()


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def test_what_is_in_a_zip_is_worked_on_or_named(uploads):
    files = {
        "a.jpg": b"", "trip/": b"", "trip/day/B.HEIC": b"", "../../etc/c.png": b"", "C:\\x\\d.webp": b"",
        "x\x07\n" * 99 + ".png": b"",
        "__MACOSX/._a.jpg": b"", ".DS_Store": b"", "Thumbs.db": b"",
        "readme.txt": b"", "inner.zip": b"",
    }  # fmt: skip
    sources, refused = find_sources([uploads("holiday.zip", zipped(files)), uploads("one.jpg", b"")])
    assert [source.stem for source in sources[:4]] == ["a", "B", "c", "C__x_d"]
    assert len(sources) == 6 and all(source.name.isprintable() and len(source.name) < 100 for source in sources)
    assert {one.name: one.reason for one in refused} == {
        "holiday.zip: readme.txt": text.BATCH_NO_PICTURE,
        "holiday.zip: inner.zip": text.BATCH_NESTED,
    }


def test_no_more_photos_than_a_batch_may_have(uploads):
    sources, refused = find_sources([uploads("many.zip", zipped({f"{n}.jpg": b"" for n in range(53)}))])
    assert len(sources) == limits.BATCH_PHOTOS == 50
    assert [one.reason for one in refused] == [text.BATCH_TOO_MANY] * 3


def locked(content: bytes) -> bytes:
    """The first entry of a zip marked as encrypted in the directory."""
    place = content.rfind(b"PK\x01\x02")
    return content[: place + 8] + b"\x01\x00" + content[place + 10 :]


def grown(content: bytes, size: int) -> bytes:
    """The size of the last entry claimed to be another one."""
    place = content.rfind(b"PK\x01\x02")
    return content[: place + 24] + struct.pack("<L", size) + content[place + 28 :]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (locked(zipped({"a.jpg": b"x"})), text.BATCH_LOCKED),
        (grown(zipped({"a.jpg": b"x"}), 2**31), text.BATCH_LARGE.format(limit=80)),
        (zipped({"a.jpg": b"x" * 99}, zipfile.ZIP_LZMA), text.BATCH_METHOD),
        (zipped({f"{n:0300}.txt": b"" for n in range(1500)}), text.BATCH_MANY_ENTRIES),
        (b"PK\x03\x04" + bytes(80), text.BATCH_BROKEN_ZIP),
        (zipped({"a.jpg": b"x"})[:-30], text.BATCH_BROKEN_ZIP),
        (zipped({"a.jpg": b"x"})[:-10] + struct.pack("<LLH", 2**31, 0, 0), text.BATCH_BROKEN_ZIP),
        (zipped({"a.jpg": b"x"}) + b"PK\x05\x06", text.BATCH_BROKEN_ZIP),
    ],
    ids=["locked", "claims to be large", "lzma", "many entries", "no directory", "cut off", "claims a directory", "two ends"],
)
def test_zips_made_to_harm_are_refused_before_they_are_unpacked(uploads, content, reason):
    sources, refused = find_sources([uploads("bad.zip", content)])
    assert sources == [] and [one.reason for one in refused] == [reason]


@pytest.mark.slow
def test_a_bomb_ends_at_the_limit_and_leaves_nothing(uploads, session, service, monkeypatch, tmp_path):
    monkeypatch.setattr(limits, "UPLOAD_BYTES", 2_000_000)
    bomb = zipped({"bomb.png": bytes(1_900_000), "other.png": photo()}, zipfile.ZIP_DEFLATED)
    place = bomb.find(b"PK\x01\x02")
    batch = begin_batch([uploads("bomb.zip", bomb[: place + 24] + struct.pack("<L", 500) + bomb[place + 28 :])], session)
    monkeypatch.setattr(limits, "UPLOAD_BYTES", 1_000_000)
    list(run_batch(batch, Wanted(Settings("512")), service, session))
    assert [entry.state for entry in batch.entries] == [FAILED, DONE]
    assert not list(batch.folder.glob("bomb*")) and not list(batch.folder.glob("part*"))


@pytest.mark.slow
def test_each_photo_ends_in_a_file_or_a_reason(uploads, session, service):
    more = {"one.png": photo((64, 32)), "ONE.PNG": photo((30, 30)), "notes.txt": b"", "cut.png": photo()[:60]}
    sent = [
        uploads("one.png", photo((40, 30))),
        uploads("letter.jpg", b"Dear Sir or Madam"),
        uploads("more.zip", zipped(more)),
    ]
    batch = begin_batch(sent, session)
    states = [entry.state for entry in run_batch(batch, Wanted(Settings("512"), with_alpha=True), service, session)]
    assert states == ["working", DONE, "working", FAILED, "working", DONE, "working", DONE, "working", FAILED]
    with zipfile.ZipFile(batch.archive) as archive:
        assert archive.namelist() == [
            "one-cutout.png", "one-alpha.png", "one-cutout-2.png", "one-alpha-2.png", "ONE-cutout-3.png", "ONE-alpha-3.png",
        ]  # fmt: skip
        sizes = [Image.open(archive.open(name)).size for name in archive.namelist()]
        assert Image.open(archive.open("one-cutout.png")).mode == "RGBA"
    assert sizes == [(40, 30)] * 2 + [(64, 32)] * 2 + [(30, 30)] * 2
    failures = {fact["name"]: fact["failure"] for fact in facts_of(batch)}
    assert [name for name, failure in failures.items() if failure] == ["letter.jpg", "more.zip: cut.png", "more.zip: notes.txt"]
    assert str(session.batch_folder) not in str(failures)
    assert batch.bytes >= sum(path.stat().st_size for path in batch.folder.iterdir() if path.suffix == ".webp")


@pytest.mark.slow
def test_on_a_colour_the_files_are_jpgs(uploads, session, service):
    batch = begin_batch([uploads("one.png", photo())], session)
    list(run_batch(batch, Wanted(Settings("512"), BackgroundChoice("colour", "#ffffff")), service, session))
    with zipfile.ZipFile(batch.archive) as archive:
        assert archive.namelist() == ["one-composite.jpg"]


@pytest.mark.slow
def test_stop_keeps_what_is_done_and_a_photo_beside_it_stops_nothing(uploads, session, sessions, service, request_of):
    batch = begin_batch([uploads(f"{n}.png", photo()) for n in range(4)], session)
    sessions.stop(request_of("page"))  # as a new photo on the first tab does
    with pytest.raises(StoppedError):
        for entry in run_batch(batch, Wanted(Settings("512")), service, session):
            if entry.state == DONE:
                sessions.stop(request_of("page"), batch=True)
    assert [entry.state for entry in batch.entries] == [DONE, WAITING, WAITING, WAITING]
    assert len(zipfile.ZipFile(batch.archive).namelist()) == 1


@pytest.mark.slow
def test_a_photo_that_is_done_after_the_stop_is_not_kept(uploads, session, sessions, service, request_of, monkeypatch):
    batch, cut_out = begin_batch([uploads("late.png", photo())], session), Service.cut_out

    def too_late(*wanted, **more):
        result = cut_out(*wanted, **more)
        sessions.stop(request_of("page"), batch=True)
        return result

    monkeypatch.setattr(Service, "cut_out", too_late)
    with pytest.raises(StoppedError):
        list(run_batch(batch, Wanted(Settings("512")), service, session))
    assert batch.archive is None and batch.left == 1, "what was said of the stop stays true"


@pytest.mark.slow
def test_a_batch_that_was_stopped_goes_on_with_what_is_left(uploads, session, sessions, service, request_of):
    batch = begin_batch([uploads(f"{n}.png", photo()) for n in range(3)], session)
    with pytest.raises(StoppedError):
        for entry in run_batch(batch, Wanted(Settings("512")), service, session):
            if entry.state == DONE:
                sessions.stop(request_of("page"), batch=True)
    assert [card["words"] for card in gallery_value(batch, ended=True)["cards"]][1:] == [text.BATCH_NOT_DONE] * 2
    go_on_with_batch(batch, session)
    ended = [entry.source.name for entry in run_batch(batch, Wanted(Settings("512")), service, session) if entry.state == DONE]
    assert ended == ["1.png", "2.png"] and batch.left == 0
    assert len(zipfile.ZipFile(batch.archive).namelist()) == 3


@pytest.mark.slow
def test_the_same_photos_are_worked_on_again_without_being_sent_again(uploads, session, service):
    sent = [uploads("b.png", photo()), uploads("a.png", photo())]
    session.take(*map(str, sent))
    first = begin_batch(sent, session)
    list(run_batch(first, Wanted(Settings("512")), service, session))
    again = begin_batch([*first.uploads], session)
    list(run_batch(again, Wanted(Settings("512"), BackgroundChoice("colour", "#ffffff")), service, session))
    assert not first.folder.exists() and again.archive is not None
    assert zipfile.ZipFile(again.archive).namelist() == ["b-composite.jpg", "a-composite.jpg"]
    begin_batch([uploads("other.png", photo())], session)
    assert not any(path.exists() for path in sent), "those of another batch go"


@pytest.mark.slow
def test_a_photo_without_people_is_named_and_not_in_the_zip(uploads, session, service, monkeypatch):
    monkeypatch.setattr(Result, "found_somebody", property(lambda result: result.stem != "hills"))
    batch = begin_batch([uploads("hills.png", photo()), uploads("anna.png", photo())], session)
    list(run_batch(batch, Wanted(Settings("512")), service, session))
    assert batch.archive is not None and zipfile.ZipFile(batch.archive).namelist() == ["anna-cutout.png"]
    assert batch.done == 1 and f"<b>hills.png</b>: {text.BATCH_NOBODY}" in archive_html(batch)
    assert [fact["found_somebody"] for fact in facts_of(batch)] == [False, True]


@pytest.mark.slow
def test_files_of_batches_are_bounded_and_go(uploads, session, sessions, service, monkeypatch):
    first = uploads("first.png", photo())
    session.take(str(first))
    batch = begin_batch([first], session)
    list(run_batch(batch, Wanted(Settings("512")), service, session))
    assert sessions.batch_bytes() == batch.bytes > 0
    second = uploads("second.png", photo())
    session.take(str(second))
    other = begin_batch([second], session)
    assert not batch.folder.exists() and not first.exists() and second.exists()
    monkeypatch.setattr(limits, "BATCHES_BYTES", -1)
    list(run_batch(other, Wanted(Settings("512")), service, session))
    assert other.entries[0].reason == text.BATCH_SERVER_FULL
    session.clear()
    assert not session.batch_folder.exists() and not second.exists() and sessions.batch_bytes() == 0


def test_nothing_to_work_on_is_said_with_reasons(uploads, session):
    with pytest.raises(Problem, match="no photos yet"):
        begin_batch([], session)
    with pytest.raises(Problem, match="it is not a photo"):
        begin_batch([uploads("texts.zip", zipped({"a.txt": b""}))], session)


@pytest.mark.slow
def test_endpoint_gives_a_zip_and_names_what_failed(app, connect, tmp_path):
    (tmp_path / "notes.jpg").write_text("hello")
    (tmp_path / "album.zip").write_bytes(zipped({"trip/silver.jpg": (EXAMPLES / "silver.jpg").read_bytes(), "a.txt": b""}))
    photos = [handle_file(str(tmp_path / name)) for name in ("notes.jpg", "album.zip")]
    client = connect()
    archive, facts = client.predict(photos, "512", "transparent", True, api_name="/matte_batch")
    with zipfile.ZipFile(archive) as files:
        assert files.namelist() == ["silver-cutout.png", "silver-alpha.png"]
        alpha = np.asarray(Image.open(files.open("silver-alpha.png")))
    assert alpha.shape == Image.open(EXAMPLES / "silver.jpg").size[::-1] and alpha.min() == 0 and alpha.max() == 255
    assert {fact["name"]: bool(fact["failure"]) for fact in facts} == {
        "notes.jpg": True, "album.zip: trip/silver.jpg": False, "album.zip: a.txt": True,
    }  # fmt: skip
    with pytest.raises(Exception, match="no photos yet"):
        client.predict([], "512", "transparent", False, api_name="/matte_batch")


@pytest.mark.browser
def test_many_photos_dropped_cut_out_opened_and_downloaded(open_page, app, tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "album.zip").write_bytes(zipped({"curls.jpg": (EXAMPLES / "curls.jpg").read_bytes()}))
    page = open_page(390, 844, "dark")
    open_tab(page, "Batch")
    sent = [EXAMPLES / "silver.jpg", tmp_path / "album.zip", tmp_path / "notes.txt"]
    page.set_input_files("#batch-drop input[type=file]", [str(path) for path in sent])
    page.get_by_text("3 files").wait_for()
    page.locator("#batch-run").click()
    page.locator("#batch-download").wait_for()
    assert "2 of 3 cut out" in page.inner_text("#batch-note")
    assert "notes.txt" in page.inner_text("#batch-zip .left-out")
    assert page.locator(".batch-card:visible").count() == 2
    parts = ("#batch-run", "#batch-note", "#batch-zip", "#batch-gallery", "#batch-background", "#batch-alpha")
    tops = [page.locator(part).bounding_box()["y"] for part in parts]
    assert tops == sorted(tops), "what is made comes below the button, not below all settings"
    with page.expect_download() as download:
        page.locator("#batch-download").click()
    assert download.value.suggested_filename == "cutouts.zip"
    with zipfile.ZipFile(download.value.path()) as files:
        assert files.namelist() == ["silver-cutout.png", "curls-cutout.png"]

    page.locator("#batch-background input[value='#ffffff']").click()
    page.locator("#batch-run").click()
    page.wait_for_function("document.querySelector('#batch-note').innerText.includes('2 of 3 cut out')")
    page.wait_for_function("!document.querySelector('#batch-run').disabled")
    with page.expect_download() as download:
        page.locator("#batch-download").click()
    with zipfile.ZipFile(download.value.path()) as files:
        assert files.namelist() == ["silver-composite.jpg", "curls-composite.jpg"], "the same again, on white"

    grip = page.get_by_label("Border between photo and cut-out of silver.jpg")
    grip.focus()
    page.keyboard.press("End")
    assert page.locator(".batch-card .pair").first.evaluate("pair => pair.style.getPropertyValue('--wipe')") == "100"
    small = page.locator("#batch-gallery button:visible, #batch-download").evaluate_all("all => all.map(b => b.offsetHeight)")
    assert len(small) == 3 and min(small) >= 44 and page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator(".batch-card figcaption b").first.click()
    page.wait_for_timeout(500)
    assert page.locator(".toast-body").count() == 0, "only the button opens"
    page.locator(".batch-card .open").nth(1).click()
    page.wait_for_function("[...document.querySelectorAll('#result img')].some(i => i.src.includes('curls'))")
    assert page.get_by_role("tab", name="Photo", exact=True).get_attribute("aria-selected") == "true"
    page.close()
    deadline = time.monotonic() + 60
    while files_in(app.folder, "album.zip") and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not files_in(app.folder, "album.zip") and not files_in(app.folder, "cutouts.zip")
