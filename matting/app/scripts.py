"""The few lines of JavaScript the pages need, each in a file of `static/js` that says what it is for."""

from pathlib import Path

_FOLDER = Path(__file__).parent / "static" / "js"


def _read(name: str) -> str:
    return (_FOLDER / f"{name}.js").read_text(encoding="utf-8")


PICK = _read("pick")
PEOPLE = _read("pick") + _read("people")
PANELS = _read("pick") + _read("large")
WIPE = _read("pick") + _read("wipe")
POINT = _read("point")
SAVE = _read("save")
HOLD = _read("hold")
ZOOM = _read("zoom")
VIEWER = _read("viewer")
STAGE = VIEWER + _read("paint")
FRAMING = _read("framing")
RETURNED = _read("returned")
SWATCHES = _read("swatches")
ACTIONS = _read("actions")
COPY = _read("copy")
FAILED = _read("failed")
BATCH_DROP = _read("batch_drop")
BATCH = _read("batch")
LIVE = _read("live")
OPEN = _read("open")
FOLLOW = _read("follow")
VISIT = _read("visit")
PAGE = _read("page") + _read("address")
ABOUT = _read("about")
SORT = _read("sort")
