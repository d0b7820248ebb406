"""Each equation against numbers worked out by hand, and its gradient against finite differences."""

import math

import pytest
import torch

from matting.training import losses


def full(value: float, *shape: int) -> torch.Tensor:
    return torch.full(shape, value, dtype=torch.float64)


def test_coarse_alpha_loss_by_hand():
    alpha = torch.tensor([[1.0, 1.0], [0.0, 0.0]], dtype=torch.float64).view(1, 1, 2, 2)  # area mean 0.5
    logits = full(math.log(3), 1, 1, 1, 1)  # q = 0.75
    expected = -0.5 * math.log(0.75) - 0.5 * math.log(0.25)
    assert float(losses.coarse_alpha_loss(logits, alpha)) == pytest.approx(expected)


def test_class_weights_by_hand():
    trimap = torch.tensor([[[0, 0, 0, 0, 2]]])  # n = 4, 0, 1 -> 1/2, 0, 1
    assert losses.class_weights(trimap).tolist() == pytest.approx([1 / 3, 0, 2 / 3])


def test_trimap_loss_by_hand():
    probabilities = torch.tensor([[0.5, 0.25, 0.25], [0.1, 0.2, 0.7]], dtype=torch.float64)
    logits = probabilities.log().T.reshape(1, 3, 1, 2)
    trimap = torch.tensor([[[0, 2]]])  # one cell each: equal weights
    expected = (0.5**2 * -math.log(0.5) + 0.3**2 * -math.log(0.7)) / 2
    assert float(losses.trimap_loss(logits, trimap)) == pytest.approx(expected)


def test_trimap_loss_weighs_the_rare_class_more():
    logits = torch.zeros(1, 3, 2, 5)
    trimap = torch.zeros(1, 2, 5, dtype=torch.int64)
    trimap[0, 0, 0] = 1
    logits.requires_grad_(True)
    losses.trimap_loss(logits, trimap).backward()
    per_cell = logits.grad.abs().sum(1)[0]
    assert per_cell[0, 0] == pytest.approx(float(per_cell[1, 1]) * 3, rel=1e-4)  # sqrt(9 / 1)


def test_alpha_loss_by_hand():
    predicted = torch.tensor([0.5, 1.0], dtype=torch.float64).view(1, 1, 1, 2)
    alpha = torch.tensor([0.2, 1.0], dtype=torch.float64).view(1, 1, 1, 2)
    weight = torch.tensor([3.0, 1.0], dtype=torch.float64).view(1, 1, 1, 2)
    expected = (3 * math.sqrt(0.3**2 + losses.EPSILON**2) + losses.EPSILON) / 4
    assert float(losses.alpha_loss(predicted, alpha, weight)) == pytest.approx(expected)


def test_laplacian_pyramid_keeps_all_of_the_picture():
    x = torch.rand(1, 1, 64, 64, dtype=torch.float64)
    *details, rest = losses.laplacian_pyramid(x)
    for detail in reversed(details):
        rest = detail + torch.nn.functional.interpolate(rest, scale_factor=2, mode="bilinear")
    assert torch.allclose(rest, x)
    assert len(details) == 5


def test_pyramid_loss_of_a_constant_difference():
    predicted, alpha = full(0.7, 1, 1, 32, 32), full(0.4, 1, 1, 32, 32)
    loss = losses.pyramid_loss(predicted, alpha, torch.ones_like(alpha))
    assert float(loss) == pytest.approx(0.3 / 6, abs=1e-5)  # details vanish, only the sixth map holds it


def test_composition_loss_by_hand():
    predicted, alpha = full(0.9, 1, 1, 1, 1), full(0.5, 1, 1, 1, 1)
    foreground = torch.tensor([1.0, 0.5, 0.0], dtype=torch.float64).view(1, 3, 1, 1)
    background = torch.tensor([0.0, 0.5, 1.0], dtype=torch.float64).view(1, 3, 1, 1)
    loss = losses.composition_loss(predicted, alpha, foreground, background, torch.ones_like(alpha))
    assert float(loss) == pytest.approx((0.4 + 0 + 0.4) / 3, abs=1e-5)


def test_total_is_the_plain_sum():
    assert float(losses.MatteLoss(*torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0])).total) == 15


@pytest.mark.parametrize("name", ["coarse", "trimap", "alpha", "pyramid", "composition"])
def test_gradients(name: str):
    torch.manual_seed(0)
    alpha = torch.rand(1, 1, 32, 32, dtype=torch.float64)
    weight = torch.rand_like(alpha)
    foreground, background = torch.rand(2, 1, 3, 32, 32, dtype=torch.float64)
    trimap = torch.randint(0, 3, (1, 4, 4))
    logits = torch.randn(1, 3 if name == "trimap" else 1, 4, 4, dtype=torch.float64, requires_grad=True)

    def loss(x: torch.Tensor) -> torch.Tensor:
        predicted = torch.nn.functional.interpolate(x.sigmoid(), scale_factor=8, mode="bilinear")
        return {
            "coarse": lambda: losses.coarse_alpha_loss(x, alpha),
            "trimap": lambda: losses.trimap_loss(x, trimap),
            "alpha": lambda: losses.alpha_loss(predicted, alpha, weight),
            "pyramid": lambda: losses.pyramid_loss(predicted, alpha, weight),
            "composition": lambda: losses.composition_loss(predicted, alpha, foreground, background, weight),
        }[name]()

    assert torch.autograd.gradcheck(loss, logits)


@pytest.mark.parametrize(
    "call",
    [
        lambda: losses.coarse_alpha_loss(torch.zeros(1, 3, 4, 4), torch.zeros(1, 1, 8, 8)),
        lambda: losses.trimap_loss(torch.zeros(1, 1, 4, 4), torch.zeros(1, 4, 4, dtype=torch.int64)),
        lambda: losses.alpha_loss(torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 8, 8), torch.ones(1, 1, 8, 8)),
        lambda: losses.pyramid_loss(*torch.zeros(3, 1, 1, 48, 48)),
    ],
)
def test_wrong_shapes_are_named(call):
    with pytest.raises(ValueError, match=r"must .*got \("):
        call()
