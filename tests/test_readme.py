"""The README and the pages beside the code: a Space's front matter, code that runs, and every file they name is there."""

import re
from pathlib import Path

import pytest
import yaml
from PIL import Image

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
PAGES = [ROOT / "README.md", *sorted((ROOT / "matting").rglob("*.md")), *sorted((ROOT / ".github").glob("*.md"))]
COLOURS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}


def test_front_matter_is_that_of_a_space():
    front = yaml.safe_load(TEXT.split("---\n")[1])
    pins = dict(re.findall(r"^([\w-]+)==(\S+)$", (ROOT / "requirements.txt").read_text(), re.MULTILINE))
    assert TEXT.startswith("---\n") and front["sdk"] == "gradio" and front["sdk_version"] == pins["gradio"]
    assert front["title"] and front["emoji"] and {front["colorFrom"], front["colorTo"]} <= COLOURS
    assert (ROOT / front["app_file"]).is_file() and front["license"] == "apache-2.0"
    assert front["python_version"] in ("3.10", "3.11", "3.12", "3.13")
    assert len(front["short_description"]) <= 60
    assert all(re.fullmatch(r"[\w-]+", tag) for tag in front["tags"])


@pytest.mark.slow
def test_the_python_example_runs(tmp_path, monkeypatch):
    (code,) = (text for language, text in BLOCKS if language == "python")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    exec(compile(code, "README.md", "exec"), {})  # noqa: S102 - the text is ours
    assert Image.open(tmp_path / "cutout.png").mode == "RGBA"


def test_the_readme_is_short_and_its_table_of_contents_complete():
    assert len(TEXT.splitlines()) < 200
    headings = re.findall(r"^## (.+)$", TEXT, re.MULTILINE)
    anchors = [re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings]
    assert re.findall(r"\]\(#([\w-]+)\)", TEXT) == anchors


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_a_page_names_exists(page):
    text = page.read_text()
    for link in re.findall(r"\]\((?!https?:)([^)#]+)\)", text):
        assert (page.parent / link).exists(), link
    for name in set(re.findall(r"`((?:examples|matting|tests)/[\w./-]+\.\w+)`", text)):
        assert (ROOT / name).exists(), name
