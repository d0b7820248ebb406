"""The whole network: sizes, batches, images without unknown regions, and its configuration."""

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from matting.network import PRESETS, MattingNetwork, NetworkConfig


def set_trimap(model: MattingNetwork, logits: tuple[float, float, float]) -> None:
    head = model.coarse.head8.trimap
    nn.init.zeros_(head.weight)
    head.bias.data = torch.tensor(logits).repeat_interleave(4)


@pytest.fixture
def model() -> MattingNetwork:
    torch.manual_seed(0)
    return MattingNetwork(PRESETS["lite"]).eval().requires_grad_(False)


def test_number_of_parameters():
    with torch.device("meta"):
        counts = {name: sum(p.numel() for p in MattingNetwork(config).parameters()) for name, config in PRESETS.items()}
    assert counts["paper"] == 31_257_579
    assert counts["lite"] <= 10_000_000


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["paper", "lite"])
def test_shapes_and_ranges(preset):
    torch.manual_seed(0)
    model = MattingNetwork(PRESETS[preset]).eval().requires_grad_(False)
    prediction = model(torch.rand(2, 3, 128, 256))
    n = len(prediction.cells)
    assert prediction.coarse_alpha.shape == (2, 1, 16, 32) and prediction.alpha.shape == (2, 1, 128, 256)
    assert prediction.trimap.shape == (2, 3, 16, 32)
    assert prediction.cells.shape == (n, 3) and prediction.neighbours.shape == (n, 8)
    assert prediction.patches.shape == (n, 1, 8, 8) and prediction.attention.shape == (n, 8, 9)
    for value in (prediction.alpha, prediction.coarse_alpha, prediction.trimap, prediction.patches):
        assert value.isfinite().all() and value.min() >= 0 and value.max() <= 1


def test_nothing_unknown_leaves_the_coarse_alpha(model):
    set_trimap(model, (1.0, 0.0, 1.0))
    prediction = model(torch.rand(2, 3, 128, 128))
    assert len(prediction.cells) == 0
    assert torch.equal(prediction.alpha, prediction.coarse_alpha.repeat_interleave(8, 2).repeat_interleave(8, 3))


@pytest.mark.slow
def test_everything_unknown_replaces_the_coarse_alpha(model):
    set_trimap(model, (0.0, 1.0, 0.0))
    prediction = model(torch.rand(1, 3, 128, 128))
    assert len(prediction.cells) == 256
    assert torch.equal(prediction.alpha[0, 0, 8:16, 24:32], prediction.patches[16 + 3, 0])


@pytest.mark.slow
def test_a_batch_is_its_images(model):
    """Cells of the second image follow those of the first; neighbours point into the same list."""
    images = torch.rand(2, 3, 128, 256, generator=torch.Generator().manual_seed(0))
    both = model(images)
    offset = 0
    for index in range(2):
        single = model(images[index : index + 1])
        n = len(single.cells)
        own = slice(offset, offset + n)
        assert (both.cells[own, 0] == index).all() and torch.equal(both.cells[own, 1:], single.cells[:, 1:])
        assert torch.equal(both.neighbours[own] - offset, single.neighbours)
        assert_close(both.alpha[index], single.alpha[0], rtol=0, atol=5e-5)
        offset += n
    assert offset == len(both.cells) > 0


@pytest.mark.slow
def test_deterministic(model):
    image = torch.rand(1, 3, 128, 128)
    assert torch.equal(model(image).alpha, model(image).alpha)


@pytest.mark.slow
def test_training_gives_logits_at_three_scales(model):
    assert len(model.train()(torch.rand(2, 3, 128, 128)).logits) == 3
    assert len(model.eval()(torch.rand(1, 3, 128, 128)).logits) == 1


@pytest.mark.parametrize("shape", [(3, 128, 128), (1, 4, 128, 128), (1, 3, 128, 100), (1, 3, 0, 128), (0, 3, 128, 128)])
def test_other_images_are_refused(model, shape):
    with pytest.raises(ValueError, match=r"image must be \(B, 3, H, W\) with H and W multiples of 128, got \(") as error:
        model(torch.zeros(shape))
    assert str(shape) in str(error.value)


@pytest.mark.parametrize("preset", ["paper", "lite"])
def test_configuration_as_json(preset):
    config = PRESETS[preset]
    assert config.preset == preset
    assert NetworkConfig.from_json(config.to_json()) == config


@pytest.mark.parametrize("text", ["", "{}", "[]", "3", '{"preset": "paper", "decoder_channels": [1, 2, 3], "extra": 1}'])
def test_other_json_is_refused(text):
    with pytest.raises(ValueError, match="expected the JSON of a NetworkConfig"):
        NetworkConfig.from_json(text)


def test_unknown_encoder_is_refused():
    with pytest.raises(ValueError, match="encoder must be 'swin_tiny' or 'efficientnet_lite0', got 'resnet50'"):
        MattingNetwork(NetworkConfig("mine", "resnet50"))


_LITE_OF_BEFORE = (
    '{"preset": "lite", "encoder": "efficientnet_lite0", "decoder_channels": [256, 128, 64], "context_channels": 256, '
    '"context_blocks": 2'
)


def test_configurations_of_before_have_no_step_at_r8():
    config = NetworkConfig.from_json(_LITE_OF_BEFORE + "}")
    assert config.r8_channels == 0 and replace(config, r8_channels=48) == PRESETS["lite"]
    with torch.device("meta"):
        assert MattingNetwork(config).coarse.fine8 is None


def test_configurations_of_before_may_say_that_there_is_no_context():
    assert NetworkConfig.from_json(_LITE_OF_BEFORE + ', "r8_channels": 48, "region_context": 0}') == PRESETS["lite"]
    with pytest.raises(ValueError, match="expected the JSON of a NetworkConfig"):
        NetworkConfig.from_json(_LITE_OF_BEFORE + ', "region_context": 128}')
