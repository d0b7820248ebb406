"""Hard example mining: photos with a large error are sampled more often from then on."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from matting.media.atomic import AtomicFile
from matting.network import MattingNetwork
from matting.training.dataset import Sampler

_FRAMES = ((768, 512), (640, 640), (512, 768))
_LEAST, _MOST = 0.5, 3.0


def photo_errors(model: MattingNetwork, sampler: Sampler, keep: Path) -> NDArray[np.float64]:
    """Mean absolute error of the coarse alpha on every photo of a sampler, shown whole.

    Args:
        model: left in training mode.
        sampler: provides the photos.
        keep: file that stores the errors; if it exists it is read instead, so that a resumed run keeps its errors.

    Returns:
        (P,) errors in [0, 1], in the order of the collection.
    """
    if keep.exists():
        return np.load(keep)
    model.eval()
    errors = np.array([_error(model, sampler, index) for index in range(len(sampler.collection.subjects))])
    model.train()
    keep.parent.mkdir(parents=True, exist_ok=True)
    with AtomicFile(keep) as part, part.open("wb") as file:
        np.save(file, errors)
    return errors


@torch.no_grad()
def _error(model: MattingNetwork, sampler: Sampler, index: int) -> float:
    height, width = sampler.collection.subjects[index].mips[0].shape[1:]
    size = min(_FRAMES, key=lambda frame: abs(np.log(frame[0] / frame[1] * width / height)))
    device = next(model.parameters()).device
    image, alpha = (plane.to(device) for plane in sampler.show(index, size))
    coarse = F.interpolate(model.coarse(image).alpha, size=size, mode="bilinear")
    return float((coarse - alpha).abs().mean())


def favour(chances: NDArray[np.float64], errors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities times each photo's error relative to the mean, clipped to [0.5, 3].

    Args:
        chances: (P,) sampling probabilities of the photos, with a sum of 1.
        errors: (P,) of the photos.

    Returns:
        (P,) probabilities with a sum of 1.
    """
    weighted = chances * np.clip(errors / np.average(errors, weights=chances), _LEAST, _MOST)
    return weighted / weighted.sum()
