"""Feature distillation for encoders without pretrained weights: they learn a trained encoder's features and get its decoder."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from matting.network import MattingNetwork

_MAPS = 4  # at R16, R32, R64 and R128; finer ones, which not every encoder has, are not distilled
_LEAST_VARIANCE = 1e-4  # of a component, as a share of the mean variance; smaller ones are not amplified further


class FeatureTeacher(nn.Module):
    """The distance of a student's four feature maps from those of a trained network's encoder, which is frozen.

    The target of the first channels of a student's map are the teacher's principal components, scaled (see `Components`), as
    many as both have channels. The relation is linear, so the teacher's decoder can be converted to read the student's maps.

    Args:
        teacher: a trained network.
        channels: of the student's maps, the last four at R16, R32, R64 and R128.
        image: (B, 3, H, W) in [0, 1], images from which the components are computed, sides multiples of 128.
    """

    def __init__(self, teacher: MattingNetwork, channels: Sequence[int], image: Tensor):
        super().__init__()
        self.network = teacher.requires_grad_(False)
        self.network.eval()
        maps = self._maps(image)
        self.components = nn.ModuleList(
            Components(x, min(ours, x.shape[1])) for x, ours in zip(maps, channels[-_MAPS:], strict=True)
        )

    def train(self, mode: bool = True) -> "FeatureTeacher":
        """Keep the teacher in eval mode."""
        super().train(mode)
        self.network.eval()
        return self

    def forward(self, image: Tensor, maps: Sequence[Tensor]) -> Tensor:
        """Mean squared error over all maps, a scalar; image (B, 3, H, W) in [0, 1], maps the student's for it."""
        distances = []
        for components, features, teacher_features in zip(self.components, maps[-_MAPS:], self._maps(image), strict=True):
            target = components(teacher_features)
            distances.append(F.mse_loss(features[:, : target.shape[1]].float(), target))
        return torch.stack(distances).mean()

    def hand_over(self, learner: MattingNetwork) -> None:
        """Copy the teacher's decoder, heads and refinement into a student, converted to read the student's target features.

        Args:
            learner: the student, whose encoder has the channels that this teacher was made for.

        Raises:
            ValueError: if its decoder has other widths than the teacher's.
        """
        widths, wanted = learner.config.decoder_channels, self.network.config.decoder_channels
        if widths != wanted:
            raise ValueError(f"expected a decoder with the teacher's {wanted} channels, got {widths}")
        source = self.network.state_dict()
        kept = {name: value for name, value in source.items() if not name.startswith(("coarse.encoder", "coarse.up"))}
        learner.load_state_dict(kept, strict=False)
        components, rooms = [part for part in self.components if isinstance(part, Components)], learner.coarse.encoder.channels
        c64, c32, _ = widths
        above: dict[str, tuple[Components | None, int]]
        above = {"up64": (components[3], rooms[3]), "up32": (None, c64), "up16": (None, c32)}
        for index, (name, from_above) in zip((2, 1, 0), above.items(), strict=True):
            parts = from_above, (components[index], rooms[index])
            weight, bias = _translate(getattr(self.network.coarse, name).conv, parts)
            getattr(learner.coarse, name).conv.load_state_dict({"weight": weight, "bias": bias})

    @torch.no_grad()
    def _maps(self, image: Tensor) -> tuple[Tensor, ...]:
        return tuple(x.float() for x in self.network.coarse.encoder(image)[-_MAPS:])


class Components(nn.Module):
    """Principal components of a feature map, (B, C, H, W) -> (B, count, H, W), partly whitened.

    Each component is divided by the square root of its standard deviation (half way to full whitening), and all by one factor
    that makes their mean variance 1: minor components count in the loss without drowning the major ones.

    Args:
        features: (B, C, H, W) from which they are computed.
        count: number of components, at most C.

    Attributes:
        mean: (C,) of the features.
        basis: (C, count), from components to centred features.
        inverse: (count, C), from centred features to components.
    """

    mean: Tensor
    basis: Tensor
    inverse: Tensor

    def __init__(self, features: Tensor, count: int):
        super().__init__()
        samples = features.float().transpose(0, 1).flatten(1)  # (C, samples)
        self.register_buffer("mean", samples.mean(1))
        variances, directions = torch.linalg.eigh((samples - self.mean[:, None]).cov(correction=0))
        variances, directions = variances.flip(0)[:count], directions.flip(1)[:, :count]
        scale = variances.clamp(min=_LEAST_VARIANCE * float(variances.mean())) ** 0.25
        scale = scale * (variances / scale.square()).mean().sqrt()
        self.register_buffer("basis", directions * scale)
        self.register_buffer("inverse", (directions / scale).T.contiguous())

    def forward(self, features: Tensor) -> Tensor:
        centred = features - self.mean[:, None, None]
        return torch.einsum("kc,bchw->bkhw", self.inverse, centred)


def _translate(conv: nn.Conv2d, parts: Sequence[tuple[Components | None, int]]) -> tuple[Tensor, Tensor]:
    """Weight and bias of a convolution whose input features are replaced by their components.

    Args:
        conv: of the teacher.
        parts: of its input channels, in order: their components, or None for unchanged channels, and the number of channels in
            the student, of which those beyond the components get weights of 0.
    """
    if conv.bias is None:
        raise ValueError("expected a convolution with a bias")
    bias, columns, start = conv.bias, [], 0
    for components, room in parts:
        width = len(components.mean) if components else room
        part = conv.weight[:, start : start + width]
        start += width
        if components:
            bias = bias + torch.einsum("ocyx,c->o", part, components.mean)
            part = torch.einsum("ocyx,ck->okyx", part, components.basis)
        columns.append(F.pad(part, (0, 0, 0, 0, 0, room - part.shape[1])))
    return torch.cat(columns, 1), bias
