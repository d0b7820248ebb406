"""Weights over HTTP: published to a Hub and loaded from it, with transfers that break off and starts without a network."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import huggingface_hub
import pytest
from hub_server import TOKEN, Behaviour, hub_server
from huggingface_hub import ModelCard

from matting.cli.weights import main
from matting.network import PRESETS
from matting.weights import load_model, locate

PROJECT = Path(__file__).parents[2]
NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def hub(monkeypatch, tmp_path) -> Behaviour:
    """A local Hub that HF_ENDPOINT points to, with an empty cache and a token."""
    behaviour = Behaviour(repos=set())
    with hub_server(behaviour) as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        constants = huggingface_hub.constants
        for name, value in {"HF_HUB_CACHE": str(tmp_path / "hub"), "HF_HUB_OFFLINE": False, "HF_HUB_DISABLE_XET": True}.items():
            monkeypatch.setattr(constants, name, value)
        monkeypatch.setattr(constants, "HF_HUB_DOWNLOAD_TIMEOUT", 2)
        monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 200_000)
        monkeypatch.setattr(huggingface_hub.file_download.time, "sleep", lambda _: None)
        yield behaviour


def run_in_new_process(program: str, home: Path, **environment: str) -> list[str]:
    """Lines that a program prints; the Hub's client reads its environment afresh."""
    variables = {**os.environ, "HF_HOME": str(home), "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_XET": "1", **environment}
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        variables.pop(name, None)
        variables.pop(name.upper(), None)
    command = [sys.executable, "-c", textwrap.dedent(program)]
    done = subprocess.run(command, env=variables, cwd=PROJECT, capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


LOAD = """
    from matting.weights import load_model
    for source in {sources}:
        try:
            print(load_model(source, "cpu").config.preset)
        except ValueError as error:
            print(str(error).replace("\\n", " "))
"""


@pytest.mark.slow
def test_published_once_loaded_anywhere_and_later_without_a_network(saved, tmp_path):
    """In fresh processes, with nothing but the variables of the Hub's client."""
    behaviour, sources = Behaviour(repos=set()), ["hub:owner/portraits", f"hub:owner/portraits@v1:{saved.name}"]
    behaviour.files[saved.name] = saved.read_bytes()
    push = f"""
    from matting.cli.weights import main
    main(["push", "owner/portraits", {str(saved)!r}, "--licence", "CC0-1.0"])
    """
    with hub_server(behaviour) as address:
        printed = run_in_new_process(push + LOAD.format(sources=sources), tmp_path, HF_ENDPOINT=address, HF_TOKEN=TOKEN)
    assert printed[0].startswith(f"{address}/owner/portraits/commit/")
    assert printed[1:] == ["lite", "lite"]
    assert behaviour.files["model.safetensors"] == saved.read_bytes()
    sources.append("hub:owner/portraits:other.safetensors")
    *offline, other = run_in_new_process(LOAD.format(sources=sources), tmp_path, HF_ENDPOINT=address, HF_HUB_OFFLINE="1")
    assert offline == ["lite", "lite"]
    assert other.startswith("owner/portraits/other.safetensors could not be downloaded: ")


@pytest.mark.slow
def test_what_is_published(hub, capsys):
    assert main(["push", "owner/portraits"]) == 0
    assert "/commit/" in capsys.readouterr().out
    assert set(hub.files) == {"model.safetensors", "config.json", "README.md"}
    assert hub.files["model.safetensors"] == locate("bundled").read_bytes()
    assert json.loads(hub.files["config.json"])["preset"] == "lite"
    card = ModelCard(hub.files["README.md"].decode())
    assert (card.data.license, card.data.pipeline_tag) == ("apache-2.0", "image-segmentation")
    assert "portrait-matting" in card.data.tags and "mad" in card.data.metrics
    assert {result.metric_name for result in card.data.eval_results} >= {"MAD", "IoU"}
    assert 'load_model("hub:owner/portraits")' in card.text
    main(["push", "owner/portraits"])  # again, into the repository that exists now
    assert load_model("hub:owner/portraits", "cpu").config == load_model("bundled", "cpu").config


def test_what_is_not_published(hub, saved, tmp_path, monkeypatch, capsys):
    def refusal(*arguments: str) -> str:
        with pytest.raises(SystemExit):
            main(["push", "owner/portraits", *arguments])
        return capsys.readouterr().err

    assert "does not say what its licence is; name it with --licence" in refusal(str(saved))
    (tmp_path / "their.pth").touch()
    assert "only safetensors files are published; first: python -m" in refusal(str(tmp_path / "their.pth"))
    (tmp_path / "cut.safetensors").write_bytes(saved.read_bytes()[:-1])
    assert "is not a complete safetensors file" in refusal(str(tmp_path / "cut.safetensors"), "--licence", "CC0-1.0")
    monkeypatch.setenv("HF_TOKEN", "hf_another")
    assert "cannot publish to owner/portraits: " in refusal()
    assert hub.files == {} and hub.repos == set()


def test_a_download_that_breaks_off_goes_on_where_it_stopped(hub, saved):
    hub.repos, hub.files, hub.cut_after = None, {"model.safetensors": saved.read_bytes()}, 5_000_000
    assert load_model("hub:owner/portraits", "cpu").config == PRESETS["lite"]
    assert [asked for method, _, asked in hub.requests if method == "GET"] == [None, "bytes=5000000-"]


def test_a_download_that_breaks_off_for_good_leaves_nothing(hub, saved, tmp_path):
    hub.repos, hub.files, hub.cut_after, hub.cuts = None, {"model.safetensors": saved.read_bytes()}, 5_000_000, 100
    with pytest.raises(ValueError, match=r"owner/portraits/model.safetensors could not be downloaded: "):
        locate("hub:owner/portraits")
    assert not list(tmp_path.rglob("*.safetensors"))
    hub.cuts = 0
    assert locate("hub:owner/portraits").read_bytes() == saved.read_bytes()


def test_files_of_the_hub_that_are_not_what_they_should_be(hub, saved):
    hub.repos, name = {"owner/portraits"}, "model.safetensors"
    hub.files = {name: saved.read_bytes(), "short.safetensors": saved.read_bytes()[:5000]}
    hub.etags = {name: "0" * 64}
    with pytest.raises(ValueError, match=f"owner/portraits/{name} has the SHA-256 .*, expected 0+; the file was deleted"):
        load_model("hub:owner/portraits", "cpu")
    with pytest.raises(ValueError, match=r"is not a complete safetensors file \(5000 bytes\)"):
        load_model("hub:owner/portraits:short.safetensors", "cpu")
    with pytest.raises(ValueError, match=r"owner/unknown/model.safetensors could not be downloaded: "):
        load_model("hub:owner/unknown", "cpu")
    with pytest.raises(ValueError, match="could not be downloaded: "):
        load_model("hub:owner/portraits:../../../etc/passwd", "cpu")
    hub.etags = {}
    assert load_model("hub:owner/portraits", "cpu").config == PRESETS["lite"]  # the wrong one was not kept


def test_a_hub_that_does_not_answer_matters_only_the_first_time(hub, saved, monkeypatch):
    hub.repos, hub.files = None, {"model.safetensors": saved.read_bytes()}
    locate("hub:owner/portraits")
    monkeypatch.setenv("HF_ENDPOINT", NOBODY)
    assert locate("hub:owner/portraits").read_bytes() == saved.read_bytes()
    with pytest.raises(ValueError, match=r"owner/another/model.safetensors could not be downloaded: "):
        locate("hub:owner/another")
