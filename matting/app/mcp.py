"""Repairs how Gradio's MCP server answers callers who did not ask for progress."""

from typing import Any

from gradio.mcp import GradioMCPServer


def answer_as_listed() -> None:
    """Where no progress is reported, Gradio hands over all outputs as one, then fails to take the page's state out of them."""
    setattr(GradioMCPServer, "_execute_tool_without_progress", _outputs)  # noqa: B010 - a method of theirs, replaced on purpose


async def _outputs(server: GradioMCPServer, job: Any) -> list[Any]:
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
