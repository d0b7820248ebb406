"""HTML and SVG of the Clip tab: progress bar, facts, chart over time, and a frame between its neighbours."""

import math
from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from matting.app import text
from matting.app.views.region_drawing import data_uri
from matting.inference.clip import ClipProgress, ClipReport
from matting.inference.temporal import flickery_frames
from matting.media.export import preview_panel
from matting.media.reader import ClipReader

_WIDTH, _LEFT, _RIGHT = 860, 62, 14
_TELLING = 10  # frames after which their mean time says something about the rest
_ROW, _TOP, _GAP = 96, 26, 44  # heights of the chart's rows, its margin and the space between rows


def progress_html(step: ClipProgress) -> str:
    """A bar with frames done and time left."""
    percent = 100 * step.done / max(step.total, step.done, 1)
    message = text.CLIP_PROGRESS.format(done=step.done, total=step.total)
    if step.done >= _TELLING:
        message += text.CLIP_LEFT.format(left=_spell_seconds(step.seconds_left))
    if step.done >= step.total:
        message = text.CLIP_FINISHING
    return (
        f'<div class="clip-progress" role="progressbar" aria-valuemin="0" aria-valuemax="{step.total}" '
        f'aria-valuenow="{step.done}" aria-label="{escape(message)}"><i style="width:{percent:.1f}%"></i></div>'
        f'<p class="note" role="status">{escape(message)}</p>'
    )


def _spell_seconds(seconds: float) -> str:
    whole = math.ceil(seconds)
    return f"{whole} s" if whole < 90 else f"{round(whole / 60)} min"


def clip_facts_html(report: ClipReport, weights: str) -> str:
    """Frames, sizes, cost and flicker as a list of terms, and the share of each stage in the time."""
    info, frames = report.info, report.frames
    flickery = len(flickery_frames([frame.change for frame in frames]))
    values = {
        "frames": f"{len(frames):,}",
        "size": f"{info.width} × {info.height}",
        "working": f"{report.working_size[1]} × {report.working_size[0]}",
        "share": f"{np.mean([frame.unknown_share for frame in frames]):.1%}",
        "per_frame": f"{report.wall / len(frames):.2f}",
        "one_flickers" if flickery == 1 else "flickery": str(flickery),
        "weights": escape(weights),
    }
    items = "".join(f"<div><dd>{value}</dd><dt>{text.CLIP_FACTS[name]}</dt></div>" for name, value in values.items())
    shares = " · ".join(f"{text.CLIP_STAGES[name]} {value / report.wall:.0%}" for name, value in report.seconds.items())
    return f'<dl class="facts">{items}</dl><p class="stages-line">{text.CLIP_BUSY.format(shares=shares)}</p>'


def clip_chart_html(report: ClipReport, chosen: int | None = None) -> str:
    """Unknown share and change of alpha over time; frames that flicker can be picked."""
    times = [frame.time for frame in report.frames]
    shares = [frame.unknown_share for frame in report.frames]
    changes = [frame.change.change for frame in report.frames]
    marks = flickery_frames([frame.change for frame in report.frames])
    second = _TOP + _ROW + _GAP
    parts = [
        _curve(times, shares, _TOP, text.CLIP_CHART_UNKNOWN, "unknown"),
        _curve(times, changes, second, text.CLIP_CHART_CHANGE, "change"),
        _cuts(report, second + _ROW),
        _seconds_axis(times, second + _ROW),
        *(_mark(i, times, changes, second, i == chosen) for i in sorted(marks)),
    ]
    note = text.CLIP_CHART_NOTE if marks else text.CLIP_CHART_CALM
    if any(frame.change.cut for frame in report.frames):
        note += f" {text.CLIP_CHART_CUTS}"
    return (
        f"<h2>{text.CLIP_CHART_TITLE}</h2>"
        f'<figure class="chart over-time" tabindex="0"><svg viewBox="0 0 {_WIDTH} {second + _ROW + 40}" role="group" '
        f'aria-label="{text.CLIP_CHART_ALT}">{"".join(parts)}</svg><figcaption>{note}</figcaption></figure>'
    )


def _x(times: Sequence[float], time: float) -> float:
    span = max(times[-1] - times[0], 1e-9)
    return _LEFT + (time - times[0]) / span * (_WIDTH - _LEFT - _RIGHT)


def _curve(times: Sequence[float], values: Sequence[float], top: float, title: str, kind: str) -> str:
    limit = max(max(values), 1e-6)
    floor = top + _ROW
    points = " ".join(f"{_x(times, t):.1f},{floor - v / limit * _ROW:.1f}" for t, v in zip(times, values, strict=True))
    label = f"{limit:.0%}" if kind == "unknown" else f"{limit:.4f}"
    return (
        f'<text class="row" x="{_LEFT}" y="{top - 9}">{title}</text>'
        f'<text class="tick" x="{_LEFT - 8}" y="{top + 5}" text-anchor="end">{label}</text>'
        f'<text class="tick" x="{_LEFT - 8}" y="{floor + 4}" text-anchor="end">0</text>'
        f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{floor}" y2="{floor}"/>'
        f'<polygon class="{kind}" points="{_x(times, times[0]):.1f},{floor} {points} {_x(times, times[-1]):.1f},{floor}"/>'
        f'<polyline class="{kind}" points="{points}"/>'
    )


def _cuts(report: ClipReport, floor: float) -> str:
    times = [frame.time for frame in report.frames]
    places = (_x(times, frame.time) for frame in report.frames if frame.change.cut)
    return "".join(f'<line class="cut" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{floor}"/>' for x in places)


def _seconds_axis(times: Sequence[float], floor: float) -> str:
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    return (
        f'<text class="tick" x="{_LEFT}" y="{floor + 20}">{times[0]:.1f}</text>'
        f'<text class="tick" x="{_WIDTH - _RIGHT}" y="{floor + 20}" text-anchor="end">{times[-1]:.1f}</text>'
        f'<text class="tick" x="{middle}" y="{floor + 20}" text-anchor="middle">{text.CLIP_CHART_SECONDS}</text>'
    )


def _mark(frame: int, times: Sequence[float], changes: Sequence[float], top: float, chosen: bool) -> str:
    x, y = _x(times, times[frame]), top + _ROW - changes[frame] / max(max(changes), 1e-6) * _ROW
    label = text.CLIP_CHART_MARK.format(frame=frame + 1, seconds=times[frame])
    return (
        f'<g class="flicker{" chosen" if chosen else ""}" data-pick="{frame}" role="button" tabindex="0" aria-label="{label}">'
        f'<title>{label}</title><circle class="hit" cx="{x:.1f}" cy="{y:.1f}" r="16"/>'
        f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="6"/></g>'
    )


def strip_html(report: ClipReport, preview: Path, frame: int) -> str:
    """A frame between its neighbours: input above refined alpha, cut out of the preview."""
    shown = [i for i in (frame - 1, frame, frame + 1) if 0 <= i < len(report.frames)]
    pictures = _read_frames(preview, shown)
    size = preview_panel(report.info.width, report.info.height)
    figures = []
    for i, picture in zip(shown, pictures, strict=True):
        place = text.CLIP_STRIP[i - frame + 1]
        alt = text.CLIP_STRIP_PICTURES.format(place=place)
        figures.append(
            f'<figure><img src="{data_uri(_input_over_alpha(picture, *size), "JPEG")}" alt="{alt}"/>'
            f"<figcaption>{place}</figcaption></figure>"
        )
    title = text.CLIP_STRIP_TITLE.format(frame=frame + 1, seconds=report.frames[frame].time)
    return f'<h3>{title}</h3><div class="frame-strip">{"".join(figures)}</div>'


def _input_over_alpha(picture: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """The first and third panel of a preview frame, one above the other."""
    columns = picture.shape[1] // width
    panels = [picture[(n // columns) * height :, (n % columns) * width :][:height, :width] for n in (0, 2)]
    return np.vstack(panels)


def _read_frames(clip: Path, wanted: Sequence[int]) -> list[NDArray[np.uint8]]:
    with ClipReader(clip) as reader:
        return [frame.image for i, frame in enumerate(reader) if i in wanted]
