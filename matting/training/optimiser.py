"""The optimiser, its learning rate schedule, and the moving average of the weights."""

import argparse
import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from matting.network.efficientnet import EfficientNetEncoder
from matting.training.objective import Objective


def build_optimiser(objective: Objective, arguments: argparse.Namespace) -> torch.optim.Optimizer:
    """AdamW without weight decay on norms and biases, and with shares of the learning rate for encoder and decoder."""
    encoder = objective.model.coarse.encoder
    if arguments.freeze_filters:
        if not isinstance(encoder, EfficientNetEncoder):
            raise ValueError("filters can be frozen in the encoder of lite only, got the preset paper")
        encoder.freeze_filters()
    if arguments.cache_features and isinstance(encoder, EfficientNetEncoder):
        encoder.freeze_lower()
    if arguments.refine_only:
        objective.model.coarse.requires_grad_(False)
    groups: dict[tuple[float, float], list[Tensor]] = {}
    for name, parameter in objective.named_parameters():
        if not parameter.requires_grad:
            continue
        rate = arguments.learning_rate * _share(name, arguments)
        groups.setdefault((rate, 0.01 if parameter.ndim > 1 else 0.0), []).append(parameter)
    described = [{"params": p, "lr": r, "peak": r, "weight_decay": d} for (r, d), p in groups.items()]
    return torch.optim.AdamW(described, betas=(0.9, 0.99), fused=True)


def _share(name: str, arguments: argparse.Namespace) -> float:
    """Share of the learning rate for a parameter of an `Objective`, by its name."""
    if name.startswith(("model.coarse.encoder.stem", "model.coarse.encoder.stages")):
        return arguments.encoder_rate
    return arguments.decoder_rate if name.startswith(("model.coarse.up", "model.coarse.head", "model.coarse.fine")) else 1.0


def moving_average(decay: float) -> Callable[[Sequence[Tensor], Sequence[Tensor], Tensor | int], None]:
    """Exponential moving average with the decay min(decay, (1 + n) / (10 + n)) at step n; integer buffers are copied."""

    def average(means: Sequence[Tensor], values: Sequence[Tensor], count: Tensor | int) -> None:
        kept = min(decay, (1 + int(count)) / (10 + int(count)))
        for mean, value in zip(means, values, strict=True):
            mean.copy_(mean.lerp(value, 1 - kept) if mean.is_floating_point() else value)

    return average


def schedule(step: int, steps: int) -> float:
    """Share of the peak rate: a linear start over 2% of the steps, then a cosine down to 1%."""
    warm = max(1, steps // 50)
    if step < warm:
        return (step + 1) / warm
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warm) / max(1, steps - warm))))
