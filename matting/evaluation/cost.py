"""Cost of a forward pass in multiply-accumulates, counted on meta tensors."""

from functools import lru_cache

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from matting.network import NEIGHBOURS, SIDE_MULTIPLE, MattingNetwork, NetworkConfig

_COUNTED_REGIONS = 16


def network_gmac(config: NetworkConfig, working_size: tuple[int, int], regions: int, cross_region: bool = True) -> float:
    """10^9 multiply-accumulates for one image: the first stage, and the second for each region.

    Half of what PyTorch counts as floating point operations. The paper calls this GFLOPS.

    Args:
        config: of the network.
        working_size: (height, width) of the network's input in pixels, multiples of 128.
        regions: number of refined regions; 0 for the first stage alone.
        cross_region: whether cross-region attention is used.
    """
    return _coarse_gmac(config, working_size) + regions * _region_gmac(config, cross_region)


@lru_cache
def _shapes_only(config: NetworkConfig) -> MattingNetwork:
    with torch.device("meta"):
        return MattingNetwork(config).eval()


@lru_cache(maxsize=1024)
def _coarse_gmac(config: NetworkConfig, working_size: tuple[int, int]) -> float:
    model = _shapes_only(config)
    counter = FlopCounterMode(display=False)
    with torch.inference_mode(), counter, sdpa_kernel(SDPBackend.MATH):  # fused attention is not counted
        model.coarse(torch.empty(1, 3, *working_size, device="meta"))
    return counter.get_total_flops() / 2e9


@lru_cache
def _region_gmac(config: NetworkConfig, cross_region: bool) -> float:
    model = _shapes_only(config)
    n, side = _COUNTED_REGIONS, SIDE_MULTIPLE
    image = torch.empty(1, 3, side, side, device="meta")
    with torch.inference_mode():
        coarse = model.coarse(image)
    cells = torch.empty(n, 3, dtype=torch.int64, device="meta")
    neighbours = torch.empty(n, NEIGHBOURS, dtype=torch.int64, device="meta")
    counter = FlopCounterMode(display=False)
    with torch.inference_mode(), counter, sdpa_kernel(SDPBackend.MATH):
        model.refine(image, coarse.alpha, cells, neighbours, cross_region)
    return counter.get_total_flops() / 2e9 / n
