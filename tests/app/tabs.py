"""What a visitor does on a page: choose a tab, also where a narrow screen hides it in a menu, send a photo, save a file."""

import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

EXAMPLES = Path(__file__).parents[2] / "examples"

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page


def open_tab(page: "Page", name: str) -> None:
    """Choose a tab. Which ones the menu takes is decided after the fonts have come, so look until it is chosen."""
    tab = page.get_by_role("tab", name=name, exact=True)
    entry = page.locator(".overflow-dropdown button", has_text=name)
    for _ in range(100):
        if tab.first.is_visible():
            tab.first.click(timeout=5000)
        elif entry.is_visible():
            entry.click(timeout=5000)
        elif page.locator(".overflow-menu > button").is_visible():
            page.locator(".overflow-menu > button").click(timeout=5000)
        if tab.first.is_visible() and tab.first.get_attribute("aria-selected") == "true":
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"no tab {name!r}")


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
