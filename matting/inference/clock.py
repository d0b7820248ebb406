"""Wall-clock time per processing step."""

import time

import torch


class Clock:
    """Measures the seconds of consecutive steps; on CUDA it synchronises before it reads the time.

    Attributes:
        device: the network's device.
        seconds: by step, in order of first occurrence.
    """

    def __init__(self, device: torch.device):
        self.device = device
        self.seconds: dict[str, float] = {}
        self._began = time.perf_counter()

    def lap(self, step: str) -> None:
        """Add the time since the last lap to this step."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        now = time.perf_counter()
        self.seconds[step] = self.seconds.get(step, 0.0) + now - self._began
        self._began = now
