"""A network whose answers are known beforehand."""

import torch
from torch import nn

from matting.network import CoarsePrediction, Refinement


class Bright(nn.Module):
    """A network to which everything bright is a person; it remembers the sizes it has seen."""

    def __init__(self, grows: float = 0.0):
        super().__init__()
        self.threshold = nn.Parameter(torch.tensor(0.5), requires_grad=False)
        self.grows, self.seen = grows, []

    def coarse(self, image):
        self.seen.append(tuple(image.shape[2:]))
        alpha = (nn.functional.avg_pool2d(image.mean(1, keepdim=True), 8) > self.threshold).float()
        self.threshold -= self.grows  # the next look finds more
        unknown = nn.functional.max_pool2d(alpha, 3, 1, 1) - alpha
        return CoarsePrediction(alpha, torch.cat([1 - alpha - unknown, unknown, alpha], 1), ())

    def refine(self, image, coarse_alpha, cells, neighbours, cross_region=True, context=None):
        return Refinement(torch.full((len(cells), 1, 8, 8), 0.5), torch.zeros(len(cells), 8, 9))
