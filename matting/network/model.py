"""The two-stage matting network of Zhong & Zharkov (WACV 2024): coarse alpha and trimap, then refined regions."""

import json
from dataclasses import asdict, dataclass

from torch import Tensor, nn

from matting.network.coarse import CoarseNetwork, ScaleLogits
from matting.network.efficientnet import EfficientNetEncoder
from matting.network.refine import RefinementNetwork
from matting.network.regions import nearest_regions, replace_regions, select_regions
from matting.network.swin import SwinEncoder

SIDE_MULTIPLE = 128


@dataclass(frozen=True)
class NetworkConfig:
    """What the network is built from; stored with the weights as JSON.

    Attributes:
        preset: the name users see, "paper" or "lite".
        encoder: "swin_tiny" or "efficientnet_lite0".
        decoder_channels: width of the decoder at R64, R32, R16.
        context_channels: width of the global context behind EfficientNet; 0 with Swin.
        context_blocks: transformer blocks at each of R64 and R128 behind EfficientNet; 0 with Swin.
    """

    preset: str
    encoder: str
    decoder_channels: tuple[int, int, int] = (256, 128, 64)
    context_channels: int = 0
    context_blocks: int = 0

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "NetworkConfig":
        """Raises ValueError if the text is no configuration of this network."""
        try:
            fields = json.loads(text)
            return cls(**{**fields, "decoder_channels": tuple(fields["decoder_channels"])})
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(f"expected the JSON of a NetworkConfig, got {text[:200]!r}") from error


PRESETS = {
    "paper": NetworkConfig("paper", "swin_tiny"),
    "lite": NetworkConfig("lite", "efficientnet_lite0", context_channels=256, context_blocks=2),
}


@dataclass(frozen=True)
class Prediction:
    """Everything the network says about a batch; N regions over all images.

    Attributes:
        coarse_alpha: (B, 1, H/8, W/8) in [0, 1].
        trimap: (B, 3, H/8, W/8) probabilities of background, unknown, foreground.
        alpha: (B, 1, H, W) in [0, 1], the refined alpha.
        cells: (N, 3) int64, (image, row, column) of each region.
        neighbours: (N, 8) int64 indices of the nearest regions.
        patches: (N, 1, 8, 8) in [0, 1], the redrawn regions.
        attention: (N, heads, 9), each region's attention over itself and its neighbours.
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
        self.coarse = CoarseNetwork(_build_encoder(config), config.decoder_channels)
        self.refine = RefinementNetwork()

    def forward(self, image: Tensor) -> Prediction:
        """Raises ValueError if image is not (B, 3, H, W) with sides that are multiples of 128."""
        check_image(image)
        coarse = self.coarse(image)
        cells = select_regions(coarse.trimap)
        neighbours = nearest_regions(cells)
        patches, attention = self.refine(image, coarse.alpha, cells, neighbours)
        alpha = replace_regions(coarse.alpha, patches, cells)
        return Prediction(coarse.alpha, coarse.trimap, alpha, cells, neighbours, patches, attention, coarse.logits)


def check_image(image: Tensor) -> None:
    """Raises ValueError if image is not (B, 3, H, W) with sides that are multiples of 128."""
    shape = tuple(image.shape)
    if len(shape) != 4 or shape[1] != 3 or 0 in shape or any(side % SIDE_MULTIPLE for side in shape[2:]):
        raise ValueError(f"image must be (B, 3, H, W) with H and W multiples of {SIDE_MULTIPLE}, got {shape}")


def _build_encoder(config: NetworkConfig) -> nn.Module:
    if config.encoder == "swin_tiny":
        return SwinEncoder()
    if config.encoder == "efficientnet_lite0":
        return EfficientNetEncoder(config.context_channels, config.context_blocks)
    raise ValueError(f"encoder must be 'swin_tiny' or 'efficientnet_lite0', got {config.encoder!r}")
