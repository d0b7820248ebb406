"""Draw the README's picture of two strokes (photo, before, strokes, after): PYTHONPATH=. python examples/make_touch_up.py."""

from pathlib import Path

import numpy as np
from PIL import Image

from matting import load_model, matte_image
from matting.app.results.strokes import Stroke, draw_scribbles
from matting.postprocess.compositing import compose

FOLDER = Path(__file__).parent
STROKES = (
    Stroke(True, 0.01, ((0.655, 0.668), (0.69, 0.672))),
    Stroke(True, 0.01, ((0.715, 0.69), (0.732, 0.705), (0.75, 0.725))),
)
PART = slice(560, 860), slice(560, 960)  # the shoulder
BEHIND, GREEN = (74, 99, 94), np.array((47, 174, 107))
GAP = 6


def main() -> None:
    model = load_model()
    before = matte_image(FOLDER / "curls.jpg", model)
    scribbles = draw_scribbles(STROKES, *before.alpha.shape)
    after = matte_image(FOLDER / "curls.jpg", model, scribbles=scribbles)
    cut_outs = [compose(matte.image, matte.alpha, BEHIND) for matte in (before, after)]
    painted = np.where(scribbles[..., None] == 1, (0.3 * cut_outs[0] + 0.7 * GREEN), cut_outs[0]).astype(np.uint8)
    panels = [panel[PART] for panel in (before.image, cut_outs[0], painted, cut_outs[1])]
    height, width = panels[0].shape[:2]
    sheet = np.full((height, 4 * (width + GAP) - GAP, 3), 255, np.uint8)
    for number, panel in enumerate(panels):
        sheet[:, number * (width + GAP) : number * (width + GAP) + width] = panel
    Image.fromarray(sheet).save(FOLDER.parent / ".github" / "touch-up.jpg", quality=90)


if __name__ == "__main__":
    main()
