"""Which package may import which, read from the source; and what `import matting.network` loads."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

import matting

ROOT = Path(__file__).parents[1]

# Package of ours -> what of ours it may import: a whole package, or one module of it. Whatever is missing is forbidden.
MAY_IMPORT = {
    "network": set(),
    "postprocess": {"network"},
    "media": {"postprocess"},
    "inference": {"network", "postprocess", "media"},
    "weights": {"network", "media.atomic"},
    "training": {
        "network",
        "postprocess",
        "weights",
        "inference.exposure",
        "inference.photo",
        "media.atomic",
        "media.image",
        "media.prefetch",
        "evaluation.metrics",
        "evaluation.datasets",
    },
    "evaluation": {"network", "postprocess", "media", "inference", "weights"},
    "cli": {"network", "postprocess", "media", "inference", "weights", "evaluation"},
    "app": {"network", "postprocess", "media", "inference", "weights", "evaluation"},
    "matting": {"media", "inference", "weights"},  # the public names in matting/__init__.py
}
# Other people's package -> the only packages of ours that may import it.
ONLY_IN = {
    "av": {"media"},
    "cv2": {"postprocess", "media", "inference", "training", "evaluation", "app"},
    "gradio": {"app"},
    "huggingface_hub": {"weights"},
    "matplotlib": {"training", "evaluation", "app"},
    "onnxruntime": {"weights"},
    "pillow_heif": {"media"},
    "pymatting": {"training", "evaluation"},
    "ray": {"evaluation"},
    "safetensors": {"weights"},
    "starlette": {"app"},
    "tensorboard": {"training"},
    "vtk": {"training"},
    "yaml": {"training"},
}


class Import(NamedTuple):
    """One import in a file of ours: where, by which package, and the module that it names."""

    place: str
    owner: str
    module: str


def owner_of(file: Path) -> str:
    """The package a file belongs to; every __main__.py is a shim of the command line, wherever it lies."""
    inside = file.relative_to(ROOT / "matting").parts
    if file.name == "__main__.py":
        return "cli"
    return inside[0] if len(inside) > 1 else "matting"


def imported(node: ast.AST) -> list[str]:
    """The modules that a statement imports, in full; `from matting import network` names matting.network."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0, f"line {node.lineno}: imports name the whole module"
        return [f"matting.{alias.name}" for alias in node.names] if node.module == "matting" else [node.module or ""]
    return []


def imports() -> Iterator[Import]:
    """All imports of the package, those inside functions and for type checkers among them."""
    for file in sorted((ROOT / "matting").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            for module in imported(node):
                yield Import(f"{file.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}", owner_of(file), module)


def may(found: Import) -> bool:
    inside = found.module.removeprefix("matting.")
    if inside.split(".")[0] == found.owner:
        return True
    return any(inside == allowed or inside.startswith(f"{allowed}.") for allowed in MAY_IMPORT[found.owner])


def test_the_table_knows_every_package():
    packages = {folder.parent.name for folder in (ROOT / "matting").glob("*/__init__.py")}
    assert packages == set(MAY_IMPORT) - {"matting"}


def test_imports_run_one_way():
    ours = [found for found in imports() if found.module.split(".")[0] == "matting"]
    assert len(ours) > 100
    wrong = [found for found in ours if not may(found)]
    assert [f"{found.place} imports {found.module}" for found in wrong] == []


def test_the_table_has_no_cycle():
    packages = {owner: {name.split(".")[0] for name in names} for owner, names in MAY_IMPORT.items()}
    assert next(TopologicalSorter(packages).static_order()) == "network"  # raises CycleError


def test_nothing_imports_the_app():
    assert "app" not in {name for names in MAY_IMPORT.values() for name in names}
    assert all("app" in found.place for found in imports() if f"{found.module}.".startswith("matting.app."))


def test_other_peoples_packages_stay_where_they_belong():
    wrong = [found for found in imports() if found.owner not in ONLY_IN.get(found.module.split(".")[0], {found.owner})]
    assert [f"{found.place} imports {found.module}" for found in wrong] == []


def test_the_network_needs_torch_alone():
    theirs = {found.module.split(".")[0] for found in imports() if found.owner == "network"} - sys.stdlib_module_names
    assert theirs - {"matting"} == {"torch"}


@pytest.mark.slow
def test_import_of_the_network_loads_nothing_else_of_ours():
    script = "import json, sys, matting.network; print(json.dumps(sorted(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = json.loads(run.stdout)
    ours = {name.split(".")[1] for name in loaded if name.startswith("matting.")}
    assert ours == {"network"}
    assert "torch" in loaded
    assert {name.split(".")[0] for name in loaded} & {*ONLY_IN, "numba", "scipy", "PIL", "gradio_client"} == set()


def test_public_names_are_loaded_from_where_type_checkers_see_them():
    tree = ast.parse((ROOT / "matting/__init__.py").read_text())
    seen = {alias.name: node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    homes = {name: home for name, home in seen.items() if str(home).startswith("matting.")}
    assert homes == matting._MODULES
    assert sorted(homes) == matting.__all__
    for name, home in homes.items():
        assert getattr(matting, name) is getattr(sys.modules[str(home)], name)
    assert set(matting.__all__) <= set(dir(matting))
    with pytest.raises(AttributeError, match="'matting' has no attribute 'matte_imgae'"):
        _ = matting.matte_imgae


@pytest.mark.slow
def test_the_app_starts_without_waiting_for_a_compiler():
    script = "import sys, app; print(sorted({'numba', 'pymatting'} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
