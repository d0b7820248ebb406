"""The network as one ONNX graph, for programs without PyTorch: standard operators only, both sides of the image free.

Needs the packages onnx and onnxscript: `pip install 'portrait-matting[export]'`.
"""

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from matting.media.atomic import AtomicFile
from matting.network import REGION_SIZE, SIDE_MULTIPLE, MattingNetwork, refine_regions, select_regions

if TYPE_CHECKING:
    import onnx_ir

OPSET = 18
_EXAMPLE_MULTIPLES = (9, 10)  # of SIDE_MULTIPLE: neither 0 nor 1 nor equal, which an exporter would take for constants
_MOST_MULTIPLES = 64
_LARGEST_FOLDED = 1 << 26  # numbers; all that follows from weights alone is computed once, at export
_LEAST_STORED = 256  # numbers; smaller constants stay float32 in a float16 file


class _WholeNetwork(nn.Module):
    """image (1, 3, H, W) -> alpha (1, 1, H, W), coarse alpha (1, 1, H/8, W/8), trimap (1, 3, H/8, W/8)."""

    def __init__(self, model: MattingNetwork):
        super().__init__()
        self.model = model

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        coarse = self.model.coarse(image)
        background, unknown, foreground = coarse.trimap.unbind(1)
        found = ((unknown > background) & (unknown >= foreground)).any()
        corner = torch.zeros_like(coarse.trimap)
        corner[:, 1, 0, 0] = 2.0
        # where no region is unknown, the first cell is refined and then left aside: not every runtime takes empty tensors
        cells = select_regions(coarse.trimap + corner * ~found)
        alpha = refine_regions(self.model, image, coarse, cells).alpha
        plain = F.interpolate(coarse.alpha, scale_factor=REGION_SIZE, mode="nearest")
        return torch.where(found, alpha, plain), coarse.alpha, coarse.trimap


class _CoarseStage(nn.Module):
    """image (1, 3, H, W) -> coarse alpha (1, 1, H/8, W/8), trimap (1, 3, H/8, W/8)."""

    def __init__(self, model: MattingNetwork):
        super().__init__()
        self.model = model

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        coarse = self.model.coarse(image)
        return coarse.alpha, coarse.trimap


def export_onnx(model: MattingNetwork, path: Path, *, coarse_only: bool = False, half: bool = False) -> None:
    """Write a network as an ONNX file (opset 18); the file appears under its name only when complete.

    Input `image` (1, 3, H, W) float32 RGB in [0, 1], sides multiples of 128 up to 8192. Outputs, float32:
    `alpha` (1, 1, H, W) in [0, 1], `coarse_alpha` (1, 1, H/8, W/8) in [0, 1], `trimap` (1, 3, H/8, W/8), probabilities of
    background, unknown, foreground. Exposure, crops and post-processing are not part of the graph.

    Args:
        model: on the CPU, in eval mode.
        path: the file to write; replaced if it exists.
        coarse_only: the first stage alone, without the output `alpha`.
        half: store the weights as float16, for half the size; they become float32 when the file is loaded.

    Raises:
        ValueError: see `check_export`.
    """
    check_export(path)
    import onnx_ir

    names = ["coarse_alpha", "trimap"] if coarse_only else ["alpha", "coarse_alpha", "trimap"]
    graph = trace_graph(_CoarseStage(model) if coarse_only else _WholeNetwork(model), {"image": example_image()}, names)
    _name_shapes(graph)
    graph.metadata_props.update(preset=model.config.preset, config=model.config.to_json())
    graph.metadata_props.update(side_multiple=str(SIDE_MULTIPLE))
    if half:
        store_half(graph)
    with AtomicFile(path) as part:
        onnx_ir.save(graph, part)


def check_export(path: Path) -> None:
    """Raises ValueError if `export_onnx` could not write this file: its name, its folder, or a missing package."""
    if path.suffix != ".onnx":
        raise ValueError(f"expected a target that ends in .onnx, got {path.name!r}")
    if not path.parent.is_dir():
        raise ValueError(f"there is no folder {path.parent} to write {path.name} to")
    if not (find_spec("onnx") and find_spec("onnxscript")):
        raise ValueError("export needs the packages onnx and onnxscript: pip install 'portrait-matting[export]'")


def example_image() -> tuple[Tensor, dict[int, Any]]:
    """An image (1, 3, H, W) to trace with, and which of its sides are free."""
    height, width = (torch.export.Dim(name, min=1, max=_MOST_MULTIPLES) for name in ("height", "width"))
    image = torch.zeros(1, 3, *(SIDE_MULTIPLE * multiple for multiple in _EXAMPLE_MULTIPLES))
    return image, {2: SIDE_MULTIPLE * height, 3: SIDE_MULTIPLE * width}


def trace_graph(
    network: nn.Module, inputs: Mapping[str, tuple[Tensor, dict[int, Any]]], outputs: Sequence[str]
) -> "onnx_ir.Model":
    """The graph of a module, optimised.

    Args:
        network: takes the inputs by position and returns a tensor for each output.
        inputs: by name: an example, and its free sides as dimensions of torch.export.
        outputs: their names.
    """
    import onnxscript.optimizer

    examples = tuple(example for example, _ in inputs.values())
    with _quiet(), torch.no_grad():
        program = torch.export.export(network.eval(), examples, dynamic_shapes=tuple(free for _, free in inputs.values()))
        exported = torch.onnx.export(
            program,
            input_names=list(inputs),
            output_names=list(outputs),
            opset_version=OPSET,
            dynamo=True,
            optimize=False,
            verbose=False,
        )
    graph = exported.model  # type: ignore[union-attr]  # None only where a file is asked for
    onnxscript.optimizer.optimize_ir(graph, input_size_limit=_LARGEST_FOLDED, output_size_limit=_LARGEST_FOLDED)
    return graph


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporter's remarks about packages that are not needed."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _name_shapes(graph: "onnx_ir.Model") -> None:
    """Call the sides of inputs and outputs what they are."""
    import onnx_ir

    for value in (*graph.graph.inputs, *graph.graph.outputs):
        cells = value.name in ("coarse_alpha", "trimap")
        channels = 1 if value.name and value.name.endswith("alpha") else 3
        value.shape = onnx_ir.Shape([1, channels, *(f"{side}/8" if cells else side for side in ("height", "width"))])


def store_half(graph: "onnx_ir.Model") -> None:
    """Replace the large float32 constants by float16 ones and a cast."""
    import numpy as np
    import onnx_ir

    for name, value in list(graph.graph.initializers.items()):
        tensor = value.const_value
        if tensor is None or tensor.dtype != onnx_ir.DataType.FLOAT or tensor.size < _LEAST_STORED:
            continue
        stored = onnx_ir.Value(name=f"{name}_half", const_value=onnx_ir.tensor(tensor.numpy().astype(np.float16)))
        stored.shape, stored.type = value.shape, onnx_ir.TensorType(onnx_ir.DataType.FLOAT16)
        cast = onnx_ir.node("Cast", [stored], {"to": onnx_ir.DataType.FLOAT})
        cast.outputs[0].shape, cast.outputs[0].type = value.shape, value.type
        onnx_ir.convenience.replace_all_uses_with(value, cast.outputs[0])
        del graph.graph.initializers[name]
        graph.graph.initializers.add(stored)
        graph.graph.insert_before(graph.graph[0], cast)
