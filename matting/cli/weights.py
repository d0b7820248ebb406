"""Inspect weights, convert the authors' checkpoints, export to ONNX, publish to the Hugging Face Hub."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch

from matting.cli.terminal import Parser, printable
from matting.network import SIDE_MULTIPLE, MattingNetwork
from matting.weights.files import ORIGINAL_SUFFIXES, read_metadata, read_model, save_weights
from matting.weights.hub import sha256_of
from matting.weights.onnx_export import check_export, export_onnx
from matting.weights.publish import push
from matting.weights.sources import locate

_DTYPES = {"float16": torch.float16, "float32": torch.float32}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; wrong arguments and weights exit with code 2 and one message."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    try:
        options.run(options)
    except (ValueError, OSError) as error:
        parser.error(str(error))
    return 0


def build_parser() -> argparse.ArgumentParser:
    parser = Parser(prog="python -m matting.weights", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    info = commands.add_parser("info", help="check weights and print their properties")
    info.add_argument("source", help="bundled, bundled:PRESET, a file, or hub:OWNER/REPO[@REVISION][:FILE]")
    info.set_defaults(run=print_info)
    convert = commands.add_parser("convert", help="write an authors' checkpoint as safetensors")
    convert.add_argument("checkpoint", type=Path, metavar="AUTHORS.pth")
    convert.add_argument("target", type=Path, metavar="OUT.safetensors")
    convert.add_argument("--dtype", choices=_DTYPES, default="float32", help="type of the numbers in the file (%(default)s)")
    convert.set_defaults(run=convert_checkpoint)
    export = commands.add_parser("export", help="write the network as one ONNX graph, for programs without PyTorch")
    export.add_argument("source", help="bundled, bundled:PRESET, a file, or hub:OWNER/REPO[@REVISION][:FILE]")
    export.add_argument("target", type=Path, metavar="OUT.onnx")
    export.add_argument("--half", "--fp16", action="store_true", help="store the weights as float16: half the size")
    export.add_argument("--coarse-only", action="store_true", help="the first stage alone: coarse alpha and trimap")
    export.set_defaults(run=export_graph)
    publish = commands.add_parser("push", help="publish weights, their configuration and a model card")
    publish.add_argument("repo", metavar="OWNER/REPO")
    publish.add_argument("source", nargs="?", default="bundled", help="what to publish (%(default)s)")
    publish.add_argument("--licence", help="SPDX name, if it is not stored with the weights")
    publish.add_argument("--private", action="store_true", help="if the repository is new, make it private")
    publish.set_defaults(run=push_weights)
    return parser


def print_info(options: argparse.Namespace) -> None:
    path = locate(options.source)
    model = read_model(path)
    authors = path.suffix in ORIGINAL_SUFFIXES
    metadata = {} if authors else {key: text for key, text in read_metadata(path).items() if key != "config"}
    rows = {
        "source": options.source,
        "file": path,
        "bytes": f"{path.stat().st_size:,}",
        "sha256": sha256_of(path),
        "format": "checkpoint of the authors" if authors else "safetensors",
        "preset": model.config.preset,
        "encoder": model.config.encoder,
        "weights": _count(model),
        **metadata,
    }
    for name, value in rows.items():
        print(printable(f"{name:9}{value}"))


def _count(model: MattingNetwork) -> str:
    numbers = sum(value.numel() for value in model.parameters())
    return f"{numbers:,} parameters, {len(model.state_dict())} tensors, all finite"


def convert_checkpoint(options: argparse.Namespace) -> None:
    if options.checkpoint.suffix not in ORIGINAL_SUFFIXES:
        raise ValueError(f"expected a checkpoint that ends in .pth or .pt, got {options.checkpoint.name!r}")
    if options.target.suffix != ".safetensors":
        raise ValueError(f"expected a target that ends in .safetensors, got {options.target.name!r}")
    model = read_model(locate(str(options.checkpoint)))
    save_weights(model, options.target, {"converted_from": options.checkpoint.name}, _DTYPES[options.dtype])
    print(printable(f"{options.target}: preset {model.config.preset}, {options.target.stat().st_size:,} bytes"))


def export_graph(options: argparse.Namespace) -> None:
    check_export(options.target)
    model = read_model(locate(options.source)).eval().requires_grad_(False)
    export_onnx(model, options.target, coarse_only=options.coarse_only, half=options.half)
    sides = f"sides are multiples of {SIDE_MULTIPLE}"
    print(printable(f"{options.target}: preset {model.config.preset}, {options.target.stat().st_size:,} bytes; {sides}"))


def push_weights(options: argparse.Namespace) -> None:
    print(push(options.repo, options.source, licence=options.licence, private=options.private))
