"""Sound: whatever its codec, layout and course, the clip is made, and with it what can be carried."""

from pathlib import Path

import av
import numpy as np
import pytest
from sounds import (
    MPEG_5_1,
    QUICKTIME_6_1,
    QUICKTIME_7_1,
    RIGHT_LEFT,
    heard,
    relabel,
    rename_codec,
    tones,
    write_clip,
)

from matting.media.encoding import H264_MP4, PRORES_4444_MOV, VP9_ALPHA_WEBM, Encoding
from matting.media.reader import ClipReader
from matting.media.writer import ClipWriter


def rewrite(source: Path, path: Path, encoding: Encoding = H264_MP4) -> tuple[str, ...]:
    """Copy the pictures of a clip and what can be carried of its sound; what was said about it."""
    with ClipReader(source) as reader, ClipWriter(path, encoding, reader.info.width, reader.info.height, reader) as writer:
        for frame in reader:
            opaque = np.full((*frame.image.shape[:2], 1), 255, np.uint8)
            writer.write(np.dstack([frame.image, opaque]) if encoding.has_alpha else frame.image, frame.pts, frame.duration)
    return writer.notes


@pytest.mark.slow
@pytest.mark.parametrize(
    ("layout", "tag", "labels", "left"),
    [
        ("7.1", QUICKTIME_7_1, (), 0),
        ("6.1", QUICKTIME_6_1, (), 0),
        ("5.1", MPEG_5_1, (), 0),
        ("stereo", 0, RIGHT_LEFT, 1),
    ],
)
def test_channels_in_an_order_of_their_own(tmp_path, layout, tag, labels, left):
    """These end the process of whoever asks PyAV for their layout."""
    channels = av.AudioLayout(layout).nb_channels
    pitches = [0.0] * channels
    pitches[left], pitches[1 - left] = 1000, 2000
    source = write_clip(tmp_path / "a.mov", [("pcm_s16le", 44100, layout, tones(44100, 1, pitches))])
    relabel(source, tag, labels)
    notes = rewrite(source, tmp_path / "out.mp4")
    assert notes == ()
    assert heard(tmp_path / "out.mp4", 0.5, 0) == pytest.approx(1000, abs=20)
    assert heard(tmp_path / "out.mp4", 0.5, 1) == pytest.approx(2000, abs=20)
    rewrite(source, tmp_path / "out.mov", PRORES_4444_MOV)  # takes it as it is
    with ClipReader(tmp_path / "out.mov") as reader:
        assert reader.info.audio_codec == "pcm_s16le"


def test_a_track_of_an_unknown_codec_is_passed_over_and_said(tmp_path):
    tracks = [("pcm_s16le", 48000, "mono", tones(48000, 1, [pitch])) for pitch in (500, 1500)]
    source = rename_codec(write_clip(tmp_path / "a.mov", tracks), 0)
    notes = rewrite(source, tmp_path / "out.mp4")
    assert notes == ("sound track 1 of 2 is left out: its codec is not known",)
    assert heard(tmp_path / "out.mp4", 0.5) == pytest.approx(1500, abs=20)


def test_without_a_known_track_the_clip_is_silent_and_says_so(tmp_path):
    source = rename_codec(write_clip(tmp_path / "a.mov", [("pcm_s16le", 48000, "mono", tones(48000, 1, [500]))]), 0)
    assert rewrite(source, tmp_path / "out.webm", VP9_ALPHA_WEBM) == (
        "sound track 1 of 1 is left out: its codec is not known",
        "the result has no sound",
    )
    with ClipReader(tmp_path / "out.webm") as reader:
        assert reader.info.sound_tracks == () and sum(1 for _ in reader) == 10


@pytest.mark.slow
@pytest.mark.parametrize("encoding", [H264_MP4, VP9_ALPHA_WEBM])
@pytest.mark.parametrize(("rate", "layout"), [(44100, "stereo"), (48000, "mono"), (32000, "mono")])
def test_a_rate_or_layout_that_changes_in_mid_stream_stays_in_sync(tmp_path, encoding, rate, layout):
    parts = [("aac", 48000, "stereo", 0.0, 700), ("aac", rate, layout, 1.0, 1400)]
    for number, (codec, rate_, layout_, start, pitch) in enumerate(parts):
        samples = tones(rate_, 1, [pitch] * av.AudioLayout(layout_).nb_channels)
        write_clip(tmp_path / f"{number}.ts", [(codec, rate_, layout_, samples)], start=start)
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join((tmp_path / f"{number}.ts").read_bytes() for number in (0, 1)))
    target = tmp_path / f"out.{encoding.container}"
    assert rewrite(joined, target, encoding) == ()
    for at, pitch in ((0.5, 700), (0.85, 700), (1.2, 1400), (1.5, 1400)):
        assert heard(target, at) == pytest.approx(pitch, abs=20), at


def test_a_gap_in_the_sound_stays_a_gap(tmp_path):
    for number, start in enumerate((0.0, 2.0)):
        write_clip(tmp_path / f"{number}.ts", [("mp2", 48000, "mono", tones(48000, 1, [900]))], start=start)
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join((tmp_path / f"{number}.ts").read_bytes() for number in (0, 1)))
    rewrite(joined, tmp_path / "out.mp4")
    assert heard(tmp_path / "out.mp4", 1.5) == 0
    assert heard(tmp_path / "out.mp4", 2.5) == pytest.approx(900, abs=20)


def test_sound_that_is_damaged_does_not_refuse_the_clip(tmp_path):
    source = write_clip(tmp_path / "a.mkv", [("flac", 44100, "stereo", tones(44100, 1, [600, 600]))])
    data = bytearray(source.read_bytes())
    with av.open(str(source)) as container:
        packets = [bytes(packet) for packet in container.demux(audio=0) if packet.size]
    for packet in packets:
        at = data.index(packet)
        data[at : at + len(packet)] = bytes(len(packet))
    source.write_bytes(data)
    notes = rewrite(source, tmp_path / "out.mp4")
    assert "nothing of it can be decoded" in notes[0] and notes[-1] == "the result has no sound"
