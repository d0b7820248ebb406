"""What the command line takes; loads neither torch nor anything else that takes long, so that mistakes are answered at once."""

import argparse
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from PIL import ImageColor

from matting.cli.clip import add_clip_options
from matting.cli.terminal import Parser
from matting.inference.matte import BackgroundSource
from matting.media.colour import DISPLAY_P3, SRGB
from matting.media.image import load_image

COLOUR_SPACES = {"srgb": SRGB, "display-p3": DISPLAY_P3}
PIPE = Path("-")  # standard input or output
SUFFIXES = {"png": ".png", "webp": ".webp", "avif": ".avif", "tiff": ".tif", "jpg": ".jpg"}
GREY_RESULTS = {
    "alpha": "the alpha in grey",
    "coarse": "the coarse alpha of the first stage in grey",
    "trimap": "the trimap: black background, grey unknown, white foreground",
    "regions": "the refined regions in white",
}
_EXAMPLES = """examples:
  matting portrait.jpg                                portrait-cutout.png beside it
  matting *.jpg -o out/ --format webp                 all of them, in a folder
  matting album -o out --skip-existing --json         a folder, resumed, with one line of JSON a file
  curl -s https://example.org/a.jpg | matting - -o - > cut.png
  matting portrait.jpg --background blur -o blurred.jpg
  matting clip.mp4 -o clip.webm                       a clip with an alpha channel
  matting watch inbox out                             files as they arrive
  matting serve                                       the app in the browser

exit codes: 0 done, 1 something failed, 2 wrong arguments, 3 nobody found (with --strict), 130 interrupted
"""


def build_parser(watches: bool = False) -> argparse.ArgumentParser:
    """The parser of `matting`, or of `matting watch`, which takes one folder and the folder of the results."""
    parser = Parser(
        prog="matting watch" if watches else "matting",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Cut the people out of photos and clips. The result is a PNG or WebM with transparency, its edges free of\n"
        "the old background, unless an option says otherwise.",
        epilog=_EXAMPLES,
    )
    if watches:
        parser.add_argument("inputs", type=Path, nargs=1, metavar="IN", help="folder to watch")
        parser.add_argument("output", type=Path, metavar="OUT", help="folder to write to")
    else:
        photos = "photos, clips, folders, or - for a photo on standard input"
        parser.add_argument("inputs", type=Path, nargs="+", metavar="INPUT", help=photos)
        place = "beside each photo, as photo-cutout.png; needed for folders and clips"
        parser.add_argument(
            "-o", "--output", type=Path, metavar="OUT", help=f"file or folder, or - for standard output (default: {place})"
        )
    parser.add_argument("--version", action="version", version=f"matting {_version()}")
    _add_results(parser)
    _add_files(parser)
    _add_network(parser)
    add_clip_options(parser)
    return parser


def _add_results(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what to write").add_mutually_exclusive_group()
    for name, title in GREY_RESULTS.items():
        aliases = ["--only-mask"] if name == "alpha" else []
        group.add_argument(f"--{name}", *aliases, dest="result", action="store_const", const=name, help=title)
    group.add_argument(
        "--background",
        type=read_background,
        metavar="COLOUR|IMAGE|blur",
        help="the people in front of this: a colour (white, '#30a060'), a picture, or the photo's own background out of focus",
    )
    parser.set_defaults(result="cutout")


def _add_files(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("files")
    group.add_argument("--format", choices=SUFFIXES, help="of photos that are not given a name (default: png)")
    group.add_argument("--crop", action="store_true", help="cut off what is transparent all around; photos only")
    existing = group.add_mutually_exclusive_group()
    existing.add_argument("--overwrite", action="store_true", help="replace files that exist already under a name not given")
    existing.add_argument("--skip-existing", action="store_true", help="leave out inputs whose results exist already")
    group.add_argument(
        "--ignore-alpha",
        action="store_true",
        help="put photos and clips that are transparent already on white first (default: their transparency is kept, and the "
        "people in them cut out)",
    )
    group.add_argument(
        "--keep-metadata",
        action="store_true",
        help="keep the artist, copyright and date of a photo; never its place or the camera's number (default: only its "
        "resolution in dots per inch)",
    )
    group.add_argument(
        "--colour-space",
        choices=COLOUR_SPACES,
        default="srgb",
        help="of the colours of photos that are written, with its profile (default: %(default)s)",
    )
    group.add_argument("--json", action="store_true", help="print one line of JSON a file instead of its name")
    group.add_argument("--strict", action="store_true", help="end with code 3 if nobody was found in a photo")


def _add_network(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("network")
    group.add_argument(
        "--max-side",
        type=read_pixels,
        metavar="PIXELS",
        help="longer side of the network's input; larger resolves finer hair and takes longer (default: 896 for photos, where "
        "people who are small are matted in a crop, and 768 for clips). The result always has the photo's size",
    )
    group.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1 ... (default: %(default)s)")
    group.add_argument(
        "--backend",
        choices=("torch", "onnx"),
        default="torch",
        help="what computes the network; onnx takes half to three quarters of the time on a CPU, after a minute of preparation "
        "the first time, and needs 'portrait-matting[onnx]' (default: %(default)s)",
    )
    group.add_argument(
        "--weights",
        default="bundled",
        help="bundled, bundled:PRESET, a .safetensors file, an authors' .pth, or hub:OWNER/REPO[@REVISION][:FILE] "
        "(default: %(default)s)",
    )
    group.add_argument(
        "--ray",
        metavar="ADDRESS",
        help="work on this Ray cluster ('auto', 'ray://host:10001', or 'local' for one on this machine), whose machines see "
        "the same files; needs the package ray[data]",
    )
    group.add_argument("--workers", type=int, default=2, metavar="N", help="with --ray: side by side (%(default)s)")


def parse(arguments: Sequence[str], watches: bool = False) -> argparse.Namespace:
    """The options; wrong ones end the program with code 2 and one sentence."""
    return build_parser(watches).parse_intermixed_args(arguments)


def read_background(text: str) -> BackgroundSource:
    """ "blur", an (R, G, B) colour, or the pixels of an image; raises ArgumentTypeError if it is none of them."""
    if text == "blur":
        return text
    try:
        colour = ImageColor.getrgb(text)
    except ValueError:
        pass
    else:
        if len(colour) == 3:
            return colour
    try:
        return load_image(text)
    except ValueError as error:
        reason = f"expected 'blur', a colour such as white or '#30a060', or a picture; {error}"
        raise argparse.ArgumentTypeError(reason) from error


def read_pixels(text: str) -> int:
    """A positive whole number; raises ArgumentTypeError if it is not."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a number of pixels of at least 1, got {text!r}")
    return int(text)


def _version() -> str:
    try:
        return version("portrait-matting")
    except PackageNotFoundError:
        return "(not installed: run from its folder)"
