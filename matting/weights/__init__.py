"""Weights: locating, checking, loading, saving and publishing them; `python -m matting.weights info|convert|push`.

A source is "bundled", "bundled:PRESET", the path of a .safetensors file, the path of an authors' checkpoint (.pth), or
"hub:OWNER/REPO[@REVISION][:FILE]". The variables of the Hub's client (HF_HOME, HF_ENDPOINT, HF_TOKEN, HF_HUB_OFFLINE) apply.
"""

from pathlib import Path

import torch

from matting.network import MattingNetwork
from matting.weights.files import read_metadata, read_model, save_weights
from matting.weights.sources import BUNDLED, HUB_FILE, MANIFEST, locate

__all__ = [
    "BACKENDS",
    "BUNDLED",
    "HUB_FILE",
    "MANIFEST",
    "choose_device",
    "load_model",
    "locate",
    "read_metadata",
    "read_model",
    "save_weights",
]

BACKENDS = ("torch", "onnx")


def load_model(source: str | Path = "bundled", device: str = "auto", backend: str = "torch") -> MattingNetwork:
    """Load a network with its weights, ready to run.

    Args:
        source: "bundled", "bundled:PRESET", the path of a .safetensors file, the path of an authors' checkpoint (.pth), or
            "hub:OWNER/REPO[@REVISION][:FILE]".
        device: "auto" (CUDA where there is one), or a torch device.
        backend: "torch", or "onnx": both stages are computed by onnxruntime, on the CPU and with PyTorch's number of threads.
            The results agree to 1e-4. The first time that a network is loaded so takes about a minute, see
            `matting.weights.onnx_backend`.

    Returns:
        The network in eval mode, float32, without gradients.

    Raises:
        ValueError: if the source is unknown, or the file is missing, damaged or no weights of this network; if the backend is
            unknown, lacks a package, or does not know the device.
    """
    if backend not in BACKENDS:
        raise ValueError(f"backend must be one of {', '.join(BACKENDS)}, got {backend!r}")
    if backend == "onnx":
        if device not in ("auto", "cpu"):
            raise ValueError(f"backend 'onnx' works on the CPU, got the device {device!r}")
        from matting.weights.onnx_backend import check_onnx, use_onnx  # needs packages that are not always there

        check_onnx()
        return use_onnx(read_model(locate(str(source))).eval().requires_grad_(False))
    chosen = choose_device(device)
    model = read_model(locate(str(source)))
    model = model.to(chosen, memory_format=torch.channels_last)  # type: ignore[call-overload]  # not in torch's types
    return model.eval().requires_grad_(False)


def choose_device(device: str) -> torch.device:
    """ "auto" is CUDA where there is one; raises ValueError if this machine has no such device."""
    try:
        chosen = torch.device(("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device)
        torch.empty(0, device=chosen)
    except (RuntimeError, AssertionError) as error:  # the latter from a torch without CUDA
        raise ValueError(f"device must be 'auto' or one that torch has on this machine, got {device!r}") from error
    return chosen
