"""The first stage: three scales, their order of channels, and what inference leaves out."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.testing import assert_close

from matting.network.coarse import CoarseNetwork, Head, UpBlock


class TinyEncoder(nn.Module):
    channels = (2, 3, 4, 5)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        grey = image.mean(1, keepdim=True)
        return tuple(
            F.avg_pool2d(grey, side).expand(-1, c, -1, -1) for side, c in zip((16, 32, 64, 128), self.channels, strict=True)
        )


@pytest.fixture
def network() -> CoarseNetwork:
    torch.manual_seed(0)
    return CoarseNetwork(TinyEncoder(), (8, 7, 6))


def test_training_predicts_at_three_scales(network):
    prediction = network.train()(torch.rand(2, 3, 128, 256))
    assert [tuple(scale.alpha.shape) for scale in prediction.logits] == [(2, 1, 16, 32), (2, 1, 8, 16), (2, 1, 4, 8)]
    assert [tuple(scale.trimap.shape) for scale in prediction.logits] == [(2, 3, 16, 32), (2, 3, 8, 16), (2, 3, 4, 8)]


def test_inference_predicts_the_finest_scale_alike(network):
    image = torch.rand(2, 3, 128, 256)
    train, infer = network.train()(image), network.eval()(image)
    assert len(infer.logits) == 1
    assert torch.equal(train.alpha, infer.alpha) and torch.equal(train.trimap, infer.trimap)


def test_probabilities(network):
    prediction = network(torch.rand(1, 3, 128, 128))
    assert_close(prediction.alpha, prediction.logits[0].alpha.sigmoid())
    assert_close(prediction.trimap.sum(1), torch.ones(1, 16, 16))
    assert torch.equal(prediction.trimap.argmax(1), prediction.logits[0].trimap.argmax(1))


def test_channels_become_pixels_class_by_class():
    head = Head(5)
    nn.init.zeros_(head.trimap.weight)
    nn.init.zeros_(head.alpha.weight)
    head.trimap.bias.data, head.alpha.bias.data = torch.arange(12.0), torch.arange(4.0)
    alpha, trimap = head(torch.rand(1, 5, 1, 1))
    assert alpha[0].tolist() == [[[0, 1], [2, 3]]]
    assert trimap[0].tolist() == [[[0, 1], [2, 3]], [[4, 5], [6, 7]], [[8, 9], [10, 11]]]


def test_steps_up_join_the_enlarged_map_first():
    up = UpBlock(1, 1, 2)
    nn.init.zeros_(up.conv.weight)
    nn.init.zeros_(up.conv.bias)
    up.conv.weight.data[0, 0, 1, 1] = 1.0  # first output: the enlarged map
    up.conv.weight.data[1, 1, 1, 1] = -1.0  # second output: the skip map, negative
    x, skip = torch.tensor([[[[0.0, 4.0]]]]), torch.full((1, 1, 2, 4), 3.0)
    y = up(x, skip)
    assert_close(y[0, 0], torch.tensor([[0.0, 1.0, 3.0, 4.0]] * 2))
    assert_close(y[0, 1], torch.full((2, 4), -0.3))


class FinerEncoder(nn.Module):
    channels = (4, 2, 3, 4, 5)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        return image.mean(1, keepdim=True)[..., ::8, ::8].expand(-1, 4, -1, -1), *TinyEncoder()(image)


def test_a_step_at_r8_corrects_what_was_guessed_from_r16():
    torch.manual_seed(0)
    network, image = CoarseNetwork(FinerEncoder(), (8, 7, 6), r8_channels=5).eval(), torch.rand(1, 3, 128, 256)
    before = network(image)
    nn.init.normal_(network.fine8.alpha.weight)
    said: list[Tensor] = []
    network.fine8.register_forward_hook(lambda _, __, correction: said.append(correction.alpha))
    after = network(image)
    assert_close(after.trimap, before.trimap)
    assert said[0].abs().max() > 0.1
    assert_close(after.logits[0].alpha - before.logits[0].alpha, said[0])
    assert_close(after.alpha, after.logits[0].alpha.sigmoid())
    network.fine8 = None
    assert_close(network(image).alpha, before.alpha), "before it has learnt, the step changes nothing"


def test_a_step_at_r8_needs_a_map_there():
    with pytest.raises(ValueError, match=r"a map at R8, got one with channels \(2, 3, 4, 5\)"):
        CoarseNetwork(TinyEncoder(), (8, 7, 6), r8_channels=5)
