"""The batch normalisation of both stages."""

from torch import Tensor, nn


class BatchNorm(nn.BatchNorm2d):
    """`nn.BatchNorm2d` that always keeps statistics, which torch's type leaves open."""

    running_mean: Tensor
    running_var: Tensor
