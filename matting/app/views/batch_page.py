"""Tab "Batch": what is on the page, and what the gallery shows."""

from html import escape
from typing import Any, NamedTuple

import gradio as gr

from matting.app import limits, text
from matting.app.results.background import TRANSPARENT
from matting.app.results.batch import WAITING, Batch, Entry
from matting.app.scripts import BATCH, BATCH_DROP
from matting.app.service import SIZES
from matting.app.session import address_of
from matting.app.uploads import PhotoInput
from matting.app.views.photo_page import note_html
from matting.app.views.swatches import build_swatches

NOTHING: dict[str, Any] = {}
_MOST_LEFT_OUT = 30  # named on the page


class BatchPage(NamedTuple):
    """The components of the tab that take part in events."""

    drop: gr.HTML
    size: gr.Radio
    behind: gr.HTML
    picture: PhotoInput
    with_alpha: gr.Checkbox
    run: gr.Button
    note: gr.HTML
    stop: gr.Button
    archive: gr.HTML
    gallery: gr.HTML
    sink: gr.File


def build_batch_page() -> BatchPage:
    gr.HTML(f'<p class="lead">{text.BATCH_LEAD.format(photos=limits.BATCH_PHOTOS)}</p>')
    with gr.Row(equal_height=False, elem_classes="stage"):
        with gr.Column(scale=4, min_width=280, elem_classes="tray"):
            tray = _build_tray()
        with gr.Column(scale=9, min_width=320):
            with gr.Row(elem_classes="status"):
                note = gr.HTML(note_html(waiting()), elem_id="batch-note")
                stop = gr.Button(text.BATCH_STOP, size="sm", visible=False, min_width=80, scale=0, elem_id="batch-stop")
            archive = gr.HTML(elem_id="batch-zip")
            gallery = gr.HTML(
                NOTHING, html_template=_gallery(), js_on_load=BATCH, apply_default_css=False, elem_id="batch-gallery"
            )
            sink = gr.File(visible="hidden", elem_id="batch-sink")
    return BatchPage(**tray, note=note, stop=stop, archive=archive, gallery=gallery, sink=sink)


def _build_tray() -> dict[str, Any]:
    drop = gr.HTML([], html_template=_drop(), js_on_load=BATCH_DROP, apply_default_css=False, elem_id="batch-drop")
    run = gr.Button(text.BATCH_RUN, variant="primary", min_width=140, elem_id="batch-run")
    swatches = build_swatches(text.BATCH_BACKGROUND, "batch-background", TRANSPARENT)
    size = gr.Radio(SIZES, value="Auto", label=text.BATCH_SIZE)
    with_alpha = gr.Checkbox(False, label=text.BATCH_ALPHA, info=text.BATCH_ALPHA_INFO, elem_id="batch-alpha")
    return {
        "drop": drop,
        "run": run,
        "behind": swatches.choice,
        "picture": swatches.picture,
        "size": size,
        "with_alpha": with_alpha,
    }


def waiting() -> str:
    """What to do, and how much of it."""
    return text.BATCH_WAITING.format(photos=limits.BATCH_PHOTOS, megabytes=limits.UPLOAD_BYTES // limits.MB)


def _drop() -> str:
    words = {
        "sending": text.BATCH_SENDING,
        "chosen": text.BATCH_CHOSEN,
        "failed": text.BATCH_NOT_SENT,
        "large": text.BATCH_FILE_LARGE.format(limit=limits.UPLOAD_BYTES // limits.MB),
        "broken": text.BATCH_CONNECTION,
        "most": str(limits.UPLOAD_BYTES),
    }
    data = " ".join(f'data-{name}="{escape(words)}"' for name, words in words.items())
    return (
        f'<div class="block batch-drop" {data}><label><b>{text.BATCH_DROP}</b><span>{text.BATCH_CHOOSE}</span>'
        f'<input type="file" multiple accept="image/*,.zip,application/zip" aria-label="{text.BATCH_DROP_LABEL}"/></label>'
        f'<p class="chosen" role="status"></p><ul class="failed"></ul>'
        f'<button type="button" class="none" hidden>{text.BATCH_REMOVE}</button></div>'
    )


def _gallery() -> str:
    words = {"before": text.BATCH_BEFORE_ALT, "after": text.BATCH_AFTER_ALT, "grip": text.BATCH_GRIP, "open": text.BATCH_OPEN}
    data = " ".join(f'data-{name}="{escape(words)}"' for name, words in words.items())
    return f'<section class="gallery" aria-label="{text.BATCH_GALLERY}" {data}></section>'


def gallery_value(batch: Batch, *, ended: bool = False) -> dict[str, Any]:
    """What the gallery draws: a card a photo; none of them waits once the work has ended."""
    cards = [_card(number, entry, ended) for number, entry in enumerate(batch.entries)]
    return {"key": batch.key, "cards": cards}


def _card(number: int, entry: Entry, ended: bool) -> dict[str, Any]:
    words, given_up = [text.BATCH_STATES[entry.state]], ended and not entry.ended
    if given_up:
        words = [text.BATCH_NOT_DONE]
    elif entry.state == "failed":
        words = [f"{text.BATCH_STATES[entry.state]}: {entry.reason}"]
    elif entry.state == "done":
        words = [f"{entry.size[0]} × {entry.size[1]}", f"{entry.seconds:.1f} s"]
        words += [] if entry.found_somebody else [text.BATCH_NOBODY]
    return {
        "number": number,
        "name": entry.source.name,
        "state": WAITING if given_up else entry.state,
        "words": " · ".join(words),
        "before": address_of(entry.before) if entry.before else "",
        "after": address_of(entry.after) if entry.after else "",
        "ratio": entry.size[0] / entry.size[1] if entry.size[1] else 1,
    }


def batch_progress_html(batch: Batch, entry: Entry) -> str:
    """A bar with the photos that have ended, and the one that is worked on."""
    total, ended = len(batch.entries), sum(one.ended for one in batch.entries)
    number = min(batch.entries.index(entry) + 1, total)
    message = escape(text.BATCH_PROGRESS.format(number=number, total=total, name=entry.source.name))
    bar = f'<i style="width:{100 * ended / total:.1f}%"></i>'
    return (
        f'<div class="clip-progress" role="progressbar" aria-valuemin="0" aria-valuemax="{total}" aria-valuenow="{ended}" '
        f'aria-label="{message}">{bar}</div><p class="note" role="status">{message}</p>'
    )


def archive_html(batch: Batch) -> str:
    """The link to the zip, and what was left out."""
    link = ""
    if batch.archive is not None:
        photos = text.BATCH_ONE_PHOTO if batch.done == 1 else text.BATCH_PHOTOS.format(count=batch.done)
        size = text.BATCH_ARCHIVE.format(photos=photos, megabytes=batch.archive.stat().st_size / limits.MB)
        link = (
            f'<div class="actions"><a class="act main" id="batch-download" href="{address_of(batch.archive)}" '
            f'download="{batch.archive.name}"><b>{text.BATCH_DOWNLOAD}</b><small>{size}</small></a></div>'
        )
    left_out = [(entry.source.name, entry.reason) for entry in batch.entries if entry.state == "failed"]
    left_out += [(entry.source.name, text.BATCH_NOBODY) for entry in batch.entries if not entry.found_somebody]
    left_out += batch.refused
    lines = [f"<li><b>{escape(name)}</b>: {escape(reason)}</li>" for name, reason in left_out[:_MOST_LEFT_OUT]]
    if len(left_out) > _MOST_LEFT_OUT:
        lines.append(f"<li>{text.BATCH_MORE_LEFT_OUT.format(count=len(left_out) - _MOST_LEFT_OUT)}</li>")
    named = f'<div class="left-out"><h3>{text.BATCH_LEFT_OUT}</h3><ul>{"".join(lines)}</ul></div>' if lines else ""
    return link + named
