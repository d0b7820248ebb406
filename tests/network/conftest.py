"""The recorded runs of the authors' program, and our network with the weights they were made with."""

from pathlib import Path

import numpy as np
import pytest
import torch
from parity import recipe

from matting.network import PRESETS, MattingNetwork
from matting.weights.original import from_original

PARITY = Path(recipe.__file__).parent


def load(name: str) -> dict[str, torch.Tensor]:
    with np.load(PARITY / name) as arrays:
        return {key: torch.from_numpy(arrays[key]) for key in arrays.files}


def to_image(rgb: torch.Tensor) -> torch.Tensor:
    """(H, W, 3) uint8 -> (1, 3, H, W) float32 in [0, 1]."""
    return (rgb.float() / 255).permute(2, 0, 1)[None]


@pytest.fixture(scope="session")
def recorded() -> dict[str, torch.Tensor]:
    """A run of the authors' program at 896x896; `image` is (1, 3, 896, 896)."""
    arrays = load("syn896x896.npz")
    return {**arrays, "image": to_image(arrays["image_u8"])}


@pytest.fixture(scope="session")
def edge_cases() -> dict[str, torch.Tensor]:
    """Runs of the authors' second stage with chosen trimaps; `image` is (2, 3, 256, 256)."""
    arrays = load("roi_edge_cases_256.npz")
    return {**arrays, "image": torch.cat([to_image(arrays["image_u8"]), to_image(arrays["batch_image1_u8"])])}


@pytest.fixture(scope="session")
def paper_model() -> MattingNetwork:
    """The paper's network with the weights of the recorded runs. Do not change it."""
    model = MattingNetwork(PRESETS["paper"]).eval().requires_grad_(False)
    model.load_state_dict(from_original({key: torch.from_numpy(value) for key, value in recipe.state_dict().items()}))
    return model
