"""The pictures that come with the project: complete, credited, and the clip's alpha true."""

import runpy
from pathlib import Path

import numpy as np
from PIL import Image

from matting.media.reader import ClipReader

EXAMPLES = Path(__file__).parents[1] / "examples"
PHOTOS = sorted(EXAMPLES.glob("*.jpg"))


def test_every_photo_has_an_alpha_of_its_size_and_a_credit():
    credits = (EXAMPLES / "CREDITS.md").read_text()
    assert 5 <= len(PHOTOS) <= 6
    for photo in PHOTOS:
        with Image.open(photo) as image, Image.open(EXAMPLES / "alpha" / f"{photo.stem}.png") as alpha:
            assert image.size == alpha.size and alpha.mode == "L" and alpha.getextrema() == (0, 255)
        assert f"`{photo.name}`" in credits
    for other in ("clip.mp4", "clip/portrait.png", "clip/background.jpg"):
        assert f"`{other}`" in credits and (EXAMPLES / other).is_file()


def test_clip_and_alpha_are_five_seconds_in_step():
    with ClipReader(EXAMPLES / "clip.mp4") as clip, ClipReader(EXAMPLES / "clip_alpha.mp4") as alpha:
        assert (clip.info.frames, clip.info.frame_rate, clip.info.duration) == (125, 25, 5)
        assert (alpha.info.frames, alpha.info.width, alpha.info.height) == (125, clip.info.width, clip.info.height)


def test_the_script_makes_the_clip_and_its_true_alpha():
    """Without noise, what is outside the alpha is background; with the same seed, frames are the same."""
    script = runpy.run_path(str(EXAMPLES / "make_clip.py"))
    portrait = np.array(Image.open(EXAMPLES / "clip" / "portrait.png"))
    black = np.zeros((90, 160, 3), np.uint8)
    once, again = (list(script["make_frames"](portrait, black, 96, 3, seed=0)) for _ in range(2))
    for (image, alpha), (image_again, alpha_again) in zip(once, again, strict=True):
        assert (image == image_again).all() and (alpha == alpha_again).all()
        assert image[alpha == 0].max() < 20 and image[alpha == 255].mean() > 40
        assert alpha[0].max() < 255 and alpha[-1].mean() > 200
    assert (once[0][0] != once[1][0]).any()


def test_the_stored_clip_is_what_the_script_makes():
    script = runpy.run_path(str(EXAMPLES / "make_clip.py"))
    portrait = np.array(Image.open(EXAMPLES / "clip" / "portrait.png"))
    background = np.array(Image.open(EXAMPLES / "clip" / "background.jpg").convert("RGB"))
    image, alpha = next(iter(script["make_frames"](portrait, background, 400, 125, seed=0)))
    for name, made in (("clip.mp4", image), ("clip_alpha.mp4", np.repeat(alpha[..., None], 3, axis=2))):
        with ClipReader(EXAMPLES / name) as reader:
            stored = next(iter(reader)).image
        assert np.abs(stored.astype(int) - made).mean() < 3
