import numpy as np
import pytest
import torch

from matting.app.results.region import (
    changes_of,
    nearest_region,
    refine_alone,
    region_by_change,
    region_towards,
    view_region,
)
from matting.inference.crop import Crop, whole
from matting.inference.matte import Matte, Regions


def make_regions(cells: list[tuple[int, int]], changes: list[float]) -> Regions:
    count = len(cells)
    return Regions(
        cells=np.array(cells, np.int64).reshape(-1, 2),
        neighbours=np.zeros((count, 8), np.int64),
        patches=np.array(changes, np.float32)[:, None, None] * np.ones((1, 8, 8), np.float32),
        coarse_patches=np.zeros((count, 8, 8), np.float32),
        image_patches=np.zeros((count, 8, 8, 3), np.uint8),
        attention=np.full((count, 8, 9), 1 / 9, np.float32),
    )


def make_matte(regions: Regions, window: Crop | None = None) -> Matte:
    """Of a photo of 50 x 100 pixels, all of it unless a window is given."""
    image, plane, trimap = np.zeros((50, 100, 3), np.uint8), np.zeros((50, 100), np.float32), np.zeros((50, 100), np.uint8)
    return Matte(image, plane, plane, trimap, regions, {}, window or whole(50, 100), (128, 256), ((128, 256),), 1.0)


def test_nearest_region_by_hand():
    matte = make_matte(make_regions([(0, 0), (0, 31), (15, 16)], [0.1, 0.2, 0.3]))
    assert nearest_region(matte, 0.0, 0.0) == 0
    assert nearest_region(matte, 1.0, 0.1) == 1
    assert nearest_region(matte, 0.5, 0.9) == 2


def test_nearest_region_in_a_close_up():
    regions = make_regions([(0, 0), (0, 31), (15, 16)], [0.1, 0.2, 0.3])
    matte = make_matte(regions, Crop(10, 40, 20, 60))  # a fifth of the photo each way
    assert [nearest_region(matte, *point) for point in ((0.4, 0.2), (0.6, 0.2), (0.5, 0.4))] == [0, 1, 2]
    assert nearest_region(matte, 1.0, 0.0) == 1  # outside of the window: what is nearest


@pytest.mark.parametrize(("x", "y"), [(-0.1, 0.5), (0.5, 1.1)])
def test_point_outside_is_an_error(x, y):
    with pytest.raises(ValueError, match="between 0 and 1"):
        nearest_region(make_matte(make_regions([(0, 0)], [0.1])), x, y)


def test_no_regions_is_an_error():
    with pytest.raises(ValueError, match="no refined regions"):
        nearest_region(make_matte(make_regions([], [])), 0.5, 0.5)


def test_arrows_walk_to_the_next_region():
    regions = make_regions([(5, 5), (5, 9), (2, 5), (9, 30)], [0.1] * 4)
    assert region_towards(regions, 0, "ArrowRight") == 1
    assert region_towards(regions, 0, "ArrowUp") == 2
    assert region_towards(regions, 1, "ArrowLeft") == 0
    assert region_towards(regions, 0, "ArrowLeft") == 0  # nothing there: stays


def test_steps_by_change_end_at_the_ends():
    regions = make_regions([(0, 0), (0, 1), (0, 2)], [0.2, 0.9, 0.5])
    assert region_by_change(regions, 1, 1) == 2
    assert region_by_change(regions, 2, 1) == 0
    assert region_by_change(regions, 0, 1) == 0
    assert region_by_change(regions, 1, -1) == 1
    assert region_by_change(regions, 0, -1) == 2


def test_rank_and_change(lite_model):
    regions = make_regions([(0, 0), (0, 1), (0, 2)], [0.2, 0.9, 0.5])
    view = view_region(regions, 2, lite_model)
    assert view.rank == 2
    assert view.change == pytest.approx(0.5)
    assert view.cell == (0, 2)


def test_unknown_region_is_an_error(lite_model):
    with pytest.raises(ValueError, match="between 0 and 0"):
        view_region(make_regions([(0, 0)], [0.1]), 1, lite_model)


def test_alone_is_the_network_without_cross_region_attention(lite_model, result):
    regions = result.matte.regions
    image = torch.from_numpy(regions.image_patches[:1]).permute(0, 3, 1, 2).float() / 255
    # the whole second stage on a picture that is this one region: its coarse alpha is constant, so it enlarges exactly
    coarse = torch.full((1, 1, 1, 1), 0.4)
    flat = Regions(**{**regions.__dict__, "coarse_patches": np.full_like(regions.coarse_patches, 0.4)})
    cells, neighbours = torch.zeros(1, 3, dtype=torch.int64), torch.zeros(1, 8, dtype=torch.int64)
    expected = lite_model.refine(image, coarse, cells, neighbours, cross_region=False).patches
    np.testing.assert_allclose(refine_alone(flat, 0, lite_model), expected[0, 0].numpy(), atol=1e-5)


def test_changes_are_means(result):
    regions = result.matte.regions
    expected = np.abs(regions.patches[3] - regions.coarse_patches[3]).mean()
    assert changes_of(regions)[3] == pytest.approx(expected)
