"""What all tests share: a small network with random weights, and its file."""

from pathlib import Path

import pytest
import torch

from matting.network import PRESETS, MattingNetwork
from matting.weights import save_weights


@pytest.fixture(scope="session")
def lite_model() -> MattingNetwork:
    """The lite network with seeded random weights, in eval mode and without gradients. Do not change it."""
    torch.manual_seed(0)
    return MattingNetwork(PRESETS["lite"]).eval().requires_grad_(False)


@pytest.fixture(scope="session")
def saved(lite_model, tmp_path_factory) -> Path:
    """File of `lite_model`, in half precision. Do not change it."""
    path = tmp_path_factory.mktemp("weights") / "lite.safetensors"
    save_weights(lite_model, path, {"step": "7"}, torch.float16)
    return path
