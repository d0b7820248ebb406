"""Data augmentation on tensors: crops, elastic deformation, layers composited in, and the photometric effects of a camera.

Everything runs on the device of its tensors. Random numbers come from one `numpy` generator, so runs can be repeated by seed.
"""

import colorsys
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from matting.inference.exposure import brighten

_BEND = 0.04  # standard deviation of the control points' displacement, in half crops
_SNAP = 0.015  # alphas this close to 0 or 1 become 0 or 1


class AffineCrop(NamedTuple):
    """A rotated rectangle of a source image: centre and size in its pixels, angle in radians, mirrored horizontally or not."""

    y: float
    x: float
    height: float
    width: float
    angle: float
    mirrored: bool


class Edge(NamedTuple):
    """The boundary of a person's mask.

    Attributes:
        rows: of the mask's boundary pixels, from top to bottom.
        columns: of the same pixels.
        extent: size of the person in pixels: the square root of the mask's area.
    """

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    extent: float


def log_uniform(low: float, high: float, rng: np.random.Generator) -> float:
    """A random number between two positive ones whose logarithm is uniformly distributed."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def cut(mips: Sequence[Tensor], crop: AffineCrop, size: Sequence[int], bend: Tensor | None = None) -> Tensor:
    """Resample a crop of an image, bilinearly from the best level of its pyramid; beyond the image its border is repeated.

    Args:
        mips: image pyramid, (C, H, W) uint8 at full, half, quarter ... size.
        crop: in pixels of the full size.
        size: (h, w) of the result.
        bend: (h, w, 2) displacement (x, y) in half crops, or None.

    Returns:
        (C, h, w) float32 in [0, 1].
    """
    shrink = min(crop.height / size[0], crop.width / size[1])
    level = int(np.clip(np.log2(max(shrink, 1)) + 0.3, 0, len(mips) - 1))
    source, scale = mips[level], 0.5**level
    reach = 0.6 * float(np.hypot(crop.height, crop.width)) * scale
    top, left = int(max(0, crop.y * scale - reach)), int(max(0, crop.x * scale - reach))
    part = source[:, top : int(crop.y * scale + reach) + 2, left : int(crop.x * scale + reach) + 2]
    if 0 in part.shape:
        part, top, left = source, 0, 0
    grid = _grid(crop, scale, (top, left), part.shape[1:], size, source.device)
    if bend is not None:
        grid = grid + bend * grid.new_tensor([crop.width, crop.height]) * scale / grid.new_tensor(part.shape[:0:-1])
    floats = part.float().div_(255)[None]
    return F.grid_sample(floats, grid[None], "bilinear", "border", align_corners=False)[0]


def _grid(
    crop: AffineCrop, scale: float, origin: tuple[int, int], part: Sequence[int], size: Sequence[int], device: torch.device
) -> Tensor:
    """(h, w, 2) sampling positions (x, y) for `grid_sample`, in [-1, 1] over the part."""
    v = (torch.arange(size[0], device=device) + 0.5) / size[0] - 0.5
    u = (torch.arange(size[1], device=device) + 0.5) / size[1] - 0.5
    v, u = torch.meshgrid(v * crop.height, u * crop.width * (-1 if crop.mirrored else 1), indexing="ij")
    cos, sin = float(np.cos(crop.angle)), float(np.sin(crop.angle))
    y = (crop.y + cos * v - sin * u) * scale - origin[0]
    x = (crop.x + sin * v + cos * u) * scale - origin[1]
    return torch.stack([x * 2 / part[1] - 1, y * 2 / part[0] - 1], dim=-1)


def snap(alpha: Tensor) -> Tensor:
    """Stretch an alpha of any shape linearly so that 0.015 becomes 0 and 0.985 becomes 1, and clip it to [0, 1]."""
    return ((alpha - _SNAP) / (1 - 2 * _SNAP)).clamp(0, 1)


def random_bend(rng: np.random.Generator, size: Sequence[int], device: torch.device) -> Tensor:
    """A smooth random displacement field (h, w, 2), bicubic through a 4x4 grid of control points (elastic deformation)."""
    points = torch.as_tensor(rng.normal(0, _BEND, (1, 2, 4, 4)), dtype=torch.float32, device=device)
    return F.interpolate(points, size=size, mode="bicubic", align_corners=True)[0].permute(1, 2, 0)


def lay_over(photo: Tensor, alpha: Tensor, foreground: Tensor, layer: Tensor) -> None:
    """Composite a layer, which becomes part of the foreground, over one image. In place.

    Args:
        photo: (3, H, W) in [0, 1].
        alpha: (1, H, W) in [0, 1].
        foreground: (3, H, W) in [0, 1].
        layer: (4, H, W) in [0, 1], premultiplied RGB and alpha.
    """
    weight = layer[3:]
    union = weight + (1 - weight) * alpha
    photo.copy_(layer[:3] + (1 - weight) * photo)
    foreground.add_((layer[:3] - weight * foreground) / union.clamp(min=1e-6))  # unchanged where the union is 0
    alpha.copy_(union)


def lay_behind(photo: Tensor, alpha: Tensor, foreground: Tensor, background: Tensor, layer: Tensor) -> None:
    """Composite a layer between the person and the background of one image. In place; alpha and foreground stay.

    Args:
        photo: (3, H, W) in [0, 1].
        alpha: (1, H, W) in [0, 1].
        foreground: (3, H, W) in [0, 1].
        background: (3, H, W) in [0, 1], the new background if the photo's own is replaced.
        layer: as for `lay_over`.
    """
    behind = photo - alpha * foreground  # (1 - alpha) times the photo's background
    photo.add_((1 - alpha) * layer[:3] - layer[3:] * behind)
    background.copy_(layer[:3] + (1 - layer[3:]) * background)


def find_edge(alpha: Tensor, least: float = 0.0) -> Edge | None:
    """The boundary of the person (alpha above 0.5) in one image.

    Args:
        alpha: (1, H, W) in [0, 1].
        least: smallest extent in pixels, see `Edge`.

    Returns:
        The edge, or None if there is no person, a smaller one, or one who fills the image.
    """
    body = (alpha[0].cpu().numpy() > 0.5).astype(np.uint8)
    rows, columns = np.nonzero(body > cv2.erode(body, np.ones((3, 3), np.uint8)))
    extent = float(np.sqrt(int(body.sum())))
    return Edge(rows, columns, extent) if len(rows) and extent >= least else None


def shift_brightness(foreground: Tensor, alpha: Tensor, background: Tensor, rng: np.random.Generator) -> Tensor:
    """Scale the foreground's brightness part of the way towards that of its new background; (B, 3, H, W)."""
    own = (foreground * alpha).sum((1, 2, 3)) / (3 * alpha.sum((1, 2, 3)).clamp(min=1))
    target = background.mean((1, 2, 3))
    share = torch.as_tensor(rng.uniform(0, 0.6, len(alpha)), dtype=torch.float32, device=alpha.device)
    gain = ((target + 0.1) / (own + 0.1)).clamp(0.4, 1.8) ** share
    return (foreground * gain[:, None, None, None]).clamp(0, 1)


def soften(images: Tensor, rng: np.random.Generator, chance: float, strongest: float) -> Tensor:
    """Blur some images by down- and upsampling by a factor of 1.2 to `strongest`; (B, C, H, W)."""
    out = images.clone()
    for i in np.flatnonzero(rng.random(len(images)) < chance):
        factor = log_uniform(1.2, strongest, rng)
        small = F.interpolate(images[i : i + 1], scale_factor=1 / factor, mode="bilinear", antialias=True)
        out[i] = F.interpolate(small, size=images.shape[2:], mode="bilinear")[0]
    return out


def shift_colours(images: Tensor, rng: np.random.Generator) -> Tensor:
    """Random gamma, white balance, brightness, contrast, saturation, and greyscale in 4%; (B, 3, H, W) in [0, 1]."""
    b = len(images)

    def draw(low: float, high: float, channels: int = 1) -> Tensor:
        values = rng.uniform(low, high, (b, channels, 1, 1))
        return torch.as_tensor(values, dtype=torch.float32, device=images.device)

    images = images.clamp(1e-4, 1) ** draw(-0.35, 0.35).exp()
    images = images * draw(0.9, 1.1, channels=3) * draw(0.75, 1.25)
    mean = images.mean((1, 2, 3), keepdim=True)
    images = mean + (images - mean) * draw(0.8, 1.2)
    grey = images.mean(1, keepdim=True)
    saturation = draw(0.7, 1.3) * torch.as_tensor(rng.random((b, 1, 1, 1)) > 0.04, device=images.device)
    return (grey + (images - grey) * saturation).clamp(0, 1)


def tint(images: Tensor, rng: np.random.Generator, chance: float = 0.1) -> Tensor:
    """Light some pictures with lamps of two strong colours, one fading into the other; (B, 3, H, W) in [0, 1]."""
    out = images.clone()
    for i in np.flatnonzero(rng.random(len(images)) < chance):
        hue, turn, angle = rng.uniform(0, 1), rng.normal(0, 0.15), rng.uniform(0, 2 * np.pi)
        colours = [colorsys.hsv_to_rgb((hue + change) % 1, rng.uniform(0.3, 0.97), 1) for change in (0, turn)]
        first, second = torch.tensor(colours, dtype=images.dtype, device=images.device)[:, :, None, None]
        y, x = (torch.linspace(-0.5, 0.5, side, dtype=images.dtype, device=images.device) for side in images.shape[2:])
        weight = (0.5 + float(np.sin(angle)) * y[:, None] + float(np.cos(angle)) * x).clamp(0, 1)
        out[i] *= first + weight * (second - first)
    return out


def darken(images: Tensor, rng: np.random.Generator, chance: float = 0.25) -> Tensor:
    """Underexpose some images: a gamma of 1 to 1.5, then a gain of 0.1 to 0.67; (B, 3, H, W) in [0, 1]."""
    dark = rng.random(len(images)) < chance
    lights = np.where(dark, np.exp(rng.uniform(np.log(0.1), np.log(0.67), len(images))), 1)
    gammas = np.where(dark, rng.uniform(1, 1.5, len(images)), 1)
    light, gamma = (torch.as_tensor(x, dtype=images.dtype, device=images.device)[:, None, None, None] for x in (lights, gammas))
    return images**gamma * light


def backlight(images: Tensor, alpha: Tensor, foreground: Tensor, rng: np.random.Generator, chance: float = 0.07) -> Tensor:
    """Leave the people of some pictures little of their light, down to silhouettes, and brighten what is behind them.

    Args:
        images: (B, 3, H, W) in [0, 1].
        alpha: (B, 1, H, W) in [0, 1].
        foreground: (B, 3, H, W) in [0, 1], the people's colours.
        rng: decides.
        chance: of a picture.
    """
    out = images.clone()
    for i in np.flatnonzero(rng.random(len(images)) < chance):
        people = alpha[i] * foreground[i]
        behind = (images[i] - people).clamp(min=0)
        bright = rng.uniform(0.2, 1)
        out[i] = log_uniform(0.02, 0.4, rng) * people + bright * behind + (1 - bright) * (1 - alpha[i])
    return out


def add_noise(images: Tensor, rng: np.random.Generator, chance: float = 0.4, strongest: float = 0.04) -> Tensor:
    """Gaussian noise with a standard deviation of up to `strongest` on some images; (B, C, H, W) in [0, 1]."""
    strengths = rng.uniform(0, strongest, len(images)) * (rng.random(len(images)) < chance)
    strength = torch.as_tensor(strengths, dtype=torch.float32, device=images.device)[:, None, None, None]
    generator = torch.Generator(images.device).manual_seed(int(rng.integers(2**62)))
    noise = torch.empty_like(images).normal_(generator=generator)
    return noise.mul_(strength).add_(images).clamp_(0, 1)


def compress(images: Tensor, rng: np.random.Generator, chance: float = 0.3) -> Tensor:
    """JPEG compression with quality 30 to 90 of some images; (B, 3, H, W) in [0, 1]."""
    out = images.clone()
    for i in np.flatnonzero(rng.random(len(images)) < chance):
        pixels = images[i].mul(255).round().byte().permute(1, 2, 0).cpu().numpy()
        _, data = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(30, 91))])
        decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1].copy()
        out[i] = torch.from_numpy(decoded).to(images.device).permute(2, 0, 1).float().div(255)
    return out


def lift_shadows(images: Tensor, rng: np.random.Generator, chance: float = 0.7) -> Tensor:
    """Correct the exposure of most images as inference does (`brighten`), after rounding to 8 bits; (B, 3, H, W) in [0, 1]."""
    lifted = brighten(images.mul(255).round().div(255))
    chosen = torch.as_tensor(rng.random(len(images)) < chance, device=images.device)
    return torch.where(chosen[:, None, None, None], lifted, images)
