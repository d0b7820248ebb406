"""Takes the README's screenshots of the running app, on a desktop and on a phone.

PYTHONPATH=.:tests python examples/make_screenshots.py    # writes .github/screen-*.jpg; needs Chromium and playwright
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from check_space import started
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[1]
SCREENS = {"desktop": (1280, 960, 1), "phone": (390, 844, 2)}  # width, height, pixels per point
PATIENCE_S = 300


def main() -> None:
    parser = argparse.ArgumentParser(description="Takes the README's screenshots.")
    parser.add_argument("-o", "--out", type=Path, default=ROOT / ".github", help="folder to write to")
    parser.add_argument("--url", help="address of a running app; without it one is started")
    parser.add_argument("--theme", choices=("light", "dark"), default="light")
    arguments = parser.parse_args()
    if arguments.url:
        take_screenshots(arguments.url, arguments.theme, arguments.out)
        return
    with tempfile.TemporaryDirectory() as folder, started(Path(sys.executable), ROOT, Path(folder)) as (_, url, _):
        take_screenshots(url, arguments.theme, arguments.out)


def take_screenshots(url: str, theme: str, out: Path) -> None:
    """Write `screen-photo-*.jpg` and `screen-region-*.jpg` for every screen."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name in SCREENS:
            page = open_page(browser, name, f"{url}/?__theme={theme}")
            save(page, out / f"screen-photo-{name}.jpg")
            page.get_by_role("tab", name="Regions", exact=True).click()
            page.wait_for_selector("#attention rect")
            save(page, out / f"screen-region-{name}.jpg")
        browser.close()


def open_page(browser: Browser, screen: str, address: str) -> Page:
    """The app with its first example finished."""
    width, height, scale = SCREENS[screen]
    page = browser.new_page(viewport={"width": width, "height": height}, device_scale_factor=scale)
    page.set_default_timeout(1000 * PATIENCE_S)
    page.goto(address)
    page.wait_for_selector("#panels img")
    return page


def save(page: Page, path: Path) -> None:
    page.wait_for_function("[...document.images].every(image => image.complete)")
    page.wait_for_timeout(1000)  # fonts and transitions
    page.screenshot(path=path, type="jpeg", quality=82)
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
