"""What a run writes beside its checkpoints, and when it is not resumed."""

import argparse
from pathlib import Path

import pytest
import torch
import yaml

from matting.training import train as training
from matting.training.config_files import FOLDER, as_arguments, find_config, phase_options, read_config
from matting.training.pairs import list_people
from matting.training.records import differences, git_commit, write_record


def options(root: Path, out: Path, *more: str) -> argparse.Namespace:
    return training.parse_arguments(["--data", str(root), "--out", str(out), "--size", "128", "--device", "cpu", *more])


def test_a_record_says_what_a_run_was(portraits: Path, tmp_path: Path):
    write_record(options(portraits, tmp_path, "--seed", "7"), 2, list_people(portraits), 1, 0)
    record = yaml.safe_load((tmp_path / "args.yaml").read_text())
    assert record["seed"] == 7 and record["processes"] == 2 and record["step"] == 0
    assert record["data"] == {"photos": 4, "left_out": 0, "pictures": 1}
    assert record["versions"]["torch"] == torch.__version__ and record["commit"] == git_commit()
    assert record["arguments"]["data"] == str(portraits) and record["arguments"]["size"] == [128]


def test_a_run_is_not_resumed_with_what_makes_it_another(portraits: Path, tmp_path: Path):
    listing = list_people(portraits)
    write_record(options(portraits, tmp_path), 1, listing, 1, 0)
    first = (tmp_path / "args.yaml").read_text()
    write_record(options(portraits, tmp_path, "--num-workers", "3", "--max-minutes", "5"), 1, listing, 1, 40)
    assert (tmp_path / "args.yaml").read_text() == first
    other = "--learning-rate", "0.1", "--guided-loss"
    with pytest.raises(ValueError, match=r"--guided-loss was False, is True; --learning-rate was 0.001, is 0.1"):
        write_record(options(portraits, tmp_path, *other), 1, listing, 1, 40)
    with pytest.raises(ValueError, match=r"processes was 1, is 2; data was .*'pictures': 1.*'pictures': 5"):
        write_record(options(portraits, tmp_path), 2, listing, 5, 40)
    write_record(options(portraits, tmp_path, *other, "--allow-changes"), 1, listing, 1, 40)
    record = yaml.safe_load((tmp_path / "args.yaml").read_text())
    assert record["step"] == 40 and record["arguments"]["learning_rate"] == 0.1
    assert [old["arguments"]["learning_rate"] for old in record["before"]] == [0.001]


def test_options_that_another_version_has_not_do_not_count():
    assert differences({"arguments": {"gone": 1, "batch": 2}}, {"arguments": {"new": 3, "batch": 2}}) == []


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_config_of_the_package_is_understood(path: Path, tmp_path: Path):
    phases = read_config(path)
    known = [phase.name for phase in phases]
    assert len(set(known)) == len(known)
    for index, phase in enumerate(phases):
        if phase.is_mean:
            assert set(phase.options["average"]) <= set(known[:index]), phase.name
        else:
            words = ["--config", path.stem, "--phase", phase.name, "--data", str(tmp_path), "--out", str(tmp_path)]
            assert training.parse_arguments(words).preset in ("paper", "lite")


def test_the_command_line_counts_before_the_config(tmp_path: Path):
    (tmp_path / "mine.yaml").write_text(
        "size: [128, 256]\nbatch: 3\nguided_loss: true\nrefine_only: false\nshares: {keyed: 2}\n"
    )
    words = ["--config", str(tmp_path / "mine.yaml"), "--batch", "5", "--data", "d", "--out", "o"]
    found = training.parse_arguments(words)
    assert (found.size, found.batch, found.guided_loss, found.refine_only) == ([128, 256], 5, True, False)
    assert dict(found.shares) == {"keyed": 2.0}


def test_wrong_configs_say_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture):
    path = tmp_path / "mine.yaml"
    with pytest.raises(ValueError, match=r"expected one of lite, .*, tiny, or a YAML file, got none"):
        find_config("none")
    for text, said in (("a: [", "no YAML"), ("- 1", "expected options"), ("phases: [{}]", "a name each")):
        path.write_text(text)
        with pytest.raises(ValueError, match=said):
            read_config(path)
    path.write_text("phases: [{name: a}, {name: b, average: [a]}]")
    with pytest.raises(ValueError, match="two phases to average in b"):
        read_config(path)
    path.write_text("phases: [{name: a, steps: 5}, {name: b}]")
    with pytest.raises(ValueError, match="has the phases a, b: name one with --phase"):
        phase_options(path, None)
    assert phase_options(path, "a") == ["--steps", "5"] and as_arguments({"x_y": None}) == []
    path.write_text("stepps: 5")
    with pytest.raises(SystemExit):
        training.parse_arguments(["--config", str(path), "--data", "d", "--out", "o"])
    assert "--stepps" in capsys.readouterr().err


@pytest.mark.slow
def test_a_full_disk_keeps_the_last_checkpoint(portraits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    words = ["--steps", "3", "--batch", "1", "--max-regions", "0", "--num-workers", "1", "--checkpoint-minutes", "0"]
    save = torch.save

    def fill_up(state, path):
        if state["step"] < 2:
            return save(state, path)
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", fill_up)
    with pytest.raises(OSError, match="No space left"):
        training.train(options(portraits, tmp_path, *words))
    assert torch.load(tmp_path / "state.pt", weights_only=True)["step"] == 1
    assert not [path for path in tmp_path.iterdir() if path.suffix == ".part"]


@pytest.mark.slow
def test_tensorboard_gets_what_the_tables_get(portraits: Path, tmp_path: Path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    words = [
        "--steps",
        "2",
        "--batch",
        "1",
        "--max-regions",
        "0",
        "--num-workers",
        "1",
        "--log-every",
        "1",
        "--val-photos",
        "1",
    ]
    training.train(options(portraits, tmp_path, *words))
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    tags = events.Tags()
    assert {"training/coarse", "training/rate", "validation cc0_portraits/refined sad"} <= set(tags["scalars"])
    assert [one.step for one in events.Scalars("training/coarse")] == [1, 2] and tags["images"] == ["sheet"]
