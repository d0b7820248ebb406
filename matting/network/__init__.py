"""The two-stage network of the paper (Zhong & Zharkov, WACV 2024); needs torch only."""

from matting.network.coarse import CoarsePrediction, ScaleLogits
from matting.network.model import PRESETS, SIDE_MULTIPLE, MattingNetwork, NetworkConfig, Prediction, check_image, refine_regions
from matting.network.refine import Refinement, region_input
from matting.network.regions import (
    NEIGHBOURS,
    REGION_SIZE,
    crop_regions,
    nearest_regions,
    replace_regions,
    select_regions,
)

__all__ = [
    "NEIGHBOURS",
    "PRESETS",
    "REGION_SIZE",
    "SIDE_MULTIPLE",
    "CoarsePrediction",
    "MattingNetwork",
    "NetworkConfig",
    "Prediction",
    "Refinement",
    "ScaleLogits",
    "check_image",
    "crop_regions",
    "nearest_regions",
    "refine_regions",
    "region_input",
    "replace_regions",
    "select_regions",
]
