"""onnxruntime, which never reports to anybody: it is imported here alone."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def open_session(path: Path, providers: Sequence[str] = ("CPUExecutionProvider",), threads: int = 0) -> Any:
    """A session of onnxruntime.

    Args:
        path: the graph.
        providers: wanted, in this order; those that this onnxruntime lacks are left out.
        threads: inside of an operation, which sleep between two; 0 leaves both to onnxruntime.

    Raises:
        ValueError: if onnxruntime is not installed, or cannot load the file.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # otherwise the import, on Linux and macOS too, begins a database with a
    # number for this machine, and sends events to mobile.events.data.microsoft.com
    try:
        import onnxruntime
    except ImportError as error:
        raise ValueError("this needs onnxruntime: pip install 'portrait-matting[onnx]'") from error
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    if threads:
        options.intra_op_num_threads = threads
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    chosen = [name for name in providers if name in onnxruntime.get_available_providers()]
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=chosen)
    except Exception as error:  # onnxruntime's errors have no common base class
        raise ValueError(f"{path.name} is not a network that onnxruntime can load: {error}") from error
