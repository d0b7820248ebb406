"""The command line of training, and its options from a file."""

import argparse
import math
import os
import sys
from pathlib import Path

import torch

from matting.network import PRESETS
from matting.training.config_files import find_config, phase_options
from matting.training.pairs import PHOTO_LIST, SET_LIST, read_sets
from matting.training.precision import PRECISIONS

OLD_NAMES = (
    "Names of before, understood until the next release: --things for --objects, --start for --init-from, --guided for "
    "--guided-loss, --plain for --full-photo-prob, --mine for --hard-examples, --bfloat16 for --amp bf16."
)


def parse_arguments(arguments: list[str] | None = None, description: str | None = None) -> argparse.Namespace:
    """Options of a run; those of `--config` count where the command line has none.

    Ends the program with a message if they are wrong.
    """
    parser = argparse.ArgumentParser(prog="python -m matting.training.train", description=description, epilog=OLD_NAMES)
    chosen = parser.add_argument_group("a file of options")
    chosen.add_argument("--config", help="a name in matting/training/configs, or a YAML file; other options go before its own")
    chosen.add_argument("--phase", help="of the file, if it has several; matting.training.recipe goes through all of them")
    add_data(parser.add_argument_group("data"))
    add_run(parser.add_argument_group("run"))
    add_parts(parser.add_argument_group("what is trained on what"))
    add_optimiser(parser.add_argument_group("optimiser"))
    given, _ = _config_parser().parse_known_args(arguments)
    if given.config:
        try:
            own = phase_options(find_config(given.config), given.phase)
        except ValueError as error:
            parser.error(str(error))
        arguments = own + (sys.argv[1:] if arguments is None else arguments)
    options = parser.parse_args(arguments)
    if options.num_workers is None:
        options.num_workers = max(1, min(4, (os.cpu_count() or 1) // int(os.environ.get("WORLD_SIZE", 1))))
    check(parser, options)
    return options


def _config_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--config")
    parser.add_argument("--phase")
    return parser


def add_data(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--data", type=Path, required=True, help="folder of the portrait sets, or one set (P3M-10k)")
    group.add_argument("--backgrounds", type=Path, help="pictures without people (BG-20k); default DATA/backgrounds")
    group.add_argument(
        "--objects", "--things", type=Path, help="folder of transparent PNGs to stand behind people or be held by them"
    )
    group.add_argument("--furniture", type=Path, help="folder of transparent PNGs for people to sit on and lean against")
    group.add_argument("--shares", type=parse_share, nargs="+", metavar="SET=SHARE", help="of the sets in what is drawn")
    group.add_argument("--sets", type=Path, default=SET_LIST, help="list of the sets")
    group.add_argument("--photos", type=Path, default=PHOTO_LIST, help="list of photos left out or shown less often")
    group.add_argument("--skip-bad", action="store_true", help="leave out photos that cannot be used, instead of stopping")
    group.add_argument("--cache", type=Path, help="folder that keeps the estimated colours between runs")
    group.add_argument("--on-disk", action="store_true", help="photos lie decoded in a file in --cache instead of memory")
    group.add_argument(
        "--stream",
        choices=["auto", "yes", "no"],
        default="auto",
        help="decode photos when they are drawn, instead of all at the start; auto: if they would not fit into memory",
    )
    group.add_argument(
        "--foreground",
        choices=["closed-form", "fast"],
        default="closed-form",
        help="how colours are estimated: solved once and kept in --cache, or each time anew",
    )
    group.add_argument(
        "--val", type=Path, nargs="+", metavar="DIR", help="validation sets (P3M-500-NP); default: those beside DATA"
    )
    group.add_argument("--val-photos", type=int, default=10, help="of each validation set")
    group.add_argument("--val-side", type=int, default=512, help="longer side at which they are looked at, in pixels")
    group.add_argument("--prepare-only", action="store_true", help="look at all photos, fill the cache, and stop")
    group.add_argument("--num-workers", type=int, help="processes that draw batches; default: up to 4, as there are cores")


def add_run(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--out", type=Path, required=True, help="folder of checkpoints, log and sheets")
    group.add_argument("--steps", type=int, default=20_000, help="planned optimiser steps; the cosine ends there")
    group.add_argument("--max-minutes", type=float, default=math.inf, help="stop (to be resumed) after this time")
    group.add_argument("--time-budget", type=float, default=math.inf, help="of the whole run in minutes; the cosine ends there")
    group.add_argument("--allow-changes", action="store_true", help="resume although arguments have changed")
    group.add_argument("--checkpoint-minutes", type=float, default=5)
    group.add_argument("--log-every", type=int, default=20, help="steps between two rows of log.csv")
    group.add_argument("--threads", type=int, help="of the trainer; fewer than cores where others work on the machine")
    group.add_argument("--seed", type=int, default=0)
    group.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")


def add_parts(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--preset", choices=sorted(PRESETS), default="lite")
    group.add_argument("--init-from", "--start", help="weights to begin with; default: ImageNet for lite, random for paper")
    group.add_argument(
        "--teacher",
        help="weights, such as bundled, whose encoder's features are distilled; without --init-from, training starts from "
        "their decoder",
    )
    group.add_argument("--size", type=int, nargs="+", default=[512], help="square sides, multiples of 128; a batch draws one")
    group.add_argument("--batch", type=int, default=8, help="square pictures of the first size per step and process")
    group.add_argument("--repeat", type=int, default=1, help="how often a batch is used, shuffled among others")
    group.add_argument("--pool", type=int, default=32, help="with --repeat: batches kept in memory to be used again")
    group.add_argument(
        "--cache-features",
        action="store_true",
        help="train the first stage above R16 only, on kept maps of what is below",
    )
    group.add_argument("--max-regions", type=int, default=768, help="refined regions per batch; 0: coarse stage only")
    group.add_argument("--refine-only", action="store_true", help="leave the first stage and all norms' statistics alone")
    group.add_argument(
        "--guided-loss",
        "--guided",
        action="store_true",
        help="average the refinement's losses over its alpha before and after the guided filter",
    )
    group.add_argument(
        "--full-photo-prob",
        "--plain",
        type=float,
        default=0.0,
        help="share of batches of whole photos without synthetic additions, for a last phase",
    )
    group.add_argument("--gap-weight", type=float, default=0.0, help="how much more narrow gaps through people count")
    group.add_argument(
        "--hard-examples",
        "--mine",
        action="store_true",
        help="sample photos more often on which the initial weights have a large error",
    )
    group.add_argument(
        "--freeze-filters", action="store_true", help="leave the encoder's depthwise filters and those down to R4 alone"
    )


def add_optimiser(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--learning-rate", type=float, default=1e-3)
    group.add_argument("--encoder-rate", type=float, default=0.3, help="share of the rate for the encoder")
    group.add_argument("--decoder-rate", type=float, default=1.0, help="share of the rate for the decoder and its heads")
    group.add_argument("--ema", type=float, default=0.998, help="decay of the weight average")
    group.add_argument(
        "--clip", type=float, default=2.0, help="largest norm of the gradient; larger ones are scaled down to it"
    )
    group.add_argument(
        "--amp",
        choices=PRECISIONS,
        default="auto",
        help="mixed precision; auto: bf16 on a GPU that has it, else fp16 there, none on the processor",
    )
    group.add_argument(
        "--bfloat16", dest="amp", action="store_const", const="bf16", help="--amp bf16, faster where there is AMX"
    )
    group.add_argument("--compile", action="store_true", help="compile the first stage, which takes minutes once")


def check(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """End the program if options do not go together."""
    if options.refine_only and options.max_regions == 0:
        parser.error("--refine-only needs regions to refine, got --max-regions 0")
    if options.cache_features and (options.refine_only or options.max_regions or options.preset != "lite"):
        parser.error("--cache-features trains the first stage of lite alone: it needs --max-regions 0 and no --refine-only")
    if options.compile and options.cache_features:
        parser.error("--compile compiles the first stage, of which --cache-features runs a part")
    if options.on_disk and not options.cache:
        parser.error("--on-disk needs --cache, a folder on a disk")
    if options.on_disk and options.stream == "yes":
        parser.error("--on-disk keeps photos decoded, --stream yes decodes them when they are drawn: choose one")
    known = read_sets(options.sets)
    if unknown := {name for name, _ in options.shares or ()} - set(known):
        parser.error(f"--shares expected sets of {options.sets} ({', '.join(known)}), got {', '.join(sorted(unknown))}")
    if options.num_workers < 0:
        parser.error(f"--num-workers must not be negative, got {options.num_workers}")
    if options.val_photos < 1 or options.val_side < 1:
        parser.error(f"--val-photos and --val-side must be at least 1, got {options.val_photos} and {options.val_side}")


def parse_share(text: str) -> tuple[str, float]:
    """A set and its share from the command line."""
    name, _, share = text.partition("=")
    try:
        if not name or not float(share) > 0:
            raise ValueError
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a set, = and a number above 0, got {text!r}") from None
    return name, float(share)
