"""Names of files that every file system takes."""

import os

_LONGEST = 255  # bytes of a name: what Linux, macOS and Windows allow


def fit_name(stem: str, ending: str = "", spare: int = 0) -> str:
    """The stem with its ending, cut by bytes so that `spare` more fit behind it on any file system; characters stay whole."""
    room = _LONGEST - spare - len(os.fsencode(ending))
    return os.fsencode(stem)[:room].decode(errors="ignore") + ending if len(os.fsencode(stem)) > room else stem + ending
