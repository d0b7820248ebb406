from pathlib import Path

import pytest
from PIL import Image

from matting.evaluation.side_by_side import main

EXAMPLES = Path(__file__).parents[2] / "examples"
PHOTO, TRUTH = str(EXAMPLES / "silver.jpg"), str(EXAMPLES / "alpha" / "silver.png")


@pytest.mark.slow
@pytest.mark.parametrize(("extra", "panels"), [(["--methods", "coarse"], 2), (["--truth", TRUTH], 6)])
def test_a_strip_by_command(tmp_path, extra, panels):
    main([PHOTO, *extra, "-o", str(tmp_path / "strip.png")])
    with Image.open(tmp_path / "strip.png") as drawn, Image.open(PHOTO) as photo:
        assert drawn.width == 260 * panels
        band = round(260 * photo.height / photo.width) + 24
        assert drawn.height > band if "--truth" in extra else drawn.height == band


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["-o", "x.xyz"], "expected a name that ends in"),
        (["-o", "x.png", "--methods", "magic"], "method must be one of"),
        (["-o", "x.png", "--methods", "knn-given"], "must be given a trimap"),
        (["-o", "x.png", "--truth", str(EXAMPLES / "alpha" / "curls.png")], "curls.png"),
    ],
)
def test_what_is_wrong_is_said(extra, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stop:
        main([PHOTO, *extra])
    assert stop.value.code == 2 and message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
