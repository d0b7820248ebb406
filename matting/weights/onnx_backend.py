"""Both stages of a network computed by onnxruntime instead of PyTorch, on the CPU.

Each stage becomes a graph of its own, once for every network: that takes about a minute. The graphs are kept in
`portrait-matting` in the user's cache folder ($XDG_CACHE_HOME or ~/.cache), under a name that depends on the weights, the code
they were traced from, and the tracer. Needs the packages onnx, onnxruntime and onnxscript:
`pip install 'portrait-matting[onnx]'`.
"""

import hashlib
import logging
import os
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import matting.network
from matting.media.atomic import AtomicFile
from matting.network import NEIGHBOURS, CoarsePrediction, MattingNetwork, Refinement, ScaleLogits
from matting.network.coarse import CoarseNetwork
from matting.network.refine import RefinementNetwork
from matting.weights import onnx_export
from matting.weights.onnx_export import example_image, trace_graph
from matting.weights.onnx_session import open_session

_PACKAGES = ("onnx", "onnxruntime", "onnxscript")
_EXAMPLE_REGIONS = 11
_MOST_REGIONS = 1 << 20

_log = logging.getLogger(__name__)


def check_onnx() -> None:
    """Raises ValueError if a package is missing that this backend needs."""
    missing = [name for name in _PACKAGES if find_spec(name) is None]
    if missing:
        raise ValueError(f"backend 'onnx' needs {', '.join(missing)}: pip install 'portrait-matting[onnx]'")


def use_onnx(model: MattingNetwork) -> MattingNetwork:
    """Let onnxruntime compute both stages of a network, with as many threads as PyTorch has at the time.

    Regions without cross-region attention are left to PyTorch.

    Args:
        model: on the CPU, in eval mode, float32; it is changed.

    Returns:
        The same network.

    Raises:
        ValueError: see `check_onnx`; or if the graphs cannot be written.
    """
    check_onnx()
    folder = _cache_folder() / _identify(model)
    coarse, refine = folder / "coarse.onnx", folder / "refine.onnx"
    if not (coarse.is_file() and refine.is_file()):
        _log.warning("the network is being prepared for onnxruntime, once: this takes about a minute")
        _write_graphs(model, coarse, refine)
    model.coarse = OnnxCoarse(model.coarse, coarse)
    model.refine = OnnxRefinement(model.refine, refine)
    return model


class OnnxCoarse(CoarseNetwork):
    """The first stage, run from a graph; it has the modules and weights of the network that the graph was made of."""

    def __init__(self, network: CoarseNetwork, path: Path):
        nn.Module.__init__(self)
        self.__dict__.update(network.__dict__)
        self.graph = _Graph(path)

    def forward(self, image: Tensor) -> CoarsePrediction:
        outputs = zip(*(self.graph(image=one[None]) for one in image), strict=True)
        alpha, trimap, alpha_logits, trimap_logits = (torch.cat(values) for values in outputs)
        return CoarsePrediction(alpha, trimap, (ScaleLogits(alpha_logits, trimap_logits),))


class OnnxRefinement(RefinementNetwork):
    """The second stage likewise."""

    def __init__(self, network: RefinementNetwork, path: Path):
        nn.Module.__init__(self)
        self.__dict__.update(network.__dict__)
        self.graph = _Graph(path)

    def redraw(self, regions: Tensor, cells: Tensor, neighbours: Tensor, cross_region: bool = True) -> Refinement:
        if not cross_region or len(cells) == 0:
            return super().redraw(regions, cells, neighbours, cross_region)
        return Refinement(*self.graph(regions=regions, cells=cells, neighbours=neighbours))


class _Graph:
    """A graph in a file; the session is opened anew when the number of PyTorch's threads has changed."""

    def __init__(self, path: Path):
        self.path = path
        self.threads = 0
        self.session: Any = None

    def __call__(self, **inputs: Tensor) -> list[Tensor]:
        if self.threads != torch.get_num_threads():
            self.threads = torch.get_num_threads()
            self.session = open_session(self.path, threads=self.threads)
        arrays = {name: value.contiguous().numpy() for name, value in inputs.items()}
        return [torch.from_numpy(output) for output in self.session.run(None, arrays)]


class _CoarseStage(nn.Module):
    """image -> alpha, trimap, and logits of both: see `CoarsePrediction`."""

    def __init__(self, coarse: CoarseNetwork):
        super().__init__()
        self.coarse = coarse

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        coarse = self.coarse(image)
        return (coarse.alpha, coarse.trimap, *coarse.logits[0])


class _RefineStage(nn.Module):
    """regions, cells, neighbours -> patches, attention: see `Refinement`."""

    def __init__(self, refine: RefinementNetwork):
        super().__init__()
        self.refine = refine

    def forward(self, regions: Tensor, cells: Tensor, neighbours: Tensor) -> tuple[Tensor, Tensor]:
        return self.refine.redraw(regions, cells, neighbours)


def _write_graphs(model: MattingNetwork, coarse: Path, refine: Path) -> None:
    names = ["alpha", "trimap", "alpha_logits", "trimap_logits"]
    n, free = _EXAMPLE_REGIONS, {0: torch.export.Dim("regions", min=1, max=_MOST_REGIONS)}
    inputs = {
        "regions": (torch.zeros(n, 4, 8, 8).contiguous(memory_format=torch.channels_last), free),
        "cells": (torch.zeros(n, 3, dtype=torch.int64), free),
        "neighbours": (torch.zeros(n, NEIGHBOURS, dtype=torch.int64), free),
    }
    try:
        coarse.parent.mkdir(parents=True, exist_ok=True)
        _write(_CoarseStage(model.coarse), {"image": example_image()}, names, coarse)
        _write(_RefineStage(model.refine), inputs, ["patches", "attention"], refine)
    except OSError as error:
        raise ValueError(f"the graphs for onnxruntime cannot be written to {coarse.parent}: {error}") from error


def _write(stage: nn.Module, inputs: dict[str, Any], outputs: list[str], path: Path) -> None:
    import onnx_ir

    graph = trace_graph(stage, inputs, outputs)
    with AtomicFile(path) as part:
        onnx_ir.save(graph, part)


def _cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "portrait-matting"


def _identify(model: MattingNetwork) -> str:
    """A name for the graphs of a network: of what they are made of and by what."""
    digest = hashlib.sha256(model.config.to_json().encode())
    for key, value in sorted(model.state_dict().items()):
        digest.update(key.encode() + value.contiguous().numpy().tobytes())
    sources = (*sorted(Path(matting.network.__file__).parent.glob("*.py")), Path(onnx_export.__file__), Path(__file__))
    for path in sources:
        digest.update(path.read_bytes())
    digest.update(" ".join(version(name) for name in ("torch", "onnx", "onnxscript")).encode())
    return digest.hexdigest()[:24]
