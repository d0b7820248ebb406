"""Inspection of one region: selecting it, its neighbours, and its alpha without cross-region attention."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from matting.app.results.kept import KeptMatte
from matting.inference.matte import Regions
from matting.network import MattingNetwork
from matting.network.regions import REGION_SIZE

DIRECTIONS = {"ArrowUp": (-1, 0), "ArrowDown": (1, 0), "ArrowLeft": (0, -1), "ArrowRight": (0, 1)}


@dataclass(frozen=True)
class RegionView:
    """Everything shown about one region.

    Attributes:
        index: its place in the list of regions.
        rank: by mean change through refinement, 1 is the largest.
        cell: (row, column) on the grid of 8x8 pixel cells.
        neighbours: (8,) indices of its nearest regions.
        neighbour_cells: (8, 2) their (row, column).
        image: (8, 8, 3) uint8.
        coarse: (8, 8) in [0, 1], the coarse alpha enlarged bilinearly.
        refined: (8, 8) in [0, 1].
        alone: (8, 8) in [0, 1], refined without cross-region attention.
        attention: (heads, 9) over the region itself and its neighbours.
        change: mean of abs(refined - coarse).
    """

    index: int
    rank: int
    cell: tuple[int, int]
    neighbours: NDArray[np.int64]
    neighbour_cells: NDArray[np.int64]
    image: NDArray[np.uint8]
    coarse: NDArray[np.float32]
    refined: NDArray[np.float32]
    alone: NDArray[np.float32]
    attention: NDArray[np.float32]
    change: float


def view_region(regions: Regions, index: int, model: MattingNetwork) -> RegionView:
    """Collect what is shown about region `index`.

    Raises:
        ValueError: if there is no such region.
    """
    count = len(regions.cells)
    if not 0 <= index < count:
        raise ValueError(f"region must be between 0 and {count - 1}, got {index}")
    changes = changes_of(regions)
    neighbours = regions.neighbours[index]
    return RegionView(
        index=index,
        rank=int((changes > changes[index]).sum()) + 1,
        cell=(int(regions.cells[index, 0]), int(regions.cells[index, 1])),
        neighbours=neighbours,
        neighbour_cells=regions.cells[neighbours],
        image=regions.image_patches[index],
        coarse=regions.coarse_patches[index],
        refined=regions.patches[index],
        alone=refine_alone(regions, index, model),
        attention=regions.attention[index],
        change=float(changes[index]),
    )


def refine_alone(regions: Regions, index: int, model: MattingNetwork) -> NDArray[np.float32]:
    """(8, 8) alpha of one region from its own pixels only: the second stage with cross-region attention off."""
    device = next(model.parameters()).device
    image = torch.from_numpy(regions.image_patches[index]).permute(2, 0, 1) / 255
    coarse = torch.from_numpy(regions.coarse_patches[index])[None]
    with torch.inference_mode():
        alpha = model.refine.draw_alone(torch.cat([image, coarse])[None].to(device))
    return alpha[0, 0].float().cpu().numpy()


def changes_of(regions: Regions) -> NDArray[np.float32]:
    """(N,) mean absolute change of each region's alpha by refinement, in [0, 1]."""
    return np.abs(regions.patches - regions.coarse_patches).mean((1, 2))


def nearest_region(matte: KeptMatte, x: float, y: float) -> int:
    """Index of the region whose centre is nearest to a point, given as shares of the photo's width and height.

    Raises:
        ValueError: if there are no regions, or the point is outside the picture.
    """
    if not (0 <= x <= 1 and 0 <= y <= 1):
        raise ValueError(f"x and y must be between 0 and 1, got {x} and {y}")
    cells = matte.regions.cells
    if len(cells) == 0:
        raise ValueError("this photo has no refined regions")
    height, width = matte.image.shape[:2]
    in_crop = np.array([y * height - matte.crop.top, x * width - matte.crop.left])  # pixels
    point = in_crop * matte.working_scale / REGION_SIZE - 0.5  # cells
    return int(np.square(cells - point).sum(1).argmin())


def region_towards(regions: Regions, index: int, key: str) -> int:
    """The nearest region in the direction of an arrow key, or the same one where there is none."""
    direction = np.array(DIRECTIONS[key])
    offsets = regions.cells - regions.cells[index]
    along = offsets @ direction
    across = np.abs(offsets @ direction[::-1])
    cost = np.where((along > 0) & (across <= 2 * along), along + 2 * across, np.inf)
    return int(cost.argmin()) if np.isfinite(cost).any() else index


def region_by_change(regions: Regions, index: int, step: int) -> int:
    """The region `step` places further down the list ordered by change, most changed first, or its end."""
    order = np.argsort(-changes_of(regions), kind="stable")
    place = int(np.flatnonzero(order == index)[0])
    return int(order[np.clip(place + step, 0, len(order) - 1)])
