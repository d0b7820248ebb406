"""Give masks drawn by hand a hair band: the network's alpha around their edge where it agrees with them, solved in closed form.

    python -m matting.training.hair_bands DATA/flickr/train OUT --weights bundled

Writes OUT/NAME.png for every photo in DATA/flickr/train/image, from the alpha of the same name beside it. Photos that have one
in OUT are left out, so what was stopped goes on.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from matting.inference.photo import matte_image
from matting.media.image import save_image
from matting.postprocess.bit_depth import to_8_bit
from matting.postprocess.closed_form import solve_closed_form
from matting.training.pairs import find_pairs
from matting.training.prepare import read_pair
from matting.weights import load_model

_WIDTH = 0.025  # of the band on either side of the edge, as a share of the root of the person's area
_LEAST_WIDTH = 4.0  # pixels
_REACH = 4.0  # widths, as far as soft alpha that begins in the band belongs to it
_APART = 2.0  # widths around a place where network and mask contradict each other beyond the band, in which the mask stays
_SOFT = 0.03, 0.97
_SNAP = 0.02  # alphas this close to 0 or 1 become 0 or 1

Plane = NDArray[np.float32]


def draw_band(mask: Plane, alpha: Plane, image: NDArray[np.uint8]) -> Plane:
    """The mask with a band of soft alpha around its edge.

    Of three ways to draw it, this one comes nearest to true alphas: training/LEARNT.md, "Hair".

    Args:
        mask: (H, W) in [0, 1], drawn by hand; above 0.5 is somebody.
        alpha: (H, W) in [0, 1], the network's.
        image: (H, W, 3) uint8 RGB.

    Returns:
        (H, W) in [0, 1]; the mask as it was wherever there is no band.

    Raises:
        ValueError: if the sizes differ or the mask shows nobody.
    """
    if not mask.shape == alpha.shape == image.shape[:2]:
        raise ValueError(f"expected planes of one size, got {mask.shape}, {alpha.shape} and {image.shape}")
    body = mask > 0.5
    if not body.any():
        raise ValueError("expected a mask that shows somebody, got an empty one")
    band = _find_band(body, alpha)
    prior = np.where(band, alpha, mask).astype(np.float32)
    drawn = solve_closed_form(prior, image.astype(np.float32) / np.float32(255), band)
    drawn[band & (drawn < _SNAP)] = 0
    drawn[band & (drawn > 1 - _SNAP)] = 1
    return drawn


def _find_band(body: NDArray[np.bool_], alpha: Plane) -> NDArray[np.bool_]:
    """Where the network's alpha counts: near the edge, and what is soft from there on, but not near where both contradict."""
    width = max(_LEAST_WIDTH, _WIDTH * float(body.sum()) ** 0.5)
    inside, outside = (cv2.distanceTransform(side.astype(np.uint8), cv2.DIST_L2, 5) for side in (body, ~body))
    distance = np.maximum(inside, outside)
    soft = (alpha > _SOFT[0]) & (alpha < _SOFT[1])
    _, parts = cv2.connectedComponents(soft.astype(np.uint8), connectivity=4)
    begun = np.unique(parts[soft & (distance <= width)])
    band = (distance <= width) | (np.isin(parts, begun[begun > 0]) & (distance <= _REACH * width))
    contradicted = (np.abs(alpha - body) > 0.5) & (distance > width)
    return band & (cv2.distanceTransform(1 - contradicted.astype(np.uint8), cv2.DIST_L2, 5) > _APART * width)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m matting.training.hair_bands", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with image and alpha")
    parser.add_argument("out", type=Path, help="folder of the new alphas")
    parser.add_argument("--weights", default="bundled", help="of the network (default: %(default)s)")
    options = parser.parse_args(arguments)
    try:
        pairs, model = find_pairs(options.data), load_model(options.weights)
        options.out.mkdir(parents=True, exist_ok=True)
        for pair in tqdm(pairs, unit="photo", mininterval=2):
            target = options.out / f"{pair.image.stem}.png"
            if not target.exists():
                image, mask = read_pair(pair)
                drawn = draw_band(mask / np.float32(255), matte_image(image, model).alpha, image)
                save_image(to_8_bit(drawn), target)
    except ValueError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
