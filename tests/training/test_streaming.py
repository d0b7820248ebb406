"""Photos decoded when they are drawn: the same batches as from memory, files that cannot be used, several processes."""

import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from collections_of_tests import in_memory, streamed
from PIL import Image

from matting.training import data, decode
from matting.training import train as training
from matting.training.cache import Record, read_fault, read_known, write_record
from matting.training.dataset import Sampler
from matting.training.epochs import Epochs
from matting.training.pairs import list_people, list_pictures

CPU = torch.device("cpu")


def options(root: Path, out: Path, *more: str):
    return training.parse_arguments(["--data", str(root), "--out", str(out), "--size", "128", "--device", "cpu", *more])


@pytest.fixture(scope="module")
def cached(portraits: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cache of `portraits`."""
    cache = tmp_path_factory.mktemp("cache")
    streamed(portraits, portraits / "backgrounds", cache)
    return cache


@pytest.fixture
def p3m(portraits: Path, tmp_path: Path) -> Path:
    """Two people and a background in the layouts of P3M-10k and BG-20k."""
    for kind, theirs, suffix in (("image", "blurred_image", "jpg"), ("alpha", "mask", "png")):
        (tmp_path / "P3M-10k/train" / theirs).mkdir(parents=True)
        for index in range(2):
            with Image.open(portraits / f"cc0_portraits/train/{kind}/p{index}.png") as file:
                file.save(tmp_path / f"P3M-10k/train/{theirs}/p_{index}.{suffix}")
    shutil.copytree(portraits / "backgrounds", tmp_path / "BG-20k/train")
    return tmp_path / "P3M-10k"


@pytest.mark.slow
def test_streamed_batches_are_those_from_memory(portraits: Path, cached: Path):
    backgrounds = portraits / "backgrounds"
    read, kept = streamed(portraits, backgrounds, cached), in_memory(portraits, backgrounds)
    assert len(read.whole) == len(kept.whole) > 0 and len(read.scenes) == len(kept.scenes)
    for step in range(6):
        one, other = (Sampler(collection, 3).draw(step, 3, (128, 256)) for collection in (read, kept))
        assert all(torch.allclose(x, y, atol=1 / 255) for x, y in zip(one, other, strict=True))


@pytest.mark.slow
def test_a_draft_that_was_sent_makes_nearly_the_same_batch(portraits: Path):
    sampler = Sampler(in_memory(portraits, portraits / "backgrounds"), 3)
    draft = sampler.draft(4, 3, (128, 128))
    packed = draft.packed()
    assert packed.photo.dtype == torch.uint8 and packed.kept.dtype == torch.bool
    whole, sent = sampler.finish(draft), sampler.finish(packed.unpacked(CPU))
    assert (whole.alpha - sent.alpha).abs().max() < 1 / 255
    assert (whole.image - sent.image).abs().mean() < 0.02


@pytest.mark.slow
def test_a_run_streams_and_says_so(p3m: Path, tmp_path: Path, capsys: pytest.CaptureFixture):
    more = ["--backgrounds", str(p3m.parent / "BG-20k"), "--stream", "yes", "--foreground", "fast", "--num-workers", "2"]
    training.train(options(p3m, tmp_path / "run", "--steps", "2", "--batch", "2", "--max-regions", "16", *more))
    printed = capsys.readouterr().out
    assert "2 photos and 1 pictures without people" in printed and "decoded when drawn, 2 workers" in printed
    assert (tmp_path / "run/ema.safetensors").exists()


def test_what_does_not_fit_is_streamed(p3m: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(data, "prepare", lambda pairs, *rest: [(1, 1, 50, 50)] * len(pairs))
    small = data.load_data(options(p3m, tmp_path), CPU)[0]
    monkeypatch.setattr(data, "free_gigabytes", lambda device: 1e-4)
    large = data.load_data(options(p3m, tmp_path), CPU)[0]
    assert isinstance(small.subjects, list) and not isinstance(large.subjects, list)
    assert data.decoded_gigabytes([(1080, 1440)] * 9421, 15_000) == pytest.approx(185, abs=15)


def spoil(folder: Path) -> None:
    """Four faults: no mask, a mask of another size, a photo that is cut off, nobody."""
    photos, masks = folder / "blurred_image", folder / "mask"
    for name in ("lonely", "small", "half", "nobody"):
        shutil.copy(photos / "p_0.jpg", photos / f"{name}.jpg")
        shutil.copy(masks / "p_0.png", masks / f"{name}.png")
    (masks / "lonely.png").unlink()
    Image.new("L", (20, 30), 255).save(masks / "small.png")
    whole = (photos / "half.jpg").read_bytes()
    (photos / "half.jpg").write_bytes(whole[: len(whole) * 4 // 5])
    Image.new("L", (96, 96)).save(masks / "nobody.png")


@pytest.mark.slow
@pytest.mark.parametrize("stream", ["yes", "no"])
def test_bad_photos_are_named_counted_and_skipped_only_when_that_is_wanted(p3m: Path, tmp_path: Path, stream, capsys):
    spoil(p3m / "train")
    more = ["--stream", stream, "--foreground", "fast", "--num-workers", "1"]
    with pytest.raises(ValueError, match=r"1 of 6 photos cannot be used: .*lonely.*no partner.*--skip-bad"):
        data.load_data(options(p3m, tmp_path / "run", *more), CPU)
    collection, listing = data.load_data(options(p3m, tmp_path / "run", *more, "--skip-bad"), CPU)
    assert len(collection.subjects) == len(listing.pairs) == len(collection.chances) == 2 and len(listing.bad) == 4
    printed = capsys.readouterr().out
    assert "small.jpg is 96x96, but" in printed and "is 20x30" in printed
    assert "half.jpg" in printed and "empty" in printed
    (p3m / "train/blurred_image/lonely.jpg").unlink()
    (p3m / "train/blurred_image/small.jpg").unlink()
    (p3m / "train/mask/small.png").unlink()
    with pytest.raises(ValueError, match=r"2 of 4 photos cannot be used"):
        data.load_data(options(p3m, tmp_path / "run", *more), CPU)


@pytest.mark.parametrize("stream", ["yes", "no"])
def test_a_broken_picture_without_people_is_named_at_the_start_and_skipped_only_when_that_is_wanted(
    p3m: Path, tmp_path: Path, stream, capsys
):
    pictures = p3m.parent / "BG-20k"
    (pictures / "train/broken.jpg").write_bytes((p3m / "train/blurred_image/p_0.jpg").read_bytes()[:600])
    more = ["--backgrounds", str(pictures), "--stream", stream, "--foreground", "fast", "--num-workers", "1"]
    run = tmp_path / "run"
    with pytest.raises(ValueError, match=r"1 of 2 photos cannot be used: .*broken.jpg cannot be read.*--skip-bad"):
        data.load_data(options(p3m, run, *more), CPU)
    collection, _ = data.load_data(options(p3m, run, *more, "--skip-bad"), CPU)
    assert len(collection.pictures) == 1 and collection.pictures[0][0].shape[0] == 3
    assert "left out: 1 of 2" in capsys.readouterr().out


def test_pictures_are_looked_at_once_until_they_change(p3m: Path, tmp_path: Path, monkeypatch):
    paths = list_pictures(p3m.parent / "BG-20k")
    assert decode.look_at(paths, tmp_path, workers=1) == [""]
    with monkeypatch.context() as patch:
        patch.setattr(decode, "_each", None)
        assert decode.look_at(paths, tmp_path) == [""]
    paths[0].write_bytes(b"no picture")
    assert [str(paths[0]) in fault for fault in decode.look_at(paths, tmp_path, workers=1)] == [True]


def test_several_processes_prepare_their_share_and_wait_for_the_others(portraits: Path, tmp_path: Path, monkeypatch):
    made: list[str] = []

    def in_this_process(work, pairs, name, workers, quiet=False):
        for pair in pairs:
            made.append(pair.image.name + pair.image.parents[2].name)
            yield work(pair)

    monkeypatch.setattr(decode, "_each", in_this_process)
    monkeypatch.setattr(decode, "_POLL_S", 0.01)
    pairs = list_people(portraits).pairs
    found: dict[int, list] = {}
    ranks = [
        threading.Thread(target=lambda rank=rank: found.update({rank: decode.prepare(pairs, tmp_path, "fast", rank, 2)}))
        for rank in range(2)
    ]
    for one in ranks:
        one.start()
    for one in ranks:
        one.join(timeout=60)
    assert found[0] == found[1] and len(found[0]) == 4
    assert len(made) == len(set(made)) == 4
    decode.prepare(pairs, tmp_path, "fast")
    assert len(made) == 4, "nothing is looked at twice"


def test_what_is_kept_of_a_photo_is_forgotten_when_it_changes(p3m: Path, tmp_path: Path):
    pair = list_people(p3m).pairs[0]
    write_record(tmp_path, pair, Record((1, 2, 3, 4), None))
    assert read_known(tmp_path, pair) == ((1, 2, 3, 4), False)
    pair.image.write_bytes(b"another")
    assert read_known(tmp_path, pair) is None
    decode._prepare_one(pair, tmp_path, "fast")
    assert "cannot be read" in str(read_fault(tmp_path, pair))


def test_each_photo_is_shown_once_in_an_epoch_of_all_processes():
    chances = np.full(12, 1 / 12)
    ranks = [Epochs(chances, 5, rank, 2, 3) for rank in range(2)]
    epochs = [sorted(one for step in (2 * e, 2 * e + 1) for rank in ranks for one in rank.photos(step, 3)) for e in range(3)]
    assert epochs == [list(range(12))] * 3
    assert ranks[0].photos(1, 3) != ranks[0].photos(3, 3)


def test_photos_are_shown_as_often_as_they_should_be():
    epochs = Epochs(np.array([0.5, 0.3, 0.2]), 1, 0, 1, 10)
    counts = np.bincount([one for step in range(600) for one in epochs.photos(step, 10)])
    assert counts / 6000 == pytest.approx([0.5, 0.3, 0.2], abs=0.03)


def test_layouts_of_p3m_and_bg(p3m: Path):
    assert list_people(p3m).pairs == list_people(p3m / "train").pairs
    assert [path.name for path in list_pictures(p3m.parent / "BG-20k")] == ["wall.png"]
    with pytest.raises(ValueError, match="expected pictures"):
        list_pictures(p3m / "train")
