"""The export formats of matted clips: one entry of `EXPORT_FORMATS` each, to which every frame is written in turn."""

import csv
import io
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, partial
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from matting.media.atomic import AtomicFile
from matting.media.encoding import H264_MP4, PRORES_4444_MOV, VP9_ALPHA_WEBM, Encoding
from matting.media.names import fit_name
from matting.media.reader import ClipReader
from matting.media.writer import ClipWriter
from matting.postprocess.bit_depth import to_8_bit
from matting.postprocess.compositing import Background, blur_background, compose, composite, paint_background
from matting.postprocess.foreground import estimate_foreground

PREVIEW_SIDE = 1280  # longest side of what is made to look at, pixels
_CHECK_PX, _CHECK_GREYS = 12, (214, 240)  # squares of a checkerboard
_FASTEST_PNG = 1  # zlib level; higher ones save a few percent of the size and take several times as long

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class MatteFrame:
    """One matted frame of a clip.

    Attributes:
        image: (H, W, 3) uint8 RGB, straight colours where the clip came with an alpha.
        alpha, coarse_alpha: (H, W) float32 in [0, 1], at the size of the image; times the alpha the clip came with.
        pts, duration: ticks of the clip's time base.
        unknown_share: share of the cells that were refined.
        cut: whether a new scene begins with this frame.
        input_alpha: (H, W) float32 in [0, 1] that the clip came with, None if it was opaque or this was to be ignored.
    """

    image: Pixels
    alpha: NDArray[np.float32]
    coarse_alpha: NDArray[np.float32]
    pts: int
    duration: int
    unknown_share: float
    cut: bool
    input_alpha: NDArray[np.float32] | None = None

    @cached_property
    def foreground(self) -> Pixels:
        """(H, W, 3) uint8: estimated foreground colours, extrapolated where alpha is 0, so that no old background is left."""
        colours = estimate_foreground(self.image, self.alpha, self.input_alpha)
        extrapolated = blur_background(colours, 1 - self.alpha)
        return np.where(self.alpha[..., None] > 0, colours, extrapolated)

    @cached_property
    def cutout(self) -> Pixels:
        """(H, W, 4) uint8 RGBA with straight alpha."""
        return np.dstack([self.foreground, to_8_bit(self.alpha)])


class Export(Protocol):
    """An open output file: every frame is written to it; it gets its name once the `with` block ends without an error."""

    def write(self, frame: MatteFrame) -> None: ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What has to be said about the file, once it is complete."""
        ...


@dataclass(frozen=True)
class ExportFormat:
    """A kind of file that a matted clip can be saved as.

    Attributes:
        ending: appended to the clip's stem to make the file's name.
        title: shown to users.
        open: (path, open source clip, background) -> context manager of an `Export`.
    """

    ending: str
    title: str
    open: Callable[[Path, ClipReader, Background], AbstractContextManager[Export]]


def export_path(folder: Path, stem: str, name: str) -> Path:
    """Path of a clip's file in the export format of this name: portrait + "alpha" -> portrait-alpha.mp4."""
    return folder / fit_name(stem, EXPORT_FORMATS[name].ending)


@dataclass(frozen=True)
class EncodedExport:
    """An encoded clip whose frames are made by `draw(frame, background)`."""

    writer: ClipWriter
    draw: Callable[[MatteFrame, Background], Pixels]
    background: Background

    def write(self, frame: MatteFrame) -> None:
        self.writer.write(self.draw(frame, self.background), frame.pts, frame.duration)

    @property
    def notes(self) -> tuple[str, ...]:
        return self.writer.notes


class PngSequence:
    """RGBA PNGs and a table of their time stamps in a zip archive; without audio."""

    def __init__(self, archive: zipfile.ZipFile, time_base: Fraction):
        self._archive, self._time_base = archive, time_base
        self._times: list[tuple[str, float]] = []

    def write(self, frame: MatteFrame) -> None:
        name = f"frame_{len(self._times):06d}.png"
        data = io.BytesIO()
        Image.fromarray(frame.cutout).save(data, "PNG", compress_level=_FASTEST_PNG)
        self._archive.writestr(name, data.getvalue())
        self._times.append((name, float(frame.pts * self._time_base)))

    @property
    def notes(self) -> tuple[str, ...]:
        return ()

    def write_times(self) -> None:
        table = io.StringIO()
        csv.writer(table).writerows([("file", "seconds"), *self._times])
        self._archive.writestr("times.csv", table.getvalue())


@contextmanager
def _open_encoded(
    encoding: Encoding,
    draw: Callable[[MatteFrame, Background], Pixels],
    path: Path,
    reader: ClipReader,
    background: Background,
) -> Iterator[EncodedExport]:
    info = reader.info
    with ClipWriter(path, encoding, info.width, info.height, reader, info.pixel_aspect) as writer:
        yield EncodedExport(writer, draw, background)


@contextmanager
def _open_preview(path: Path, reader: ClipReader, background: Background) -> Iterator[EncodedExport]:
    width, height = preview_panel(reader.info.width, reader.info.height)
    columns, rows = _preview_grid(width, height)
    with ClipWriter(path, H264_MP4, columns * width, rows * height, reader, reader.info.pixel_aspect) as writer:
        yield EncodedExport(writer, draw_preview, background)


@contextmanager
def _open_checkerboard(path: Path, reader: ClipReader, background: Background) -> Iterator[EncodedExport]:
    width, height = _fit(reader.info.width, reader.info.height, PREVIEW_SIDE)
    with ClipWriter(path, H264_MP4, width, height, reader, reader.info.pixel_aspect) as writer:
        yield EncodedExport(writer, draw_on_checkerboard, _checkerboard(width, height))


@contextmanager
def _open_png(path: Path, reader: ClipReader, background: Background) -> Iterator[PngSequence]:
    with AtomicFile(path) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:
        sequence = PngSequence(archive, reader.info.time_base)
        yield sequence
        sequence.write_times()


def preview_panel(width: int, height: int) -> tuple[int, int]:
    """Even width and height in pixels of one of the preview's four panels."""
    columns, rows = _preview_grid(width, height)
    return _fit(width, height, PREVIEW_SIDE // columns, PREVIEW_SIDE // rows)


def _fit(width: int, height: int, most_wide: int, most_high: int | None = None) -> tuple[int, int]:
    """Even sides in pixels that are not larger than these."""
    scale = min(1.0, most_wide / width, (most_high or most_wide) / height)
    width, height = (max(2, round(side * scale / 2) * 2) for side in (width, height))
    return width, height


def _preview_grid(width: int, height: int) -> tuple[int, int]:
    """Columns and rows of panels: portrait format in a row of four, landscape two by two."""
    return (4, 1) if height > width else (2, 2)


def draw_preview(frame: MatteFrame, background: Background) -> Pixels:
    """Input, coarse alpha, final alpha and composite side by side, at most `PREVIEW_SIDE` pixels wide and high."""
    size = preview_panel(*frame.image.shape[1::-1])
    image = np.asarray(Image.fromarray(frame.image).resize(size, Image.Resampling.BOX))
    coarse, alpha = (
        np.asarray(Image.fromarray(a).resize(size, Image.Resampling.BOX)) for a in (frame.coarse_alpha, frame.alpha)
    )
    came = (
        None if frame.input_alpha is None else np.asarray(Image.fromarray(frame.input_alpha).resize(size, Image.Resampling.BOX))
    )
    panels = [image, _draw_grey(coarse), _draw_grey(alpha), compose(image, alpha, background, came)]
    columns, _ = _preview_grid(*size)
    return np.vstack([np.hstack(panels[i : i + columns]) for i in range(0, 4, columns)])


def draw_on_checkerboard(frame: MatteFrame, background: Background) -> Pixels:
    """(h, w, 3): the cut-out on a checkerboard (h, w, 3) of another size."""
    size = np.asarray(background).shape[1::-1]
    layers = (Image.fromarray(layer) for layer in (frame.foreground, frame.alpha))
    foreground, alpha = (np.asarray(layer.resize(size, Image.Resampling.BOX)) for layer in layers)
    return composite(foreground, alpha, np.asarray(background))


def _checkerboard(width: int, height: int) -> Pixels:
    rows, columns = np.ogrid[:height, :width]
    grey = np.where((rows // _CHECK_PX + columns // _CHECK_PX) % 2, *_CHECK_GREYS).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def draw_composite(frame: MatteFrame, background: Background) -> Pixels:
    """(H, W, 3): estimated foreground colours composited onto the background."""
    return composite(frame.foreground, frame.alpha, paint_background(background, frame.image, frame.alpha))


def _draw_grey(alpha: NDArray[np.float32]) -> Pixels:
    return np.repeat(to_8_bit(alpha)[..., None], 3, axis=2)


def _encoded(ending: str, title: str, encoding: Encoding, draw: Callable[[MatteFrame, Background], Pixels]) -> ExportFormat:
    return ExportFormat(ending, title, partial(_open_encoded, encoding, draw))


EXPORT_FORMATS = {
    "webm": _encoded(".webm", "Cut-out with alpha, WebM (VP9)", VP9_ALPHA_WEBM, lambda frame, _: frame.cutout),
    "prores": _encoded(".mov", "Cut-out with alpha, ProRes 4444", PRORES_4444_MOV, lambda frame, _: frame.cutout),
    "png": ExportFormat("-frames.zip", "Cut-out frames with alpha, PNGs in a zip, no sound", _open_png),
    "composite": _encoded("-composite.mp4", "On the new background, MP4", H264_MP4, draw_composite),
    "alpha": _encoded("-alpha.mp4", "Alpha in grey, MP4", H264_MP4, lambda frame, _: _draw_grey(frame.alpha)),
    "foreground": _encoded("-foreground.mp4", "Clean colours, MP4", H264_MP4, lambda frame, _: frame.foreground),
    "checkerboard": ExportFormat("-checkerboard.mp4", "Cut-out on a checkerboard, MP4", _open_checkerboard),
    "preview": ExportFormat("-preview.mp4", "Input, coarse, refined and composite side by side, MP4", _open_preview),
}
