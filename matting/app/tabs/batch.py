"""Tab "Batch": many photos in, one zip out; and the same for programs as `/matte_batch`."""

import inspect
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

from matting.app import text
from matting.app.errors import Problem, plain_errors
from matting.app.mcp import no_tool
from matting.app.results.background import BackgroundChoice, read_choice
from matting.app.results.batch import FAILED, Batch, Wanted, begin_batch, go_on_with_batch, run_batch
from matting.app.results.result import shrink
from matting.app.scripts import OPEN
from matting.app.service import BATCH_QUEUE, EVERY, QUICK, SIZES, UNQUEUED, Service, Settings, make_background
from matting.app.session import Session
from matting.app.stopping import StoppedError
from matting.app.uploads import FilesInput
from matting.app.views.batch_page import NOTHING, archive_html, batch_progress_html, build_batch_page, gallery_value, waiting
from matting.app.views.photo_page import note_html
from matting.app.views.swatches import picture_box

_BACKGROUND_SIDE = 3000  # pixels of a picture behind the people: it is held while the batch lasts

Update = dict[Any, Any]


class BatchTab:
    """Handlers of the tab and of its endpoint."""

    def __init__(self, service: Service, session: gr.State):
        self.service = service
        self.session = session
        self.page = build_batch_page()
        self._wire()
        self._wire_endpoint()

    def _wire(self) -> None:
        page = self.page
        inputs = [page.drop, page.size, page.behind, page.picture, page.with_alpha, self.session]
        outputs = [self.session, page.drop, page.run, page.note, page.stop, page.archive, page.gallery]
        hidden: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        run = page.run.click(self.matte_photos, inputs, outputs, **BATCH_QUEUE, **hidden)
        page.stop.click(self.stop_work, None, None, cancels=[run], **UNQUEUED).then(
            self.show_kept, self.session, outputs, **UNQUEUED
        )
        opened = page.gallery.select(self.open_photo, self.session, page.sink, **{**QUICK, **EVERY})
        opened.success(None, page.sink, None, js=OPEN, **hidden)
        page.behind.select(picture_box, page.behind, page.picture, **UNQUEUED)

    def _wire_endpoint(self) -> None:
        trigger = gr.Button(visible=False)
        inputs = [
            FilesInput(label="photos", file_count="multiple", visible=False),
            gr.Radio(SIZES, value="Auto", label="size", visible=False),
            gr.Textbox("transparent", label="background", visible=False),
            gr.Checkbox(False, label="with_alpha", visible=False),
            self.session,
        ]
        outputs = [gr.File(label="archive", visible=False), gr.JSON(label="facts", visible=False), self.session]
        trigger.click(
            self.matte_batch,
            inputs,
            outputs,
            api_name="matte_batch",
            api_description=inspect.getdoc(self.matte_batch),
            **BATCH_QUEUE,
        )

    def matte_photos(
        self,
        sent: Any,
        size: str,
        choice: str,
        picture: str | None,
        with_alpha: bool,
        session: Session | None,
        request: gr.Request,
    ) -> Iterator[Update]:
        """The photos that were dropped; without any, those left of a batch that was stopped, or those of the last one again."""
        session = self.service.sessions.of(session, request)
        uploads = self._take(sent, session)
        session.take(picture)
        wanted = Wanted(Settings(size), _smaller(make_background(choice, picture)), with_alpha)
        batch = session.batch
        if not uploads and batch is not None and batch.left:
            go_on_with_batch(batch, session)
        else:
            batch = begin_batch(uploads or _sent_before(batch), session)
        page = self.page
        yield {
            self.session: session,
            page.drop: [],
            page.run: gr.Button(interactive=False),
            page.stop: gr.Button(visible=True),
            page.archive: "",
            page.gallery: gallery_value(batch),
        }
        try:
            for entry in run_batch(batch, wanted, self.service, session):
                yield {page.note: batch_progress_html(batch, entry), page.gallery: gallery_value(batch)}
        except StoppedError:
            yield self._ended(batch, session, _stopped(batch))
        else:
            yield self._ended(batch, session, text.BATCH_DONE)

    def _take(self, sent: Any, session: Session) -> list[Path]:
        """Paths of what the page sent; raises `Problem` if these are no uploads."""
        if not isinstance(sent, list) or not all(isinstance(path, str) for path in sent):
            raise Problem(text.ERROR_VALUES)
        try:
            session.take(*sent)
        except ValueError:
            raise Problem(text.ERROR_PATH) from None
        uploads = [Path(path).resolve() for path in dict.fromkeys(sent)]
        if not all(path.is_file() for path in uploads):
            raise Problem(text.BATCH_EXPIRED)
        return uploads

    def _ended(self, batch: Batch, session: Session, sentence: str) -> Update:
        page = self.page
        ended = {page.run: gr.Button(interactive=True), page.stop: gr.Button(visible=False)}
        if session.batch is not batch:  # another one has begun, or the page is gone
            return ended
        message = sentence.format(done=batch.done, total=len(batch.entries), seconds=batch.seconds, left=batch.left)
        return {
            **ended,
            page.note: note_html(message),
            page.archive: archive_html(batch),
            page.gallery: gallery_value(batch, ended=True),
        }

    def stop_work(self, request: gr.Request) -> None:
        self.service.sessions.stop(request, batch=True)

    def show_kept(self, session: Session | None) -> Update:
        """The work was stopped: what is done is there."""
        if session is None or session.batch is None:
            page = self.page
            ended = {page.run: gr.Button(interactive=True), page.stop: gr.Button(visible=False)}
            return {**ended, page.note: note_html(waiting()), page.archive: "", page.gallery: NOTHING}
        with session.batch.keeping:  # the photo that was worked on is in the zip, or not any more
            return self._ended(session.batch, session, _stopped(session.batch))

    def open_photo(self, session: Session | None, event: gr.EventData) -> str:
        """The photo as it was sent, which the page hands to the first tab."""
        if session is None or session.batch is None:
            raise Problem(text.BATCH_EXPIRED)
        batch, number = session.batch, int(event.value)
        if not 0 <= number < len(batch.entries):
            raise Problem(text.BATCH_EXPIRED)
        folder = batch.folder / "opened"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        source = batch.entries[number].source
        if source.entry is None:
            return str(source.upload)
        with source.opened(folder) as path:
            return str(path.rename(folder / f"{number}-{path.name}"))

    @no_tool
    def matte_batch(
        self,
        photos: list[str],
        size: str,
        background: str,
        with_alpha: bool,
        session: Session | None,
        request: gr.Request,
    ) -> tuple[str | None, list[dict[str, Any]], Session]:
        """Cut the people out of many photos.

        Args:
            photos: the photos, or zips of photos; at most 50 photos, 80 megabytes and 50 megapixels each.
            size: longer working side in pixels: Auto, 512, 1024, 1536 or Full.
            background: "transparent" (PNG), a colour such as #3f5f5a, or "blur" (JPG).
            with_alpha: whether the alpha of each photo is in the zip as well (8-bit grey PNG).

        Returns:
            A zip of all cut-outs, null if there are none, and for everything that was sent: its name, why it was left out or
            null, and for photos their size in pixels, whether anybody was found (else it is not in the zip), and seconds.
        """
        session = self.service.sessions.of(session, request)
        session.take(*photos)
        with plain_errors():
            wanted = Wanted(Settings(size), read_choice(background), with_alpha)
        batch = begin_batch([Path(photo).resolve() for photo in dict.fromkeys(photos)], session)
        for _ in run_batch(batch, wanted, self.service, session):
            pass
        return str(batch.archive) if batch.archive else None, facts_of(batch), session


def _sent_before(batch: Batch | None) -> list[Path]:
    """What the last batch was made of; raises `Problem` if it is not there any more."""
    uploads = [] if batch is None else [*batch.uploads]
    if not all(path.is_file() for path in uploads):
        raise Problem(text.BATCH_EXPIRED)
    return uploads


def facts_of(batch: Batch) -> list[dict[str, Any]]:
    """What became of everything that was sent, as plain JSON values."""
    photos = [
        {
            "name": entry.source.name,
            "failure": entry.reason if entry.state == FAILED else None,
            "size_px": list(entry.size),
            "found_somebody": entry.found_somebody,
            "seconds": round(entry.seconds, 3),
        }
        for entry in batch.entries
    ]
    return [*photos, *({"name": one.name, "failure": one.reason} for one in batch.refused)]


def _stopped(batch: Batch) -> str:
    return text.BATCH_STOPPED if batch.left else text.BATCH_DONE


def _smaller(background: BackgroundChoice) -> BackgroundChoice:
    if background.picture is None:
        return background
    return replace(background, picture=shrink(background.picture, _BACKGROUND_SIDE))
