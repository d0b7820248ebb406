"""Means of weights."""

from pathlib import Path

import pytest
import torch
from torch.testing import assert_close

from matting.network import PRESETS, MattingNetwork
from matting.training.average_checkpoints import mean_weights, trained_steps
from matting.weights import load_model, save_weights


def saved(path: Path, seed: int, metadata: dict[str, str], preset: str = "lite") -> MattingNetwork:
    torch.manual_seed(seed)
    model = MattingNetwork(PRESETS[preset])
    save_weights(model, path, metadata, torch.float32)
    return model


@pytest.mark.slow
def test_a_mean_has_its_share_of_both_and_counts_the_longer_training(tmp_path: Path):
    a, b, out = (tmp_path / f"{name}.safetensors" for name in "abc")
    one, other = saved(a, 0, {"step": "20"}), saved(b, 1, {"step": "300"})
    mean_weights(str(a), str(b), out, share=0.25)
    name = "coarse.up16.conv.weight"
    wanted = 0.75 * one.state_dict()[name] + 0.25 * other.state_dict()[name]
    assert_close(load_model(out, device="cpu").state_dict()[name], wanted)
    assert trained_steps(str(out)) == 300


@pytest.mark.slow
def test_who_did_not_count_has_no_steps(tmp_path: Path):
    saved(tmp_path / "a.safetensors", 0, {})
    assert trained_steps(str(tmp_path / "a.safetensors")) == 0


def test_what_cannot_be_mixed_is_refused(tmp_path: Path):
    a, b = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    saved(a, 0, {"step": "1"})
    saved(b, 0, {"step": "1"}, "paper")
    with pytest.raises(ValueError, match=r"same configuration, got .*lite.* and .*paper"):
        mean_weights(str(a), str(b), tmp_path / "out.safetensors")
    with pytest.raises(ValueError, match=r"\[0, 1\], got 1.5"):
        mean_weights(str(a), str(a), tmp_path / "out.safetensors", 1.5)
