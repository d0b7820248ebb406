"""Sheets of pictures: what a network makes of training batches, and of photos."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from matting.network import SIDE_MULTIPLE
from matting.training.dataset import Batch, true_trimap
from matting.training.objective import StepResult
from matting.training.pairs import Pair, list_people
from matting.training.prepare import read_pair
from matting.training.validation import default_folders, find_validation
from matting.weights import load_model

_ROWS = 6
_SIDE = 512  # pixels of a photo's longer side
_GREEN = (0.2, 0.7, 0.3)


def picture_sheet(result: StepResult, batch: Batch) -> Image.Image:
    """A sheet of predictions; rows of image, coarse alpha, true trimap, refined alpha, true alpha."""
    size = batch.image.shape[2:]
    coarse = F.interpolate(result.coarse_alpha.detach().float(), size=size, mode="bilinear")
    trimap = F.interpolate(true_trimap(batch.alpha)[:, None] / 2.0, size=size, mode="nearest")
    return _rows([batch.image, coarse, trimap, result.alpha.float(), batch.alpha])


@torch.inference_mode()
def recipe_sheet(weights: Path, data: Path) -> Image.Image:
    """What weights make of a few validation photos, or of training photos if there are none.

    Rows of photo, true alpha, coarse alpha, refined alpha, and the photo in front of green.
    """
    model = load_model(weights, device="cpu")
    items = [item for one in find_validation(default_folders(data), _ROWS).values() for item in one]
    pairs = [Pair(item.image, item.alpha) for item in items if item.alpha] or list_people(data).pairs
    chosen = [pairs[len(pairs) * i // _ROWS] for i in range(_ROWS)] if len(pairs) > _ROWS else pairs
    rows = []
    for pair in chosen:
        image, truth = (_square(plane) for plane in read_pair(pair))
        prediction = model(image)
        coarse = F.interpolate(prediction.coarse_alpha, size=image.shape[2:], mode="bilinear")
        cut = prediction.alpha * image + (1 - prediction.alpha) * image.new_tensor(_GREEN)[:, None, None]
        rows.append(np.asarray(_rows([image, truth, coarse, prediction.alpha, cut])))
    return Image.fromarray(np.concatenate(rows))


def _square(plane: np.ndarray) -> Tensor:
    """(1, C, S, S) in [0, 1] of a picture (H, W, 3) or (H, W) uint8, padded to a square with sides a multiple of 128."""
    picture = Image.fromarray(plane)
    picture.thumbnail((_SIDE, _SIDE))
    side = _SIDE // SIDE_MULTIPLE * SIDE_MULTIPLE
    canvas = Image.new(picture.mode, (side, side))
    canvas.paste(picture)
    tensor = torch.from_numpy(np.array(canvas)).float().div(255)
    return tensor[None, None] if tensor.ndim == 2 else tensor.permute(2, 0, 1)[None].contiguous()


def _rows(panels: list[Tensor]) -> Image.Image:
    """The first pictures of (B, 1 or 3, H, W) panels in [0, 1], one below the other."""
    rows = torch.cat([panel.expand(-1, 3, -1, -1) for panel in panels], dim=3)[:_ROWS]  # (rows, 3, H, 5W)
    sheet = torch.cat(list(rows), dim=1).clamp(0, 1).mul(255).byte()
    return Image.fromarray(sheet.permute(1, 2, 0).cpu().numpy())
