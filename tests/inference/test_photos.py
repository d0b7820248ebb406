"""Many photos in order: alone or in batches, with the failures of some among them."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from clips import Brightness
from pictures import draw_person

from matting import Matte, PhotoError, matte_image, matte_images
from matting.inference import photos as module


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    """Two working sizes: the second and the last photo are upright."""
    return [draw_person(*size)[0] for size in ((180, 250), (250, 180), (170, 240), (190, 260), (175, 250), (240, 170))]


@pytest.mark.parametrize("batch", [1, 2, 3])
def test_every_photo_has_the_matte_that_it_has_alone(pictures, batch: int, monkeypatch):
    together: list[int] = []
    run = module.run_first_passes
    monkeypatch.setattr(module, "run_first_passes", lambda photos, *rest: together.append(len(photos)) or run(photos, *rest))
    model = Brightness()
    mattes = list(matte_images(pictures, model, 256, batch=batch, closed_form=False))
    assert together == {1: [], 2: [2], 3: [3]}[batch]
    for matte, picture in zip(mattes, pictures, strict=True):
        alone = matte_image(picture, model, 256, closed_form=False)
        assert isinstance(matte, Matte) and matte.alpha.shape == picture.shape[:2]
        assert np.abs(matte.alpha - alone.alpha).max() < 1e-4
        assert np.array_equal(matte.trimap, alone.trimap)


@pytest.mark.slow
def test_a_network_sees_in_a_batch_what_it_sees_alone(lite_model, pictures):
    several = [*pictures[2:5], pictures[2] // 8]  # the last one is brightened
    for matte, picture in zip(matte_images(several, lite_model, 128, batch=4), several, strict=True):
        alone = matte_image(picture, lite_model, 128)
        assert np.abs(matte.coarse_alpha - alone.coarse_alpha).max() < 1e-4
        assert np.array_equal(matte.regions.cells, alone.regions.cells)


def test_photos_are_read_when_they_are_asked_for(pictures):
    read: list[int] = []

    def endless() -> Iterator[np.ndarray]:
        while True:
            read.append(len(read))
            yield pictures[0]

    mattes = matte_images(endless(), Brightness(), 128)
    assert read == []
    for count in (1, 2):
        assert isinstance(next(mattes), Matte) and len(read) == count


@pytest.mark.parametrize("batch", [1, 4])
def test_a_failure_is_named_in_its_place_and_stops_nothing(pictures, batch: int, tmp_path: Path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no picture")
    results = list(matte_images([broken, pictures[0], tmp_path / "none.png", pictures[2]], Brightness(), 128, batch=batch))
    assert [type(result) for result in results] == [PhotoError, Matte, PhotoError, Matte]
    assert [result.index for result in results if isinstance(result, PhotoError)] == [0, 2]
    assert str(results[0]).startswith(f"photo 0 ({broken}): ") and str(results[2]).startswith(f"photo 2 ({tmp_path}")


def test_a_failure_of_the_work_is_named_too(pictures, monkeypatch):
    def fail(picture, *rest, **options):
        raise MemoryError

    monkeypatch.setattr(module, "matte_picture", fail)
    assert [str(result) for result in matte_images(pictures[:1], Brightness())] == ["photo 0: MemoryError"]


@pytest.mark.parametrize("options", [{"batch": 0}, {"max_side": 0}])
def test_wrong_options_are_refused_before_anything_is_read(options: dict):
    with pytest.raises(ValueError, match="must be at least 1"):
        matte_images([], Brightness(), **options)
