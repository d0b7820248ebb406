"""The encoder of the `lite` preset: EfficientNet-Lite0 (Tan & Le 2019, the variant without squeeze-excitation) followed by
a small transformer on its two coarsest maps, so that every position has seen the whole image."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class _Stage(NamedTuple):
    blocks: int
    kernel: int
    stride: int
    expansion: int
    channels: int


_STAGES = (
    _Stage(1, 3, 1, 1, 16),
    _Stage(2, 3, 2, 6, 24),
    _Stage(2, 5, 2, 6, 40),
    _Stage(3, 3, 2, 6, 80),
    _Stage(3, 5, 1, 6, 112),
    _Stage(4, 5, 2, 6, 192),
    _Stage(1, 3, 1, 6, 320),
)
_STEM_CHANNELS = 32
_STAGES_TO_R16 = 5
_HEAD_CHANNELS = 32


class ConvNormAct(nn.Module):
    """Convolution with TensorFlow's "same" padding (extra pixel after), BatchNorm, and ReLU6 if `activate`."""

    def __init__(self, c_in: int, c_out: int, kernel: int = 1, stride: int = 1, groups: int = 1, activate: bool = True):
        super().__init__()
        excess = kernel - stride
        self.extra = excess % 2
        self.conv = nn.Conv2d(c_in, c_out, kernel, stride, padding=excess // 2, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(c_out, eps=1e-3, momentum=0.01)
        self.activate = activate

    def forward(self, x: Tensor) -> Tensor:
        if self.norm.training:
            x = self.norm(self._convolve(x, self.conv.weight))
        else:  # fixed statistics fold into the convolution: the same result in one pass over memory
            scale = self.norm.weight * torch.rsqrt(self.norm.running_var + self.norm.eps)
            bias = self.norm.bias - self.norm.running_mean * scale
            x = self._convolve(x, self.conv.weight * scale[:, None, None, None], bias)
        return F.relu6(x, inplace=True) if self.activate else x

    def _convolve(self, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        """Where "same" means one more pixel after the map, put a row and a column of zeros before the kernel instead,
        which costs no copy of the map: both start the windows at the same pixel."""
        weight = F.pad(weight, (self.extra, 0, self.extra, 0)) if self.extra else weight
        padding = self.conv.padding[0] + self.extra
        return F.conv2d(x, weight, bias, self.conv.stride, padding, groups=self.conv.groups)


class MobileBlock(nn.Module):
    """Inverted residual: 1x1 expand, depthwise convolution, 1x1 project; added to the input where shapes agree."""

    def __init__(self, c_in: int, c_out: int, kernel: int, stride: int, expansion: int):
        super().__init__()
        hidden = c_in * expansion
        self.expand = ConvNormAct(c_in, hidden) if expansion > 1 else nn.Identity()
        self.depthwise = ConvNormAct(hidden, hidden, kernel, stride, groups=hidden)
        self.project = ConvNormAct(hidden, c_out, activate=False)
        self.residual = stride == 1 and c_in == c_out

    def forward(self, x: Tensor) -> Tensor:
        y = self.project(self.depthwise(self.expand(x)))
        return y.add_(x) if self.residual else y  # in place: new memory costs more than the sum


class ContextBlock(nn.Module):
    """Global self-attention over all positions of a small map; a depthwise convolution tells them where they are."""

    def __init__(self, channels: int, mlp_ratio: int = 2):
        super().__init__()
        self.heads = channels // _HEAD_CHANNELS
        self.position = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
        self.norm1 = nn.LayerNorm(channels)
        self.qkv = nn.Linear(channels, 3 * channels)
        self.project = nn.Linear(channels, channels)
        self.norm2 = nn.LayerNorm(channels)
        self.mlp = nn.Sequential(
            nn.Linear(channels, mlp_ratio * channels), nn.GELU(), nn.Linear(mlp_ratio * channels, channels)
        )

    def forward(self, x: Tensor) -> Tensor:
        b, c, h, w = x.shape
        x = x + self.position(x)
        tokens = x.flatten(2).transpose(1, 2)  # (B, HW, C)
        q, k, v = self.qkv(self.norm1(tokens)).view(b, h * w, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, h * w, c)
        tokens = tokens + self.project(attended)
        tokens = tokens + self.mlp(self.norm2(tokens))
        return tokens.transpose(1, 2).reshape(b, c, h, w)


class ContextStage(nn.Module):
    """Halve a map and let all its positions attend to each other."""

    def __init__(self, c_in: int, channels: int, blocks: int):
        super().__init__()
        self.reduce = nn.Conv2d(c_in, channels, 1)
        self.blocks = nn.Sequential(*(ContextBlock(channels) for _ in range(blocks)))

    def forward(self, x: Tensor) -> Tensor:
        return self.blocks(self.reduce(F.avg_pool2d(x, 2)))


class EfficientNetEncoder(nn.Module):
    """Image to four maps.

    Shapes: (B, 3, H, W) RGB in [0, 1], sides multiples of 128 -> R16 (B, 112, H/16, W/16), R32 (B, 320, H/32, W/32),
    R64 and R128 (B, `context_channels`, ...).
    """

    def __init__(self, context_channels: int, context_blocks: int):
        super().__init__()
        self.stem = ConvNormAct(3, _STEM_CHANNELS, kernel=3, stride=2)
        stages, c_in = [], _STEM_CHANNELS
        for stage in _STAGES:
            blocks = []
            for index in range(stage.blocks):
                stride = stage.stride if index == 0 else 1
                blocks.append(MobileBlock(c_in, stage.channels, stage.kernel, stride, stage.expansion))
                c_in = stage.channels
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.ModuleList(stages)
        self.context64 = ContextStage(c_in, context_channels, context_blocks)
        self.context128 = ContextStage(context_channels, context_channels, context_blocks)
        self.channels = (_STAGES[_STAGES_TO_R16 - 1].channels, c_in, context_channels, context_channels)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        image = image.contiguous(memory_format=torch.channels_last)  # fastest on the CPU; all that follows keeps that order
        x = self.stem(image.sub(0.5).mul_(2))
        for stage in self.stages[:_STAGES_TO_R16]:
            x = stage(x)
        r16 = r32 = x
        for stage in self.stages[_STAGES_TO_R16:]:
            r32 = stage(r32)
        r64 = self.context64(r32)
        return r16, r32, r64, self.context128(r64)

    def freeze_statistics(self) -> None:
        """Keep the BatchNorm statistics of pretraining: small batches would spoil them. Undone by `train()`."""
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()

    def freeze_filters(self) -> None:
        """Keep as pretraining left them: all depthwise filters, and every filter on maps of R4 and larger. They are the most
        generic ones, and the most expensive to train."""
        for module in (self.stem, *self.stages[:2], self.stages[2][0].expand):
            module.requires_grad_(False)
        for block in (block for stage in self.stages for block in stage):
            block.depthwise.requires_grad_(False)
