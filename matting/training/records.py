"""What is known of a run: `args.yaml` beside its checkpoints, and whether it may go on with other arguments."""

import argparse
import platform
import subprocess
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml

from matting.media.atomic import write_text
from matting.training.pairs import Listing

FILE = "args.yaml"
# Arguments that say where and how a run is computed, not what it learns. What --skip-bad leaves out is among the counts.
_FREE = {
    *("out", "config", "phase", "cache", "on_disk", "stream", "prepare_only", "num_workers", "threads", "device", "compile"),
    *("max_minutes", "checkpoint_minutes", "log_every", "val", "val_photos", "val_side", "skip_bad", "allow_changes"),
}


def write_record(options: argparse.Namespace, processes: int, listing: Listing, pictures: int, step: int) -> None:
    """Write `args.yaml`, or check the one that is there, whose run goes on at a step.

    Raises:
        ValueError: if the run began with arguments that make it another one, and changes are not allowed; shows the difference.
    """
    arguments = {name: _plain(value) for name, value in vars(options).items()}
    counts = {"photos": len(listing.pairs), "left_out": len(listing.bad), "pictures": pictures}
    facts = {"processes": processes, "data": counts}
    path = options.out / FILE
    before: list[dict[str, Any]] = []
    if step and path.exists():
        old = yaml.safe_load(path.read_text(encoding="utf-8"))
        changes = differences(old, {"arguments": arguments, **facts})
        if changes and not options.allow_changes:
            raise ValueError(
                f"the run in {options.out} began otherwise ({'; '.join(changes)}): take another --out, or --allow-changes"
            )
        before = [*old.pop("before", []), old] if changes else old.get("before", [])
        if not changes:
            return
    record = {
        "started": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "step": step,
        "commit": git_commit(),
        "versions": {"python": platform.python_version(), "torch": str(torch.__version__), "numpy": np.__version__},
        **facts,
        "seed": options.seed,
        "arguments": arguments,
        **({"before": before} if before else {}),
    }
    options.out.mkdir(parents=True, exist_ok=True)
    write_text(path, yaml.safe_dump(record, sort_keys=False, allow_unicode=True))


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What changes a run: "name: before, now" for each argument that does, the processes and the numbers of photos."""
    theirs, ours = old.get("arguments", {}), new["arguments"]
    names = sorted((theirs.keys() | ours.keys()) - _FREE)
    found = [_change(f"--{name.replace('_', '-')}", theirs[name], ours[name]) for name in names if _differ(theirs, ours, name)]
    found += [_change(name, old[name], new[name]) for name in ("processes", "data") if name in old and old[name] != new[name]]
    return found


def git_commit() -> str:
    """The commit of the code, with a + if files differ from it; "unknown" outside of a git checkout."""
    folder = Path(__file__).parent
    commands = (["git", "rev-parse", "HEAD"], ["git", "status", "--porcelain", "--untracked-files=no"])
    try:
        commit, changed = (subprocess.run(one, cwd=folder, capture_output=True, text=True, check=True) for one in commands)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return commit.stdout.strip() + ("+" if changed.stdout.strip() else "")


def _differ(theirs: dict[str, Any], ours: dict[str, Any], name: str) -> bool:
    """Whether an argument that both versions know has changed."""
    return name in theirs and name in ours and theirs[name] != ours[name]


def _change(name: str, before: object, now: object) -> str:
    return f"{name} was {before}, is {now}"


def _plain(value: object) -> Any:
    """A value as YAML can keep it; of a path its text."""
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, Path) else value
