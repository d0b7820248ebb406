"""Pictures of furniture, rendered from the 3D models of a Debian package: python -m matting.training.renders FOLDER.

Fills FOLDER with transparent PNGs for --furniture. Needs a Debian machine with libegl1 and libgl1-mesa-dri, and
`pip install vtk`. The models are Sweet Home 3D's: by Scopia (CC BY 3.0), Andrew Kator and Jennifer Legaz (CC BY 3.0 US), the
contributors of BlendSwap (CC BY 3.0 and CC0).
"""

import argparse
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import vtk
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm
from vtk.util.numpy_support import vtk_to_numpy

from matting.training.gather import unpack

PACKAGE = "sweethome3d-furniture"
CATEGORIES = frozenset({"Living room", "Bedroom", "Office", "Exterior"})
_NOT_FURNITURE = re.compile(r"mannequin|skeleton|statue|person|man\b|woman|child|arrow|compass|box\b", re.IGNORECASE)
_SIDE = 560
_MOST_AMBIENT = 0.3
_SMOOTHING = 2  # supersampling factor per axis
_LEAST_COVER = 0.03  # of a picture
_LEAST_CONTRAST = 12.0  # standard deviation, of 255; white on white is a model whose light is wrong


class Model(NamedTuple):
    """A 3D model: its name, its OBJ file, and the rotation (3 x 3) that makes it stand upright."""

    name: str
    file: Path
    rotation: NDArray[np.float64]


def read_catalog(folder: Path) -> Iterator[Model]:
    """The furniture of an unpacked catalog, without people, doors, stairs and signs."""
    text = (folder / "PluginFurnitureCatalog.properties").read_text(encoding="iso-8859-1")
    entries: dict[str, dict[str, str]] = {}
    for key, number, value in re.findall(r"^(\w+)#(\d+)=(.*)$", text, re.MULTILINE):
        entries.setdefault(number, {})[key] = value.strip()
    for entry in entries.values():
        wanted = entry["category"] in CATEGORIES and not _NOT_FURNITURE.search(entry["name"])
        if wanted and entry["model"].endswith(".obj"):
            rotation = np.array(entry.get("modelRotation", "1 0 0 0 1 0 0 0 1").split(), float).reshape(3, 3)
            yield Model(entry["name"], folder / entry["model"].lstrip("/"), rotation)


def render(model: Model, rng: np.random.Generator) -> Image.Image:
    """Render a model from a random view in front and above, with random light, as an RGBA picture with transparency."""
    window, renderer = vtk.vtkRenderWindow(), vtk.vtkRenderer()
    window.SetOffScreenRendering(True)
    window.SetSize(_SIDE * _SMOOTHING, _SIDE * _SMOOTHING)
    window.SetAlphaBitPlanes(1)
    window.SetMultiSamples(0)
    window.AddRenderer(renderer)
    renderer.SetBackgroundAlpha(0)
    _load(model, window)
    for actor in renderer.GetActors():
        actor.SetUserMatrix(_matrix(model.rotation))
        actor.GetProperty().SetAmbient(min(actor.GetProperty().GetAmbient(), _MOST_AMBIENT))
    _light(renderer, rng)
    _look(renderer, rng)
    window.Render()
    grab = vtk.vtkWindowToImageFilter()
    grab.SetInput(window)
    grab.SetInputBufferTypeToRGBA()
    grab.ReadFrontBufferOff()
    grab.Update()
    pixels = vtk_to_numpy(grab.GetOutput().GetPointData().GetScalars()).reshape(_SIDE * _SMOOTHING, _SIDE * _SMOOTHING, 4)
    return Image.fromarray(np.ascontiguousarray(pixels[::-1])).resize((_SIDE, _SIDE), Image.Resampling.BOX)


def _load(model: Model, window: vtk.vtkRenderWindow) -> None:
    importer = vtk.vtkOBJImporter()
    importer.SetFileName(str(model.file))
    importer.SetFileNameMTL(str(model.file.with_suffix(".mtl")))
    importer.SetTexturePath(str(model.file.parent))
    importer.SetRenderWindow(window)
    importer.Update()


def _matrix(rotation: NDArray[np.float64]) -> vtk.vtkMatrix4x4:
    matrix = vtk.vtkMatrix4x4()
    for row, column in np.ndindex(3, 3):
        matrix.SetElement(row, column, float(rotation[row, column]))
    return matrix


def _light(renderer: vtk.vtkRenderer, rng: np.random.Generator) -> None:
    kit = vtk.vtkLightKit()
    kit.SetKeyLightIntensity(float(rng.uniform(0.45, 0.9)))
    kit.SetKeyLightAngle(float(rng.uniform(20, 70)), float(rng.uniform(-60, 60)))
    kit.SetKeyToFillRatio(float(rng.uniform(1.5, 5)))
    kit.AddLightsToRenderer(renderer)


def _look(renderer: vtk.vtkRenderer, rng: np.random.Generator) -> None:
    camera = renderer.GetActiveCamera()
    camera.SetPosition(0, 0, 1)
    camera.SetFocalPoint(0, 0, 0)
    camera.Azimuth(float(rng.uniform(-60, 60)))
    camera.Elevation(float(rng.uniform(2, 30)))
    camera.SetViewAngle(float(rng.uniform(20, 45)))
    renderer.ResetCamera()


def is_usable(picture: Image.Image) -> bool:
    """Whether a render covers enough of the picture and has enough contrast."""
    pixels = np.asarray(picture)
    opaque = pixels[pixels[..., 3] > 127]
    enough = len(opaque) > _LEAST_COVER * picture.width * picture.height
    return enough and float(opaque[:, :3].std(axis=0).mean()) > _LEAST_CONTRAST


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m matting.training.renders", description=__doc__)
    parser.add_argument("folder", type=Path, help="gets the pictures")
    folder = parser.parse_args(arguments).folder
    folder.mkdir(parents=True, exist_ok=True)
    rng, written = np.random.default_rng(0), 0
    with tempfile.TemporaryDirectory() as unpacked:
        for archive in sorted(unpack(PACKAGE, Path(unpacked)).rglob("*.sh3f")):
            catalog = Path(unpacked) / archive.stem
            shutil.unpack_archive(archive, catalog, "zip")
            for number, model in enumerate(tqdm(list(read_catalog(catalog)), desc=archive.stem)):
                picture = render(model, rng)
                if is_usable(picture):
                    picture.crop(picture.getbbox()).save(folder / f"{archive.stem}-{number:03d}.png")
                    written += 1
    print(f"written: {written} pieces of furniture in {folder}")


if __name__ == "__main__":
    main()
