import base64
import io
import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
from PIL import Image

from matting.app.results.region import view_region
from matting.app.views.region_drawing import (
    BINS,
    attention_svg,
    bins_of,
    data_uri,
    histogram_svg,
    locator_svg,
    neighbourhood_html,
    patches_html,
)


def test_data_uri_is_lossless_png():
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    header, _, data = data_uri(pixels).partition(",")
    assert header == "data:image/png;base64"
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))), pixels)


def test_locator_draws_the_region_and_its_eight_lines(result, lite_model):
    view = view_region(result.matte.regions, 4, lite_model)
    svg = ElementTree.fromstring(locator_svg(result.matte, view))
    assert svg.get("viewBox") == f"0 0 {result.matte.working_size[1]} {result.matte.working_size[0]}"
    assert len(svg.findall("line")) == 8
    own = svg.find("path[@class='own']").get("d")
    assert own.startswith(f"M{view.cell[1] * 8} {view.cell[0] * 8}h8")


def test_lines_are_thicker_with_more_attention(result, lite_model):
    attention = np.array([[0.1, 0.02, 0.3, 0.08, 0.1, 0.1, 0.1, 0.1, 0.1]], np.float32)
    view = replace(view_region(result.matte.regions, 4, lite_model), attention=attention)
    widths = [float(w) for w in re.findall(r"stroke-width:([\d.]+)px", locator_svg(result.matte, view))]
    assert np.argmax(widths) == 1
    assert np.argmin(widths) == 0


def test_five_patches_and_nine_columns_of_attention(result, lite_model):
    view = view_region(result.matte.regions, 0, lite_model)
    assert patches_html(view).count('class="pixels"') == 5
    assert attention_svg(view).count("<rect") == view.attention.shape[0] * 9
    assert ElementTree.fromstring(neighbourhood_html(result.matte, view)).tag == "figure"


def test_neighbourhood_at_the_corner_of_the_photo(result, lite_model):
    first = view_region(result.matte.regions, 0, lite_model)
    last = view_region(result.matte.regions, len(result.matte.regions.cells) - 1, lite_model)
    for view in (first, last):
        assert "data:image/jpeg" in neighbourhood_html(result.matte, view)


def test_histogram_counts_every_region():
    changes = np.array([0.0, 0.01, 0.5, 0.999, 1.0], np.float32)
    assert bins_of(changes).tolist() == [0, 0, BINS // 2, BINS - 1, BINS - 1]
    svg = histogram_svg(changes, chosen=0)
    counts = [int(n) for n in re.findall(r"<title>(\d+) regions", svg)]
    assert sum(counts) == 5
    assert svg.count("bar chosen") == 1
