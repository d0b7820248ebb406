"""A photo cut out without PyTorch: python examples/onnx_cutout.py matting.onnx photo.jpg cutout.png

Needs onnxruntime, numpy and Pillow; `python -m matting.weights export bundled matting.onnx` writes the network. What the
package does besides is left out: a closer look at small people, dark photos, strands of hair, colours free of the background.
"""

import os
import sys

import numpy as np
from PIL import Image, ImageOps

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before the import, otherwise onnxruntime reports to its makers
import onnxruntime

LONGER_SIDE, MULTIPLE = 896, 128  # pixels


def matte(session: onnxruntime.InferenceSession, photo: Image.Image) -> Image.Image:
    """The alpha of an RGB photo, 8 bits, at the photo's size."""
    scale = LONGER_SIDE / max(photo.size)
    width, height = (max(1, round(side * scale / MULTIPLE)) * MULTIPLE for side in photo.size)
    pixels = np.asarray(photo.resize((width, height), Image.Resampling.BICUBIC), np.float32) / 255
    image = np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])  # (1, 3, H, W) RGB in [0, 1]
    (alpha,) = session.run(["alpha"], {"image": image})  # (1, 1, H, W) in [0, 1]
    small = Image.fromarray(np.rint(alpha[0, 0] * 255).astype(np.uint8))
    return small.resize(photo.size, Image.Resampling.BICUBIC)


if __name__ == "__main__":
    network, source, target = sys.argv[1:]
    cutout = ImageOps.exif_transpose(Image.open(source)).convert("RGB")
    cutout.putalpha(matte(onnxruntime.InferenceSession(network), cutout))
    cutout.save(target)
