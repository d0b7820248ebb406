"""Shared by the tabs: the model, the examples, and reading of uploads with errors in plain words."""

from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from matting.app import text
from matting.app.device import Device, Lend, always_there
from matting.app.errors import Problem, plain_errors
from matting.app.results.background import PICTURE, BackgroundChoice, read_choice
from matting.app.results.kept import keep_picture
from matting.app.results.result import ExamplePhoto, Result, file_stem, make_result
from matting.app.results.strokes import Stroke, draw_scribbles
from matting.app.session import Session
from matting.app.sessions import Sessions
from matting.app.stopping import stoppable
from matting.inference.matte import Matte
from matting.media.image import FORMATS, Picture, load_image, load_picture
from matting.network import MattingNetwork, NetworkConfig
from matting.postprocess.compositing import BLUR_STRENGTH
from matting.weights import locate, read_metadata

MAX_MEGAPIXELS = 50
# Photos, a second one only beside one that takes long; clips and comparisons, for which no photo waits.
MODEL_QUEUE: dict[str, Any] = {"concurrency_id": "model", "concurrency_limit": 2}
LONG_QUEUE: dict[str, Any] = {"concurrency_id": "long", "concurrency_limit": 1}
BATCH_LANE = "batch"
BATCH_QUEUE: dict[str, Any] = {"concurrency_id": BATCH_LANE, "concurrency_limit": 1}
LONG_LANES = {"long", BATCH_LANE}  # of which one thing is done at a time
MODEL_LANES = {"model", *LONG_LANES}
PATIENCE_S = 2
EXAMPLE_QUEUE: dict[str, Any] = {
    "concurrency_id": "example",
    "concurrency_limit": 2,
}  # computed once: nobody waits behind a clip to see one
# Options of events: what is asked for while an answer is under way is answered next ...
LATEST: dict[str, Any] = {"trigger_mode": "always_last"}
# ... but for events whose data says what is meant, because Gradio answers a late one with the data before.
EVERY: dict[str, Any] = {"trigger_mode": "multiple"}
IN_ORDER: dict[str, Any] = {"concurrency_id": "walk", "concurrency_limit": 1}  # each goes on from where the one before has led
# The browser shows no error of an event that is not queued.
UNQUEUED: dict[str, Any] = {"queue": False, "api_visibility": "private", "show_progress": "hidden", **LATEST}
READING: dict[str, Any] = {"concurrency_id": "pictures", "concurrency_limit": 2}  # of whole pictures, which takes memory
QUICK: dict[str, Any] = {"concurrency_limit": None, "api_visibility": "private", "show_progress": "hidden", **LATEST}
PICKED: dict[str, Any] = {**QUICK, **EVERY}
SIZES = ("Auto", "512", "1024", "1536", "Full")


@dataclass(frozen=True)
class Settings:
    """How a photo is matted.

    Attributes:
        size: one of `SIZES`, the longer working side in pixels.
        unknown_bias: added to the logit of unknown; 0 is the paper.
        refine: whether unknown regions are redrawn.
        cross_region: whether regions look at their neighbours.
        ignore_alpha: whether the alpha that a photo came with is left aside.
    """

    size: str = "Auto"
    unknown_bias: float = 0.0
    refine: bool = True
    cross_region: bool = True
    ignore_alpha: bool = False

    def max_side(self, image: NDArray[np.uint8]) -> int | None:
        """The longest working side for this image; None leaves the choice to the pipeline.

        Raises:
            ValueError: if the size is not one of `SIZES`.
        """
        if self.size not in SIZES:
            raise ValueError(f"working size must be one of {', '.join(SIZES)}, got {self.size!r}")
        if self.size == "Auto":
            return None
        return max(image.shape[:2]) if self.size == "Full" else int(self.size)


@dataclass(frozen=True)
class Service:
    """The model and what goes with it.

    Attributes:
        model: the network, in eval mode.
        weights: what its weights are called on the page.
        sessions: finds a page's session.
        examples: our own pictures.
        example_clip: our own clip, if there is one.
        lend: wraps a function that needs the accelerator, for hosts that lend one per call; see `matting.app.device`.
    """

    model: MattingNetwork
    weights: str
    sessions: Sessions
    examples: tuple[ExamplePhoto, ...] = ()
    example_clip: Path | None = None
    lend: Lend = always_there
    work: Device = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "work", Device(self.model, self.lend))

    @property
    def device(self) -> str:
        return str(next(self.model.parameters()).device)

    def matte(
        self, picture: Picture, settings: Settings, session: Session, strokes: tuple[Stroke, ...] = (), *, batch: bool = False
    ) -> Matte:
        """Matte a picture on which strokes are painted; raises `StoppedError` if the visitor changes their mind.

        A picture of a batch is one of many: what stopped the one before stops this one, too.
        """
        options = {
            "unknown_bias": settings.unknown_bias,
            "refine": settings.refine,
            "cross_region": settings.cross_region,
            "scribbles": draw_scribbles(strokes, *picture.image.shape[:2]),
            "ignore_alpha": settings.ignore_alpha,
        }
        with plain_errors(), stoppable(self.model, session, begin=not batch, batch=batch):
            return self.work.matte(picture, settings.max_side(picture.image), options)

    def cut_out(
        self, photo: str | Path, truth: str | Path | None, settings: Settings, session: Session, *, batch: bool = False
    ) -> Result:
        """Read a photo and matte it; raises `Problem` in plain words if that cannot be done. A true alpha of another photo's
        size is left out.
        """
        picture = read_picture(photo)
        alpha = None if truth is None else fitting_truth(truth, picture.image)
        result = make_result(
            file_stem(photo),
            self.matte(picture, settings, session, batch=batch),
            unknown_bias=settings.unknown_bias,
            ground_truth=alpha,
        )
        return replace(result, picture=keep_picture(picture))

    @lru_cache(maxsize=16)  # noqa: B019 - one service lives as long as the app
    def example(self, number: int) -> Result:
        """The result of an example photo, computed once and shared by all visitors."""
        example = self.examples[number]
        image = read_photo(example.image)
        ground_truth = read_ground_truth(example.alpha, image)
        matte = self.work.matte(Picture(image))
        return make_result(file_stem(example.image), matte, ground_truth=ground_truth, example=example)


def latest(session: Session | None) -> tuple[Session, Result]:
    """The page's session and its last result; raises `Problem` if there is none, or it has expired."""
    if session is None or session.result is None:
        raise Problem(text.ERROR_EXPIRED)
    return session, session.result


def find_examples(folder: Path) -> tuple[ExamplePhoto, ...]:
    """The pictures named in `text` that lie in the folder, with their alphas in `alpha/`."""
    return tuple(
        ExamplePhoto(folder / f"{stem}.jpg", folder / "alpha" / f"{stem}.png", name, drawn)
        for stem, (name, drawn) in text.EXAMPLES.items()
        if (folder / f"{stem}.jpg").is_file()
    )


def name_weights(source: str) -> str:
    """What the weights are called on the page: preset and training step where the file tells, else the source."""
    path = locate(source)
    if path.suffix != ".safetensors":
        return path.name
    metadata = read_metadata(path)
    preset = NetworkConfig.from_json(metadata["config"]).preset
    return f"{preset}, step {int(metadata['step']):,}" if "step" in metadata else preset


def read_picture(path: str | Path) -> Picture:
    """An upload with its alpha; raises `Problem` that says what to do if it is no photo or too large."""
    with plain_errors(text.ERROR_UPLOAD):
        check_pixels(path)
        return load_picture(path)


def read_photo(path: str | Path) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 of an upload, on white where it is transparent; raises as `read_picture`."""
    with plain_errors(text.ERROR_UPLOAD):
        check_pixels(path)
        return load_image(path)


def make_background(choice: str, picture: str | None, blur: float = BLUR_STRENGTH) -> BackgroundChoice:
    """The background a visitor chose, as `read_choice` takes it; raises `Problem` if its picture is missing or broken."""
    if choice == PICTURE and picture is None:
        raise Problem(text.ERROR_BACKGROUND)
    with plain_errors():
        pixels = read_photo(picture) if choice == PICTURE and picture is not None else None
        return read_choice(choice, pixels, blur)


def check_pixels(path: str | Path) -> None:
    """Raises `Problem` if a file declares more pixels than the app takes; reads the header only."""
    try:
        with Image.open(path, formats=FORMATS) as picture:
            pixels, counted = picture.width * picture.height, ""
    except Image.DecompressionBombError:
        pixels, counted = 2 * (Image.MAX_IMAGE_PIXELS or 0), "more than "
    except Exception:  # noqa: BLE001 - readers raise many kinds; load_image says what is wrong with it
        return
    if pixels > MAX_MEGAPIXELS * 1e6:
        raise Problem(text.ERROR_PIXELS.format(megapixels=f"{counted}{pixels / 1e6:.0f}", limit=MAX_MEGAPIXELS))


def read_ground_truth(path: str | Path, image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(H, W) true alpha of an upload, from a grey picture; raises `Problem` if its size is not the photo's."""
    alpha = _read_alpha(path)
    if alpha.shape != image.shape[:2]:
        sizes = (f"{shape[1]} × {shape[0]}" for shape in (alpha.shape, image.shape))
        raise Problem(text.ERROR_TRUTH.format(got=next(sizes), expected=next(sizes)))
    return alpha


def fitting_truth(path: str | Path, image: NDArray[np.uint8]) -> NDArray[np.float32] | None:
    """(H, W) true alpha of an upload that may have been meant for another photo: None if its size is not this one's."""
    alpha = _read_alpha(path)
    return alpha if alpha.shape == image.shape[:2] else None


def _read_alpha(path: str | Path) -> NDArray[np.float32]:
    with plain_errors(text.ERROR_UPLOAD):
        check_pixels(path)
        return load_image(path)[..., 0].astype(np.float32) / np.float32(255)
