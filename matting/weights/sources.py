"""Sources of weights: bundled with the package, a path, or a repository on the Hugging Face Hub."""

import json
import re
from pathlib import Path
from typing import Any

from matting.weights.hub import HubFile, fetch, sha256_of

BUNDLED = Path(__file__).parent / "bundled"
MANIFEST = BUNDLED / "manifest.json"
HUB_FILE = "model.safetensors"
_HUB_SOURCE = re.compile(r"hub:(?P<repo>[\w.-]+/[\w.-]+)(@(?P<revision>[\w./-]+))?(:(?P<file>[\w./-]+))?")


def locate(source: str) -> Path:
    """The local file of a source, see `matting.weights`; downloads from the Hub if needed.

    Raises:
        ValueError: if there is no such file, the download fails, or the hash is wrong.
    """
    if is_bundled(source):
        return _locate_bundled(source)
    if source.startswith("hub:"):
        match = _HUB_SOURCE.fullmatch(source)
        if not match:
            raise ValueError(f"expected hub:OWNER/REPO[@REVISION][:FILE], got {source!r}")
        return fetch(HubFile(match["repo"], match["file"] or HUB_FILE, match["revision"]))
    path = Path(source)
    if not path.is_file():
        raise ValueError(f"weights must be 'bundled', hub:OWNER/REPO or a file; there is no file {source!r}")
    return path


def is_bundled(source: str) -> bool:
    return source == "bundled" or source.startswith("bundled:")


def bundled_entry(source: str) -> dict[str, Any]:
    """The manifest's entry for "bundled" or "bundled:PRESET".

    Raises:
        ValueError: if no weights, or none of this preset, are bundled.
    """
    if not MANIFEST.is_file():
        raise ValueError(f"this installation has no bundled weights: there is no {MANIFEST}")
    manifest = json.loads(MANIFEST.read_text())
    preset = source.partition(":")[2] or manifest["default"]
    if preset not in manifest["weights"]:
        raise ValueError(f"bundled presets are {', '.join(manifest['weights'])}, got {preset!r}")
    return manifest["weights"][preset]


def _locate_bundled(source: str) -> Path:
    entry = bundled_entry(source)
    path = BUNDLED / entry["file"]
    if not path.is_file():
        raise ValueError(f"the bundled weights are incomplete: there is no {path}")
    if path.stat().st_size != entry["bytes"]:
        raise ValueError(f"{path.name} should have {entry['bytes']} bytes, it has {path.stat().st_size}")
    if sha256_of(path) != entry["sha256"]:
        raise ValueError(f"{path.name} should have the SHA-256 {entry['sha256']}, it has another")
    return path
