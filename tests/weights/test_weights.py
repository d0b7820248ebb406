"""Weights: a file fits completely or is refused with the reason, wherever it comes from."""

import hashlib
import json
import os
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from matting.network import PRESETS, MattingNetwork
from matting.weights import load_model, read_metadata, save_weights, sources


@pytest.fixture
def state(saved) -> dict[str, torch.Tensor]:
    return load_file(saved)


def write(path: Path, state: dict[str, torch.Tensor], config: str | None = PRESETS["lite"].to_json()) -> Path:
    save_file(state, path, None if config is None else {"config": config})
    return path


@pytest.mark.slow
def test_saving_and_loading_gives_the_same_network(lite_model, tmp_path):
    save_weights(lite_model, tmp_path / "a.safetensors", {"licence": "Apache-2.0"}, torch.float32)
    loaded = load_model(tmp_path / "a.safetensors", "cpu")
    assert loaded.config == lite_model.config and not loaded.training
    assert not any(parameter.requires_grad for parameter in loaded.parameters())
    before = lite_model.state_dict()
    assert all(torch.equal(value, before[key]) for key, value in loaded.state_dict().items())
    assert read_metadata(tmp_path / "a.safetensors") == {"licence": "Apache-2.0", "config": lite_model.config.to_json()}
    assert [file.name for file in tmp_path.iterdir()] == ["a.safetensors"]
    assert (tmp_path / "a.safetensors").stat().st_mode & 0o444 == 0o444  # others may read it


@pytest.mark.slow
def test_saving_again_writes_the_same_bytes(lite_model, tmp_path):
    files = [tmp_path / f"{number}.safetensors" for number in range(3)]
    for file in files:
        save_weights(lite_model, file, {"licence": "Apache-2.0", "step": "7", "author": "Zoë", "made_with": "torch"})
    assert len({file.read_bytes() for file in files}) == 1
    assert read_metadata(files[0])["author"] == "Zoë"


@pytest.mark.slow
def test_half_precision_on_disk_is_single_precision_in_use(saved, state, lite_model):
    assert {value.dtype for value in state.values() if value.is_floating_point()} == {torch.float16}
    loaded = load_model(saved).state_dict()
    assert {value.dtype for value in loaded.values() if value.is_floating_point()} == {torch.float32}
    original = lite_model.state_dict()
    assert all(torch.allclose(loaded[key], original[key], rtol=1e-3, atol=1e-7) for key in original)


@pytest.mark.slow
def test_numbers_that_do_not_survive_are_not_written(tmp_path):
    model = MattingNetwork(PRESETS["lite"])
    with torch.no_grad():
        model.refine.decoder.alpha.bias.fill_(1e6)  # float16 ends at 65504
    with pytest.raises(ValueError, match=r"refine.decoder.alpha.bias has values that are not finite"):
        save_weights(model, tmp_path / "a.safetensors", {})
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_missing_extra_and_misshapen_weights_are_named(state, tmp_path):
    key = "refine.decoder.alpha.weight"
    cases = {
        f"{key} is missing": {name: value for name, value in state.items() if name != key},
        "surplus is not part of the network": {**state, "surplus": torch.zeros(1)},
        rf"{key} should be \(1, 16, 1, 1\), it is \(2, 16, 1, 1\)": {**state, key: torch.zeros(2, 16, 1, 1)},
        f"{key} has values that are not finite": {**state, key: torch.full((1, 16, 1, 1), torch.nan)},
        rf"{key} has values that are not finite\b": {**state, key: torch.full((1, 16, 1, 1), 1e300, dtype=torch.float64)},
        f"{key} should be torch.float32, it is torch.int8": {**state, key: torch.zeros(1, 16, 1, 1, dtype=torch.int8)},
    }
    for reason, wrong in cases.items():
        with pytest.raises(ValueError, match=rf"wrong\.safetensors: {reason}"):
            load_model(write(tmp_path / "wrong.safetensors", wrong))


@pytest.mark.parametrize(("config", "reason"), [
    (None, "no network configuration in its metadata"),
    ("{", "configuration that does not work"),
    ("[1]", "expected the JSON of a NetworkConfig"),
    ("[" * 100_000, "expected the JSON of a NetworkConfig"),
    ('{"preset": "lite"}', "expected the JSON of a NetworkConfig"),
    (PRESETS["lite"].to_json().replace('"lite"', '"huge"'), "preset must be one of paper, lite, got 'huge'"),
    (PRESETS["lite"].to_json().replace("efficientnet_lite0", "resnet"), "encoder must be .*, got 'resnet'"),
    (PRESETS["lite"].to_json().replace('"context_channels": 256', '"context_channels": "many"'), "does not work"),
    (PRESETS["lite"].to_json().replace('"context_channels": 256', '"context_channels": 100000'), "numbers from 0 to 4096"),
    (PRESETS["lite"].to_json().replace('"context_blocks": 2', '"context_blocks": 1000000000'), "from 0 to 64"),
    (PRESETS["lite"].to_json().replace('"context_blocks": 2', '"context_blocks": 3'), "is missing"),
    (PRESETS["lite"].to_json().replace('"context_channels": 256', '"context_channels": 4095'), "does not work|should be"),
    (PRESETS["paper"].to_json(), "is (missing|not part of the network)"),
])  # fmt: skip
def test_configurations_that_do_not_fit(config, reason, state, tmp_path):
    with pytest.raises(ValueError, match=reason):
        load_model(write(tmp_path / "wrong.safetensors", state, config))


@pytest.mark.parametrize("keep", [0, 5, 1000, -1])
def test_a_truncated_file_says_how_long_it_is(keep, saved, tmp_path):
    data = saved.read_bytes()[:keep]
    (tmp_path / "cut.safetensors").write_bytes(data)
    with pytest.raises(ValueError, match=rf"cut\.safetensors is not a complete safetensors file \({len(data)} bytes\)"):
        load_model(tmp_path / "cut.safetensors")


def test_sources_that_do_not_exist(tmp_path):
    with pytest.raises(ValueError, match=r"weights must be 'bundled', hub:OWNER/REPO or a file; there is no file 'gone.pth'"):
        load_model("gone.pth")
    for source in ("hub:", "hub:owner", "hub:owner/repo/more", "hub:owner/repo@", "hub:owner/repo:", "hub:owner/repo file"):
        with pytest.raises(ValueError, match=r"expected hub:OWNER/REPO\[@REVISION\]\[:FILE\], got 'hub:"):
            load_model(source)


@pytest.mark.parametrize("device", ["toaster", "cuda:99"])
def test_devices_this_machine_lacks(device, saved):
    with pytest.raises(ValueError, match=f"device must be 'auto' or one that torch has on this machine, got '{device}'"):
        load_model(saved, device)


class Malice:
    def __reduce__(self):
        return os.system, ("true",)


@pytest.mark.parametrize(("content", "reason"), [
    (Malice(), "not a checkpoint that can be read safely"),
    ({"model": {}}, "should be the authors' checkpoint, a dictionary with their weights under 'mat_model'"),
    ({"mat_model": 5}, "should be the authors' checkpoint"),
    ({"mat_model": {"a": 5}}, "should be the authors' checkpoint"),
    ({"mat_model": {"a": torch.zeros(1)}}, "expected a checkpoint of the authors' network"),
])  # fmt: skip
def test_foreign_checkpoints(content, reason, tmp_path):
    torch.save(content, tmp_path / "foreign.pth")
    with pytest.raises(ValueError, match=reason):
        load_model(tmp_path / "foreign.pth")


def test_a_checkpoint_that_unpacks_to_more_than_its_size(tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb.pth", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data/0", bytes(10_000_000))
    with pytest.raises(ValueError, match=r"bomb\.pth is not a checkpoint .*it unpacks to more than its size"):
        load_model(tmp_path / "bomb.pth")


def test_a_checkpoint_that_states_more_than_it_has(tmp_path):
    torch.save({"mat_model": {"a": torch.zeros(1).expand(10**12)}}, tmp_path / "huge.pth")
    with pytest.raises(ValueError, match=r"huge\.pth states 4000000000000 bytes of weights, it has \d+ bytes"):
        load_model(tmp_path / "huge.pth")


def test_a_text_file_is_no_checkpoint(tmp_path):
    (tmp_path / "notes.pth").write_text("a shopping list")
    with pytest.raises(ValueError, match=r"notes\.pth is not a checkpoint that can be read safely \(15 bytes\)"):
        load_model(tmp_path / "notes.pth")


@pytest.fixture
def bundle(saved, tmp_path, monkeypatch) -> dict:
    """A package that bundles the saved weights; returns its manifest, `publish(manifest)` writes it again."""
    data = saved.read_bytes()
    (tmp_path / "lite.safetensors").write_bytes(data)
    monkeypatch.setattr(sources, "BUNDLED", tmp_path)
    monkeypatch.setattr(sources, "MANIFEST", tmp_path / "manifest.json")
    entry = {"file": "lite.safetensors", "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    manifest = {"default": "lite", "weights": {"lite": entry}}
    sources.MANIFEST.write_text(json.dumps(manifest))
    return manifest


def test_bundled_weights_load_by_default_and_by_preset(bundle, lite_model):
    for source in ("bundled", "bundled:lite"):
        assert load_model(source).config == lite_model.config


def test_bundled_weights_that_are_not_the_published_ones(bundle, tmp_path):
    path = tmp_path / "lite.safetensors"
    data = path.read_bytes()
    with pytest.raises(ValueError, match="bundled presets are lite, got 'paper'"):
        load_model("bundled:paper")
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(ValueError, match=f"lite.safetensors should have the SHA-256 {bundle['weights']['lite']['sha256']}"):
        load_model()
    path.write_bytes(data + b"\0")
    with pytest.raises(ValueError, match=f"lite.safetensors should have {len(data)} bytes, it has {len(data) + 1}"):
        load_model()
    path.unlink()
    with pytest.raises(ValueError, match=r"bundled weights are incomplete: there is no .*lite.safetensors"):
        load_model()
    sources.MANIFEST.unlink()
    with pytest.raises(ValueError, match=r"no bundled weights: there is no .*manifest.json"):
        load_model()


def test_nothing_but_weights_and_configuration_is_stored(saved):
    with safe_open(saved, "pt") as file:
        assert set(file.metadata()) == {"step", "config"}
