"""The training objective: both stages on a batch, and the losses of every output against the ground truth."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from matting.network import REGION_SIZE, CoarsePrediction, MattingNetwork, refine_regions, select_regions
from matting.network.efficientnet import EfficientNetEncoder
from matting.training import losses
from matting.training.dataset import UNKNOWN, Batch, true_trimap, unite_cells
from matting.training.distillation import FeatureTeacher
from matting.training.features import Features
from matting.training.guided import guided_filter
from matting.training.losses import MatteLoss

_GAP_REACH = 16  # half of the widest gap that counts more, in pixels
_GAP_STEP = 4  # pixels, at which gaps are looked for


class StepResult(NamedTuple):
    """Losses and predictions of a step.

    Attributes:
        loss: the terms of the paper's loss.
        features: distillation loss, 0 without a teacher.
        alpha: (B, 1, H, W) in [0, 1], refined.
        coarse_alpha: (B, 1, H/8, W/8) in [0, 1].
        regions: number of refined regions.
    """

    loss: MatteLoss
    features: Tensor
    alpha: Tensor
    coarse_alpha: Tensor
    regions: int

    @property
    def total(self) -> Tensor:
        """The loss to minimise."""
        return self.loss.total + self.features


class Objective(nn.Module):
    """The network with its losses, as one module that distributed training can wrap.

    Args:
        model: the network.
        max_regions: regions refined per batch at most; 0 trains the coarse stage alone.
        teacher: adds a distillation loss on the encoder's features, if given.
        guided: whether the refinement's losses are averaged over its alpha before and after the guided filter, which is applied
            at the images' size or at half of it, as for photos that are smaller than the working size.
        gap_weight: added to the weight of background in narrow gaps through people, which is 1; 0 is the paper.
    """

    def __init__(
        self,
        model: MattingNetwork,
        max_regions: int,
        teacher: FeatureTeacher | None = None,
        guided: bool = False,
        gap_weight: float = 0.0,
    ):
        super().__init__()
        self.gap_weight = gap_weight
        self.model = model
        self.max_regions = max_regions
        self.teacher = teacher
        self.guided = guided
        self.maps: tuple[Tensor, ...] = ()
        if teacher:
            model.coarse.encoder.register_forward_hook(self._keep_maps)

    def _keep_maps(self, encoder: nn.Module, images: tuple[Tensor], maps: tuple[Tensor, ...]) -> None:
        self.maps = maps

    def forward(self, batch: Batch | Features) -> StepResult:
        if isinstance(batch, Features):
            return self._upper(batch)
        return self._whole(batch)

    def _upper(self, kept: Features) -> StepResult:
        """The first stage from its kept maps on."""
        encoder = self.model.coarse.encoder
        if not isinstance(encoder, EfficientNetEncoder):
            raise ValueError("features are kept of the encoder of lite only, got the preset paper")
        r8, r16 = kept.r8.float(), kept.r16.float()
        coarse = self.model.coarse.decode((r8, r16, *encoder.upper(r16)))
        terms = self._coarse_terms(coarse, kept.alpha, kept.trimap.long())
        zero = kept.alpha.new_zeros(())
        alpha = coarse.alpha.detach()
        return StepResult(MatteLoss(*terms, zero, zero, zero), zero, alpha, alpha, 0)

    def _coarse_terms(self, coarse: CoarsePrediction, alpha: Tensor, trimap: Tensor) -> tuple[Tensor, Tensor]:
        """Eqs. 1 and 2 over all scales; alpha (B, 1, H, W) or its means over the cells, trimap (B, H/8, W/8) classes."""
        coarse_term, trimap_term = alpha.new_zeros(()), alpha.new_zeros(())
        cells = F.adaptive_avg_pool2d(alpha, (coarse.alpha.shape[2], coarse.alpha.shape[3]))
        weight = 1 + self.gap_weight * losses.enclosed(cells, _GAP_REACH // REGION_SIZE)
        for logits in coarse.logits:
            coarse_term = coarse_term + losses.coarse_alpha_loss(logits.alpha.float(), cells, weight)
            at_scale = shrink_trimap(trimap, logits.trimap.shape[2:])
            trimap_term = trimap_term + losses.trimap_loss(logits.trimap.float(), at_scale)
        return coarse_term, trimap_term

    def _whole(self, batch: Batch) -> StepResult:
        coarse = self.model.coarse(batch.image)
        trimap = true_trimap(batch.alpha)
        zero = batch.alpha.new_zeros(())
        features = self.teacher(batch.image, self.maps) if self.teacher else zero
        coarse_term, trimap_term = self._coarse_terms(coarse, batch.alpha, trimap)
        if self.max_regions == 0:
            alpha = F.interpolate(coarse.alpha.detach(), scale_factor=REGION_SIZE, mode="bilinear")
            loss = MatteLoss(coarse_term, trimap_term, zero, zero, zero)
            return StepResult(loss, features, alpha, coarse.alpha, 0)
        wanted = select_regions(coarse.trimap.detach())
        cells, left_out = limit_regions(unite_cells(wanted, trimap), trimap.shape, self.max_regions)
        alpha = refine_regions(self.model, batch.image, coarse, cells, known_alpha=coarse.alpha.float()).alpha
        weight = losses.class_weights(trimap).to(alpha)[trimap] * ~left_out
        weight = F.interpolate(weight[:, None], scale_factor=REGION_SIZE, mode="nearest")
        loss = MatteLoss(coarse_term, trimap_term, *self._refined_terms(alpha, batch, weight))
        return StepResult(loss, features, alpha.detach(), coarse.alpha, len(cells))

    def _refined_terms(self, alpha: Tensor, batch: Batch, weight: Tensor) -> "RefinedTerms":
        gaps = losses.enclosed(F.avg_pool2d(batch.alpha, _GAP_STEP), _GAP_REACH // _GAP_STEP)
        weight = weight * (1 + self.gap_weight * F.interpolate(gaps, scale_factor=_GAP_STEP, mode="nearest"))
        unfiltered = refinement_losses(alpha, batch, weight)
        if not self.guided:
            return unfiltered
        shrunk = shrink(batch, alpha, weight, factor=int(torch.randint(1, 3, ())))
        filtered = refinement_losses(guided_filter(shrunk.predicted, shrunk.batch.image), shrunk.batch, shrunk.weight)
        return RefinedTerms(*((before + after) / 2 for before, after in zip(unfiltered, filtered, strict=True)))


class RefinedTerms(NamedTuple):
    """The losses of a refined alpha, Eqs. 4, 5 and 6 of the supplementary material, each a scalar."""

    alpha: Tensor
    pyramid: Tensor
    composition: Tensor


def refinement_losses(predicted: Tensor, batch: Batch, weight: Tensor) -> RefinedTerms:
    """Losses of an alpha (B, 1, H, W) in [0, 1] against the batch's, with pixel weights (B, 1, H, W)."""
    return RefinedTerms(
        losses.alpha_loss(predicted, batch.alpha, weight),
        losses.pyramid_loss(predicted, batch.alpha, weight),
        losses.composition_loss(predicted, batch.alpha, batch.foreground, batch.background, weight),
    )


class Shrunk(NamedTuple):
    """A batch, an alpha predicted for it and the weights of its pixels, all downsampled."""

    batch: Batch
    predicted: Tensor
    weight: Tensor


def shrink(batch: Batch, predicted: Tensor, weight: Tensor, factor: int) -> Shrunk:
    """Downsample everything, (B, C, H, W) each, by average pooling with `factor`."""
    planes = (F.avg_pool2d(plane, factor) for plane in (*batch, predicted, weight))
    image, alpha, foreground, background, predicted, weight = planes
    return Shrunk(Batch(image, alpha, foreground, background), predicted, weight)


def shrink_trimap(trimap: Tensor, size: torch.Size) -> Tensor:
    """Downsample trimap classes (B, H, W) to (B, h, w): a cell is unknown unless all of its source cells agree."""
    factor = trimap.shape[1] // size[0]
    if factor == 1:
        return trimap
    low = -F.max_pool2d(-trimap[:, None].float(), factor)[:, 0]
    high = F.max_pool2d(trimap[:, None].float(), factor)[:, 0]
    return torch.where(low == high, low, float(UNKNOWN)).long()


def limit_regions(cells: Tensor, grid: torch.Size, most: int) -> tuple[Tensor, Tensor]:
    """Keep at most `most` regions: in every image the ones nearest to one of them, so that neighbours stay neighbours.

    Args:
        cells: (N, 3) int64.
        grid: (B, h, w).
        most: regions to keep in the whole batch.

    Returns:
        (M, 3) cells kept, row-major; (B, h, w) bool, True at the cells left out.
    """
    parts = []
    for image in range(grid[0]):
        own = cells[cells[:, 0] == image]
        if len(own) > most // grid[0]:
            anchor = own[torch.randint(len(own), (1,), device=cells.device)]
            nearest = (own - anchor).square().sum(1).argsort()[: most // grid[0]]
            own = own[nearest.sort().values]
        parts.append(own)
    kept = torch.cat(parts)
    left_out = torch.zeros(grid, dtype=torch.bool, device=cells.device)
    left_out[cells.unbind(1)] = True
    left_out[kept.unbind(1)] = False
    return kept, left_out
