"""Neighbours found by operations that a graph can hold are those of the search that inference uses."""

import pytest
import torch

from matting.network import nearest_regions
from matting.network.regions_in_graph import nearest_regions_in_graph

GRIDS = ((16, 16), (112, 112), (40, 130))


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 8, 9, 40, 250, 1500])
@pytest.mark.parametrize(("rows", "columns"), GRIDS)
def test_scattered_regions(rows: int, columns: int, count: int):
    places = torch.randperm(rows * columns, generator=torch.Generator().manual_seed(count))[:count].sort()[0]
    cells = torch.stack([0 * places, places // columns, places % columns], 1)
    assert torch.equal(nearest_regions_in_graph(cells, rows, columns), nearest_regions(cells))


def test_a_band_with_one_region_far_from_it():
    unknown = torch.zeros(1, 60, 60, dtype=torch.bool)
    unknown[:, 20:24, 5:55] = unknown[:, 59, 59] = True
    cells = torch.nonzero(unknown)
    assert torch.equal(nearest_regions_in_graph(cells, 60, 60), nearest_regions(cells))
