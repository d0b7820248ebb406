"""Files of the Hugging Face Hub at a pinned revision, checked by size and SHA-256, downloaded only when asked for."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url, try_to_load_from_cache
from tqdm import tqdm

CONNECT_TIMEOUT_S = 10.0
_CHUNK_BYTES = 1 << 20

Progress = Callable[[int, int], None]  # bytes so far, bytes in all


class DownloadError(OSError):
    """A file could not be had from the Hub; the message says which, why, and what to do."""


@dataclass(frozen=True)
class HubFile:
    """One file of a repository, as it was on a day.

    Attributes:
        repo: "owner/name".
        path: inside the repository.
        revision: commit hash.
        size_bytes: how much will be downloaded.
        sha256: of the file, in hex.
    """

    repo: str
    path: str
    revision: str
    size_bytes: int
    sha256: str

    @property
    def size(self) -> str:
        """The size to be told before a download, e.g. "25.9 MB"."""
        return f"{self.size_bytes / 1e6:.1f} MB"


def is_downloaded(file: HubFile, cache_dir: str | Path | None = None) -> bool:
    """Whether the file lies in the local cache, so that it can be used without a network."""
    return isinstance(try_to_load_from_cache(file.repo, file.path, cache_dir, file.revision), str)


def fetch(
    file: HubFile,
    cache_dir: str | Path | None = None,
    on_progress: Progress | None = None,
    timeout_s: float = CONNECT_TIMEOUT_S,
) -> Path:
    """Give the local path of a file, downloading it if it is not in the cache.

    A broken transfer is taken up where it stopped. The server is the one that the environment variable HF_ENDPOINT names.

    Args:
        file: what is wanted.
        cache_dir: where downloads are kept; None for the Hub library's own cache.
        on_progress: told the bytes so far and in all.
        timeout_s: how long the server may take to answer the first question.

    Raises:
        DownloadError: if the server cannot be reached or refuses, or the file is not the expected one.
    """
    if not is_downloaded(file, cache_dir):
        _ask_size(file, timeout_s)
    try:
        path = hf_hub_download(
            file.repo,
            file.path,
            revision=file.revision,
            cache_dir=cache_dir,
            endpoint=_endpoint(),
            tqdm_class=None if on_progress is None else _progress_bar(on_progress),
        )
    except Exception as error:  # the Hub library lets errors of the HTTP library below it through, which changed over time
        raise DownloadError(_explain(file, error)) from error
    return _check(file, Path(path))


def _ask_size(file: HubFile, timeout_s: float) -> None:
    """Find out before any transfer whether the server answers and has the file."""
    try:
        url = hf_hub_url(file.repo, file.path, revision=file.revision, endpoint=_endpoint())
        size = get_hf_file_metadata(url, timeout=timeout_s, endpoint=_endpoint()).size
    except Exception as error:  # see above
        raise DownloadError(_explain(file, error)) from error
    if size is not None and size != file.size_bytes:
        raise DownloadError(f"{_name(file)} should have {file.size_bytes:,} bytes, the server says {size:,}; not downloaded")


def _endpoint() -> str | None:
    return os.environ.get("HF_ENDPOINT")


def _check(file: HubFile, path: Path) -> Path:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
    if digest.hexdigest() != file.sha256:
        path.resolve().unlink()
        path.unlink(missing_ok=True)
        raise DownloadError(f"{_name(file)} has the SHA-256 {digest.hexdigest()}, expected {file.sha256}; the file was deleted")
    return path


def _explain(file: HubFile, error: Exception) -> str:
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status in (401, 403):
        reason = f"the server refuses access ({status}); the repository may have become private or need a licence accepted"
    elif status == 404:
        reason = f"the server does not have it (404) at revision {file.revision}"
    elif status is not None:
        reason = f"the server answered {status}; try again later"
    else:
        reason = f"the server could not be reached or stopped answering ({type(error).__name__}); check the connection"
    return f"{_name(file)} could not be downloaded: {reason}"


def _name(file: HubFile) -> str:
    return f"{file.repo}/{file.path}"


def _progress_bar(on_progress: Progress) -> type[tqdm]:
    """A progress bar class for the Hub library that reports to a function instead of the terminal."""

    class Reporter(tqdm):
        def __init__(self, *args: object, **options: object):
            super().__init__(*args, **{**options, "disable": True})
            self.total_bytes: Any = options.get("total") or 0
            self.done_bytes: Any = options.get("initial") or 0

        def update(self, n: float | None = 1) -> None:
            self.done_bytes += n or 0
            on_progress(int(self.done_bytes), int(self.total_bytes))

    return Reporter
