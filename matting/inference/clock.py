"""Seconds per step."""

import time

import torch


class Clock:
    """Counts the seconds of steps that follow each other; on CUDA it waits for the device first.

    Attributes:
        device: on which the network works.
        seconds: by step, in the order in which the steps first came.
    """

    def __init__(self, device: torch.device):
        self.device = device
        self.seconds: dict[str, float] = {}
        self._began = time.perf_counter()

    def lap(self, step: str) -> None:
        """Everything since the last lap was this step."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        now = time.perf_counter()
        self.seconds[step] = self.seconds.get(step, 0.0) + now - self._began
        self._began = now
