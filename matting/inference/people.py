"""The people of a clip, told apart by the shape of the coarse alpha; one of them can be followed from frame to frame."""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from matting.inference.components import clear_cells, drop_small_components, occupied_cells
from matting.inference.exposure import brighten
from matting.inference.working_size import working_size
from matting.network import CoarsePrediction, MattingNetwork
from matting.postprocess.upsample import to_tensor

_LEAST_CLAIM = 0.1  # share of a component that a part of the frame before must cover for the component to be its
_LEAST_CELLS = 6  # of a component that is offered as a person
_NECK = 0.5  # people are told apart where they touch over at most this share of the width of each

Mask = NDArray[np.bool_]


class NobodyThereError(ValueError):
    """There is no person at the point at which one was to be."""


@torch.inference_mode()
def find_people(image: NDArray[np.uint8], model: MattingNetwork, max_side: int) -> NDArray[np.uint8]:
    """Number the people in an image, as `separate` tells them apart.

    Args:
        image: (H, W, 3) uint8.
        model: network in eval mode.
        max_side: longest working side in pixels.

    Returns:
        (h, w) at the cells of the working size: 0 nobody, else the number of a person, 1 at the left.
    """
    size = working_size(image.shape[0], image.shape[1], max_side)
    tensor = to_tensor(image, size, next(model.parameters()).device)
    coarse = drop_small_components(model.coarse(brighten(tensor)))
    labels = separate(occupied_cells(coarse)[0])
    areas = np.bincount(labels.ravel())
    centres = np.bincount(labels.ravel(), np.indices(labels.shape)[1].ravel()) / np.maximum(areas, 1)
    people = [number for number in range(1, len(areas)) if areas[number] >= _LEAST_CELLS]
    people = sorted(people, key=lambda number: centres[number])[:255]
    numbers = np.zeros(len(areas), np.uint8)
    numbers[people] = np.arange(1, len(people) + 1)
    return numbers[labels]


def separate(mask: Mask) -> NDArray[np.int32]:
    """Labels (h, w) of the people in a mask (h, w), 0 where nobody is.

    They are the 8-connected components, and the parts of one that hang together by necks not half as wide as themselves:
    a component is eroded, and if that leaves several parts at least twice as thick as what was taken away, each of its cells
    goes to the nearest part.
    """
    count, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    for number in range(1, count):
        component = labels == number
        cores = _thick_parts(component)
        if cores.max() > 1:
            distances = [
                cv2.distanceTransform((cores != core).astype(np.uint8), cv2.DIST_L2, 3) for core in range(1, cores.max() + 1)
            ]
            nearest = np.argmin(distances, 0)
            labels[component & (nearest > 0)] = labels.max() + nearest[component & (nearest > 0)]
    return labels


def _thick_parts(component: Mask) -> NDArray[np.int32]:
    """Labels of the most parts that erosion splits a component into while each is at least twice as thick as what is lost."""
    depth = _depth(component)
    parts = component.astype(np.int32)
    for lost in np.arange(1, _NECK * depth.max(), 0.5):
        count, cores = cv2.connectedComponents((depth > lost).astype(np.uint8), connectivity=8)
        thick = [core for core in range(1, count) if _NECK * depth[cores == core].max() >= lost]
        if len(thick) > parts.max():
            numbers = np.zeros(count, np.int32)
            numbers[thick] = np.arange(1, len(thick) + 1)
            parts = numbers[cores]
    return parts


def _depth(mask: Mask) -> NDArray[np.float32]:
    """How far each cell is from the border of a mask, in cells; the frame's edge is one."""
    return cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]


def point_in(mask: Mask) -> tuple[float, float]:
    """(x, y) as shares of width and height: the cell of a mask (h, w) that is farthest from its border."""
    depth = _depth(mask)
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    return float((column + 0.5) / mask.shape[1]), float((row + 0.5) / mask.shape[0])


class PersonFollower:
    """Keeps one person of a clip, and takes everybody else for background.

    In the first frame the person is what `separate` finds at a point of the coarse alpha. In the frames after it, components
    are told apart by what they overlap: each connected part of the frame before is found again in the component that most of
    it lies in. Where people meet, so that one component holds parts of both, its cells go to the nearer one; a component that
    overlaps nothing, somebody who has just come, is left out. A scene cut ends it: from there everybody is kept.

    Args:
        x, y: where the person is in the first frame, as shares of its width and height.

    Raises:
        ValueError: if the point lies outside the frame.
    """

    def __init__(self, x: float, y: float):
        if not (0 <= x <= 1 and 0 <= y <= 1):
            raise ValueError(f"the person's place must be shares of width and height, from 0 to 1, got {x:g}, {y:g}")
        self._point = (x, y)
        self._kept: Mask | None = None  # where the person was seen last; None before the first frame
        self._others: Mask = np.zeros((1, 1), bool)
        self._lost = self._ended = False

    def keep(self, coarse: CoarsePrediction, cuts: list[bool]) -> CoarsePrediction:
        """The next frames, with alpha 0 and trimap background where somebody else is.

        Args:
            coarse: of B frames in order.
            cuts: whether a new scene begins with each of them.

        Raises:
            NobodyThereError: if nobody is at the point in the first frame.
        """
        others = [self.push(mask, cut) for mask, cut in zip(occupied_cells(coarse), cuts, strict=True)]
        return clear_cells(coarse, np.stack(others))

    def push(self, mask: Mask, cut: bool = False) -> Mask:
        """The next frame's cells with somebody in them, (h, w): those that belong to others."""
        self._ended |= cut and self._kept is not None
        if self._ended:
            return np.zeros_like(mask)
        if self._kept is None:
            kept = self._first(separate(mask))
        else:
            kept = self._next(self._kept, cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)[1])
        self._lost = not kept.any()
        if not self._lost:
            self._kept = kept
        self._others = mask & ~kept
        return self._others

    def _first(self, people: NDArray[np.int32]) -> Mask:
        height, width = people.shape
        x, y = self._point
        number = people[min(int(y * height), height - 1), min(int(x * width), width - 1)]
        if number == 0:
            raise NobodyThereError(f"expected a person at {x:.2f}, {y:.2f} of the first frame, found nobody there")
        return people == number

    def _next(self, before: Mask, components: NDArray[np.int32]) -> Mask:
        own, own_cells = _claims(before, components)
        foreign, foreign_cells = _claims(self._others, components)
        both = own & foreign
        keeps = np.where(own | foreign, own & ~(both & self._lost), own_cells > foreign_cells)
        keeps[0] = False
        return keeps[components] & (~both[components] | _is_nearer(before, self._others))


def _claims(before: Mask, components: NDArray[np.int32]) -> tuple[Mask, NDArray[np.int64]]:
    """Which components the parts of a mask of the frame before are found in, and how many of its cells lie in each."""
    _, parts = cv2.connectedComponents(before.astype(np.uint8), connectivity=8)
    count = int(components.max()) + 1
    overlap = np.zeros((int(parts.max()) + 1, count), np.int64)
    np.add.at(overlap, (parts.ravel(), components.ravel()), 1)
    overlap[0] = overlap[:, 0] = 0
    best = overlap.argmax(1)
    most = overlap[np.arange(len(best)), best]
    areas = np.bincount(components.ravel(), minlength=count)
    claimed = np.zeros(count, bool)
    claimed[best[(most > 0) & (most >= _LEAST_CLAIM * areas[best])]] = True
    return claimed, overlap.sum(0)


def _is_nearer(mask: Mask, other: Mask) -> Mask:
    """Where a mask is at least as near as another one."""
    return _distance_to(mask) <= _distance_to(other)


def _distance_to(mask: Mask) -> NDArray[np.float32]:
    """How far each cell is from a mask, in cells."""
    return cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 3)
