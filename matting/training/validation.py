"""Monitoring of a run: a sheet of predictions and a quick validation."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from matting.network import SIDE_MULTIPLE, MattingNetwork
from matting.training.close_ups import CloseUps
from matting.training.dataset import FOREGROUND_ONLY, PORTRAIT_SETS, Batch, true_trimap
from matting.training.objective import StepResult
from matting.training.prepare import find_pairs

SHEET_ROWS = 6
VALIDATION_PHOTOS = 10
VALIDATION_SIDE = 512


def picture_sheet(result: StepResult, batch: Batch | CloseUps) -> Image.Image:
    """A sheet of predictions; rows of image, coarse alpha, true trimap, refined alpha, true alpha."""
    size = batch.image.shape[2:]
    coarse = F.interpolate(result.coarse_alpha.detach().float(), size=size, mode="bilinear")
    trimap = F.interpolate(true_trimap(batch.alpha)[:, None] / 2.0, size=size, mode="nearest")
    panels = [batch.image, *(x.expand(-1, 3, -1, -1) for x in (coarse, trimap, result.alpha.float(), batch.alpha))]
    rows = torch.cat(panels, dim=3)[:SHEET_ROWS]  # (rows, 3, H, 5W)
    sheet = torch.cat(list(rows), dim=1).clamp(0, 1).mul(255).byte()
    return Image.fromarray(sheet.permute(1, 2, 0).cpu().numpy())


@torch.inference_mode()
def validate(model: MattingNetwork, data: Path, device: torch.device) -> dict[str, float]:
    """Mean absolute error of the coarse (bilinear) and the refined alpha on the first photos of every validation folder.

    Sets whose photos have no background are left to `matting.evaluation`, which composites them.
    """
    model.eval()
    scores: dict[str, float] = {}
    for name in PORTRAIT_SETS:
        if name in FOREGROUND_ONLY or not (data / name / "val").is_dir():
            continue
        errors = []
        for pair in find_pairs(data / name / "val")[:VALIDATION_PHOTOS]:
            image, alpha = _load(pair.image, "RGB", device), _load(pair.alpha, "L", device)
            prediction = model(image)
            coarse = F.interpolate(prediction.coarse_alpha, size=alpha.shape[2:], mode="bilinear")
            errors.append([float((x - alpha).abs().mean()) for x in (coarse, prediction.alpha)])
        coarse_mad, refined_mad = np.mean(errors, axis=0)
        scores |= {f"{name} coarse": float(coarse_mad), f"{name} refined": float(refined_mad)}
    return scores


def _load(path: Path, mode: str, device: torch.device) -> Tensor:
    """(1, C, H, W) in [0, 1], the longer side `VALIDATION_SIDE`, both multiples of 128."""
    with Image.open(path) as file:
        scale = VALIDATION_SIDE / max(file.size)
        size = [max(1, round(side * scale / SIDE_MULTIPLE)) * SIDE_MULTIPLE for side in file.size]
        pixels = np.array(file.convert(mode).resize(size, Image.Resampling.LANCZOS))
    tensor = torch.from_numpy(pixels).to(device).float().div(255)
    return (tensor[None, None] if mode == "L" else tensor.permute(2, 0, 1)[None]).contiguous()
