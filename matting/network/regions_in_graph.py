"""The neighbours of regions as operations that a graph can hold, for export: no loop, nothing read back into Python."""

import torch
from torch import Tensor

from matting.network.regions import NEIGHBOURS

_RADIUS = 7  # cells; on real bands the eighth neighbour is at most 5 away
_REACH = range(-_RADIUS, _RADIUS + 1)
_DISC = sorted(  # row and column offsets, nearest first, then row-major
    ((y, x) for y in _REACH for x in _REACH if 0 < y * y + x * x <= _RADIUS * _RADIUS), key=lambda at: at[0] ** 2 + at[1] ** 2
)
_FAR = 1 << 50  # above every squared distance times a number of regions


def nearest_regions_in_graph(cells: Tensor, rows: int, columns: int) -> Tensor:
    """What `nearest_regions` finds for the regions of one image.

    A disc of fixed radius is looked up in the grid; regions with too few others in it are compared with all regions.

    Args:
        cells: (N, 3) int64, (0, row, column) of each region, row-major order.
        rows: of the grid.
        columns: of the grid.

    Returns:
        (N, 8) int64 indices into `cells`; ties broken by lowest index.
    """
    neighbours, settled = _search_disc(cells, rows, columns)
    settled = settled & (torch.arange(cells.shape[0], device=cells.device) > 0)  # the first one is compared in any case:
    pending = torch.nonzero(~settled)[:, 0]  # WebAssembly's kernels divide by the number of rows
    return neighbours.index_put((pending,), _compare_all(cells, pending))


def _search_disc(cells: Tensor, rows: int, columns: int) -> tuple[Tensor, Tensor]:
    """(N, 8) nearest others within the disc, and (N,) whether there are 8."""
    width = columns + 2 * _RADIUS
    place = (cells[:, 1] + _RADIUS) * width + cells[:, 2] + _RADIUS  # in a grid with a margin
    grid = torch.full(((rows + 2 * _RADIUS) * width,), -1, dtype=torch.int64, device=cells.device)
    grid = grid.index_put((place,), torch.arange(cells.shape[0], device=cells.device))
    y, x = torch.tensor(_DISC, device=cells.device).unbind(1)
    found = grid[place[:, None] + (y * width + x)[None]]  # (N, P)
    order = torch.arange(found.shape[1], device=cells.device) + found.shape[1] * (found < 0)
    first, at = order.topk(NEIGHBOURS, dim=1, largest=False)
    return found.gather(1, at), first[:, -1] < found.shape[1]


def _compare_all(cells: Tensor, pending: Tensor) -> Tensor:
    """(M, 8) neighbours of the M pending regions among all N, as `nearest_regions` lists them where there are few."""
    everyone = torch.arange(cells.shape[0], device=cells.device)
    squared = (cells[pending][:, None, 1:] - cells[None, :, 1:]).square().sum(2)  # (M, N)
    order = torch.where(pending[:, None] == everyone, _FAR, squared * (everyone.numel() + 1) + everyone)
    order = torch.cat([order, order.new_full((pending.shape[0], NEIGHBOURS), 2 * _FAR)], dim=1)
    _, nearest = order.topk(NEIGHBOURS, dim=1, largest=False)
    count = torch.ones_like(everyone).sum().clamp(1, NEIGHBOURS)
    return nearest[:, torch.arange(NEIGHBOURS, device=cells.device) % count]
