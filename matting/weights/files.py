"""Weights files: safetensors with the network's configuration in their metadata, and the authors' checkpoints.

Files are checked completely before a network is returned: keys, shapes, types, finite values.
"""

import json
import zipfile
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from matting.media.atomic import AtomicFile
from matting.network import PRESETS, MattingNetwork, NetworkConfig
from matting.weights.original import from_original

ORIGINAL_SUFFIXES = (".pth", ".pt")
_MAX_CHANNELS = 4096  # of a configuration that is accepted, far above those of the presets
_MAX_BLOCKS = 64


def read_model(path: Path) -> MattingNetwork:
    """Load the network of a weights file, on the CPU, in float32.

    Raises:
        ValueError: if the file is damaged, or keys, shapes or values are wrong; the message names the key.
    """
    if path.suffix in ORIGINAL_SUFFIXES:
        config, state = PRESETS["paper"], _read_authors(path)
    else:
        config, state = _read_safetensors(path)
    return _fill(config, state, path)


def read_metadata(path: Path) -> dict[str, str]:
    """Metadata of a safetensors file, without its tensors.

    Raises:
        ValueError: if the file is damaged.
    """
    try:
        with safe_open(path, "pt") as file:
            return file.metadata() or {}
    except SafetensorError as error:
        raise ValueError(f"{path} is not a complete safetensors file ({path.stat().st_size} bytes): {error}") from error


def save_weights(model: MattingNetwork, path: Path, metadata: dict[str, str], dtype: torch.dtype = torch.float16) -> None:
    """Write weights and configuration as safetensors; the file appears under its name only when complete.

    The same network and metadata give the same bytes, so that weights can be identified by their hash.

    Args:
        model: the network.
        path: the file to write; replaced if it exists.
        metadata: stored beside the configuration.
        dtype: type of the numbers in the file; they are float32 again when loaded.

    Raises:
        ValueError: if a number is not finite, or too large for dtype.
    """
    state = {
        key: (value.to(dtype) if value.is_floating_point() else value).detach().cpu().contiguous().clone()
        for key, value in model.state_dict().items()
    }
    _check_finite(state, path)
    with AtomicFile(path) as part:
        part.write_bytes(_in_order(save(state, {**metadata, "config": model.config.to_json()})))


def _in_order(data: bytes) -> bytes:
    """Sort the metadata of a safetensors file by name; the library writes them in a random order."""
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:end])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text = text.ljust(-(-len(text) // 8) * 8)  # tensors begin at multiples of 8 bytes
    return len(text).to_bytes(8, "little") + text + data[end:]


def _read_safetensors(path: Path) -> tuple[NetworkConfig, dict[str, Tensor]]:
    metadata = read_metadata(path)
    if "config" not in metadata:
        raise ValueError(f"{path} has no network configuration in its metadata; keys there: {sorted(metadata)}")
    try:
        config = NetworkConfig.from_json(metadata["config"])
        _check_config(config)
    except ValueError as error:
        raise ValueError(f"{path} has a network configuration that does not work: {error}") from error
    with safe_open(path, "pt") as file:
        return config, {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a dict


def _check_config(config: NetworkConfig) -> None:
    """Raises ValueError if a configuration has an unknown preset, or sizes that would exhaust memory."""
    if config.preset not in PRESETS:
        raise ValueError(f"preset must be one of {', '.join(PRESETS)}, got {config.preset!r}")
    sizes = {"decoder_channels": config.decoder_channels, "context_channels": (config.context_channels,)}
    sizes["context_blocks"] = (config.context_blocks,)
    sizes["r8_channels"] = (config.r8_channels,)
    for name, values in sizes.items():
        most = _MAX_BLOCKS if name == "context_blocks" else _MAX_CHANNELS
        if not all(type(value) is int and 0 <= value <= most for value in values):
            raise ValueError(f"{name} must be whole numbers from 0 to {most}, got {values}")


def _read_authors(path: Path) -> dict[str, Tensor]:
    size = path.stat().st_size
    if zipfile.is_zipfile(path) and _unpacked_bytes(path) > size:
        raise ValueError(f"{path} is not a checkpoint that can be read safely ({size} bytes): it unpacks to more than its size")
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for damaged or foreign pickles
        raise ValueError(f"{path} is not a checkpoint that can be read safely ({size} bytes)") from error
    state = checkpoint.get("mat_model") if isinstance(checkpoint, dict) else None
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise ValueError(f"{path} should be the authors' checkpoint, a dictionary with their weights under 'mat_model'")
    stated = sum(value.numel() * value.element_size() for value in state.values())
    if stated > 2 * size:
        raise ValueError(f"{path} states {stated} bytes of weights, it has {size} bytes")
    try:
        return from_original(state)
    except (RuntimeError, IndexError) as error:  # tensors that cannot be joined or cut
        raise ValueError(f"{path} has weights of shapes that do not fit: {error}") from error


def _unpacked_bytes(path: Path) -> int:
    try:
        with zipfile.ZipFile(path) as archive:
            return sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError):
        return 0  # torch says what is wrong with it


def _fill(config: NetworkConfig, state: dict[str, Tensor], path: Path) -> MattingNetwork:
    """A network with this state; raises ValueError if a key, shape, type or value is wrong."""
    try:
        with torch.device("meta"):  # takes no memory, whatever the configuration says
            wanted = MattingNetwork(config).state_dict()
    except (ValueError, TypeError, RuntimeError, ZeroDivisionError, AssertionError) as error:
        raise ValueError(f"{path} has a network configuration that does not work: {error}") from error
    for key in sorted(wanted.keys() ^ state.keys()):
        raise ValueError(f"{path}: {key} is {'missing' if key in wanted else 'not part of the network'}")
    for key, value in state.items():
        if value.shape != wanted[key].shape:
            raise ValueError(f"{path}: {key} should be {tuple(wanted[key].shape)}, it is {tuple(value.shape)}")
        if value.is_floating_point() != wanted[key].is_floating_point():
            raise ValueError(f"{path}: {key} should be {wanted[key].dtype}, it is {value.dtype}")
    state = {key: value.to(wanted[key].dtype) for key, value in state.items()}
    _check_finite(state, path)
    model = MattingNetwork(config)
    model.load_state_dict(state)
    return model


def _check_finite(state: dict[str, Tensor], path: Path) -> None:
    for key, value in state.items():
        if value.is_floating_point() and not value.isfinite().all():
            raise ValueError(f"{path}: {key} has values that are not finite")
