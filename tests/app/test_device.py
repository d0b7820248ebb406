"""The app on a host that lends its device for one call at a time, by that host's rules."""

import inspect
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path

import numpy as np
import pytest

from matting.app import device
from matting.app.results.comparison import Photo, run_method
from matting.app.service import Service, Settings
from matting.inference.clip import ClipSettings
from matting.media.image import Picture

ROOT = Path(__file__).parents[2]


class Lender:
    """Like ZeroGPU: functions are known before the launch; arguments and results travel between processes."""

    def __init__(self):
        self.functions, self.seconds, self.launched = [], [], False

    def __call__(self, duration: Callable[..., int]) -> Callable[[Callable], Callable]:
        assert not self.launched

        def borrow(function: Callable) -> Callable:
            self.functions.append(function)

            def receive(arguments: tuple) -> tuple:
                self.seconds.append(duration(*arguments))
                return pickle.loads(pickle.dumps(arguments))

            @wraps(function)
            def steps(*arguments):
                for step in function(*receive(arguments)):
                    yield pickle.loads(pickle.dumps(step))

            @wraps(function)
            def call(*arguments):
                return pickle.loads(pickle.dumps(function(*receive(arguments))))

            return steps if inspect.isgeneratorfunction(function) else call

        return borrow


@pytest.fixture
def lender() -> Lender:
    return Lender()


@pytest.mark.slow
def test_all_work_can_be_lent(lender, lite_model, sessions, request_of, tmp_path):
    from test_clip_tab import make_clip

    service = Service(lite_model, "random", sessions, lend=lender)
    lender.launched = True
    assert len(lender.functions) == 4
    session = sessions.of(None, request_of("a"))
    image = np.random.default_rng(0).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    matte = service.matte(Picture(image), Settings(size="512", refine=False), session)
    assert matte.alpha.shape == (90, 120) and len(matte.regions.cells) == 0
    compared = run_method("coarse", Photo("noise", image, None), service, session)
    assert compared.alpha.shape == (90, 120) and compared.failure is None
    clip = make_clip(tmp_path / "a.mp4")
    outputs = {"alpha": tmp_path / "alpha.mp4"}
    *_, last = service.work.matte_clip(clip, outputs, ClipSettings(max_side=128), (0, 0, 0))
    assert len(last.progress.report.frames) == 4 and outputs["alpha"].is_file()
    assert service.work.find_people(image).ndim == 2
    assert lender.seconds == [10, 60, 11, 10]


SPACES = """
import sys
assert "torch" not in sys.modules
import torch
lent = []

def GPU(duration):
    lent.append(duration.__name__)
    return lambda function: function

def refuse():
    raise RuntimeError("CUDA before the launch")

torch.cuda._lazy_init, torch.cuda.is_available = refuse, lambda: True
"""
START = """
import app, spaces, torch
torch.cuda.is_available = lambda: False
app.build_space = lambda service: type("Page", (), {"launch": lambda self, **options: None})()
app.main()
print(*spaces.lent)
"""


@pytest.mark.slow
def test_the_app_asks_zerogpu_and_leaves_cuda_alone_when_imported(tmp_path):
    (tmp_path / "spaces.py").write_text(SPACES)
    settings = {**os.environ, "PYTHONPATH": str(tmp_path), "GRADIO_TEMP_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", START], cwd=ROOT, env=settings, capture_output=True, text=True)
    assert done.stdout.split() == ["photo_seconds", "clip_seconds", "people_seconds", "method_seconds"], done.stderr


def test_the_device_is_borrowed_for_longer_if_there_is_more_to_do(tmp_path):
    assert device.photo_seconds(Picture(np.empty((6000, 8000, 3), np.uint8))) == 34
    assert device.photo_seconds(Picture(np.empty((60_000, 60_000, 0), np.uint8))) == device.LONGEST_S
