"""What is measured against a true alpha, as files and at the top of the page."""

import csv
import io
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from tabs import EXAMPLES, open_tab, save, upload

from matting.app.results.background import BackgroundChoice
from matting.app.results.comparison import Compared, lowest_error, make_comparison_file, photo_of
from matting.app.results.downloads import METRICS, make_file
from matting.app.results.measured import ERRORS
from matting.app.results.result import ExamplePhoto, Result, make_result
from matting.app.session import Session
from matting.app.tabs.photo_answers import PhotoAnswers
from matting.app.views.ground_truth import SHOWN, ground_truth_html, headline_html, metric_table
from matting.app.views.photo_page import PhotoPage
from matting.app.views.photo_shown import PhotoShown
from matting.evaluation.figures import error_colours
from matting.evaluation.metrics import Metrics, measure
from matting.inference.photo import matte_image


@pytest.fixture
def session(tmp_path) -> Session:
    return Session(tmp_path / "session-1")


@pytest.fixture
def known(matte_of) -> Result:
    """The coarse alpha is off by 0.4 in 200 pixels, the refined one by 0.2."""
    truth, coarse, refined = np.zeros((3, 40, 50), np.float32)
    truth[:, :25] = coarse[:, :25] = refined[:, :25] = 1
    coarse[:, 25:30], refined[:, 25:30] = 0.4, 0.2
    return make_result("known", matte_of(refined, coarse), ground_truth=truth)


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode())))


def test_all_metrics_as_a_table(known, session):
    path = make_file(known, METRICS, BackgroundChoice(), session)
    rows = rows_of(path)
    assert path.name == "known-metrics.csv" and list(rows[0]) == ["method", *Metrics._fields]
    assert [float(row["sad"]) for row in rows] == pytest.approx([0.08, 0.04], rel=1e-3)  # in thousands
    measured = measure(known.alpha, known.ground_truth)
    assert [float(rows[1][name] or "nan") for name in Metrics._fields] == pytest.approx(list(measured), nan_ok=True)


def test_error_maps_are_saved_at_the_photos_size_on_one_scale(known, session):
    pixels = [np.asarray(Image.open(make_file(known, name, BackgroundChoice(), session))) for name in ERRORS]
    np.testing.assert_array_equal(pixels[0], error_colours(np.abs(known.matte.coarse_alpha - known.ground_truth), 0.4))
    assert pixels[0][0, 27].sum() > pixels[1][0, 27].sum() > pixels[1][0, 40].sum(), "brighter where the error is larger"


def test_without_a_true_alpha_there_is_nothing_to_save(result, session):
    for what in (METRICS, *ERRORS):
        with pytest.raises(ValueError, match="expected a true alpha"):
            make_file(result, what, BackgroundChoice(), session)
    with pytest.raises(ValueError, match="expected a true alpha"):
        make_comparison_file((), photo_of(result), METRICS, session)


def test_the_figure_at_the_top(known, result, session):
    assert "SAD <b>0.04</b>" in headline_html(known) and "0.08" in headline_html(known)
    assert headline_html(result) == ""
    drawn = replace(known, example=ExamplePhoto(Path("a"), Path("b"), "drawn by another network", True))
    assert headline_html(drawn) == ""
    assert [f'data-pick="{name}"' in ground_truth_html(known, session) for name in (METRICS, *ERRORS)] == [True] * 3


def test_who_is_left_out_counts_in_what_is_measured(matte_of, session):
    alpha = np.zeros((60, 100), np.float32)
    alpha[10:50, 10:40] = alpha[10:50, 60:90] = 1
    tab = PhotoAnswers.__new__(PhotoAnswers)
    tab.page = SimpleNamespace(**{name: name for name in PhotoPage._fields})
    tab.shown = PhotoShown(tab.page, None)
    session.begin(make_result("two", matte_of(alpha), ground_truth=alpha))
    assert "SAD <b>0.00</b>" in tab.measure_again(session)["headline"]
    session.result = session.result.toggled(1)
    assert "SAD <b>1.20</b>" in tab.measure_again(session)["headline"]


def test_a_comparison_as_files(known, session):
    photo = photo_of(known)
    entries = tuple(
        Compared(name, name.upper(), alpha, 1.0, None if alpha is not None else "no")
        for name, alpha in (("ours", known.alpha), ("coarse", known.matte.coarse_alpha), ("knn", None))
    )
    assert "OURS, 0.04" in lowest_error(entries, photo)
    rows = rows_of(make_comparison_file(entries, photo, METRICS, session))
    assert [row["method"] for row in rows] == ["OURS", "COARSE"] and float(rows[1]["sad"]) == pytest.approx(0.08, rel=1e-3)
    path = make_comparison_file(entries, photo, "ours", session)
    assert path.name == "known-error-ours.png" and Image.open(path).size == (50, 40)
    for wrong in ("knn", "../x"):
        with pytest.raises(ValueError, match="a method that was compared"):
            make_comparison_file(entries, photo, wrong, session)


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize(("width", "height", "theme"), [(1360, 900, "dark"), (390, 844, "light")])
def test_figures_of_a_given_truth_are_at_the_top_and_can_be_saved(open_page, width, height, theme):
    page = open_page(width, height, theme)
    upload(page, EXAMPLES / "silver.jpg")
    page.click("#truth-upload button")
    page.set_input_files("#truth-upload input[type=file]", str(EXAMPLES / "alpha" / "silver.png"))
    page.wait_for_selector("#headline .headline")
    page.evaluate("scrollTo(0, 0)")
    page.set_default_timeout(20000)
    box = page.locator("#headline .headline").bounding_box()
    assert "SAD" in page.inner_text("#headline") and box["y"] + box["height"] < height, "above the fold"
    if width < 500:
        sizes = "[...document.querySelectorAll('#truth .chip')].map(each => each.getBoundingClientRect().height)"
        assert min(page.evaluate(sizes)) >= 44
    name, data = save(page, page.locator("#truth [data-pick=metrics]"))
    assert name == "silver-metrics.csv" and data.startswith(b"method,sad,")
    name, data = save(page, page.locator("#truth [data-pick=error-refined]"))
    assert name == "silver-error-refined.png" and Image.open(io.BytesIO(data)).size == (335, 408)

    open_tab(page, "Compare")
    page.wait_for_selector("#compare-table .metrics")
    assert "Lowest SAD" in page.inner_text("#compare-note")
    name, data = save(page, page.locator("#compare-table [data-pick=metrics]"))
    assert name == "silver-comparison.csv" and data.count(b"\r\n") == 3
    page.get_by_label("Error", exact=True).check()
    page.wait_for_selector("#comparison [data-pick=ours]")
    name, _ = save(page, page.locator("#comparison [data-pick=ours]"))
    assert name == "silver-error-ours.png"
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_what_is_printed_alike_is_bold_alike():
    values = {field: 1.0 for field in Metrics._fields}
    table = metric_table({"a": Metrics(**values), "b": Metrics(**{**values, "sad": 1.001, "mad": 1.2})})
    assert table.count("<b>1.00</b>") == 2 * len(SHOWN) - 1 and "<td>1.20</td>" in table


def test_without_refinement_both_rows_are_the_same(lite_model):
    image = np.random.default_rng(2).integers(0, 256, (150, 200, 3), dtype=np.uint8)
    truth = np.zeros((150, 200), np.float32)
    coarse, refined = make_result("off", matte_image(image, lite_model, 256, refine=False), ground_truth=truth).errors
    np.testing.assert_array_equal(coarse, refined)
