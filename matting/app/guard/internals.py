"""What this app uses of Gradio that Gradio does not promise: all of it is looked for before the app starts."""

import inspect
from collections.abc import Callable
from typing import Any

import gradio
from gradio import processing_utils, queueing, route_utils, routes, state_holder
from starlette.applications import Starlette

_NAMES: dict[Any, tuple[str, ...]] = {
    processing_utils: ("async_ssrf_protected_download",),
    routes: ("upload_fn",),
    queueing.Queue: ("get_events", "clean_events"),
    gradio.Blocks: ("process_api",),
    state_holder.StateHolder: ("delete_state",),
}
_IN_SOURCE: dict[Callable[..., Any], tuple[str, ...]] = {
    routes.App.create_app: ("await upload_fn(", "app.uploaded_file_dir"),
    queueing.Queue.__init__: (
        "self.event_ids_to_events", "self.pending_event_ids_session", "self.pending_messages_per_session",
        "self.event_queue_per_concurrency_id", "self.active_jobs",
    ),
    queueing.Queue.start_processing: ("self.get_events()", ".start_times_per_fn["),
    queueing.Event.__init__: ("self.request =", "self.session_hash", "self.alive", "self.enqueue_time", "self.concurrency_id"),
    route_utils.call_process_api: (".process_api(",),
    state_holder.StateHolder.__init__: ("self.session_data", "self.time_last_used"),
    Starlette.__call__: ("self.middleware_stack(",),
}  # fmt: skip
_IN_MCP = ("_execute_tool_without_progress(job)", 'block_fn.fn._mcp_type != "tool"', "update.outputs", "pop_returned_state")


def check_gradio(mcp: bool = False) -> None:
    """Refuse to start with a Gradio that works otherwise; the limits of the app would silently not hold.

    Args:
        mcp: whether the MCP server is wanted, too.

    Raises:
        RuntimeError: if a part is missing.
    """
    missing = [f"{owner.__name__}.{name}" for owner, names in _NAMES.items() for name in names if not hasattr(owner, name)]
    for function, parts in _IN_SOURCE.items():
        source = inspect.getsource(function)
        missing += [f"{part} in {function.__qualname__}" for part in parts if part not in source]
    if mcp:
        from gradio import mcp as server

        source = inspect.getsource(server.GradioMCPServer)
        missing += [f"{part} in gradio.mcp" for part in _IN_MCP if part not in source]
    if missing:
        raise RuntimeError(f"this app needs gradio 6.31.0; version {gradio.__version__} lacks {', '.join(missing)}")
