"""`gr.Blocks` that says nothing of its visitors."""

from typing import Any

import gradio as gr
from gradio.exceptions import InvalidPathError

from matting.app import text
from matting.app.errors import Problem
from matting.app.guard.log import report
from matting.app.guard.visitors import Visitors
from matting.app.live import LiveDesk
from matting.app.sessions import Sessions
from matting.app.stopping import StoppedError


class Space(gr.Blocks):
    """Every event of the pages and of programs goes through `process_api`, so what goes wrong is put into words there.

    Gradio writes tracebacks to the log, and they quote what was sent: names, values, paths.
    """

    def __init__(self, sessions: Sessions, live: LiveDesk | None = None, **options: Any):
        super().__init__(**options)
        self.sessions, self.live = sessions, live
        self.visitors = Visitors()

    async def process_api(self, block_fn: Any, *arguments: Any, **options: Any) -> dict[str, Any]:
        try:
            return await super().process_api(block_fn, *arguments, **options)
        except Problem:
            raise
        except StoppedError:
            raise Problem(text.STOPPED) from None
        except InvalidPathError:
            raise Problem(text.ERROR_PATH) from None
        except FileNotFoundError:
            raise Problem(text.ERROR_EXPIRED) from None
        except gr.Error as error:
            if getattr(block_fn, "is_validator_function", False):  # what these say, Gradio prints
                raise Problem(text.ERROR_VALUES) from None
            raise Problem(plain(error.message)) from None
        except Exception as error:  # noqa: BLE001 - the visitor is told that something went wrong, the log what
            report(error)
            raise Problem(text.ERROR_UNEXPECTED) from None

    async def preprocess_data(self, block_fn: Any, inputs: list[Any], *arguments: Any, **options: Any) -> list[Any]:
        if block_fn.api_visibility == "public":  # a call by number of values may be older than the last parameters
            inputs = [*inputs, *(getattr(block, "value", None) for block in block_fn.inputs[len(inputs) :])]
        try:
            return await super().preprocess_data(block_fn, inputs, *arguments, **options)
        except (gr.Error, InvalidPathError, FileNotFoundError):
            raise
        except Exception:  # noqa: BLE001 - a value of another kind than the component's; components raise whatever comes
            files = (isinstance(block, gr.Image | gr.Video | gr.File) for block in block_fn.inputs)
            named = any(file and isinstance(value, str) for file, value in zip(files, inputs, strict=False))
            raise Problem(text.ERROR_PATH if named else text.ERROR_VALUES) from None


def plain(message: str) -> str:
    """A message of Gradio's for the visitor; those that quote paths of the server are replaced."""
    return text.ERROR_PATH if "/" in message or "\\" in message else message
