"""Benchmark data sets on disk: their layouts, and how an item becomes image, ground truth alpha and trimap.

Layouts as their authors distribute them:

    p3m-500-np     ROOT/P3M-10k/validation/P3M-500-NP/{original_image,mask,trimap}
    p3m-500-p      ROOT/P3M-10k/validation/P3M-500-P/{blurred_image,mask,trimap}
    ppm-100        ROOT/PPM-100/{image,matte}
    photomatte85   ROOT/PhotoMatte85/{rgba_image,background}
    aim-500        ROOT/AIM-500/{original,mask,trimap}
    portraits      ROOT/SET/val/{image,alpha} for each SET of PORTRAIT_SETS that is there, and ROOT/backgrounds
    folders        ROOT/{image,alpha} and, if there is one, ROOT/trimap

An image and its alpha share the stem of their file names. Where no trimap is supplied it is made from the alpha.
"""

import zlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from matting.evaluation.metrics import trimap_from_alpha
from matting.postprocess.compositing import composite

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
PPM_MAX_AREA_PX = 2_073_600  # 1920x1080
KEYED = "keyed"
STREET = "street"
FLICKR = "flickr"
FOREGROUND_ONLY = (KEYED, "cutouts")
_TRAINING_BACKGROUNDS = ("houses__", "urban100__", "sunhays80__", "virtual__")


@dataclass(frozen=True)
class Example:
    """One image with its ground truth, in memory.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        ground_truth: (H, W) float32 alpha in [0, 1].
        trimap: (H, W) uint8 of 0 (background), 128 (unknown), 255 (foreground).
    """

    image: NDArray[np.uint8]
    ground_truth: NDArray[np.float32]
    trimap: NDArray[np.uint8]


@dataclass(frozen=True)
class Item:
    """One image of a data set, as files.

    Attributes:
        subset: part of the data set that is summarised on its own; empty if there is only one.
        name: stem of the file name.
        image: file of the image; its alpha channel is the ground truth if `alpha` is None.
        alpha: file of the ground truth.
        trimap: file of the supplied trimap; derived from the alpha if None.
        background: file of the background to composite the image onto; None uses the image as it is.
        max_area_px: area to which the image is scaled down before a method gets it, if it is larger; None for no limit.
    """

    subset: str
    name: str
    image: Path
    alpha: Path | None
    trimap: Path | None = None
    background: Path | None = None
    max_area_px: int | None = None

    def load(self) -> Example:
        """Read the files.

        Raises:
            ValueError: if a file is no picture, or the sizes differ; the message names the files.
        """
        if self.alpha is None:
            rgba = np.asarray(_open(self.image).convert("RGBA"))
            image, alpha = rgba[..., :3], rgba[..., 3]
        else:
            image = np.asarray(ImageOps.exif_transpose(_open(self.image)).convert("RGB"))
            alpha = _read_grey(self.alpha, image.shape[:2])
        opacity = alpha / np.float32(255)
        if self.background is not None:
            image = composite(image, opacity, self._place(_open(self.background), image.shape[:2]))
        trimap = trimap_from_alpha(alpha) if self.trimap is None else _read_grey(self.trimap, image.shape[:2])
        return Example(image, opacity, trimap)

    def _place(self, background: Image.Image, shape: tuple[int, int]) -> NDArray[np.uint8]:
        """Crop of the background with the image's aspect ratio, scaled to its shape; for keyed portraits a random crop, seeded
        by the item's name."""
        height, width = shape
        fit = min(background.width / width, background.height / height)
        rng = np.random.default_rng(zlib.crc32(self.name.encode())) if self.subset in FOREGROUND_ONLY else None
        zoom, x, y = (rng.uniform(0.5, 1), rng.random(), rng.random()) if rng else (1.0, 0.5, 0.5)
        crop_width, crop_height = fit * zoom * width, fit * zoom * height
        left, top = x * (background.width - crop_width), y * (background.height - crop_height)
        box = (left, top, left + crop_width, top + crop_height)
        return np.asarray(background.convert("RGB").resize((width, height), Image.Resampling.BICUBIC, box=box))


@dataclass(frozen=True)
class Layout:
    """Folder names of a data set below its root."""

    folder: str
    image: str
    alpha: str
    trimap: str | None = None
    max_area_px: int | None = None


LAYOUTS = {
    "p3m-500-np": Layout("P3M-10k/validation/P3M-500-NP", "original_image", "mask", "trimap"),
    "p3m-500-p": Layout("P3M-10k/validation/P3M-500-P", "blurred_image", "mask", "trimap"),
    "ppm-100": Layout("PPM-100", "image", "matte", max_area_px=PPM_MAX_AREA_PX),
    "aim-500": Layout("AIM-500", "original", "mask", "trimap"),
}
PORTRAIT_SETS = (KEYED, "cutouts", "cc0_portraits", "web_portraits", STREET, FLICKR)
DATASETS = (*LAYOUTS, "photomatte85", "portraits", "folders")


def find_items(dataset: str, root: str | Path) -> list[Item]:
    """List a data set's items in a fixed order.

    Args:
        dataset: one of `DATASETS`.
        root: folder that contains the data set; see this module's docstring for the layouts.

    Raises:
        ValueError: if the data set is unknown, or a folder, an alpha, a trimap or an image is missing.
    """
    root = Path(root)
    if dataset in LAYOUTS:
        return _paired(root, LAYOUTS[dataset])
    if dataset == "folders":
        return _paired(root, Layout("", "image", "alpha", "trimap" if (root / "trimap").is_dir() else None))
    if dataset == "portraits":
        return _portraits(root)
    if dataset == "photomatte85":
        return _photomatte85(root / "PhotoMatte85")
    raise ValueError(f"dataset must be one of {', '.join(DATASETS)}, got {dataset!r}")


def _paired(root: Path, layout: Layout, subset: str = "") -> list[Item]:
    folder = root / layout.folder
    images = _files_by_stem(folder / layout.image)
    alphas = _partners(images, folder / layout.alpha, "alpha")
    trimaps = _partners(images, folder / layout.trimap, "trimap") if layout.trimap else {}
    return [
        Item(subset, stem, path, alphas[stem], trimaps.get(stem), max_area_px=layout.max_area_px)
        for stem, path in images.items()
    ]


def _portraits(root: Path) -> list[Item]:
    """The validation sets; people without a background get one each, chosen by their name's checksum."""
    present = [name for name in PORTRAIT_SETS if (root / name).is_dir()]
    if not present:
        raise ValueError(f"a set is missing: {root} holds none of {', '.join(PORTRAIT_SETS)}")
    backgrounds = evaluation_backgrounds(root)
    items = []
    for name in present:
        for item in _paired(root, Layout(f"{name}/val", "image", "alpha"), subset=name):
            own = name not in FOREGROUND_ONLY
            background = None if own else backgrounds[zlib.crc32(item.name.encode()) % len(backgrounds)]
            items.append(Item(name, item.name, item.image, item.alpha, background=background))
    return items


def evaluation_backgrounds(root: Path) -> list[Path]:
    """The pictures of `root/backgrounds` that people are evaluated in front of; those of four other sets are for training.

    Raises:
        ValueError: if there is none.
    """
    paths = _files_by_stem(root / "backgrounds").values()
    wanted = [path for path in paths if not path.name.startswith(_TRAINING_BACKGROUNDS)]
    if not wanted:
        raise ValueError(f"folder {root / 'backgrounds'} holds no pictures to evaluate in front of")
    return wanted


def _photomatte85(folder: Path) -> list[Item]:
    """Foreground i is composited onto background i, both in order of file names; backgrounds repeat if they are fewer."""
    backgrounds = list(_files_by_stem(folder / "background").values())
    images = _files_by_stem(folder / "rgba_image")
    return [
        Item("", stem, path, None, background=backgrounds[index % len(backgrounds)])
        for index, (stem, path) in enumerate(images.items())
    ]


def _files_by_stem(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise ValueError(f"folder {folder} is missing")
    files: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in IMAGE_SUFFIXES:
            continue
        if path.stem in files:
            raise ValueError(f"{files[path.stem]} and {path} have the same stem; it must be unique in a folder")
        files[path.stem] = path
    if not files:
        raise ValueError(f"folder {folder} holds no pictures ({', '.join(sorted(IMAGE_SUFFIXES))})")
    return files


def _partners(images: dict[str, Path], folder: Path, kind: str) -> dict[str, Path]:
    partners = _files_by_stem(folder)
    for stem, path in images.items():
        if stem not in partners:
            raise ValueError(f"{path} has no {kind}: expected {folder / stem}.png (or another picture format)")
    for stem, path in partners.items():
        if stem not in images:
            raise ValueError(f"{kind} {path} has no image {stem} in {next(iter(images.values())).parent}")
    return partners


def _open(path: Path) -> Image.Image:
    """Open a picture without colour management, as the benchmarks' own evaluation code does."""
    try:
        image = Image.open(path)
        image.load()
    except OSError as error:
        raise ValueError(f"{path} cannot be read as a picture: {error}") from error
    return image


def _read_grey(path: Path, shape: tuple[int, int]) -> NDArray[np.uint8]:
    picture = _open(path)
    if picture.mode.startswith("I"):  # 16 bit
        grey = np.round(np.asarray(picture, np.float64) / 257).clip(0, 255).astype(np.uint8)
    else:
        grey = np.asarray(picture.convert("L"))
    if grey.shape != shape:
        raise ValueError(f"{path} is {_size(grey.shape)}, but its image is {_size(shape)}")
    return grey


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[1]}x{shape[0]} px"


def limit_area(image: NDArray[np.uint8], max_area_px: int | None) -> NDArray[np.uint8]:
    """Scale an (H, W, 3) image down, if need be, so that it has at most `max_area_px` pixels."""
    height, width = image.shape[:2]
    if max_area_px is None or height * width <= max_area_px:
        return image
    scale = (max_area_px / (height * width)) ** 0.5
    size = (max(1, int(width * scale)), max(1, int(height * scale)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)
