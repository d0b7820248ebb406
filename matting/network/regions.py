"""Regions are the 8x8 pixel cells that the trimap calls unknown: selection, nearest neighbours, cropping and replacing."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

REGION_SIZE = 8  # pixels
NEIGHBOURS = 8  # K of section 3.3
_FIRST_RADIUS = 5  # cells, of the first search for neighbours
_CHUNK_ENTRIES = 4_000_000  # of an (M, P) array of candidates: bounds memory


def select_regions(trimap: Tensor, unknown_bias: float = 0.0) -> Tensor:
    """Find the cells whose most likely class is unknown; on a tie the lower class wins.

    Args:
        trimap: (B, 3, h, w) probabilities of background, unknown, foreground.
        unknown_bias: added to the logit of unknown; 0 is the paper, above 0 gives more regions.

    Returns:
        (N, 3) int64 cells (image, row, column) in row-major order.

    Raises:
        ValueError: if trimap is not (B, 3, h, w).
    """
    if trimap.ndim != 4 or trimap.shape[1] != 3:
        raise ValueError(f"trimap must be (B, 3, h, w), got {tuple(trimap.shape)}")
    background, unknown, foreground = trimap.unbind(1)
    unknown = unknown * math.exp(unknown_bias)
    return torch.nonzero((unknown > background) & (unknown >= foreground))


def nearest_regions(cells: Tensor, k: int = NEIGHBOURS) -> Tensor:
    """Find the K nearest other regions of each region in the same image, exactly, in O(N) memory.

    Section 3.3 of the paper. Discs of growing radius are searched in the grid of cells, so that no N x N distances are needed.
    In an image with at most K regions, a region's neighbours are all others by distance and then itself, repeated up to K.

    Args:
        cells: (N, 3) int64, (image, row, column) of each region, row-major order.
        k: neighbours per region.

    Returns:
        (N, K) int64 indices into `cells`; ties broken by lowest index.

    Raises:
        ValueError: if cells is not (N, 3).
    """
    if cells.ndim != 2 or cells.shape[1] != 3:
        raise ValueError(f"cells must be (N, 3), got {tuple(cells.shape)}")
    neighbours = cells.new_empty(len(cells), k)
    if len(cells) == 0:
        return neighbours
    counts = torch.bincount(cells[:, 0])
    starts = counts.cumsum(0) - counts
    for image in torch.nonzero((counts > 0) & (counts <= k)).flatten().tolist():
        start, stop = int(starts[image]), int(starts[image] + counts[image])
        neighbours[start:stop] = start + _neighbours_of_few(cells[start:stop, 1:], k)
    pending = torch.nonzero(counts[cells[:, 0]] > k).flatten()
    grid = _index_grid(cells)
    radius = _FIRST_RADIUS
    while len(pending):
        pending = _search_disc(cells, grid, pending, radius, neighbours)
        radius *= 2
    return neighbours


def _neighbours_of_few(positions: Tensor, k: int) -> Tensor:
    """(n, 2) positions with n <= k -> (n, k) indices: others by distance, then itself, repeated."""
    n = len(positions)
    squared = (positions[:, None] - positions[None]).square().sum(-1).double()
    squared.fill_diagonal_(math.inf)
    order = squared.argsort(dim=1, stable=True)
    return order.repeat(1, -(-k // n))[:, :k]


def _index_grid(cells: Tensor) -> Tensor:
    """(N, 3) cells -> (images, rows, columns) int64 grid of indices into cells, -1 where there is no region."""
    grid = cells.new_full(tuple((cells.amax(0) + 1).tolist()), -1)
    grid[cells.unbind(1)] = torch.arange(len(cells), device=cells.device)
    return grid


def _search_disc(cells: Tensor, grid: Tensor, pending: Tensor, radius: int, neighbours: Tensor) -> Tensor:
    """Fill `neighbours` of the pending regions that have enough others within the radius; return the rest."""
    k = neighbours.shape[1]
    _, rows, columns = grid.shape
    offsets = _disc_offsets(radius, rows, columns, cells.device)  # (P, 2), nearest first
    unfinished = []
    for part in pending.split(max(1, _CHUNK_ENTRIES // len(offsets))):
        image, row, column = cells[part].unbind(1)
        y, x = row[:, None] + offsets[:, 0], column[:, None] + offsets[:, 1]  # (M, P)
        inside = (y >= 0) & (y < rows) & (x >= 0) & (x < columns)
        found = grid[image[:, None], y.clamp(0, rows - 1), x.clamp(0, columns - 1)]
        present = inside & (found >= 0)
        rank = present.cumsum(1)
        finished = rank[:, -1] >= k
        nearest = (present & (rank <= k))[finished]
        neighbours[part[finished]] = found[finished][nearest].view(-1, k)
        unfinished.append(part[~finished])
    return torch.cat(unfinished)


def _disc_offsets(radius: int, rows: int, columns: int, device: torch.device) -> Tensor:
    """(P, 2) row and column offsets within the radius, without (0, 0), by distance and then row-major."""
    reach_y, reach_x = min(radius, rows - 1), min(radius, columns - 1)
    y = torch.arange(-reach_y, reach_y + 1, device=device)
    x = torch.arange(-reach_x, reach_x + 1, device=device)
    offsets = torch.cartesian_prod(y, x)
    squared = offsets.square().sum(1)
    keep = (squared > 0) & (squared <= radius * radius)
    offsets, squared = offsets[keep], squared[keep]
    return offsets[squared.argsort(stable=True)]


def crop_regions(x: Tensor, cells: Tensor) -> Tensor:
    """Cut the 8x8 pixels of every region out of a map: (B, C, H, W), (N, 3) -> (N, C, 8, 8)."""
    b, c, h, w = x.shape
    blocks = x.view(b, c, h // REGION_SIZE, REGION_SIZE, w // REGION_SIZE, REGION_SIZE)
    blocks = blocks.permute(0, 2, 4, 1, 3, 5)  # (B, h, w, C, 8, 8)
    return blocks[cells[:, 0], cells[:, 1], cells[:, 2]]


def replace_regions(coarse_alpha: Tensor, patches: Tensor, cells: Tensor) -> Tensor:
    """Write refined patches over the coarse alpha, enlarged by nearest neighbour; no blending (section 3.3 of the paper).

    Args:
        coarse_alpha: (B, 1, h, w) in [0, 1].
        patches: (N, 1, 8, 8) in [0, 1].
        cells: (N, 3) int64, (image, row, column).

    Returns:
        (B, 1, 8h, 8w) alpha in [0, 1].
    """
    b, _, h, w = coarse_alpha.shape
    alpha = F.interpolate(coarse_alpha, scale_factor=REGION_SIZE, mode="nearest")
    blocks = alpha.view(b, h, REGION_SIZE, w, REGION_SIZE).permute(0, 1, 3, 2, 4)  # (B, h, w, 8, 8), a view
    blocks[cells[:, 0], cells[:, 1], cells[:, 2]] = patches[:, 0].to(alpha.dtype)
    return alpha
