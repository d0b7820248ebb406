"""Temporal consistency without training: a filter over the coarse stage, scene cuts, and a measure of flicker.

Frames are compared on the grid of cells (1/8 of the working size). The filter looks one frame ahead, so its output lags
its input by one frame.
"""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

CUT_DIFFERENCE = 0.15  # mean absolute difference of colours in [0, 1] between the frames of two scenes
_COLOUR_SCALE = 0.08  # mean absolute difference of colours in [0, 1] at which a neighbouring frame's weight is 1/e
_EPSILON = 1e-3  # probabilities are clamped this far from 0 and 1 before the logit; less than half a step of 8 bits
_FLICKER_FACTOR = 2.5  # times the median of `AlphaChange.undone`
_FLICKER_FLOOR = 5e-4  # mean change of alpha below which flicker is invisible


class CoarseFrame(NamedTuple):
    """One frame after the coarse stage.

    Attributes:
        image: (3, H, W) RGB in [0, 1] at working size.
        alpha: (1, h, w) coarse alpha in [0, 1], h = H/8, w = W/8.
        trimap: (3, h, w) probabilities of background, unknown, foreground.
        cut: whether a new scene begins with this frame.
    """

    image: Tensor
    alpha: Tensor
    trimap: Tensor
    cut: bool


class TemporalFilter:
    """Average a frame's coarse alpha and trimap with those of its two neighbours, warped by optical flow.

    Assumes that alpha is constant along the motion (optical flow: DIS, Kroeger et al. 2016). A neighbour's weight is
    exp(-(d / 0.08)^2), d the mean absolute difference of colour after warping, so occluded places keep their own estimate.
    Logits are averaged, not probabilities: confident estimates outweigh uncertain ones, and edges stay as narrow as they were.
    Nothing is averaged across a scene cut.
    """

    def __init__(self) -> None:
        self._flow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        self._before: _FlowFrame | None = None
        self._current: _FlowFrame | None = None

    def push(self, frame: CoarseFrame) -> CoarseFrame | None:
        """Take the next frame and return the filtered frame before it, None at the first."""
        after = _prepare(frame)
        ready = self._filtered(self._current, after) if self._current is not None else None
        self._before, self._current = self._current, after
        return ready

    def flush(self) -> CoarseFrame | None:
        """Return the last frame, None if there was none."""
        ready = self._filtered(self._current, None) if self._current is not None else None
        self._before = self._current = None
        return ready

    def _filtered(self, current: "_FlowFrame", after: "_FlowFrame | None") -> CoarseFrame:
        others = [self._before if not current.frame.cut else None, after if after and not after.frame.cut else None]
        total, weights = current.logits, np.float32(1)
        for other in others:
            if other is not None:
                warped, weight = self._warp_to(current, other)
                total, weights = total + weight * warped, weights + weight
        mean = torch.from_numpy(total / weights).permute(2, 0, 1).to(current.frame.alpha)
        return current.frame._replace(alpha=mean[:1].sigmoid(), trimap=mean[1:].softmax(0))

    def _warp_to(self, current: "_FlowFrame", other: "_FlowFrame") -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Another frame's logits warped to the current frame, (h, w, 4), and their weights in [0, 1], (h, w, 1)."""
        flow = self._flow.calc(current.grey, other.grey, None)  # (H/2, W/2, 2) in pixels of that size
        warped = _warp(other.image, flow, cv2.INTER_LINEAR)
        difference = np.abs(warped.astype(np.float32) - current.image).mean(2) / 255
        cells = current.logits.shape[1::-1]
        around = cv2.dilate(cv2.resize(difference, cells, interpolation=cv2.INTER_AREA), np.ones((3, 3), np.uint8))
        cell_flow = cv2.resize(flow, cells, interpolation=cv2.INTER_AREA) * (cells[0] / flow.shape[1])
        return _warp(other.logits, cell_flow, cv2.INTER_CUBIC), np.exp(-((around / _COLOUR_SCALE) ** 2))[..., None]


class _FlowFrame(NamedTuple):
    """A frame prepared for optical flow.

    Attributes:
        frame: as it came.
        image: (H/2, W/2, 3) RGB at half the working size.
        grey: (H/2, W/2), the same in grey.
        logits: (h, w, 4), logit of alpha and log probabilities of the trimap.
    """

    frame: CoarseFrame
    image: NDArray[np.uint8]
    grey: NDArray[np.uint8]
    logits: NDArray[np.float32]


def _prepare(frame: CoarseFrame) -> _FlowFrame:
    half = F.avg_pool2d(frame.image, 2).mul(255).round().byte().permute(1, 2, 0).cpu().numpy()
    alpha, trimap = frame.alpha.float().logit(_EPSILON), frame.trimap.float().clamp(min=_EPSILON).log()
    logits = torch.cat([alpha, trimap]).permute(1, 2, 0).cpu().numpy()
    return _FlowFrame(frame, half, cv2.cvtColor(half, cv2.COLOR_RGB2GRAY), np.ascontiguousarray(logits))


def _warp(values: NDArray, flow: NDArray[np.float32], interpolation: int) -> NDArray:
    """Backward warping: sample values (H, W, ...) at each pixel's position plus its flow (H, W, 2), (x, y) in pixels."""
    rows, columns = np.mgrid[: flow.shape[0], : flow.shape[1]].astype(np.float32)
    return cv2.remap(values, columns + flow[..., 0], rows + flow[..., 1], interpolation, borderMode=cv2.BORDER_REPLICATE)


def cell_colours(image: Tensor) -> Tensor:
    """(3, H, W) -> (3, H/8, W/8), the mean colour of each cell."""
    return F.avg_pool2d(image, 8)


def is_cut(image: Tensor, other: Tensor) -> bool:
    """Whether two neighbouring frames, (3, H, W) each, belong to different scenes."""
    return float((cell_colours(image) - cell_colours(other)).abs().mean()) > CUT_DIFFERENCE


class AlphaChange(NamedTuple):
    """How a frame's alpha differs from its neighbours', mean over pixels.

    Attributes:
        change: absolute difference from the frame before; 0 at the first frame and at a scene cut.
        undone: the part of that difference which the next frame reverses. Steady motion has little of it, flicker consists of
            it.
        cut: whether a new scene begins with this frame.
    """

    change: float
    undone: float
    cut: bool


class ChangeMeter:
    """Measures the `AlphaChange` of a stream of frames; keeps two alphas, and `changes` lags one frame behind."""

    def __init__(self) -> None:
        self.changes: list[AlphaChange] = []
        self._before: NDArray[np.float32] | None = None
        self._current: tuple[NDArray[np.float32], bool] | None = None

    def push(self, alpha: NDArray[np.float32], cut: bool) -> None:
        """Take the next frame's alpha (H, W); `cut` says whether a scene begins with it."""
        self._measure(None if cut else alpha)
        self._before = None if cut or self._current is None else self._current[0]
        self._current = (alpha, cut)

    def finish(self) -> tuple[AlphaChange, ...]:
        """The changes of all frames."""
        self._measure(None)
        self._before = self._current = None
        return tuple(self.changes)

    def _measure(self, after: NDArray[np.float32] | None) -> None:
        if self._current is not None:
            alpha, cut = self._current
            self.changes.append(alpha_change(self._before, alpha, after, cut))


def alpha_change(
    before: NDArray[np.float32] | None, alpha: NDArray[np.float32], after: NDArray[np.float32] | None, cut: bool = False
) -> AlphaChange:
    """Compare alpha (H, W) with those of the frames before and after; None if there is none, or another scene."""
    if before is None:
        return AlphaChange(0.0, 0.0, cut)
    step = alpha - before
    if after is None:
        return AlphaChange(float(np.abs(step).mean()), 0.0, cut)
    back = alpha - after
    undone = np.where(step * back > 0, np.minimum(np.abs(step), np.abs(back)), 0)
    return AlphaChange(float(np.abs(step).mean()), float(undone.mean()), cut)


def flickery_frames(changes: Sequence[AlphaChange], most: int = 8) -> list[int]:
    """Indices of the frames that flicker, worst first: `undone` exceeds 2.5 times the clip's median, and 0.0005.

    Args:
        changes: of all frames, in order.
        most: how many indices at most.
    """
    undone = np.array([change.undone for change in changes])
    limit = max(_FLICKER_FACTOR * float(np.median(undone)), _FLICKER_FLOOR) if len(undone) else 0.0
    worst = np.argsort(-undone, kind="stable")[:most]
    return [int(i) for i in worst if undone[i] > limit]
