"""Training on kept features is the same training: the same loss and the same gradients as from the pictures."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.testing import assert_close

from matting.network import PRESETS, MattingNetwork
from matting.training import train as training
from matting.training.dataset import Batch
from matting.training.features import keep_features
from matting.training.objective import Objective
from matting.training.pretrained import take_over
from matting.training.run import start_model
from matting.weights import load_model

LITE = ["--preset", "lite", "--size", "128", "--batch", "2", "--device", "cpu", "--start", "bundled"]


def discs() -> Batch:
    torch.manual_seed(0)
    y, x = torch.meshgrid(torch.arange(128) - 60.0, torch.arange(128) - 70.0, indexing="ij")
    alpha = ((40 - torch.hypot(y, x)) / 6).clamp(0, 1).expand(2, 1, -1, -1)
    image = alpha * 0.6 + 0.3 * torch.rand(2, 3, 128, 128)
    return Batch(image, alpha, image, 1 - image)


@pytest.mark.slow
def test_kept_features_give_the_loss_and_the_gradients_of_the_pictures():
    torch.manual_seed(0)
    model = MattingNetwork(PRESETS["lite"]).train()
    encoder = model.coarse.encoder
    encoder.freeze_statistics()
    encoder.freeze_lower()
    torch.nn.init.normal_(model.coarse.fine8.alpha.weight, std=0.1)
    objective, batch, totals, gradients = Objective(model, max_regions=0, gap_weight=2.0), discs(), [], []
    for given in (batch, keep_features(batch, encoder)):
        total = objective(given).total
        total.backward()
        totals.append(float(total.detach()))
        gradients.append({name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None})
        model.zero_grad()
    assert totals[0] == pytest.approx(totals[1], rel=1e-2)  # kept in bfloat16
    assert gradients[0].keys() == gradients[1].keys()
    assert not any(name.startswith("coarse.encoder.stem") for name in gradients[0])
    one, other = (torch.cat([g.flatten() for g in part.values()]) for part in gradients)
    assert torch.nn.functional.cosine_similarity(one, other, dim=0) > 0.98


@pytest.mark.slow
def test_a_run_on_kept_features_changes_what_is_above_them_only(portraits: Path, tmp_path: Path):
    options = training.parse_arguments(
        ["--data", str(portraits), "--out", str(tmp_path / "run"), *LITE]
        + ["--max-regions", "0", "--cache-features", "--repeat", "2", "--pool", "40", "--steps", "3"]
    )
    before = start_model(options).state_dict()
    training.train(options)
    after = torch.load(tmp_path / "run" / "state.pt", weights_only=True)["model"]
    changed = {name for name, value in after.items() if not torch.equal(value, before[name])}
    assert any(name.startswith("coarse.fine8") for name in changed)
    assert any(name.startswith("coarse.encoder.stages.6") for name in changed)
    frozen = ("coarse.encoder.stem", *(f"coarse.encoder.stages.{i}." for i in range(5)), "refine")
    assert not any(name.startswith(frozen) for name in changed)


def test_kept_features_do_not_go_with_the_refinement(tmp_path: Path, capsys: pytest.CaptureFixture):
    with pytest.raises(SystemExit):
        training.parse_arguments(["--data", str(tmp_path), "--out", str(tmp_path), *LITE, "--cache-features"])
    assert "it needs --max-regions 0" in capsys.readouterr().err


@pytest.mark.slow
def test_weights_of_a_simpler_design_are_taken_over_and_draw_the_same(portraits: Path, tmp_path: Path):
    options = training.parse_arguments(["--data", str(portraits), "--out", str(tmp_path), *LITE])
    grown = start_model(options).eval()
    assert grown.config == PRESETS["lite"]
    start, image = load_model("bundled", device="cpu"), discs().image
    with torch.inference_mode():
        assert_close(grown(image).alpha, start(image).alpha, atol=1e-5, rtol=0)
    if start.config == PRESETS["lite"]:
        assert_close(grown.state_dict(), start.state_dict())


def test_weights_of_a_richer_design_are_refused():
    simple = MattingNetwork(replace(PRESETS["lite"], r8_channels=0))
    with pytest.raises(ValueError, match=r"got some with coarse\.fine8"):
        take_over(simple, MattingNetwork(PRESETS["lite"]))


def test_shares_of_sets_are_read_and_checked(tmp_path: Path, capsys: pytest.CaptureFixture):
    common = ["--data", str(tmp_path), "--out", str(tmp_path)]
    options = training.parse_arguments([*common, "--shares", "keyed=0.25", "street=2"])
    assert dict(options.shares) == {"keyed": 0.25, "street": 2}
    for wrong in ("keyed", "keyed=0", "nobody=1", "keyed=much"):
        with pytest.raises(SystemExit):
            training.parse_arguments([*common, "--shares", wrong])
        assert f"got '{wrong}'".replace("'nobody=1'", "nobody") in capsys.readouterr().err
