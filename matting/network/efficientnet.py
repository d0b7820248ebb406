"""The encoder of the `lite` preset: EfficientNet-Lite0 (Tan & Le 2019, the variant without squeeze-excitation) followed by
transformer blocks at 1/64 and 1/128, which give it a global receptive field."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from matting.network.batch_norm import BatchNorm


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
_STAGES_TO_R8 = 3
_STAGES_TO_R16 = 5
_HEAD_CHANNELS = 32


class ConvNormAct(nn.Module):
    """Convolution with TensorFlow's "same" padding (extra pixel after), BatchNorm, and ReLU6 if `activate`."""

    def __init__(self, c_in: int, c_out: int, kernel: int = 1, stride: int = 1, groups: int = 1, activate: bool = True):
        super().__init__()
        excess = kernel - stride
        self.padding, self.extra = excess // 2, excess % 2
        self.conv = nn.Conv2d(c_in, c_out, kernel, stride, padding=self.padding, groups=groups, bias=False)
        self.norm = BatchNorm(c_out, eps=1e-3, momentum=0.01)
        self.activate = activate

    def forward(self, x: Tensor) -> Tensor:
        if self.norm.training:
            x = self.norm(self._convolve(x, self.conv.weight))
        else:  # fold the fixed statistics into the convolution: the same result with one pass over memory
            scale = self.norm.weight * torch.rsqrt(self.norm.running_var + self.norm.eps)
            bias = self.norm.bias - self.norm.running_mean * scale
            x = self._convolve(x, self.conv.weight * scale[:, None, None, None], bias)
        return F.relu6(x, inplace=True) if self.activate else x

    def _convolve(self, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        """Convolve with TensorFlow's "same" padding without copying the map.

        Where that pads one pixel more at the bottom and right, the map is padded symmetrically by one pixel too much, and a row
        and a column of zeros in front of the kernel make up for it.
        """
        weight = F.pad(weight, (self.extra, 0, self.extra, 0)) if self.extra else weight
        return F.conv2d(x, weight, bias, self.conv.stride, self.padding + self.extra, groups=self.conv.groups)


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
        return y.add_(x) if self.residual else y  # in place: allocation costs more than the addition


class ContextBlock(nn.Module):
    """Transformer block with global self-attention over a small map; a depthwise 3x3 convolution encodes positions."""

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
    """2x2 average pooling, 1x1 convolution, `ContextBlock`s: (B, C, h, w) -> (B, channels, h/2, w/2)."""

    def __init__(self, c_in: int, channels: int, blocks: int):
        super().__init__()
        self.reduce = nn.Conv2d(c_in, channels, 1)
        self.blocks = nn.Sequential(*(ContextBlock(channels) for _ in range(blocks)))

    def forward(self, x: Tensor) -> Tensor:
        return self.blocks(self.reduce(F.avg_pool2d(x, 2)))


class EfficientNetEncoder(nn.Module):
    """Image -> five feature maps, at 1/8, 1/16, 1/32, 1/64 and 1/128 of its size.

    Shapes: (B, 3, H, W) RGB in [0, 1], sides multiples of 128 -> R8 (B, 40, H/8, W/8), R16 (B, 112, H/16, W/16),
    R32 (B, 320, H/32, W/32), R64 and R128 (B, `context_channels`, H/64, W/64) and (B, `context_channels`, H/128, W/128).
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
        r8, r16 = (_STAGES[count - 1].channels for count in (_STAGES_TO_R8, _STAGES_TO_R16))
        self.channels = (r8, r16, c_in, context_channels, context_channels)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        r8, r16 = self.lower(image)
        return r8, r16, *self.upper(r16)

    def lower(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """The maps R8 and R16 of an image: the larger part of the cost, and what ImageNet taught is general there."""
        image = image.contiguous(memory_format=torch.channels_last)  # fastest on the CPU; later layers keep this layout
        x = self.stem(image.sub(0.5).mul_(2))
        for stage in self.stages[:_STAGES_TO_R8]:
            x = stage(x)
        r8 = x
        for stage in self.stages[_STAGES_TO_R8:_STAGES_TO_R16]:
            x = stage(x)
        return r8, x

    def upper(self, r16: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The maps R32, R64 and R128 from R16."""
        r32 = r16
        for stage in self.stages[_STAGES_TO_R16:]:
            r32 = stage(r32)
        r64 = self.context64(r32)
        return r32, r64, self.context128(r64)

    def mobile_blocks(self) -> list[MobileBlock]:
        """The inverted residuals of all stages, in order."""
        return [module for module in self.stages.modules() if isinstance(module, MobileBlock)]

    def freeze_statistics(self) -> None:
        """Keep the BatchNorm statistics of pretraining, since batches are small. Undone by `train()`."""
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()

    def freeze_filters(self) -> None:
        """Freeze the most generic and most expensive filters: all depthwise ones, and every one on maps of R4 and larger.

        A training step takes 1.7 times as long without (training/LEARNT.md, u512 and "Faster steps").
        """
        blocks = self.mobile_blocks()
        third = _STAGES[0].blocks + _STAGES[1].blocks  # the first block of the third stage
        for module in (self.stem, *blocks[:third], blocks[third].expand):
            module.requires_grad_(False)
        for block in blocks:
            block.depthwise.requires_grad_(False)

    def freeze_lower(self) -> None:
        """Leave everything that `lower` uses as it is."""
        for module in (self.stem, *self.stages[:_STAGES_TO_R16]):
            module.requires_grad_(False)
