"""What a run writes down while it goes on: log.csv and, if TensorBoard is installed, its event files."""

import csv
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from matting.training.validation import SetScores, log_validation

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


class Monitor:
    """Writes losses, validation and sheets into the folder of a run.

    Args:
        out: the folder, which exists.
    """

    def __init__(self, out: Path):
        self.out = out
        self.events = _event_writer(out)

    def losses(self, step: int, row: dict[str, float]) -> None:
        """Append a row to log.csv: the terms of the loss, the rate and so on by their names."""
        path = self.out / "log.csv"
        new = not path.exists()
        with path.open("a", newline="") as file:
            writer = csv.DictWriter(file, {"step": step, **row})
            if new:
                writer.writeheader()
            writer.writerow({"step": step, **row})
        if self.events:
            for name, value in row.items():
                self.events.add_scalar(f"training/{name}", value, step)

    def sheet(self, step: int, picture: Image.Image) -> None:
        """Keep a sheet of predictions."""
        picture.save(self.out / f"sheet-{step:06d}.jpg", quality=88)
        if self.events:
            self.events.add_image("sheet", np.asarray(picture), step, dataformats="HWC")

    def validation(self, step: int, scores: dict[str, SetScores]) -> None:
        """Append rows to validation.csv."""
        log_validation(self.out / "validation.csv", step, scores)
        if self.events:
            for name, both in scores.items():
                for stage, one in both._asdict().items():
                    for metric, value in one._asdict().items():
                        self.events.add_scalar(f"validation {name}/{stage} {metric}", value, step)

    def close(self) -> None:
        """Finish the event files."""
        if self.events:
            self.events.close()


def _event_writer(out: Path) -> "SummaryWriter | None":
    if importlib.util.find_spec("tensorboard") is None:
        return None
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(out / "tensorboard"))
