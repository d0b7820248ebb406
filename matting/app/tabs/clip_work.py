"""What the tab "Clip" and its endpoint share: the limits of a clip, its files, and the work on it in plain words."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from matting.app import text
from matting.app.device import ClipStep
from matting.app.errors import Problem, plain_errors, without_folders
from matting.app.results.result import file_stem
from matting.app.service import Service
from matting.app.session import Session
from matting.app.stopping import StoppedError, stoppable
from matting.app.views.clip_page import ALWAYS
from matting.inference.clip import ClipSettings
from matting.inference.matte import BackgroundSource
from matting.inference.people import NobodyThereError
from matting.media.export import EXPORT_FORMATS, export_path
from matting.media.reader import ClipReader

MAX_SECONDS = 20
MAX_FRAMES = 600
MAX_FRAME_PIXELS = 1920 * 1088


def find_problem(clip: str | None) -> str:
    """What is wrong with an upload and what to do about it; empty if nothing is."""
    if clip is None:
        return text.ERROR_NO_CLIP
    try:
        with ClipReader(clip) as reader:
            info = reader.info
    except (ValueError, OSError) as error:
        return text.ERROR_CLIP.format(reason=without_folders(error))
    if info.width * info.height > MAX_FRAME_PIXELS:
        return text.ERROR_CLIP_LARGE.format(width=info.width, height=info.height, limit=MAX_FRAME_PIXELS / 1e6)
    if info.duration > MAX_SECONDS or info.frames > MAX_FRAMES:
        return text.ERROR_CLIP_LONG.format(got=info.duration, frames=info.frames, seconds=MAX_SECONDS, most=MAX_FRAMES)
    return ""


def clip_outputs(clip: str | Path, products: list[str], session: Session) -> dict[str, Path]:
    """A path for each product; raises `Problem` if there is none."""
    if not [product for product in products if product not in ALWAYS]:
        raise Problem(text.ERROR_CLIP_FILES)
    folder, stem = session.begin_clip(), file_stem(clip)
    made = {product: EXPORT_FORMATS[product] for product in products if product in EXPORT_FORMATS}
    names = {product: stem if kind.ending.startswith("-") else f"{stem}-cutout" for product, kind in made.items()}
    return {product: export_path(folder, name, product) for product, name in names.items()}


def run_clip(
    service: Service,
    session: Session,
    clip: Path,
    settings: ClipSettings,
    background: BackgroundSource,
    outputs: dict[str, Path],
) -> Iterator[ClipStep]:
    """`iterate_clip` on the device, in plain words; raises `StoppedError` if the visitor changes their mind."""
    turn = session.clip_turn
    with _clip_errors(), closing(service.work.matte_clip(clip, outputs, settings, background)) as steps:
        begin = True
        while True:
            with stoppable(service.model, session, begin=begin):
                step = next(steps, None)
            if step is None:
                return
            if session.stop.is_set() or session.clip_turn is not turn:
                raise StoppedError
            begin = False
            yield step


@contextmanager
def _clip_errors() -> Iterator[None]:
    """What goes wrong with a clip, in plain words."""
    with plain_errors(text.ERROR_CLIP):
        try:
            yield
        except NobodyThereError:
            raise Problem(text.CLIP_NOBODY_THERE) from None
