import huggingface_hub
import pytest
from hub_server import Behaviour, hub_server


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """A local Hub that HF_ENDPOINT points to, with an empty cache."""
    behaviour = Behaviour()
    with hub_server(behaviour) as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
        yield behaviour
