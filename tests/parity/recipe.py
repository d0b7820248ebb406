"""Reproducible weights for the authors' network: each tensor depends on its key and shape alone.

A tensor is drawn from a normal distribution seeded by the CRC-32 of its key, then scaled by its role, so that activations
stay in range, the coarse alpha spans 0 to 1 and all three trimap classes occur. The authors' program was run with these
weights to make the recorded outputs beside this file; `keys.json` has the shape and the CRC-32 of each tensor.
"""

import json
import math
import zlib
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
RGB_STATISTICS = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
GAINS = (  # first match wins; deviation of a weight times the root of its fan-in
    ("lowres_model.decoder.", 1.4),
    ("seg_heads.", 6.0),
    ("trimap_heads.", 2.5),
    ("roi_head.encoder.", 1.6),
    ("roi_head.decoder.", 1.6),
    ("roi_matte_head.", 0.6),
    ("roi_head.enc_head.", 2.0),
    ("roi_head.dec_head.", 2.0),
    ("", 1.0),
)
UNKNOWN_LOGIT = -0.703  # makes the trimap call about a twentieth of the image unknown
REGION_ALPHA = 1.15


def state_dict() -> dict[str, np.ndarray]:
    """Every tensor of the authors' checkpoint that is not derived from others.

    Raises:
        ValueError: if a tensor is not bit for bit the one that made the recorded outputs.
    """
    tensors = {}
    for key, (shape, checksum) in json.loads((HERE / "keys.json").read_text()).items():
        tensors[key] = tensor = value(key, tuple(shape))
        if checksum is not None and zlib.crc32(tensor.astype("<f4").tobytes()) != checksum:
            raise ValueError(f"{key} differs from the recorded one")
    return tensors


def value(key: str, shape: tuple[int, ...]) -> np.ndarray:
    """One tensor: float32, or int64 for the batch counters of BatchNorm."""
    _owner, _, leaf = key.rpartition(".")
    if leaf == "num_batches_tracked":
        return np.zeros(shape, np.int64)
    if leaf in RGB_STATISTICS:
        return np.array(RGB_STATISTICS[leaf], np.float32).reshape(shape)
    noise = np.random.default_rng(zlib.crc32(key.encode())).standard_normal(shape)
    if leaf == "running_var":
        return np.exp(0.3 * noise).astype(np.float32)
    return (center(key, shape) + deviation(key, shape) * noise).astype(np.float32)


def center(key: str, shape: tuple[int, ...]) -> np.ndarray | float:
    """Norms are centered at 1; two biases are set so that the outputs are worth comparing."""
    if is_gain(key, shape):
        return 1.0
    if key.startswith("trimap_heads.") and key.endswith("bias"):
        return np.repeat([0.0, UNKNOWN_LOGIT, 0.0], shape[0] // 3)  # channels are (class, row, column)
    return REGION_ALPHA if key == "roi_matte_head.bias" else 0.0


def deviation(key: str, shape: tuple[int, ...]) -> float:
    if key.endswith("position_bias_table") or key == "rel_pos_bias_table":
        return 0.5
    if not key.endswith("weight") or is_gain(key, shape):
        return 0.1
    fan_in = shape[0] * math.prod(shape[2:]) if ".deconv." in key else math.prod(shape[1:])
    return next(gain for prefix, gain in GAINS if key.startswith(prefix)) / np.sqrt(fan_in)


def is_gain(key: str, shape: tuple[int, ...]) -> bool:
    """Whether this is the gain of a norm."""
    return ".norm.weights." in key or (key.endswith("weight") and len(shape) == 1)
