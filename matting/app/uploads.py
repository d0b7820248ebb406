"""Files from the browser: taken as they are, and only from the browser."""

import secrets
import shutil
from pathlib import Path
from typing import Any, NoReturn

import gradio as gr
from gradio import processing_utils, route_utils, routes, utils
from gradio.data_classes import FileData, ImageData, ListFiles
from starlette.requests import Request

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


class FilesInput(gr.File):
    """Several files, handed over untouched; `gr.File` leaves an empty file behind for each of them."""

    is_template = True

    def preprocess(self, payload: ListFiles | FileData | None) -> list[str]:
        """Paths of the uploads; raises `Problem` unless they were uploaded."""
        files = payload.root if isinstance(payload, ListFiles) else [payload] if payload is not None else []
        if not all(utils.is_in_or_equal(file.path, utils.get_upload_folder()) for file in files):
            raise Problem(text.ERROR_PATH)
        return [file.path for file in files]


def refuse_addresses() -> None:
    """Gradio downloads a file when a request names an address instead; this app never does."""

    async def refuse(*_: object, **__: object) -> NoReturn:
        raise Problem(text.ERROR_URL)

    processing_utils.async_ssrf_protected_download = refuse


def separate_uploads() -> None:
    """Gradio names the folder of an upload by its content: two visitors who send the same photo would share one file, and the
    second would lose it when the first one leaves. Here every upload is a file of its own, and its name cannot be guessed.
    What arrives in pieces lies in a folder of that kind, too, and goes however the request ends.
    """
    routes.upload_fn = _receive_files


async def _receive_files(
    request: Request, upload_dir: str, *arguments: Any, **options: Any
) -> tuple[list[str], list[str], list[str]]:
    """Gradio's `upload_fn`, in a folder for this request alone."""
    staging = Path(upload_dir) / f"upload-{secrets.token_hex(32)}"
    try:
        received, _, _ = await route_utils.upload_fn(request, staging, *arguments, **options)
        return [_keep(Path(path), Path(upload_dir), request) for path in received], [], []
    finally:  # whoever sends: parts of a broken-off request, parts by other names, parts without an end
        shutil.rmtree(staging, ignore_errors=True)


def _keep(received: Path, root: Path, request: Request) -> str:
    folder = root / secrets.token_hex(32)
    folder.mkdir(mode=0o700)
    path = received.rename(folder / received.name)
    request.app.get_blocks().visitors.stored[path] = (request.scope.get("visitor", ""), path.stat().st_size)
    return str(path)
