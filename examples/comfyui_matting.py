"""Portrait matting as a node of ComfyUI: copy this file into ComfyUI/custom_nodes, and `pip install` this package there.

The node takes images and gives the people with their colours free of the old background, their alpha, and the trimap as a mask
that is 0 in the background, 0.5 where the network was not sure, and 1 in the foreground.
"""

from functools import lru_cache
from typing import Any

import numpy as np
import torch

from matting import load_model, matte_image
from matting.network import MattingNetwork

load_once = lru_cache(maxsize=1)(load_model)


class PortraitMatting:
    """IMAGE (B, H, W, 3) in [0, 1] -> IMAGE (B, H, W, 3), MASK (B, H, W) alpha, MASK (B, H, W) trimap, all in [0, 1]."""

    CATEGORY = "mask"
    FUNCTION = "matte"
    RETURN_TYPES = ("IMAGE", "MASK", "MASK")
    RETURN_NAMES = ("image", "alpha", "trimap")
    DESCRIPTION = "Cuts the people out of photos, soft edges included."

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, dict[str, Any]]:  # noqa: N802 - ComfyUI's name
        side = {"default": 0, "min": 0, "max": 4096, "step": 128, "tooltip": "longer side of the network's input; 0 suits it"}
        weights = {"default": "bundled", "tooltip": "bundled, a .safetensors file, or hub:OWNER/REPO"}
        return {"required": {"image": ("IMAGE",), "max_side": ("INT", side), "weights": ("STRING", weights)}}

    def matte(self, image: torch.Tensor, max_side: int, weights: str) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        model = load_once(weights)
        results = [self._matte_one(one, model, max_side or None) for one in image]
        cutouts, alphas, trimaps = (torch.stack(maps) for maps in zip(*results, strict=True))
        return cutouts, alphas, trimaps

    def _matte_one(
        self, image: torch.Tensor, model: MattingNetwork, max_side: int | None
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        pixels = np.rint(image.cpu().numpy().clip(0, 1) * 255).astype(np.uint8)
        matte = matte_image(pixels, model, max_side)
        cutout = np.asarray(matte.cutout(), np.float32)[..., :3] / 255
        trimap = np.select([matte.trimap == 0, matte.trimap == 255], [0, 1], 0.5).astype(np.float32)
        return torch.from_numpy(cutout), torch.from_numpy(matte.alpha), torch.from_numpy(trimap)


NODE_CLASS_MAPPINGS = {"PortraitMatting": PortraitMatting}
NODE_DISPLAY_NAME_MAPPINGS = {"PortraitMatting": "Portrait Matting"}
