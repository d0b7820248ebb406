"""What a visitor does on a page: choose a tab, send a photo, save a file; and what of it lies in the app's folder."""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

EXAMPLES = Path(__file__).parents[2] / "examples"

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page


def paths_in(folder: Path) -> set[Path]:
    """All folders and files, at any depth of one from which some vanish meanwhile, which `rglob` does not bear."""
    return {Path(parent, name) for parent, folders, files in os.walk(folder) for name in (*folders, *files)}


def files_in(folder: Path, pattern: str) -> list[Path]:
    """The files of that name, at any depth."""
    return [path for path in paths_in(folder) if path.is_file() and path.match(pattern)]


def open_tab(page: "Page", name: str) -> None:
    """Choose a tab; all of them are seen, also on a phone."""
    page.get_by_role("tab", name=name, exact=True).click()
    page.locator("[role=tab][aria-selected=true]", has_text=name).wait_for()


def upload(page: "Page", path: Path) -> float:
    """Drop a photo and wait for its cut-out; returns the seconds the visitor waited."""
    started = time.perf_counter()
    page.set_input_files("#photo input[type=file]", str(path))
    page.wait_for_function(
        "part => [...document.querySelectorAll('#result img')].some(i => i.src.includes(part) && i.complete)",
        arg=quote(path.stem),
    )
    return time.perf_counter() - started


def save(page: "Page", button: "Locator") -> tuple[str, bytes]:
    """Download a file; those of the menu are behind its title."""
    if not button.is_visible():
        page.click("#save summary")
    with page.expect_download() as download:
        button.click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()
