"""Means of weights."""

from dataclasses import replace
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


@pytest.mark.slow
def test_what_cannot_be_mixed_is_refused(tmp_path: Path):
    a, b = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    saved(a, 0, {"step": "1"})
    saved(b, 0, {"step": "1"}, "paper")
    with pytest.raises(ValueError, match=r"same configuration, got .*lite.* and .*paper"):
        mean_weights(str(a), str(b), tmp_path / "out.safetensors")
    with pytest.raises(ValueError, match=r"\[0, 1\], got 1.5"):
        mean_weights(str(a), str(a), tmp_path / "out.safetensors", 1.5)


@pytest.mark.slow
def test_what_the_simpler_network_lacks_is_the_richer_ones_and_one_stage_can_be_left_alone(tmp_path: Path):
    a, b, out = (tmp_path / f"{name}.safetensors" for name in "abc")
    torch.manual_seed(0)
    simple = MattingNetwork(replace(PRESETS["lite"], r8_channels=0))
    save_weights(simple, a, {"step": "9"}, torch.float32)
    rich = saved(b, 1, {"step": "3"}).state_dict()
    mean_weights(str(a), str(b), out, share=0.5, part="coarse")
    mixed = load_model(out, device="cpu")
    assert mixed.config == PRESETS["lite"] and trained_steps(str(out)) == 9
    for name, value in mixed.state_dict().items():
        theirs = simple.state_dict().get(name) if name.startswith("coarse") else None
        wanted = rich[name] if theirs is None or not value.is_floating_point() else (theirs + rich[name]) / 2
        assert_close(value, wanted, msg=name)
    with pytest.raises(ValueError, match="same configuration"):
        mean_weights(str(b), str(a), out)
