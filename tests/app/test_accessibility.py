"""axe-core finds nothing serious on any tab, light and dark, on a desk and on a phone; fingers find what they look for."""

import shutil
import subprocess
from pathlib import Path

import pytest
from tabs import open_tab

from matting.app import text

AXE = "axe-core@4.10.3"
CONTENT = {  # of a tab, to be waited for
    "Photo": "#panels img",
    "Batch": "#batch-run",
    "Live": "#live button",
    "Clip": "#clip-run",
    "Regions": "#locator svg",
    "Compare": "#comparison figure",
    "Tables": "#published tbody tr",
    "About": ".stages .step",
}
SERIOUS = ("serious", "critical")
FINGER_PX = 44
SMALL = """() => [...document.querySelectorAll('button, summary, select, input[type=range], [role=tab]')].filter((one) => {
  const {width, height} = one.getBoundingClientRect();
  return one.checkVisibility({visibilityProperty: true}) && width > 1 && height > 1 && one.closest('.gradio-container')
    && !one.closest('footer, .visually-hidden, [aria-hidden=true], .map, .histogram') && Math.min(width, height) < PX - 0.5;
}).map((one) => `${(one.ariaLabel || one.textContent || one.type).trim()} ${one.className}`)""".replace("PX", str(FINGER_PX))

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def axe(tmp_path_factory) -> Path:
    """The script of axe-core, from npm; it is MPL 2.0 and no part of this project."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no npm on this machine")
    folder = tmp_path_factory.mktemp("axe")
    command = [npm, "install", "--ignore-scripts", "--no-audit", "--prefix", str(folder), AXE]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    return folder / "node_modules/axe-core/axe.min.js"


@pytest.mark.parametrize(
    ("width", "theme"), [(1360, "light"), (390, "dark"), pytest.param(390, "light", marks=pytest.mark.slow)]
)
def test_no_tab_shuts_anybody_out(open_page, axe, width, theme):
    page = open_page(width, 900, theme)
    page.add_script_tag(path=axe)
    found = {}
    for name in (title for key, title in vars(text).items() if key.startswith("TAB_")):
        open_tab(page, name)
        page.locator(CONTENT.get(name, "body")).first.wait_for()
        if name == "Photo":
            page.click(".framing summary")
            page.locator(".shapes input[value='2x2in']").click()
            page.wait_for_selector("#result .viewer[data-view=move]")
        page.wait_for_timeout(500)  # colours fade in
        options = {"resultTypes": ["violations"], "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}
        violations = page.evaluate("options => axe.run(document, options)", options)["violations"]
        for violation in violations:
            if violation["impact"] in SERIOUS:
                found[name, violation["id"]] = [node["html"][:160] for node in violation["nodes"]]
        if width < 500:
            small = page.evaluate(SMALL)
            assert not small, f"{name}: {small}"
    assert not found
