"""Between the photo's size and the working size."""

import cv2
import numpy as np
import pytest
import torch

from matting.postprocess.closed_form import solve_closed_form
from matting.postprocess.guided_filter import guided_filter
from matting.postprocess.upsample import resize_alpha, to_tensor, upsample_alpha


def hair(side: int) -> tuple[np.ndarray, np.ndarray]:
    """Thin slanted strands: image (side, side, 3) uint8 and alpha (side, side) float32."""
    rows, columns = np.mgrid[:side, :side]
    alpha = (0.5 + 0.5 * np.sin((columns + 0.3 * rows) / side * 120)).astype(np.float32)
    colours = alpha[..., None] * np.array([60, 30, 20]) + (1 - alpha[..., None]) * np.array([150, 190, 220])
    return np.rint(colours).astype(np.uint8), alpha


def test_to_tensor_keeps_pixels_of_the_working_size():
    pixels = np.random.default_rng(0).integers(0, 256, (128, 256, 3), dtype=np.uint8)
    tensor = to_tensor(pixels, (128, 256), torch.device("cpu"))
    assert tensor.shape == (1, 3, 128, 256) and tensor.dtype == torch.float32
    assert np.array_equal(tensor[0].mul(255).round().byte().permute(1, 2, 0).numpy(), pixels)


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (77, 64), (500, 300)])
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_resize_keeps_certain_values_exactly(size, value):
    resized = resize_alpha(np.full((64, 64), value, np.float32), *size)
    assert resized.shape == size and resized.dtype == np.float32
    assert (resized == value).all()


@pytest.mark.parametrize("size", [(20, 30), (64, 64), (300, 200), (30, 300)])
def test_resize_stays_in_range(size):
    alpha = np.random.default_rng(0).random((64, 64), np.float32).round()
    resized = resize_alpha(alpha, *size)
    assert resized.min() >= 0 and resized.max() <= 1


def test_what_eight_bits_cannot_tell_from_the_ends_becomes_exact():
    resized = resize_alpha(np.array([[0.0019, 0.0021], [0.9979, 0.9981]], np.float32), 2, 2)
    assert resized[0, 0] == 0 and resized[0, 1] > 0
    assert resized[1, 0] < 1 and resized[1, 1] == 1


def test_upsampling_follows_the_photo():
    pixels, truth = hair(400)
    alpha, small = (cv2.resize(one, (128, 128), interpolation=cv2.INTER_AREA) for one in (truth, pixels / np.float32(255)))
    known = np.full((16, 16), 0.5, np.float32)
    guided = upsample_alpha(alpha, known, small, pixels, closed=False)
    bicubic = resize_alpha(alpha, 400, 400)
    assert guided.shape == (400, 400) and guided.min() >= 0 and guided.max() <= 1
    assert np.abs(guided - truth).mean() < 0.4 * np.abs(bicubic - truth).mean()


def test_upsampling_leaves_known_cells_exact():
    pixels, truth = hair(400)
    alpha, small = (cv2.resize(one, (128, 128), interpolation=cv2.INTER_AREA) for one in (truth, pixels / np.float32(255)))
    known = np.full((16, 16), 0.5, np.float32)
    known[:4], known[12:] = 0, 1
    guided = upsample_alpha(alpha, known, small, pixels)
    assert (guided[:100] == 0).all() and (guided[300:] == 1).all()
    assert ((guided[100:300] > 0) & (guided[100:300] < 1)).mean() > 0.9


def test_of_a_photo_no_larger_than_the_working_size_the_alpha_follows_the_photo_itself():
    pixels, alpha = hair(128)
    small = cv2.resize(pixels, (256, 256), interpolation=cv2.INTER_CUBIC) / np.float32(255)
    alpha, photo = cv2.resize(alpha, (256, 256)), pixels / np.float32(255)
    expected = guided_filter(resize_alpha(alpha, 128, 128), photo)
    known = np.full((32, 32), 0.5)
    assert np.array_equal(upsample_alpha(alpha, known, small, pixels, closed=False), expected)
    expected = solve_closed_form(expected, photo, np.ones((128, 128), bool))
    assert np.array_equal(upsample_alpha(alpha, known, small, pixels), expected)
