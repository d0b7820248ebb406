"""The two-stage matting network of Zhong & Zharkov (WACV 2024): coarse alpha and trimap, then refined regions."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn

from matting.network.coarse import CoarseNetwork, CoarsePrediction, Encoder, ScaleLogits
from matting.network.efficientnet import EfficientNetEncoder
from matting.network.refine import Refinement, RefinementNetwork
from matting.network.regions import nearest_regions, replace_regions, select_regions
from matting.network.regions_in_graph import nearest_regions_in_graph
from matting.network.swin import SwinEncoder

SIDE_MULTIPLE = 128


@dataclass(frozen=True)
class NetworkConfig:
    """Hyper-parameters of the architecture; stored with the weights as JSON.

    Attributes:
        preset: the name users see, "paper" or "lite".
        encoder: "swin_tiny" or "efficientnet_lite0".
        decoder_channels: width of the decoder at R64, R32, R16.
        context_channels: width of the transformer blocks after EfficientNet; 0 with Swin.
        context_blocks: number of transformer blocks at each of R64 and R128 after EfficientNet; 0 with Swin.
        r8_channels: width of the decoder step at R8; 0, as in the paper, has none.
    """

    preset: str
    encoder: str
    decoder_channels: tuple[int, int, int] = (256, 128, 64)
    context_channels: int = 0
    context_blocks: int = 0
    r8_channels: int = 0

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "NetworkConfig":
        """Raises ValueError if the text is no configuration of this network."""
        try:
            fields = {**json.loads(text)}
            if fields.pop("region_context", 0):  # 0 in weights of before
                raise ValueError("the refinement takes no context")
            return cls(**{**fields, "decoder_channels": tuple(fields["decoder_channels"])})
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise ValueError(f"expected the JSON of a NetworkConfig, got {text[:200]!r}") from error


PRESETS = {
    "paper": NetworkConfig("paper", "swin_tiny"),
    "lite": NetworkConfig("lite", "efficientnet_lite0", context_channels=256, context_blocks=2, r8_channels=48),
}


@dataclass(frozen=True)
class Prediction:
    """Output of both stages for a batch; N is the number of regions in all images together.

    Attributes:
        coarse_alpha: (B, 1, H/8, W/8) in [0, 1].
        trimap: (B, 3, H/8, W/8) probabilities of background, unknown, foreground.
        alpha: (B, 1, H, W) in [0, 1], the refined alpha.
        cells: (N, 3) int64, (image, row, column) of each region.
        neighbours: (N, 8) int64 indices of the nearest regions.
        patches: (N, 1, 8, 8) in [0, 1], the refined regions.
        attention: (N, heads, 9), each region's attention weights over itself and its neighbours.
        logits: raw predictions at R8, and in training at R16 and R32.
    """

    coarse_alpha: Tensor
    trimap: Tensor
    alpha: Tensor
    cells: Tensor
    neighbours: Tensor
    patches: Tensor
    attention: Tensor
    logits: tuple[ScaleLogits, ...]


class MattingNetwork(nn.Module):
    """image (B, 3, H, W), RGB in [0, 1], sides multiples of 128 -> `Prediction`."""

    def __init__(self, config: NetworkConfig):
        super().__init__()
        self.config = config
        self.coarse = CoarseNetwork(_build_encoder(config), config.decoder_channels, config.r8_channels)
        self.refine = RefinementNetwork()

    def forward(self, image: Tensor) -> Prediction:
        """Raises ValueError if image is not (B, 3, H, W) with sides that are multiples of 128."""
        check_image(image)
        coarse = self.coarse(image)
        return refine_regions(self, image, coarse, select_regions(coarse.trimap))


def refine_regions(
    model: MattingNetwork,
    image: Tensor,
    coarse: CoarsePrediction,
    cells: Tensor,
    *,
    known_alpha: Tensor | None = None,
    cross_region: bool = True,
    region_step: int = 1,
    lap: Callable[[str], None] = lambda stage: None,
) -> Prediction:
    """Refine the chosen regions and write them over the coarse alpha (section 3.3 of the paper).

    Args:
        model: the network whose second stage is used.
        image: (B, 3, H, W) RGB in [0, 1], the input of the first stage.
        coarse: output of the first stage.
        cells: (N, 3) int64, the regions to refine, (image, row, column) in row-major order; see `select_regions`.
        known_alpha: (B, 1, H/8, W/8) in [0, 1], the alpha outside of the regions; None is the coarse alpha, as in the paper.
        cross_region: False refines every region from its own pixels alone.
        region_step: N is padded to a multiple of it while the second stage works. For programs that refine many images: oneDNN
            caches primitives for every new N, about 1 MB each, and every image has another N.
        lap: called with "regions" when the neighbours are found and "refine" when the alpha is complete, for clocks.

    Returns:
        The output of both stages.
    """
    exporting = torch.compiler.is_exporting()
    neighbours = nearest_regions_in_graph(cells, *coarse.alpha.shape[2:]) if exporting else nearest_regions(cells)
    lap("regions")
    patches, attention = _refine_in_steps(
        model, image, coarse.alpha, cells, neighbours, cross_region=cross_region, step=region_step
    )
    alpha = replace_regions(coarse.alpha if known_alpha is None else known_alpha, patches, cells)
    lap("refine")
    return Prediction(coarse.alpha, coarse.trimap, alpha, cells, neighbours, patches, attention, coarse.logits)


def _refine_in_steps(
    model: MattingNetwork,
    image: Tensor,
    coarse_alpha: Tensor,
    cells: Tensor,
    neighbours: Tensor,
    *,
    cross_region: bool,
    step: int,
) -> Refinement:
    """`model.refine` with N padded to a multiple of `step` by repeating the last region; the output has N regions again."""
    if step == 1 or len(cells) == 0:
        return model.refine(image, coarse_alpha, cells, neighbours, cross_region)
    count = len(cells)
    padded = torch.arange(-(-count // step) * step, device=cells.device).clamp(max=count - 1)
    patches, attention = model.refine(image, coarse_alpha, cells[padded], neighbours[padded], cross_region)
    return Refinement(patches[:count], attention[:count])


def check_image(image: Tensor) -> None:
    """Raises ValueError if image is not (B, 3, H, W) with sides that are multiples of 128."""
    shape = tuple(image.shape)
    if len(shape) != 4 or shape[1] != 3 or 0 in shape or any(side % SIDE_MULTIPLE for side in shape[2:]):
        raise ValueError(f"image must be (B, 3, H, W) with H and W multiples of {SIDE_MULTIPLE}, got {shape}")


def _build_encoder(config: NetworkConfig) -> Encoder:
    if config.encoder == "swin_tiny":
        return SwinEncoder()
    if config.encoder == "efficientnet_lite0":
        return EfficientNetEncoder(config.context_channels, config.context_blocks)
    raise ValueError(f"encoder must be 'swin_tiny' or 'efficientnet_lite0', got {config.encoder!r}")
