"""The result of one photo in the app: its matte, and the visitor's choices about it."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from matting.app.results.background import BackgroundChoice, render_background
from matting.app.results.kept import KeptMatte, KeptPicture, from_bits, keep_matte
from matting.app.results.parts import Parts, drop_parts, find_parts
from matting.app.results.strokes import Painting
from matting.evaluation.metrics import Metrics, measure
from matting.inference.matte import Matte
from matting.media.names import fit_name
from matting.postprocess.bit_depth import to_8_bit
from matting.postprocess.compositing import composite
from matting.postprocess.foreground import estimate_foreground

PREVIEW_SIDE = 1280  # pixels
_LONGEST_ENDING = 60  # bytes that are put behind the stem of a file's name
NOBODY_SHARE = 0.004  # of the crop's area; with less foreground, nobody was found


class Preview(NamedTuple):
    """The result at a size for display, at most `PREVIEW_SIDE` long: image, alpha and estimated foreground colours."""

    image: NDArray[np.uint8]
    alpha: NDArray[np.float32]
    foreground: NDArray[np.uint8]


@dataclass(frozen=True)
class ExamplePhoto:
    """One of the example photos.

    Attributes:
        image: the file.
        alpha: file of its reference alpha.
        name: what the photo shows.
        drawn: whether the alpha was predicted by another network, so that it is a reference and no exact ground truth.
    """

    image: Path
    alpha: Path
    name: str
    drawn: bool


@dataclass(frozen=True)
class Result:
    """A photo, its matte and the visitor's choices about it.

    Attributes:
        stem: beginning of file names.
        matte: the photo's matte.
        unknown_bias: region sensitivity of the matte.
        truth_8: (H, W) true alpha, if there is one.
        parts: separate parts and which of them are dropped.
        example: the example photo, if it is one.
        painting: strokes of the correction brush that the matte was made with.
        picked: the parts after the last click on one, without later changes by strokes.
        picked_after: number of strokes at that click.
        picture: the photo as it was read, if it came with an alpha of its own.
    """

    stem: str
    matte: KeptMatte
    unknown_bias: float
    truth_8: NDArray[np.uint8] | None
    parts: Parts
    example: ExamplePhoto | None = None
    painting: Painting = field(default_factory=Painting)
    picked: Parts | None = None
    picked_after: int = 0
    picture: KeptPicture | None = None

    @property
    def alpha(self) -> NDArray[np.float32]:
        """(H, W), without the dropped parts."""
        return drop_parts(self.matte.alpha, self.parts)

    @property
    def ground_truth(self) -> NDArray[np.float32] | None:
        """(H, W) true alpha in [0, 1], if there is one."""
        return None if self.truth_8 is None else from_bits(self.truth_8)

    @property
    def found_somebody(self) -> bool:
        return float(self.matte.crop.cut(self.matte.alpha).mean()) >= NOBODY_SHARE

    @cached_property
    def preview(self) -> Preview:
        """Downsampled image and alpha with estimated foreground colours, computed once."""
        image, alpha = shrink(self.matte.image), shrink(self.matte.alpha)
        came = None if self.matte.input_alpha is None else shrink(self.matte.input_alpha)
        return Preview(image, alpha, estimate_foreground(image, alpha, came))

    @cached_property
    def errors(self) -> tuple[Metrics, Metrics]:
        """Metrics of the coarse and of the refined alpha against the true one, computed once.

        Raises:
            ValueError: if there is no true alpha.
        """
        truth = self.ground_truth
        if truth is None:
            raise ValueError(f"expected a true alpha to measure {self.stem} against, got none")
        return measure(self.matte.coarse_alpha, truth), measure(self.alpha, truth)

    def toggled(self, number: int) -> "Result":
        """The result with the part of that number dropped or brought back; raises ValueError if there is none."""
        parts = self.parts.toggled(number)
        return self._changed(parts=parts, picked=parts, picked_after=len(self.painting.strokes))

    def keeping(self, parts: Parts) -> "Result":
        """The result with other parts dropped."""
        return self._changed(parts=parts)

    def again(self, matte: Matte, unknown_bias: float, painting: Painting) -> "Result":
        """The result of another matte of the photo; parts stay dropped unless strokes painted since then keep them."""
        picked = find_parts(matte.alpha, matte.crop_share).like(self.picked or self.parts)
        kept = [point for stroke in painting.strokes[self.picked_after :] if stroke.keep for point in stroke.points]
        return replace(
            self,
            matte=keep_matte(matte),
            unknown_bias=unknown_bias,
            parts=picked.brought_back(kept),
            painting=painting,
            picked=picked,
        )

    def painted(self, painting: Painting) -> "Result":
        """The result with another painting; cached previews and metrics are kept."""
        same = replace(self, painting=painting)
        same.__dict__.update({name: self.__dict__[name] for name in ("preview", "errors") if name in self.__dict__})
        return same

    def with_ground_truth(self, ground_truth: NDArray[np.float32] | None) -> "Result":
        """The result with another true alpha to compare with."""
        return self._changed(truth_8=_to_bits(ground_truth))

    def _changed(self, **changes: Any) -> "Result":
        changed = replace(self, **changes)
        changed.__dict__["preview"] = self.preview  # does not depend on what may change
        return changed

    def preview_on(self, background: BackgroundChoice) -> NDArray[np.uint8]:
        """(h, w, 3) uint8: the preview composited onto a background."""
        alpha = drop_parts(self.preview.alpha, self.parts)
        return composite(self.preview.foreground, alpha, render_background(background, self.preview.image, alpha))

    def full_on(self, background: BackgroundChoice) -> NDArray[np.uint8]:
        """(H, W, 3) uint8: the foreground composited onto a background, at the photo's size."""
        alpha = self.alpha
        foreground = estimate_foreground(self.matte.image, alpha, self.matte.input_alpha)
        return composite(foreground, alpha, render_background(background, self.matte.image, alpha))

    def cutout(self) -> Image.Image:
        """RGBA at the photo's size, with estimated foreground colours."""
        return self.matte.cutout(self.alpha)


def make_result(
    stem: str,
    matte: Matte,
    *,
    unknown_bias: float = 0.0,
    ground_truth: NDArray[np.float32] | None = None,
    example: ExamplePhoto | None = None,
) -> Result:
    parts = find_parts(matte.alpha, matte.crop_share)
    return Result(stem, keep_matte(matte), unknown_bias, _to_bits(ground_truth), parts, example)


def _to_bits(alpha: NDArray[np.float32] | None) -> NDArray[np.uint8] | None:
    return None if alpha is None else to_8_bit(alpha)


def shrink(pixels: NDArray, side: int = PREVIEW_SIDE) -> NDArray:
    """(H, W) float32 or (H, W, 3) uint8 -> the same at most `side` long."""
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return pixels
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BOX))


def file_stem(path: str | Path) -> str:
    """The upload's name without folders, ending, control characters or anything else unfit for a file name."""
    stem = Path(path).stem
    kept = "".join(letter if letter.isalnum() or letter in "-_ ." else "_" for letter in stem)
    return fit_name(kept.strip(" .")[:80], spare=_LONGEST_ENDING) or "photo"
