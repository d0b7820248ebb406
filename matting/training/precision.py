"""Mixed precision of training."""

import argparse

import torch

_TYPES = {"bf16": torch.bfloat16, "fp16": torch.float16, "none": None}
PRECISIONS = ("auto", *_TYPES)


def precision(name: str, device: torch.device) -> torch.dtype | None:
    """The type that convolutions and matrix products run in; None is float32 everywhere.

    Args:
        name: one of `PRECISIONS`; auto is bf16 on GPUs that have it, fp16 on others, none elsewhere.
        device: of the training.
    """
    if name == "auto":
        gpu = "bf16" if device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"
        name = gpu if device.type == "cuda" else "none"
    return _TYPES[name]


def autocast(options: argparse.Namespace, device: torch.device) -> torch.autocast:
    """The context that a run's forward passes run in."""
    kind = precision(options.amp, device)
    return torch.autocast(device.type, kind or torch.bfloat16, enabled=kind is not None)


def scaler(options: argparse.Namespace, device: torch.device) -> torch.amp.GradScaler:
    """Keeps small gradients from vanishing in fp16; in other types it does nothing."""
    return torch.amp.GradScaler(device.type, enabled=precision(options.amp, device) == torch.float16)
