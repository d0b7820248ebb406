"""Matting networks in ONNX files, run by onnxruntime with a declared pre-processing."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from matting.weights.onnx_session import open_session

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
_HALF = (0.5, 0.5, 0.5)
_SLACK = 0.01  # of [0, 1]; half precision overshoots slightly


@dataclass(frozen=True)
class Preprocessing:
    """How an image becomes the network's input, and its output an alpha.

    Attributes:
        size_px: side of the square input, or the shorter side if `keep_aspect`.
        keep_aspect: scale the shorter side to `size_px` and floor both sides to a multiple of `multiple_px`.
        multiple_px: see `keep_aspect`.
        mean: subtracted from RGB in [0, 1].
        std: divided by afterwards.
        output: name of the output with the alpha; None for the first.
        sigmoid: whether the output is a logit.
    """

    size_px: int
    keep_aspect: bool = False
    multiple_px: int = 32
    mean: tuple[float, float, float] = _HALF
    std: tuple[float, float, float] = _HALF
    output: str | None = None
    sigmoid: bool = False

    def input_size(self, height: int, width: int) -> tuple[int, int]:
        """(height, width) of the network's input for a picture."""
        if not self.keep_aspect:
            return self.size_px, self.size_px
        scale = self.size_px / min(height, width)
        height, width = (
            max(self.multiple_px, round(side * scale) // self.multiple_px * self.multiple_px) for side in (height, width)
        )
        return height, width


class OnnxNetwork:
    """Calls an ONNX network on pictures: image (H, W, 3) uint8 -> alpha (H, W) float32 in [0, 1].

    The network must take one (1, 3, h, w) input and have an output of h x w values.
    """

    def __init__(self, path: str | Path, preprocessing: Preprocessing):
        """Load the file.

        Raises:
            ValueError: if it is no ONNX network, has several inputs, or lacks the declared output.
        """
        self.path = Path(path)
        self.preprocessing = preprocessing
        if not self.path.is_file():
            raise ValueError(f"there is no file {self.path}")
        self.session = open_session(self.path, ("CUDAExecutionProvider", "CPUExecutionProvider"))
        inputs = self.session.get_inputs()
        outputs = [output.name for output in self.session.get_outputs()]
        if len(inputs) != 1 or len(inputs[0].shape) != 4:
            given = ", ".join(f"{entry.name} {entry.shape}" for entry in inputs)
            raise ValueError(f"{self.path.name} must take one input of (1, 3, h, w), it takes {given}")
        if preprocessing.output is not None and preprocessing.output not in outputs:
            raise ValueError(f"{self.path.name} has no output {preprocessing.output!r}, it has {', '.join(outputs)}")
        self.input_name = inputs[0].name
        self.input_type = np.float16 if inputs[0].type == "tensor(float16)" else np.float32
        self.output_name = preprocessing.output or outputs[0]

    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Raises ValueError if the output has another size or leaves [0, 1]; the message gives its shape or range."""
        height, width = image.shape[:2]
        size = self.preprocessing.input_size(height, width)
        output = self._run(_to_input(image, size, self.preprocessing).astype(self.input_type))
        if output.size != size[0] * size[1]:
            raise ValueError(f"{self.path.name}: output {self.output_name} has the shape {output.shape}, expected {size}")
        alpha = output.astype(np.float32).reshape(size)
        if self.preprocessing.sigmoid:
            alpha = np.float32(1) / (np.float32(1) + np.exp(-alpha))
        low, high = float(alpha.min()), float(alpha.max())
        if not (low >= -_SLACK and high <= 1 + _SLACK):
            raise ValueError(
                f"{self.path.name}: output {self.output_name} lies in {low:g} to {high:g}, expected [0, 1]; "
                "if it is a logit, declare a sigmoid"
            )
        return cv2.resize(alpha, (width, height), interpolation=cv2.INTER_LINEAR).clip(0, 1)

    def _run(self, pixels: NDArray[np.floating]) -> NDArray[np.floating]:
        try:
            return np.asarray(self.session.run([self.output_name], {self.input_name: pixels})[0])
        except Exception as error:  # onnxruntime's errors have no common base class
            raise ValueError(f"{self.path.name} does not take an input of {pixels.shape}: {error}") from error


def _to_input(image: NDArray[np.uint8], size: tuple[int, int], preprocessing: Preprocessing) -> NDArray[np.float32]:
    shrinks = size[0] < image.shape[0] or size[1] < image.shape[1]
    resized = cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    scaled = (resized / np.float32(255) - np.array(preprocessing.mean, np.float32)) / np.array(preprocessing.std, np.float32)
    return np.ascontiguousarray(scaled.transpose(2, 0, 1)[None])
