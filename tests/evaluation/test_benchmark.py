"""The benchmark measures what it says: forced regions, multiply-accumulates, stages."""

import pytest
import torch

from matting.evaluation import benchmark


@pytest.fixture
def lite():
    return benchmark.build("lite", (128, 128), 0.15)


@pytest.mark.slow
def test_the_trimap_is_forced_only_while_asked(lite):
    model, image, trimap = lite
    with torch.inference_mode():
        own = model(image).trimap
        with benchmark.fixed_trimap(model, trimap):
            prediction = model(image)
        assert torch.equal(prediction.trimap, trimap) and len(prediction.cells) == 38
        assert torch.equal(model(image).trimap, own)


@pytest.mark.slow
@pytest.mark.parametrize(("share", "gmac"), [(0.05, 3.5), (0.15, 5.0)])
def test_multiply_accumulates_of_the_paper(share, gmac):
    """What the network of the paper costs at 512x512."""
    model, image, trimap = benchmark.build("paper", (512, 512), share)
    with torch.inference_mode(), benchmark.fixed_trimap(model, trimap):
        counted = benchmark.count_gmac(model, image)
    assert sum(counted.values()) == pytest.approx(gmac, rel=0.02)
    assert counted["refine"] == pytest.approx(3.7e-3 * round(share * 64 * 64), rel=0.02)


@pytest.mark.slow
def test_stages_add_up(lite):
    model, image, trimap = lite
    with torch.inference_mode(), benchmark.fixed_trimap(model, trimap), benchmark.stage_clock(model) as run:
        seconds = run(image)
    assert tuple(seconds) == benchmark.STAGES and all(value > 0 for value in seconds.values())


@pytest.mark.slow
def test_command(capsys):
    benchmark.main(["--preset", "lite", "--sizes", "128", "--threads", "1", "--repeats", "1"])
    title, header, *rows = capsys.readouterr().out.splitlines()
    assert title.startswith("preset lite, 1 threads")
    assert header.split()[:3] == ["size", "unknown", "regions"]
    assert [row.split()[:3] for row in rows] == [["128x128", "5%", "13"], ["128x128", "15%", "38"]]


def test_wrong_size_is_refused(capsys):
    with pytest.raises(SystemExit):
        benchmark.main(["--sizes", "large"])
    assert "invalid parse_size value: 'large'" in capsys.readouterr().err
