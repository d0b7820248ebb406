"""The calls of examples/curl.sh get a cut-out from the running app."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl on this machine")
def test_curl_gets_a_cutout(app, tmp_path: Path):
    target = tmp_path / "cutout.png"
    command = ["sh", str(EXAMPLES / "curl.sh"), app.url, str(EXAMPLES / "silver.jpg"), str(target)]
    subprocess.run(command, check=True, timeout=200)
    with Image.open(target) as cutout, Image.open(EXAMPLES / "silver.jpg") as photo:
        assert cutout.mode == "RGBA" and cutout.size == photo.size
        assert 0.1 < (np.asarray(cutout.getchannel("A")) > 127).mean() < 0.9
