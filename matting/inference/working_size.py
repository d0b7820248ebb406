"""The working size: the size of the network's input for a photo or clip."""

from matting.network import SIDE_MULTIPLE

AUTO_MAX_SIDE = 896  # pixels; 768, 896 and 1024 were compared on training photos, training/LEARNT.md "Working size"
AUTO_MIN_SIDE = 256  # pixels
LARGEST_SIDE = 4096  # pixels
REGION_STEP = 256  # regions; see `refine_regions`


def working_size(height: int, width: int, max_side: int | None = None) -> tuple[int, int]:
    """Size of the network's input: both sides rounded to multiples of 128, as in the paper's benchmark.

    The aspect ratio changes slightly. Small pictures are enlarged, so that a region of 8x8 pixels covers less of a person.

    Args:
        height: of the picture, in pixels.
        width: of the picture, in pixels.
        max_side: length of the longer side before rounding, in pixels; for "as large as the photo" give its longer side. None
            is automatic: `AUTO_MAX_SIDE`, or more for a panorama whose shorter side would fall below `AUTO_MIN_SIDE`.

    Returns:
        (height, width) in pixels, each at least 128 and at most `LARGEST_SIDE`.

    Raises:
        ValueError: if max_side is not positive.
    """
    if max_side is not None and max_side < 1:
        raise ValueError(f"max_side must be at least 1 pixel, got {max_side}")
    short, long = min(height, width), max(height, width)
    wanted = max(AUTO_MAX_SIDE, min(long, AUTO_MIN_SIDE / short * long)) if max_side is None else max_side
    scale = min(wanted, LARGEST_SIDE) / long
    height, width = (max(1, int(side * scale / SIDE_MULTIPLE + 0.5)) * SIDE_MULTIPLE for side in (height, width))
    return height, width
