"""Publish weights on the Hugging Face Hub: file, configuration and model card in one commit."""

import json
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from huggingface_hub import HfApi

from matting.weights.card import model_card
from matting.weights.files import ORIGINAL_SUFFIXES, read_metadata, read_model
from matting.weights.hub import hub_endpoint
from matting.weights.sources import HUB_FILE, bundled_entry, is_bundled, locate


def push(repo: str, source: str = "bundled", *, licence: str | None = None, private: bool = False) -> str:
    """Publish weights, so that "hub:OWNER/REPO" loads them. The repository is created if there is none.

    Args:
        repo: "OWNER/REPO" on the server in HF_ENDPOINT, with the token in HF_TOKEN or of `hf auth login`.
        source: weights to publish, see `matting.weights`.
        licence: SPDX name; None is the one stored with the weights.
        private: whether a new repository is private.

    Returns:
        URL of the commit.

    Raises:
        ValueError: if the weights do not load, no licence is known, or the server refuses.
    """
    path = locate(source)
    with TemporaryDirectory() as folder:
        stage(path, describe(source, path, licence), Path(folder), repo)
        try:
            api = HfApi(endpoint=hub_endpoint())
            api.create_repo(repo, private=private, exist_ok=True)
            message = f"Weights of {path.name}"
            return api.upload_folder(repo_id=repo, folder_path=folder, commit_message=message).commit_url
        except Exception as error:  # the Hub's client raises many kinds
            raise ValueError(f"cannot publish to {repo}: {str(error).strip() or type(error).__name__}") from error


def describe(source: str, path: Path, licence: str | None = None) -> dict[str, Any]:
    """Facts about weights, the argument of `matting.weights.card.model_card`.

    Raises:
        ValueError: if it is no safetensors file, or its licence is unknown.
    """
    if path.suffix in ORIGINAL_SUFFIXES:
        command = f"python -m matting.weights convert {path} OUT.safetensors"
        raise ValueError(f"only safetensors files are published; first: {command}")
    metadata = read_metadata(path)
    entry: dict[str, Any] = {"bytes": path.stat().st_size, "step": metadata.get("step")}
    if is_bundled(source):
        entry = bundled_entry(source)
    licence = licence or entry.get("licence") or metadata.get("licence")
    if not licence:
        raise ValueError(f"{path} does not say what its licence is; name it with --licence")
    return {**entry, "licence": licence}


def stage(path: Path, entry: dict[str, Any], folder: Path, repo: str) -> None:
    """Write the files to publish into a folder; raises ValueError if the weights do not load."""
    config = read_model(path).config
    shutil.copyfile(path, folder / HUB_FILE)
    (folder / "config.json").write_text(json.dumps(json.loads(config.to_json()), indent=1) + "\n")
    (folder / "README.md").write_text(model_card({**entry, "preset": config.preset}, repo))
