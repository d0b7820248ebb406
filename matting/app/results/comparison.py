"""Comparison of several methods on one photo: running them, and their pictures side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from matting.app import text
from matting.app.errors import Problem, without_folders
from matting.app.results.downloads import METRICS
from matting.app.results.measured import metrics_csv
from matting.app.results.result import Result, shrink
from matting.app.service import Service
from matting.app.session import Session, address_of
from matting.app.stopping import stoppable
from matting.app.views.ground_truth import save_button
from matting.app.views.panels import scale_html
from matting.app.views.photo_page import note_html
from matting.evaluation.figures import ERROR_MAP, alpha_grey, error_colours, shared_limit
from matting.evaluation.methods import METHODS, Method
from matting.evaluation.metrics import Metrics, measure, sad, trimap_from_alpha
from matting.media.image import save_image
from matting.postprocess.compositing import compose

CUTOUT, ALPHA, ERROR = VIEWS = ("Cut-out", "Alpha", "Error")
DEFAULT_METHODS = ("ours", "coarse")
_BEHIND = (74, 99, 94)


@dataclass(frozen=True)
class Compared:
    """One method's result for the photo.

    Attributes:
        name: of the method.
        title: shown to the visitor.
        alpha: (h, w) in [0, 1] at the size of the comparison; None if it failed.
        seconds: from image to alpha; None if it failed.
        failure: reason of a failure; None if there is an alpha.
        taken_over: whether it is what the first tab made of the photo, and not of `Photo.image`.
    """

    name: str
    title: str
    alpha: NDArray[np.float32] | None
    seconds: float | None
    failure: str | None
    taken_over: bool = False


@dataclass(frozen=True)
class Photo:
    """Input of all methods: image (h, w, 3) uint8 of at most `PREVIEW_SIDE`, true alpha (h, w) in [0, 1] or None."""

    stem: str
    image: NDArray[np.uint8]
    ground_truth: NDArray[np.float32] | None


def photo_of(result: Result) -> Photo:
    return Photo(result.stem, result.preview.image, None if result.ground_truth is None else shrink(result.ground_truth))


def known_already(result: Result) -> tuple[Compared, ...]:
    """The refined and the coarse alpha that the first tab has computed already."""
    matte = result.matte
    total = sum(matte.seconds.values())
    coarse_only = matte.seconds["resize"] + matte.seconds["coarse"]
    found = (("ours", matte.alpha, total), ("coarse", matte.coarse_alpha, coarse_only))
    return tuple(Compared(name, METHODS[name].title, shrink(alpha), seconds, None, True) for name, alpha, seconds in found)


def method_choices() -> list[tuple[str, str]]:
    """(label, name) of every method; the label says what must be downloaded and what takes long."""
    return [(_label(method), name) for name, method in METHODS.items()]


def check_methods(names: Sequence[str]) -> None:
    """Raises `Problem` unless there is at least one method and none twice; the time that a request takes is bounded so."""
    if not names:
        raise Problem(text.ERROR_METHODS)
    if len({*names}) < len(names):
        raise Problem(text.ERROR_METHODS_TWICE)


def run_method(name: str, photo: Photo, service: Service, session: Session) -> Compared:
    """Run one method; what is wrong with it becomes its `failure`. Raises `StoppedError`."""
    method = METHODS[name]
    trimap = None if photo.ground_truth is None else trimap_from_alpha(photo.ground_truth)
    try:
        with stoppable(service.model, session):
            timed = service.work.run_method(name, photo.image, trimap)
            return Compared(name, method.title, timed.estimate.alpha, timed.seconds, None)
    except (ValueError, MemoryError) as error:
        return Compared(name, method.title, None, None, without_folders(error) or type(error).__name__)


def metrics_of(entries: Sequence[Compared], photo: Photo) -> dict[str, Metrics]:
    """Metrics by title of the methods that have an alpha; empty without a true alpha."""
    if photo.ground_truth is None:
        return {}
    return {entry.title: measure(entry.alpha, photo.ground_truth) for entry in entries if entry.alpha is not None}


def lowest_error(entries: Sequence[Compared], photo: Photo) -> str:
    """Which method has the lowest SAD, in words; empty without a true alpha."""
    if photo.ground_truth is None:
        return ""
    sads = {entry.title: sad(entry.alpha, photo.ground_truth) for entry in entries if entry.alpha is not None}
    best = min(sads, key=sads.__getitem__, default=None)
    return "" if best is None else text.COMPARE_LOWEST.format(method=best, sad=sads[best])


def make_comparison_file(entries: Sequence[Compared], photo: Photo, what: str, session: Session) -> Path:
    """Write what was measured and return its path.

    Args:
        entries: of the methods.
        photo: they were given.
        what: `METRICS` for a table of all of them, or the name of a method for the map of its error, all on one scale.
        session: whose file it is.

    Raises:
        ValueError: if there is no such file, or no true alpha.
    """
    if photo.ground_truth is None:
        raise ValueError(f"expected a true alpha to measure {photo.stem} against, got none")
    if what == METRICS:
        path = session.path(f"{photo.stem}-comparison.csv")
        path.write_text(metrics_csv(metrics_of(entries, photo)), encoding="utf-8", newline="")
        return path
    chosen = next((entry for entry in entries if entry.name == what and entry.alpha is not None), None)
    pixels = None if chosen is None else picture_of(chosen, photo, ERROR, _limit(entries, photo))
    if pixels is None:
        raise ValueError(f"expected {METRICS} or a method that was compared, got {what[:20]!r}")
    path = session.path(f"{photo.stem}-error-{what}.png")
    save_image(pixels, path)
    return path


def comparison_html(entries: Sequence[Compared], photo: Photo, view: str, session: Session) -> str:
    """The pictures of all methods in one view, with seconds; all of them zoom together."""
    limit = _limit(entries, photo)
    shown = view if photo.ground_truth is not None or view != ERROR else CUTOUT
    figures = [_figure(entry, picture_of(entry, photo, view, limit), shown, photo.stem, session) for entry in entries]
    needed = scale = ""
    if view == ERROR and photo.ground_truth is None:
        needed = note_html(text.COMPARE_NO_TRUTH, "calm")
    elif view == ERROR:
        scale = scale_html(ERROR_MAP, "0", f"{limit:.2f}")
    zoom = f'<label class="zoom-control">{text.COMPARE_ZOOM}<input type="range" min="1" max="8" step="0.25" value="1"/></label>'
    return f'<div class="comparison">{needed}{zoom}<div class="grid">{"".join(figures)}</div>{scale}</div>'


def picture_of(entry: Compared, photo: Photo, view: str, limit: float) -> NDArray[np.uint8] | None:
    """(h, w, 3) uint8 of one method in one view; None if there is nothing to show."""
    if entry.alpha is None:
        return None
    if view == ALPHA:
        return alpha_grey(entry.alpha)
    if view == ERROR and photo.ground_truth is not None:
        return error_colours(np.abs(entry.alpha - photo.ground_truth), limit)
    return compose(photo.image, entry.alpha, _BEHIND)


def pair_of(
    entries: Sequence[Compared], photo: Photo, view: str, left: str | None, right: str | None
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]] | None:
    """The pictures of two methods by name, for the slider; None if one of them has none."""
    limit = _limit(entries, photo)
    shown = [entry for entry in entries if entry.name in (left, right)]
    pictures: dict[str | None, NDArray[np.uint8] | None]
    pictures = {entry.name: picture_of(entry, photo, view, limit) for entry in shown}
    first, second = pictures.get(left), pictures.get(right)
    return None if first is None or second is None else (first, second)


def _limit(entries: Sequence[Compared], photo: Photo) -> float:
    if photo.ground_truth is None:
        return 1.0
    errors = [np.abs(entry.alpha - photo.ground_truth) for entry in entries if entry.alpha is not None]
    return shared_limit(errors) if errors else 1.0


def _figure(entry: Compared, picture: NDArray[np.uint8] | None, view: str, stem: str, session: Session) -> str:
    title = escape(entry.title)
    if picture is None:
        reason = escape(text.COMPARE_FAILED.format(reason=entry.failure))
        return f'<figure><div class="missing">{reason}</div><figcaption><b>{title}</b></figcaption></figure>'
    source = address_of(session.write(picture, f"{stem}-{entry.name}", lossy=view == CUTOUT))
    seconds = text.COMPARE_SECONDS.format(seconds=entry.seconds)
    save = save_button(entry.name, text.SAVE_PANEL, f"{text.TRUTH_ERROR}, {entry.title}") if view == ERROR else ""
    return (
        f'<figure><div class="zoomed"><img src="{source}" alt="{title}"/></div>'
        f"<figcaption><b>{title}</b><span>{seconds}</span>{save}</figcaption></figure>"
    )


def _label(method: Method) -> str:
    notes = []
    if method.download is not None:
        notes.append(text.COMPARE_DOWNLOAD.format(size=method.download.size))
    if method.slow:
        notes.append(text.COMPARE_SLOW)
    if method.uses_trimap:
        notes.append(text.COMPARE_NEEDS_TRUTH)
    if method.trained_on:
        notes.append(text.COMPARE_TRAINED.format(sets=", ".join(name.upper() for name in method.trained_on)))
    return f"{method.title} ({', '.join(notes)})" if notes else method.title
