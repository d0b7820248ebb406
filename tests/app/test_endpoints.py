"""The endpoints as programs call them, on the real app with the bundled weights."""

import time
from pathlib import Path

import numpy as np
import pytest
from gradio_client import Client, handle_file
from PIL import Image
from tabs import EXAMPLES, files_in

from matting.evaluation.methods import OFFLINE

SETTINGS = ("512", 0.0, True, True)


@pytest.mark.slow
def test_matte_and_look_into_a_region(connect, matte_elsewhere):
    client, photo = connect(), EXAMPLES / "silver.jpg"
    with pytest.raises(Exception, match="no photo yet"):
        client.predict(0.5, 0.25, api_name="/inspect_region")
    cutout, alpha, facts, stages = client.predict(handle_file(str(photo)), *SETTINGS, api_name="/matte_image")
    matte = matte_elsewhere(photo, 512)
    np.testing.assert_array_equal(np.asarray(Image.open(alpha)), np.rint(matte.alpha * 255))
    assert Image.open(cutout).mode == "RGBA"
    assert facts["found_somebody"] and facts["regions"] == len(matte.regions.cells)
    assert facts["size_px"] == list(Image.open(photo).size)
    coarse, trimap, regions = (np.asarray(Image.open(path)) for path in stages)
    np.testing.assert_array_equal(coarse, np.rint(matte.coarse_alpha * 255))
    np.testing.assert_array_equal(trimap, matte.trimap)
    assert set(np.unique(regions)) == {0, 255} and (regions == 255).mean() == pytest.approx(facts["refined_share"], abs=0.01)
    assert [Path(path).name for path in stages] == [f"silver-{name}.png" for name in ("coarse", "trimap", "regions")]
    assert facts["crop_px"] == matte.crop._asdict() and facts["brightening"] == round(matte.brightening, 2)

    region = client.predict(0.5, 0.25, api_name="/inspect_region")
    assert region["cell"] == matte.regions.cells[region["region"]].tolist()
    assert np.shape(region["attention"]) == matte.regions.attention.shape[1:]
    np.testing.assert_allclose(region["refined_alpha"], matte.regions.patches[region["region"]], atol=1e-4)
    own = connect().predict(0.5, 0.25, handle_file(str(photo)), api_name="/inspect_region")
    assert np.shape(own["photo"]) == (8, 8, 3)  # at Auto, not at the size above
    with pytest.raises(Exception, match="between 0 and 1"):
        client.predict(1.5, 0.25, api_name="/inspect_region")


@pytest.mark.slow
def test_the_transparency_a_photo_came_with_is_kept_or_left_aside(connect, tmp_path):
    photo = Image.open(EXAMPLES / "silver.jpg")
    photo.putalpha(180)
    photo.save(tmp_path / "glassy.png")
    highest = []
    for ignore in ((), (True,)):
        sent = (handle_file(str(tmp_path / "glassy.png")), *SETTINGS, *ignore)
        _, alpha, *_ = connect().predict(*sent, api_name="/matte_image")
        highest.append(np.asarray(Image.open(alpha)).max())
    assert highest == [180, 255]


@pytest.mark.slow
def test_compare_methods_with_true_alpha(connect):
    photo, truth = (handle_file(str(EXAMPLES / name)) for name in ("silver.jpg", "alpha/silver.png"))
    results, files = connect().predict(photo, ["coarse", "grabcut"], truth, api_name="/compare_methods")
    assert [result["method"] for result in results] == ["coarse", "grabcut"]
    assert all(result["failure"] is None and result["seconds"] > 0 for result in results)
    size = Image.open(EXAMPLES / "silver.jpg").size
    assert [(Image.open(file).mode, Image.open(file).size) for file in files] == [("L", size)] * 2
    expected, *alphas = (np.asarray(Image.open(path), np.float64) / 255 for path in (EXAMPLES / "alpha/silver.png", *files))
    for result, alpha in zip(results, alphas, strict=True):
        assert result["metrics"]["mad"] == pytest.approx(np.abs(alpha - expected).mean(), abs=1e-3)
        assert 0 < result["metrics"]["mad"] < 0.05


def test_compare_methods_without_true_alpha(connect):
    photo = handle_file(str(EXAMPLES / "silver.jpg"))
    results, _ = connect().predict(photo, ["coarse"], api_name="/compare_methods")
    assert results[0]["metrics"] is None


def test_tables(connect):
    tables = connect().predict(api_name="/tables")
    published = tables["published"]["rows"]
    assert len(published) == 11
    assert published[-1]["scores"]["P3M-500-NP"]["sad"] == 10.6
    assert {row["method"] for row in tables["measured_common"]} == set(OFFLINE)
    assert tables["measured"] and all(row["command"] for row in tables["measured"])


@pytest.mark.slow
def test_two_at_once_get_their_own_pictures(connect):
    jobs = {}
    for name in ("silver", "curls"):
        photo = handle_file(str(EXAMPLES / f"{name}.jpg"))
        jobs[name] = connect().submit(photo, *SETTINGS, api_name="/matte_image")
    for name, job in jobs.items():
        _, alpha, facts, _ = job.result()
        assert Path(alpha).name == f"{name}-alpha.png"
        assert facts["size_px"] == list(Image.open(EXAMPLES / f"{name}.jpg").size)
    assert len({job.result()[1] for job in jobs.values()}) == 2


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: path.write_bytes(b""), "is empty"),
        (lambda path: path.write_bytes(b"Dear Sir or Madam"), "cannot be used"),
        (
            lambda path: Image.new("1", (20000, 10000)).save(path),
            "^This photo has more than 179 million pixels",
        ),
    ],
    ids=["0 bytes", "no image", "200 megapixels"],
)
def test_bad_photos_are_explained(connect, tmp_path, make, message):
    make(path := tmp_path / "photo.png")
    with pytest.raises(Exception, match=message):
        connect().predict(handle_file(str(path)), *SETTINGS, api_name="/matte_image")


def test_nobody_found_is_said(connect, tmp_path):
    Image.linear_gradient("L").resize((400, 300)).save(tmp_path / "sky.png")
    _, _, facts, _ = connect().predict(handle_file(str(tmp_path / "sky.png")), *SETTINGS, api_name="/matte_image")
    assert facts["found_somebody"] is False


@pytest.mark.slow
def test_who_leaves_stops_the_work_and_leaves_nothing(app, connect, tmp_path):
    leaving = Client(app.url, verbose=False, download_files=False)
    Image.open(EXAMPLES / "curls.jpg").resize((2800, 2800)).save(tmp_path / "leaving.jpg")
    photo = handle_file(str(tmp_path / "leaving.jpg"))
    leaving.submit(photo, "Full", 0.0, True, True, api_name="/matte_image")
    wait_until(lambda: files_in(app.folder, "leaving*"))
    leaving.close()
    wait_until(lambda: not files_in(app.folder, "leaving*"))
    started = time.perf_counter()
    connect().predict(handle_file(str(EXAMPLES / "silver.jpg")), *SETTINGS, api_name="/matte_image")
    print(f"the next visitor's photo took {time.perf_counter() - started:.1f} s")


def wait_until(condition, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)
