"""Draw methods side by side on one photo, as a picture.

python -m matting.evaluation.side_by_side examples/curls.jpg --truth examples/alpha/curls.png --methods coarse,ours -o strip.png
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from matting.evaluation.datasets import Item
from matting.evaluation.figures import FloatArray, Panel, Picture, alpha_grey, error_colours, error_legend, shared_limit, strip
from matting.evaluation.methods import METHODS, Method, Resources, choose, run
from matting.evaluation.metrics import sad, trimap_from_alpha
from matting.media.image import check_writable, load_image, save_image
from matting.weights import load_model


def draw_side_by_side(
    image: Picture, ground_truth: FloatArray | None, methods: Sequence[Method], resources: Resources
) -> Picture:
    """A row of the photo and each method's alpha; with a true alpha also that, and the errors on one scale with a colour bar.

    Args:
        image: (H, W, 3) uint8.
        ground_truth: (H, W) in [0, 1], or None.
        methods: usually two.
        resources: what they need to load.

    Returns:
        (H', W', 3) uint8.

    Raises:
        ValueError: if a method cannot handle the photo, or needs a trimap and there is no true alpha to derive it from.
        DownloadError: if a method cannot be downloaded.
    """
    trimap = None if ground_truth is None else trimap_from_alpha(ground_truth)
    alphas = {
        method.title: run(method.load(resources), image, trimap if method.uses_trimap else None).estimate.alpha
        for method in methods
    }
    panels = [Panel(image, "photo")]
    if ground_truth is None:
        return strip(panels + [Panel(alpha_grey(alpha), title) for title, alpha in alphas.items()])
    panels.append(Panel(alpha_grey(ground_truth), "true alpha"))
    errors = {title: np.abs(alpha - ground_truth) for title, alpha in alphas.items()}
    limit = shared_limit(list(errors.values()))
    for title, alpha in alphas.items():
        caption = f"its error, SAD {sad(alpha, ground_truth):.2f}"
        panels += [Panel(alpha_grey(alpha), title), Panel(error_colours(errors[title], limit), caption)]
    return strip(panels, legend=error_legend(limit))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; wrong arguments, unreadable files and failed downloads are reported with exit code 2."""
    parser = argparse.ArgumentParser(prog="python -m matting.evaluation.side_by_side", description=__doc__.splitlines()[0])
    parser.add_argument("photo", type=Path)
    parser.add_argument("--truth", type=Path, metavar="ALPHA", help="the true alpha: adds it, the errors, and their SAD")
    parser.add_argument("--methods", default="coarse,ours", help=f"comma-separated (%(default)s): {', '.join(METHODS)}")
    parser.add_argument("--weights", default="bundled", help="of this network (%(default)s)")
    parser.add_argument("--device", default="auto", help="of this network (%(default)s)")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="PICTURE")
    options = parser.parse_args(arguments)
    try:
        check_writable(options.output, transparent=False)
        image, ground_truth = load_image(options.photo), None
        if options.truth:
            ground_truth = Item("", options.photo.stem, options.photo, options.truth).load().ground_truth
        methods = choose([name.strip() for name in options.methods.split(",")])
        picture = draw_side_by_side(image, ground_truth, methods, Resources(load_model(options.weights, options.device)))
    except ValueError as error:
        parser.error(str(error))
    save_image(Image.fromarray(picture), options.output)


if __name__ == "__main__":
    main()
