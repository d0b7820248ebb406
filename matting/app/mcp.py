"""What Gradio's MCP server offers, and a repair of how it answers callers who did not ask for progress."""

from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable)


def no_tool(function: F) -> F:
    """An endpoint that is no tool of language models: Gradio's MCP server cannot take lists of files."""
    setattr(function, "_mcp_type", "none")  # noqa: B010 - theirs; only "tool", and functions without it, are listed
    return function


def answer_as_listed() -> None:
    """Where no progress is reported, Gradio hands over all outputs as one, then fails to take the page's state out of them."""
    from gradio.mcp import GradioMCPServer

    setattr(GradioMCPServer, "_execute_tool_without_progress", _outputs)  # noqa: B010 - a method of theirs, replaced on purpose


async def _outputs(server: Any, job: Any) -> list[Any]:
    """What a job gives in the end, one entry an output.

    Raises:
        RuntimeError: with the message for the caller, if it failed.
    """
    async for update in job:
        if update.type == "output" and update.final:
            if not update.success:
                raise RuntimeError(update.outputs.get("error") or "This did not work.")
            return update.outputs["data"]
    raise job.exception() or RuntimeError("The work was stopped.")
