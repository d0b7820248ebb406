"""Every tab has an address: Back and Forward, a reload and a link go where one expects."""

import pytest
from tabs import EXAMPLES, open_tab, upload

from matting.app.tabs.about import file_link


def chosen(page, name: str) -> None:
    """Wait until this tab is the one that is open."""
    page.locator("[role=tab][aria-selected=true]", has_text=name).wait_for()


@pytest.mark.browser
def test_back_and_forward_go_from_tab_to_tab(open_page):
    page, faults = open_page(), []
    page.on("pageerror", lambda fault: faults.append(fault))
    start = page.url
    for name in ("Compare", "Tables", "Tables", "Clip"):
        open_tab(page, name)
    assert page.url == f"{start}#clip"
    for name in ("Tables", "Compare", "Photo"):
        page.go_back()
        chosen(page, name)
    assert page.url == start
    page.go_forward()
    chosen(page, "Compare")
    assert faults == []


@pytest.mark.browser
def test_a_link_opens_its_tab_and_one_to_no_tab_the_first(open_page):
    page = open_page()
    for address, name in (("#about", "About"), ("?of=somebody#tables", "Tables"), ("?of=nobody#no tab", "Photo")):
        page.goto(page.url.partition("?")[0].partition("#")[0] + address)
        chosen(page, name)


@pytest.mark.browser
@pytest.mark.slow
def test_a_reload_stays_on_the_tab_with_its_photo(open_page):
    page = open_page()
    upload(page, EXAMPLES / "silver.jpg")
    open_tab(page, "Regions")
    page.locator("#patches img").first.wait_for()
    page.reload()
    chosen(page, "Regions")
    page.set_default_timeout(20_000)
    page.locator("#patches img").first.wait_for()


def test_files_of_the_project_are_links_on_a_space(monkeypatch):
    monkeypatch.delenv("SPACE_ID", raising=False)
    assert file_link("examples/CREDITS.md") == "`examples/CREDITS.md`"
    monkeypatch.setenv("SPACE_ID", "somebody/matting")
    files = "https://huggingface.co/spaces/somebody/matting"
    assert file_link("examples/CREDITS.md") == f"[`examples/CREDITS.md`]({files}/blob/main/examples/CREDITS.md)"
    assert file_link("examples/browser").endswith(f"]({files}/tree/main/examples/browser)")
