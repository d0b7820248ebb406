"""Conversion of the authors' checkpoints: their parameter names, mapped to this project's.

The layout is that of the program published with Zhong & Zharkov, "Lightweight Portrait Matting via Regional Attention
and Refinement" (WACV 2024).
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from matting.network.swin import DEPTHS

_DERIVED = ("attn_mask", "relative_position_index")
_TOKEN_CHANNELS = 128
_AFFINE = ("weight", "bias")
_BATCH_NORM = (*_AFFINE, "running_mean", "running_var", "num_batches_tracked")


class _Entry(NamedTuple):
    """One tensor of this project: the authors' tensors that are concatenated along dimension 0, or rows of one of them."""

    ours: str
    theirs: tuple[str, ...]
    rows: slice | None = None


def from_original(state_dict: dict[str, Tensor]) -> dict[str, Tensor]:
    """Rename, concatenate and split the tensors of an authors' checkpoint into the state dict of the `paper` preset.

    Args:
        state_dict: the entry "mat_model" of their checkpoint. Attention masks and position indices in it are derived and
            ignored; apart from them the keys must match exactly.

    Returns:
        State dict for `MattingNetwork(PRESETS["paper"])`.

    Raises:
        ValueError: if a key is missing or unknown; the message names it.
    """
    given = {key for key in state_dict if not any(part in key for part in _DERIVED)}
    entries = list(_entries())
    expected = {key for entry in entries for key in entry.theirs}
    for problem, keys in (("missing", expected - given), ("unknown", given - expected)):
        if keys:
            raise ValueError(
                f"expected a checkpoint of the authors' network, got one with {len(keys)} {problem} keys: "
                + ", ".join(sorted(keys)[:5])
                + ", ..." * (len(keys) > 5)
            )
    return {entry.ours: _value(entry, state_dict) for entry in entries}


def _value(entry: _Entry, state_dict: dict[str, Tensor]) -> Tensor:
    if len(entry.theirs) > 1:
        return torch.cat([state_dict[key] for key in entry.theirs])
    value = state_dict[entry.theirs[0]]
    return value if entry.rows is None else value[entry.rows].clone()


def _entries() -> Iterator[_Entry]:
    yield from _encoder("coarse.encoder", "lowres_model.encoder")
    for number, (up, head) in enumerate((("up64", "head32"), ("up32", "head16"), ("up16", "head8"))):
        yield from _same(f"coarse.{up}.conv", f"lowres_model.decoder.up_blocks.{number + 1}.0.conv")
        yield from _same(f"coarse.{head}.trimap", f"trimap_heads.{number}")
        yield from _same(f"coarse.{head}.alpha", f"seg_heads.{number}")
    for number, side in enumerate((8, 4, 2)):
        yield from _conv_norms(f"refine.encoder.block{side}", f"roi_head.encoder.down_blocks.{number}", "conv")
    for number, side in enumerate((2, 4, 8)):
        yield from _conv_norms(f"refine.decoder.block{side}", f"roi_head.decoder.up_blocks.{number}", "deconv")
    yield from _cross_region_attention("refine.attention", "roi_head")
    yield from _same("refine.decoder.alpha", "roi_matte_head")


def _same(ours: str, theirs: str, leaves: tuple[str, ...] = _AFFINE) -> Iterator[_Entry]:
    for leaf in leaves:
        yield _Entry(f"{ours}.{leaf}", (f"{theirs}.{leaf}",))


def _encoder(ours: str, theirs: str) -> Iterator[_Entry]:
    yield _Entry(f"{ours}.mean", (f"{theirs}.mean",))
    yield _Entry(f"{ours}.std", (f"{theirs}.std",))
    swin = f"{theirs}.model.swin"
    yield from _same(f"{ours}.embedding", f"{swin}.patch_embed.proj")
    yield from _same(f"{ours}.norm", f"{swin}.patch_embed.norm")
    for stage, depth in enumerate(DEPTHS):
        for block in range(depth):
            yield from _swin_block(f"{ours}.stages.{stage}.blocks.{block}", f"{swin}.layers.{stage}.blocks.{block}")
    for stage in range(len(DEPTHS) - 1):
        merge, merged = f"{ours}.merges.{stage}", f"{swin}.layers.{stage}.downsample"
        yield _Entry(f"{merge}.norm.weight", tuple(f"{merged}.norm.weights.{piece}" for piece in range(4)))
        yield _Entry(f"{merge}.norm.bias", tuple(f"{merged}.norm.biases.{piece}" for piece in range(4)))
        yield from _same(f"{merge}.reduction", f"{merged}.reduction", ("weight",))


def _swin_block(ours: str, theirs: str) -> Iterator[_Entry]:
    yield from _same(f"{ours}.norm1", f"{theirs}.norm1")
    for leaf in _AFFINE:
        yield _Entry(f"{ours}.attention.qkv.{leaf}", tuple(f"{theirs}.attn.qkv.{part}_{leaf}" for part in "qkv"))
    yield _Entry(f"{ours}.attention.position_bias", (f"{theirs}.attn.relative_position_bias_table",))
    yield from _same(f"{ours}.attention.projection", f"{theirs}.attn.proj")
    yield from _same(f"{ours}.norm2", f"{theirs}.norm2")
    yield from _same(f"{ours}.mlp.0", f"{theirs}.mlp.fc1")
    yield from _same(f"{ours}.mlp.2", f"{theirs}.mlp.fc2")


def _conv_norms(ours: str, theirs: str, conv: str) -> Iterator[_Entry]:
    for number in range(2):
        yield from _same(f"{ours}.{number}.0", f"{theirs}.{number}.{conv}")
        yield from _same(f"{ours}.{number}.1", f"{theirs}.{number}.norm", _BATCH_NORM)


def _cross_region_attention(ours: str, theirs: str) -> Iterator[_Entry]:
    yield _Entry(f"{ours}.position_bias", ("rel_pos_bias_table",))
    yield from _same(f"{ours}.to_token", f"{theirs}.enc_head")
    yield from _same(f"{ours}.from_token", f"{theirs}.dec_head")
    for number in range(2):
        layer, source = f"{ours}.layer{number + 1}", f"{theirs}.transformer.layers.{number}"
        yield from _same(f"{layer}.norm1", f"{source}.0")
        yield from _same(f"{layer}.project", f"{source}.1.to_out.0")
        yield from _same(f"{layer}.norm2", f"{source}.2")
        yield from _same(f"{layer}.mlp.0", f"{source}.3.net.0")
        yield from _same(f"{layer}.mlp.2", f"{source}.3.net.3")
    first, second = f"{theirs}.transformer.layers.0.1", f"{theirs}.transformer.layers.1.1"
    yield _Entry(f"{ours}.layer1.query.weight", (f"{first}.to_qkv.weight",), slice(0, _TOKEN_CHANNELS))
    yield _Entry(f"{ours}.layer1.key_value.weight", (f"{first}.to_qkv.weight",), slice(_TOKEN_CHANNELS, None))
    yield _Entry(f"{ours}.layer2.query.weight", (f"{second}.to_q.weight",))
    yield _Entry(f"{ours}.layer2.key_value.weight", (f"{second}.to_kv.weight",))
