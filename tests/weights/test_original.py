"""The authors' checkpoint layout fills our network completely, or is refused with the key that is wrong."""

import json

import pytest
import torch
from parity import recipe

from matting.network import PRESETS, MattingNetwork
from matting.weights.original import from_original

SWIN = "lowres_model.encoder.model.swin.layers"


@pytest.fixture
def checkpoint() -> dict[str, torch.Tensor]:
    """Every key and shape of the authors' checkpoint, without values."""
    shapes = json.loads((recipe.HERE / "keys.json").read_text())
    return {key: torch.empty(shape, device="meta") for key, (shape, _) in shapes.items()}


@pytest.mark.slow
def test_every_tensor_of_our_network_is_filled(checkpoint):
    with torch.device("meta"):
        model = MattingNetwork(PRESETS["paper"])
    ours = from_original(checkpoint)
    assert {key: value.shape for key, value in ours.items()} == {key: value.shape for key, value in model.state_dict().items()}


def test_query_key_and_value_are_joined_in_this_order(checkpoint):
    attention = f"{SWIN}.1.blocks.0.attn.qkv"
    for number, part in enumerate("qkv"):
        checkpoint[f"{attention}.{part}_bias"] = torch.full((192,), float(number))
    joined = from_original(checkpoint)["coarse.encoder.stages.1.blocks.0.attention.qkv.bias"]
    assert torch.equal(joined, torch.tensor([0.0, 1.0, 2.0]).repeat_interleave(192))


def test_pieces_of_the_merging_norm_are_joined_in_order(checkpoint):
    for piece in range(4):
        checkpoint[f"{SWIN}.0.downsample.norm.weights.{piece}"] = torch.full((96,), float(piece))
    joined = from_original(checkpoint)["coarse.encoder.merges.0.norm.weight"]
    assert torch.equal(joined, torch.arange(4.0).repeat_interleave(96))


def test_query_is_split_from_key_and_value(checkpoint):
    rows = torch.arange(384.0)[:, None].expand(384, 128)
    checkpoint["roi_head.transformer.layers.0.1.to_qkv.weight"] = rows
    ours = from_original(checkpoint)
    assert torch.equal(ours["refine.attention.layer1.query.weight"], rows[:128])
    assert torch.equal(ours["refine.attention.layer1.key_value.weight"], rows[128:])


def test_derived_tensors_are_ignored(checkpoint):
    derived = {f"{SWIN}.0.blocks.1.attn_mask": torch.zeros(64, 49, 49), "any.relative_position_index": torch.zeros(49, 49)}
    assert from_original(checkpoint | derived).keys() == from_original(checkpoint).keys()


def test_missing_keys_are_named(checkpoint):
    del checkpoint["seg_heads.1.bias"]
    with pytest.raises(ValueError, match=r"authors' network, got one with 1 missing keys: seg_heads\.1\.bias$"):
        from_original(checkpoint)
    with pytest.raises(ValueError, match=r"369 missing keys: .*, \.\.\.$"):
        from_original({})


def test_unknown_keys_are_named(checkpoint):
    with pytest.raises(ValueError, match=r"got one with 1 unknown keys: discriminator\.weight$"):
        from_original(checkpoint | {"discriminator.weight": torch.zeros(1)})
