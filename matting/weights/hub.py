"""Downloads from the Hugging Face Hub, checked by size and SHA-256."""

import errno
import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url, try_to_load_from_cache
from huggingface_hub.errors import HFValidationError

CONNECT_TIMEOUT_S = 10.0
_CHUNK_BYTES = 1 << 20
_SHA256 = re.compile(r"[0-9a-f]{64}")
_STORAGE_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS)


class DownloadError(OSError, ValueError):
    """A download from the Hub failed; the message names the file, the reason, and what to do."""


@dataclass(frozen=True)
class HubFile:
    """One file of a repository; a pinned one has commit, size and hash.

    Attributes:
        repo: "owner/name".
        path: inside the repository.
        revision: commit hash, branch or tag; None is the default branch.
        size_bytes: size of the file; None if it is not known.
        sha256: of the file, in hex; None checks against the hash by which the Hub's cache names large files.
    """

    repo: str
    path: str
    revision: str | None = None
    size_bytes: int | None = None
    sha256: str | None = None

    @property
    def size(self) -> str:
        """The size as text, e.g. "25.9 MB"."""
        return "unknown size" if self.size_bytes is None else f"{self.size_bytes / 1e6:.1f} MB"


def is_downloaded(file: HubFile, cache_dir: str | Path | None = None) -> bool:
    """Whether the file is in the local cache, so that it can be used offline."""
    return isinstance(try_to_load_from_cache(file.repo, file.path, cache_dir, file.revision), str)


def fetch(file: HubFile, cache_dir: str | Path | None = None) -> Path:
    """The local path of a file, which is downloaded if it is not in the cache.

    An interrupted download is resumed. The server is the one of the environment variable HF_ENDPOINT; for a branch or tag it is
    asked for the newest version, and the cached one is used if it does not answer.

    Args:
        file: the file to fetch.
        cache_dir: cache of downloads; None for the Hub library's own.

    Returns:
        Path in the cache.

    Raises:
        DownloadError: if the server cannot be reached or refuses, or the file is not the expected one.
    """
    try:
        if not is_downloaded(file, cache_dir):
            _check_size(file)  # without the Hub library's half a minute of attempts where there is no network
        path = hf_hub_download(file.repo, file.path, revision=file.revision, cache_dir=cache_dir, endpoint=hub_endpoint())
    except DownloadError:
        raise
    except Exception as error:  # the Hub library lets errors of the HTTP library below it through, which changed over time
        raise DownloadError(_explain(file, error)) from error
    return _check_sha256(file, Path(path))


def hub_endpoint() -> str | None:
    """The server in the environment variable HF_ENDPOINT; None is the Hub itself."""
    return os.environ.get("HF_ENDPOINT") or None


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _check_size(file: HubFile) -> None:
    """Check before the download that the server answers and that the file there has the expected size."""
    url = hf_hub_url(file.repo, file.path, revision=file.revision, endpoint=hub_endpoint())
    size = get_hf_file_metadata(url, timeout=CONNECT_TIMEOUT_S, endpoint=hub_endpoint()).size
    if None not in (size, file.size_bytes) and size != file.size_bytes:
        raise DownloadError(f"{_name(file)} should have {file.size_bytes:,} bytes, the server says {size:,}; not downloaded")


def _check_sha256(file: HubFile, path: Path) -> Path:
    """Raises DownloadError if the file is damaged, and deletes it, so that it is downloaded again next time."""
    stored = path.resolve()
    expected = file.sha256 or (stored.name if _SHA256.fullmatch(stored.name) else None)
    if expected is not None and (found := sha256_of(stored)) != expected:
        stored.unlink()
        path.unlink(missing_ok=True)
        raise DownloadError(f"{_name(file)} has the SHA-256 {found}, expected {expected}; the file was deleted, try again")
    return path


def _explain(file: HubFile, error: Exception) -> str:
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status in (401, 403):
        reason = f"the server refuses access ({status}); the repository may have become private or need a licence accepted"
    elif status == 404:
        reason = f"the server does not have it (404){f' at revision {file.revision}' if file.revision else ''}"
    elif status is not None:
        reason = f"the server answered {status}; try again later"
    elif isinstance(error, HFValidationError):
        reason = str(error)
    elif isinstance(error, OSError) and error.errno in _STORAGE_ERRORS:
        reason = f"it cannot be stored: {error}"
    else:
        reason = f"the server could not be reached or stopped answering ({type(error).__name__}); check the connection"
    return f"{_name(file)} could not be downloaded: {reason}"


def _name(file: HubFile) -> str:
    return f"{file.repo}/{file.path}"
