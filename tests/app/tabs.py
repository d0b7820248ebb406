"""Finding a tab on a page, also where a narrow screen hides it in a menu."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page


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
