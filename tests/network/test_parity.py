"""Our network gives what the authors' program gave with the same weights."""

import pytest
import torch
from torch.testing import assert_close

from matting.network import nearest_regions, replace_regions, select_regions

NOISE = {"rtol": 0, "atol": 5e-5}  # float32; the recorded mattes themselves are rounded to float16
HALF = {"rtol": 0, "atol": 2.5e-4 + 5e-5}


def test_coarse_predictions_at_all_three_scales(paper_model, recorded):
    coarse = paper_model.coarse
    try:
        logits = coarse.train()(recorded["image"]).logits
    finally:
        coarse.eval()
    for scale, name in zip(logits, ("lowres_seg", "lowres_seg_x16", "lowres_seg_x32"), strict=True):
        assert_close(scale.alpha.sigmoid()[0, 0], recorded[name], **NOISE)
    assert_close(logits[0].trimap.softmax(1)[0], recorded["lowres_trimap"], **NOISE)


@pytest.mark.slow
def test_whole_image(paper_model, recorded):
    prediction = paper_model(recorded["image"])
    assert_close(prediction.coarse_alpha[0, 0], recorded["lowres_seg"], **NOISE)
    assert_close(prediction.trimap[0], recorded["lowres_trimap"], **NOISE)
    assert torch.equal(prediction.cells, recorded["idx"].long())
    assert torch.equal(prediction.neighbours, recorded["nearest_idx_stable"].long())
    assert_close(prediction.patches[:, 0], recorded["roi_matte_stable"], **NOISE)
    expected = recorded["lowres_seg"].repeat_interleave(8, 0).repeat_interleave(8, 1)
    for (_, row, column), patch in zip(recorded["idx"].tolist(), recorded["roi_matte_stable"], strict=True):
        expected[8 * row : 8 * row + 8, 8 * column : 8 * column + 8] = patch
    assert_close(prediction.alpha[0, 0], expected, **NOISE)


@pytest.mark.slow
@pytest.mark.parametrize("case", ["n0", "n1", "n3", "n5", "n8", "n9", "n40", "band", "all"])
def test_refinement_of_few_and_many_regions(paper_model, edge_cases, case):
    coarse_alpha = edge_cases["lowres_seg"][None, None]
    cells = select_regions(edge_cases[f"{case}_trimap"][None])
    neighbours = nearest_regions(cells)
    assert torch.equal(neighbours, edge_cases[f"{case}_nearest_stable"].long())
    patches = paper_model.refine(edge_cases["image"][:1], coarse_alpha, cells, neighbours).patches
    assert_close(patches[:, 0], edge_cases[f"{case}_roi_matte_stable"], **NOISE)
    alpha = replace_regions(coarse_alpha, patches, cells)
    assert_close(alpha[0, 0], edge_cases[f"{case}_highres_matte_stable"].float(), **HALF)


def test_refinement_of_a_batch(paper_model, edge_cases):
    """The second image of the recorded batch has the inverted coarse alpha and five unknown regions."""
    coarse_alpha = torch.stack([edge_cases["lowres_seg"], 1 - edge_cases["lowres_seg"]])[:, None]
    cells = select_regions(torch.stack([edge_cases["band_trimap"], edge_cases["n5_trimap"]]))
    patches = paper_model.refine(edge_cases["image"], coarse_alpha, cells, nearest_regions(cells)).patches
    assert_close(patches[:, 0], edge_cases["batch_roi_matte_stable"], **NOISE)
    alpha = replace_regions(coarse_alpha, patches, cells)
    assert_close(alpha[:, 0], edge_cases["batch_highres_matte_stable"].float(), **HALF)


@pytest.mark.slow
@pytest.mark.parametrize("size", [(128, 128), (384, 256), (256, 640), (640, 384)])
def test_sizes_with_padded_windows(paper_model, recorded, size):
    """Sides that are no multiples of 896 pad the attention windows; below 512 some stages no longer shift."""
    height, width = size
    images = torch.cat([recorded["image"][..., :height, :width], recorded["image"][..., -height:, -width:]])
    both = paper_model(images)
    assert both.alpha.shape == (2, 1, height, width)
    assert both.coarse_alpha.shape == (2, 1, height // 8, width // 8)
    assert both.alpha.isfinite().all() and both.trimap.isfinite().all()
    assert torch.equal(paper_model(images).alpha, both.alpha)
    for index in range(2):
        single = paper_model(images[index : index + 1])
        assert_close(single.coarse_alpha[0], both.coarse_alpha[index], **NOISE)
        assert torch.equal(single.cells[:, 1:], both.cells[both.cells[:, 0] == index, 1:])
        assert_close(single.alpha[0], both.alpha[index], **NOISE)
