"""Files from the browser: taken as they are, and only from the browser."""

import secrets
from typing import Any, NoReturn

import gradio as gr
from gradio import processing_utils, route_utils, utils
from gradio.data_classes import ImageData

from matting.app import text
from matting.app.errors import Problem


class PhotoInput(gr.Image):
    """An image input that hands over the file untouched, so that `matting.media.image` alone decides what a photo is."""

    is_template = True  # looks like gr.Image in the browser

    def preprocess(self, payload: ImageData | None) -> str | None:
        """Path of the upload. Gradio lets a request without `meta` name any path; raises `Problem` unless it was uploaded."""
        if payload is None or payload.path is None:
            return None
        if not utils.is_in_or_equal(payload.path, utils.get_upload_folder()):
            raise Problem(text.ERROR_PATH)
        return payload.path


def refuse_addresses() -> None:
    """Gradio downloads a file when a request names an address instead; this app never does."""

    async def refuse(*_: object, **__: object) -> NoReturn:
        raise Problem(text.ERROR_URL)

    processing_utils.async_ssrf_protected_download = refuse


class _OwnUpload(route_utils.GradioUploadFile):
    """An upload whose folder is named at random."""

    def __init__(self, *arguments: Any, **options: Any):
        super().__init__(*arguments, **options)
        self.sha.update(secrets.token_bytes(32))


def separate_uploads() -> None:
    """Gradio names the folder of an upload by its content: two visitors who send the same photo would share one file, and the
    second would lose it when the first one leaves. Here every upload is a file of its own, and its name cannot be guessed.
    """
    route_utils.GradioUploadFile = _OwnUpload  # type: ignore[misc]  # a class of theirs is replaced on purpose
