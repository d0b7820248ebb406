import shutil

import numpy as np
import pytest
from PIL import Image

from matting.evaluation.datasets import DATASETS, find_items, limit_area


def save(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(array, np.uint8)).save(path)
    return path


def grey(value=128, size=(40, 30)):
    return np.full(size, value, np.uint8)


def colour(value=128, size=(40, 30)):
    return np.full((*size, 3), value, np.uint8)


@pytest.mark.parametrize(
    ("dataset", "folder", "image", "alpha", "trimap"),
    [
        ("p3m-500-np", "P3M-10k/validation/P3M-500-NP", "original_image/a.jpg", "mask/a.png", "trimap/a.png"),
        ("p3m-500-p", "P3M-10k/validation/P3M-500-P", "blurred_image/a.jpg", "mask/a.png", "trimap/a.png"),
        ("aim-500", "AIM-500", "original/a.jpg", "mask/a.png", "trimap/a.png"),
        ("ppm-100", "PPM-100", "image/a.jpg", "matte/a.jpg", None),
        ("folders", "", "image/a.webp", "alpha/a.png", "trimap/a.png"),
        ("folders", "", "image/a.webp", "alpha/a.png", None),
    ],
)
def test_each_layout_is_read(tmp_path, dataset, folder, image, alpha, trimap):
    save(tmp_path / folder / image, colour(90))
    save(tmp_path / folder / alpha, grey(51))
    if trimap:
        save(tmp_path / folder / trimap, grey(255))
    (item,) = find_items(dataset, tmp_path)
    example = item.load()
    assert item.name == "a" and item.subset == ""
    assert example.image.shape == (40, 30, 3) and example.image.dtype == np.uint8
    assert abs(int(example.image[5, 5, 0]) - 90) <= 2
    assert example.ground_truth.dtype == np.float32 and np.allclose(example.ground_truth, 0.2, atol=0.01)
    assert (example.trimap == (255 if trimap else 128)).all()
    assert item.max_area_px == (2_073_600 if dataset == "ppm-100" else None)


def test_photomatte85_composites_in_order(tmp_path):
    rgba = np.zeros((20, 20, 4), np.uint8)
    rgba[..., 0] = 200
    rgba[:, :10, 3] = 255
    for stem in ("a", "b", "c"):
        save(tmp_path / f"PhotoMatte85/rgba_image/{stem}.png", rgba)
    for value in (10, 60):
        save(tmp_path / f"PhotoMatte85/background/{value}.png", colour(value, (50, 90)))
    examples = [item.load() for item in find_items("photomatte85", tmp_path)]
    assert [int(example.image[0, 15, 1]) for example in examples] == [10, 60, 10]
    assert all(tuple(example.image[0, 0]) == (200, 0, 0) for example in examples)
    assert examples[0].ground_truth[0, 0] == 1 and examples[0].ground_truth[0, 15] == 0


@pytest.fixture
def portraits(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("keyed", "cc0_portraits", "web_portraits", "street"):
        for stem in ("p1", "p2"):
            save(tmp_path / f"{name}/val/image/{stem}.webp", colour(0))
            save(tmp_path / f"{name}/val/alpha/{stem}.png", grey(0))
    for index in range(5):
        save(tmp_path / f"backgrounds/b{index}.webp", rng.integers(0, 255, (80, 70, 3)))
    return tmp_path


def test_portraits_have_four_subsets(portraits):
    items = find_items("portraits", portraits)
    assert [(item.subset, item.name) for item in items[:3]] == [
        ("keyed", "p1"),
        ("keyed", "p2"),
        ("cc0_portraits", "p1"),
    ]
    assert len(items) == 8
    assert all((item.background is None) == (item.subset != "keyed") for item in items)


def test_keyed_portraits_get_a_fixed_background_of_their_own(portraits):
    first, second = (item.load().image for item in find_items("portraits", portraits)[:2])
    again = find_items("portraits", portraits)[0].load().image
    assert (first == again).all()
    assert (first != second).any()
    assert first.std() > 10  # the alpha is 0, so all one sees is the background


def test_pictures_are_turned_upright_and_16_bit_alphas_read(tmp_path):
    (tmp_path / "image").mkdir()
    (tmp_path / "alpha").mkdir()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(colour(size=(30, 40))).save(tmp_path / "image/a.jpg", exif=exif)
    Image.fromarray(np.full((40, 30), 32896, np.uint16)).save(tmp_path / "alpha/a.png")
    example = find_items("folders", tmp_path)[0].load()
    assert example.image.shape == (40, 30, 3)
    assert np.allclose(example.ground_truth, 128 / 255)


def test_missing_things_are_named(tmp_path):
    with pytest.raises(ValueError, match="image is missing"):
        find_items("folders", tmp_path)
    save(tmp_path / "image/a.png", colour())
    save(tmp_path / "alpha/b.png", grey())
    with pytest.raises(ValueError, match=r"image/a.png has no alpha: expected .*alpha/a.png"):
        find_items("folders", tmp_path)
    save(tmp_path / "alpha/a.png", grey())
    with pytest.raises(ValueError, match=r"alpha .*alpha/b.png has no image b"):
        find_items("folders", tmp_path)
    save(tmp_path / "image/b.png", colour())
    save(tmp_path / "trimap/b.png", grey())
    with pytest.raises(ValueError, match=r"a.png has no trimap"):
        find_items("folders", tmp_path)
    save(tmp_path / "image/b.jpg", colour())
    with pytest.raises(ValueError, match="same stem"):
        find_items("folders", tmp_path)
    with pytest.raises(ValueError, match="dataset must be one of"):
        find_items("imagenet", tmp_path)


def test_empty_folder_is_named(tmp_path):
    (tmp_path / "image").mkdir()
    (tmp_path / "image/notes.txt").write_text("none")
    with pytest.raises(ValueError, match="holds no pictures"):
        find_items("folders", tmp_path)


def test_wrong_sizes_and_broken_files_are_named(tmp_path):
    save(tmp_path / "image/a.png", colour())
    save(tmp_path / "alpha/a.png", grey(size=(40, 31)))
    with pytest.raises(ValueError, match=r"alpha/a.png is 31x40 px, but its image is 30x40 px"):
        find_items("folders", tmp_path)[0].load()
    (tmp_path / "alpha/a.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"alpha/a.png cannot be read as a picture"):
        find_items("folders", tmp_path)[0].load()


def test_every_dataset_reports_its_missing_folder(tmp_path):
    for dataset in DATASETS:
        with pytest.raises(ValueError, match="is missing"):
            find_items(dataset, tmp_path)


def test_limit_area():
    image = colour(size=(300, 200))
    assert limit_area(image, None) is image
    assert limit_area(image, 60_000) is image
    small = limit_area(image, 15_000)
    assert small.shape == (150, 100, 3)


def test_sets_that_are_not_there_are_left_out(portraits):
    shutil.rmtree(portraits / "street")
    assert {item.subset for item in find_items("portraits", portraits)} == {"keyed", "cc0_portraits", "web_portraits"}
    with pytest.raises(ValueError, match="holds none of keyed, cutouts"):
        find_items("portraits", portraits / "keyed")


def test_cutouts_stand_in_front_of_backgrounds_nobody_trains_with(portraits):
    for stem in ("c1", "c2"):
        save(portraits / f"cutouts/val/image/{stem}.webp", colour(0))
        save(portraits / f"cutouts/val/alpha/{stem}.png", grey(0))
    before = find_items("portraits", portraits)
    assert all(item.background for item in before if item.subset == "cutouts")
    for index in range(40):
        save(portraits / f"backgrounds/houses__{index}.webp", colour(0))
    assert find_items("portraits", portraits) == before
