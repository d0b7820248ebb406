"""Draw the README's picture (image, coarse alpha, trimap, refined alpha, truth): PYTHONPATH=. python examples/make_sheet.py."""

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from matting import load_model, matte_image

FOLDER = Path(__file__).parent
ROWS = (
    ("curls", None),
    ("curls", (0.02, 0.1, 0.4)),
    ("brick", (0.02, 0.25, 0.35)),
    ("windswept", (0.3, 0.62, 0.38)),
)
CELL = 250
GAP = 6


def main() -> None:
    model = load_model()
    rows = []
    for name, zoom in ROWS:
        matte = matte_image(FOLDER / f"{name}.jpg", model)
        truth = np.array(Image.open(FOLDER / "alpha" / f"{name}.png").convert("L"))
        coarse, refined = ((alpha * 255).round().astype(np.uint8) for alpha in (matte.coarse_alpha, matte.alpha))
        greys = (coarse, matte.trimap, refined, truth)
        panels = [matte.image, *(np.repeat(grey[..., None], 3, axis=2) for grey in greys)]
        rows.append([_cell(panel, zoom) for panel in panels])
    height, width = (count * (CELL + GAP) - GAP for count in (len(rows), len(rows[0])))
    sheet = np.full((height, width, 3), 255, np.uint8)
    for i, row in enumerate(rows):
        for j, panel in enumerate(row):
            top, left = i * (CELL + GAP), j * (CELL + GAP)
            sheet[top : top + CELL, left : left + CELL] = panel
    Image.fromarray(sheet).save(FOLDER.parent / ".github" / "sheet.jpg", quality=90)


def _cell(panel: np.ndarray, zoom: tuple[float, float, float] | None) -> np.ndarray:
    """A square of the panel: all of it, or the part from (top, left) with the given side, as shares of the shorter side."""
    side = min(panel.shape[:2])
    top, left, share = zoom or (0.0, 0.0, 1.0)
    part = panel[int(top * side) :, int(left * side) :][: int(share * side), : int(share * side)]
    return cv2.resize(part, (CELL, CELL), interpolation=cv2.INTER_AREA if zoom is None else cv2.INTER_CUBIC)


if __name__ == "__main__":
    main()
