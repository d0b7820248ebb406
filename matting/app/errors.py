"""Plain words for whatever goes wrong."""

import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import gradio as gr
import torch
from gradio.utils import get_upload_folder

from matting.app import text
from matting.app.stopping import StoppedError

_OUT_OF_MEMORY = (
    "not enough memory",
    "can't allocate memory",
    "Cannot allocate memory",
    "Insufficient memory",
    "bad_alloc",
    "could not create a primitive",  # oneDNN
)


class Problem(gr.Error):
    """A sentence for the visitor, which is not written to the server's log: it may name their file."""

    def __init__(self, message: str):
        super().__init__(message, print_exception=False)


@contextmanager
def plain_errors(sentence: str = text.ERROR_INPUT) -> Iterator[None]:
    """Within this block, what is wrong with an input or too much for the machine becomes a `gr.Error`.

    Args:
        sentence: what to say of a ValueError; holds {reason}.
    """
    try:
        yield
    except (Problem, StoppedError):  # the first is a ValueError, too
        raise
    except ValueError as error:
        raise Problem(sentence.format(reason=without_folders(error))) from error
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        traceback.clear_frames(error.__traceback__)  # they hold what there was no memory for
        raise Problem(text.ERROR_MEMORY) from None


def without_folders(error: Exception) -> str:
    """What an error says, with names of uploads but not where on the server they lie, and no stop at the end."""
    return re.sub(rf"{re.escape(get_upload_folder())}/(?:[^/\s]+/)*", "", str(error)).rstrip(".")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error of Python, torch, OpenCV or FFmpeg says that there is not enough memory; each says it in its own way."""
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or any(part in str(error) for part in _OUT_OF_MEMORY)
