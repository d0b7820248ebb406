"""Matte a clip frame by frame: decoding, network and encoding overlap; memory use does not depend on the clip's length."""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from torch import Tensor

from matting.inference.components import drop_small_components
from matting.inference.exposure import brighten
from matting.inference.matte import BackgroundSource, read_background
from matting.inference.people import PersonFollower
from matting.inference.temporal import AlphaChange, ChangeMeter, CoarseFrame, TemporalFilter, is_cut
from matting.inference.trimap import apply_trimap, mark_unknown
from matting.inference.working_size import REGION_STEP, working_size
from matting.media.export import EXPORT_FORMATS, MatteFrame
from matting.media.image import Picture
from matting.media.prefetch import prefetch
from matting.media.reader import ClipInfo, ClipReader, Frame
from matting.network import CoarsePrediction, MattingNetwork, refine_regions, select_regions
from matting.postprocess.upsample import enlarge_coarse, resize_alpha, to_array, to_tensor, upsample_alpha

_BATCH_PIXELS, _BATCH_PIXELS_CUDA = 1024**2, 8 * 1024**2  # of a batch at working size
_MAX_BATCH_FRAMES = 8
CLIP_MAX_SIDE = 768  # pixels; photos use 896, but a clip has many frames
DEFAULT_BACKGROUND = (0, 177, 64)  # the green of a studio screen
STAGES = ("decode", "network", "encode")


@dataclass(frozen=True)
class ClipSettings:
    """How a clip is matted.

    Attributes:
        max_side: longest working side in pixels.
        unknown_bias: added to the trimap's logit of unknown; above 0 more regions are refined, 0 is the paper.
        refine: False returns the coarse alpha, enlarged bilinearly.
        ignore_alpha: True composites a clip that has an alpha on white and treats it as opaque.
        person: (x, y) of somebody in the first frame, as shares of its width and height: only they are kept, up to the first
            scene cut (see `PersonFollower`); None keeps everybody.
        temporal: whether the coarse stage's output is filtered over time (see `TemporalFilter`); False treats every frame as a
            photo.
        closed_form: False leaves out closed-form matting.
    """

    max_side: int = CLIP_MAX_SIDE
    unknown_bias: float = 0.0
    refine: bool = True
    temporal: bool = True
    ignore_alpha: bool = False
    person: tuple[float, float] | None = None
    closed_form: bool = True


@dataclass(frozen=True)
class FrameFacts:
    """Statistics of one matted frame.

    Attributes:
        time: presentation time in seconds.
        unknown_share: share of the cells that were refined, in [0, 1].
        change: how its alpha differs from the neighbouring frames'.
    """

    time: float
    unknown_share: float
    change: AlphaChange


@dataclass(frozen=True)
class ClipReport:
    """Statistics and outputs of one matted clip.

    Attributes:
        info: the source clip.
        working_size: (height, width) in pixels of the network's input.
        frames: one entry per frame.
        seconds: time spent per stage, "decode", "network" and "encode"; they overlap, so their sum exceeds `wall`.
        wall: seconds from start to end.
        paths: the output file of each export format.
        notes: what has to be said: sound tracks that were left out and why, and where a person could not be followed on.
    """

    info: ClipInfo
    working_size: tuple[int, int]
    frames: tuple[FrameFacts, ...]
    seconds: Mapping[str, float]
    wall: float
    paths: Mapping[str, Path]
    notes: tuple[str, ...] = ()

    def summary(self) -> str:
        """One line: frames, seconds per frame, and the share of each stage in the time."""
        shares = ", ".join(f"{stage} {seconds / self.wall:.0%}" for stage, seconds in self.seconds.items())
        unknown = np.mean([frame.unknown_share for frame in self.frames])
        height, width = self.working_size
        return (
            f"{len(self.frames)} frames, {self.wall / len(self.frames):.3f} s each at {width}x{height}, "
            f"{unknown:.1%} of the pixels refined; busy: {shares}"
        )


@dataclass(frozen=True)
class ClipProgress:
    """How far the matting of a clip is.

    Attributes:
        done: frames finished.
        total: frames in all, as far as the file tells.
        seconds_left: estimate from the mean time per frame so far.
        report: only in the last one, else None.
        frame: the one finished last; None in the last one.
    """

    done: int
    total: int
    seconds_left: float
    report: ClipReport | None = None
    frame: MatteFrame | None = None

    @property
    def final_report(self) -> ClipReport:
        """The report of the last step; raises ValueError if this is not the last one."""
        if self.report is None:
            raise ValueError(f"expected the last step, got frame {self.done} of {self.total}")
        return self.report


def matte_clip(
    source: str | os.PathLike,
    model: MattingNetwork,
    outputs: Mapping[str, str | os.PathLike],
    settings: ClipSettings = ClipSettings(),
    *,
    background: BackgroundSource = DEFAULT_BACKGROUND,
    progress: Callable[[ClipProgress], None] = lambda step: None,
) -> ClipReport:
    """Matte a clip and save it in one or several export formats.

    Args:
        source: path of the clip.
        model: network in eval mode.
        outputs: path by export format, the keys of `matting.media.export.EXPORT_FORMATS`.
        settings: how to matte.
        background: behind the foreground in "composite" and "preview": (R, G, B), a picture, or "blur".
        progress: called after every frame.

    Returns:
        The clip's statistics and the paths written.

    Raises:
        FileNotFoundError: if there is no such clip.
        ValueError: if the clip cannot be read, an output is not known, or nobody is where `settings.person` says.
        OSError: if an output cannot be written. In any case no unfinished file is left.
    """
    with closing(iterate_clip(source, model, outputs, settings, background=background)) as steps:
        for step in steps:
            progress(step)
    return step.final_report


def iterate_clip(
    source: str | os.PathLike,
    model: MattingNetwork,
    outputs: Mapping[str, str | os.PathLike],
    settings: ClipSettings = ClipSettings(),
    *,
    background: BackgroundSource = DEFAULT_BACKGROUND,
) -> Generator[ClipProgress, None, None]:
    """`matte_clip` step by step: yields after every frame; closing the iterator stops the work and removes its files."""
    unknown = [name for name in outputs if name not in EXPORT_FORMATS]
    if unknown:
        raise ValueError(f"unknown export format {unknown[0]!r}, expected some of {', '.join(EXPORT_FORMATS)}")
    paths = {name: Path(path) for name, path in outputs.items()}
    behind = read_background(background)
    started, seconds, facts, meter = perf_counter(), dict.fromkeys(STAGES, 0.0), [], ChangeMeter()
    with ExitStack() as stack:
        reader = stack.enter_context(ClipReader(source))
        writers = [stack.enter_context(EXPORT_FORMATS[name].open(path, reader, behind)) for name, path in paths.items()]
        batches = stack.enter_context(closing(prefetch(matte_frames(reader, model, settings, seconds))))
        for frame in chain.from_iterable(batches):
            with _timed(seconds, "encode"):
                for writer in writers:
                    writer.write(frame)
            meter.push(frame.alpha, frame.cut)
            facts.append((float(frame.pts * reader.info.time_base), frame.unknown_share))
            done, total = len(facts), reader.info.frames
            yield ClipProgress(done, total, (perf_counter() - started) / done * max(0, total - done), frame=frame)
        with _timed(seconds, "encode"):
            stack.close()
    frames = tuple(FrameFacts(*fact, change) for fact, change in zip(facts, meter.finish(), strict=True))
    size = working_size(reader.info.height, reader.info.width, settings.max_side)
    notes = (*dict.fromkeys(note for writer in writers for note in writer.notes), *_follow_notes(frames, settings))
    report = ClipReport(reader.info, size, frames, seconds, perf_counter() - started, paths, notes)
    yield ClipProgress(len(frames), len(frames), 0.0, report)


def _follow_notes(frames: tuple[FrameFacts, ...], settings: ClipSettings) -> list[str]:
    cuts = [frame.time for frame in frames if frame.change.cut]
    followed = settings.person is not None and cuts
    return [f"a new scene begins at {cuts[0]:.2f} s; from there on everybody is kept"] if followed else []


def matte_frames(
    reader: ClipReader, model: MattingNetwork, settings: ClipSettings, seconds: dict[str, float]
) -> Generator[list[MatteFrame], None, None]:
    """Batches of matted frames, in order; the next frames are decoded while the network works.

    Args:
        reader: an open clip.
        model: network in eval mode.
        settings: how to matte.
        seconds: the time spent is added to its entries "decode" and "network".
    """
    size = working_size(reader.info.height, reader.info.width, settings.max_side)
    device = next(model.parameters()).device
    temporal = TemporalFilter() if settings.temporal else None
    follower = PersonFollower(*settings.person) if settings.person else None
    waiting: deque[Frame] = deque()
    previous, length = None, _batch_length(reader.info, size, device)
    with closing(prefetch(_batches(reader, length, seconds, settings.ignore_alpha))) as batches:
        for frames in batches:
            with _timed(seconds, "network"):
                images = torch.cat([to_tensor(frame.image, size, device) for frame in frames])
                coarse = coarse_stage(model, images, previous, follower)
                previous = images[-1]
                waiting.extend(frames)
                ready = [temporal.push(frame) for frame in coarse] if temporal else coarse
                mattes = refine_stage(model, waiting, [frame for frame in ready if frame], settings)
            yield mattes
    if temporal:
        with _timed(seconds, "network"):
            last = temporal.flush()
            mattes = refine_stage(model, waiting, [last] if last else [], settings)
        yield mattes


@torch.inference_mode()
def coarse_stage(
    model: MattingNetwork, images: Tensor, previous: Tensor | None, follower: PersonFollower | None = None
) -> list[CoarseFrame]:
    """images (B, 3, H, W) -> their coarse predictions; `previous` (3, H, W) is the frame before the first."""
    befores = [previous, *images[:-1]]
    cuts = [before is not None and is_cut(before, image) for before, image in zip(befores, images, strict=True)]
    coarse = model.coarse(brighten(images))
    coarse = drop_small_components(follower.keep(coarse, cuts) if follower else coarse)
    return [CoarseFrame(*one) for one in zip(images, coarse.alpha, coarse.trimap, cuts, strict=True)]


@torch.inference_mode()
def refine_stage(
    model: MattingNetwork, waiting: deque[Frame], ready: list[CoarseFrame], settings: ClipSettings
) -> list[MatteFrame]:
    """Refine the ready frames, which are the first ones of `waiting`, and bring their alphas to the clip's size."""
    if not ready:
        return []
    images, alphas, trimaps = (torch.stack(maps) for maps in list(zip(*ready, strict=True))[:3])
    coarse = CoarsePrediction(alphas, trimaps, ())
    cells = select_regions(trimaps, settings.unknown_bias)
    cells = cells if settings.refine else cells[:0]
    known_alpha = apply_trimap(coarse, cells)
    refined = refine_regions(model, brighten(images), coarse, cells, known_alpha=known_alpha, region_step=REGION_STEP).alpha
    known = mark_unknown(known_alpha, cells)
    counts = torch.bincount(cells[:, 0], minlength=len(ready)).tolist()
    mattes = []
    for i, (enlarged, cut) in enumerate(zip(enlarge_coarse(alphas), (one.cut for one in ready), strict=True)):
        frame = waiting.popleft()
        coarse_alpha = resize_alpha(to_array(enlarged), *frame.image.shape[:2])
        small = images[i].permute(1, 2, 0).cpu().numpy()
        alpha = (
            upsample_alpha(to_array(refined[i]), to_array(known[i]), small, frame.image, closed=settings.closed_form)
            if settings.refine
            else coarse_alpha
        )
        share = counts[i] / trimaps[0, 0].numel()
        came = None if frame.alpha is None else frame.alpha.astype(np.float32) / np.float32(255)
        if came is not None:
            alpha, coarse_alpha = alpha * came, coarse_alpha * came
        mattes.append(MatteFrame(frame.image, alpha, coarse_alpha, frame.pts, frame.duration, share, cut, came))
    return mattes


def _batches(
    reader: ClipReader, length: int, seconds: dict[str, float], ignore_alpha: bool
) -> Generator[list[Frame], None, None]:
    frames = map(_on_white, reader) if ignore_alpha else iter(reader)
    while True:
        with _timed(seconds, "decode"):
            batch = list(islice(frames, length))
        if not batch:
            return
        yield batch


def _on_white(frame: Frame) -> Frame:
    if frame.alpha is None:
        return frame
    image = Picture(frame.image, frame.alpha.astype(np.float32) / np.float32(255)).on((255, 255, 255))
    return frame._replace(image=image, alpha=None)


def _batch_length(info: ClipInfo, size: tuple[int, int], device: torch.device) -> int:
    """Frames per batch, bounded by the pixels at the working size and by half of those at the clip's size (memory)."""
    pixels = max(size[0] * size[1], info.width * info.height // 2)
    return max(1, min(_MAX_BATCH_FRAMES, (_BATCH_PIXELS_CUDA if device.type == "cuda" else _BATCH_PIXELS) // pixels))


@contextmanager
def _timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    start = perf_counter()
    try:
        yield
    finally:
        seconds[stage] += perf_counter() - start
