"""Clips as phones, cameras and editors make them: how they lie, what their numbers mean, and what else is in the file."""

import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from clips import make_clip
from pictures import encode_hdr, quarters
from PIL import Image
from sounds import write_clip

from matting.media.encoding import H264_MP4, PRORES_4444_MOV, VP9_ALPHA_WEBM, Encoding
from matting.media.reader import ClipReader, Frame
from matting.media.writer import ClipWriter

SKIN = np.array([(142, 101, 91), (224, 172, 145), (90, 60, 48), (60, 90, 160), (128, 128, 128)], np.uint8)
BARS = SKIN[None].repeat(32, 0).repeat(32, 1)  # (32, 160, 3)


def read(path: Path) -> list[Frame]:
    with ClipReader(path) as reader:
        return list(reader)


def bar_colours(image: np.ndarray) -> np.ndarray:
    return image[16, 16::32].astype(int)


def write_frames(path: Path, frames: list[av.VideoFrame], codec: str, **options: str) -> Path:
    """Encode frames as they are, with their tags."""
    first = frames[0]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = first.width, first.height, first.format.name
        context = stream.codec_context
        context.colorspace, context.color_range = first.colorspace, first.color_range
        context.color_primaries, context.color_trc = first.color_primaries, first.color_trc
        for number, frame in enumerate(frames):
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


# How the frames lie

MATRICES = {  # a, b, c, d of the display matrix, and what it makes of the stored picture
    "as it is": ((1, 0, 0, 1), lambda x: x),
    "quarter turn": ((0, 1, -1, 0), lambda x: np.rot90(x, -1)),
    "half turn": ((-1, 0, 0, -1), lambda x: np.rot90(x, 2)),
    "three quarter turns": ((0, -1, 1, 0), lambda x: np.rot90(x)),
    "mirrored": ((-1, 0, 0, 1), lambda x: x[:, ::-1]),
    "upside down in a mirror": ((1, 0, 0, -1), lambda x: x[::-1]),
    "transposed": ((0, 1, 1, 0), lambda x: x.swapaxes(0, 1)),
    "transposed the other way": ((0, -1, -1, 0), lambda x: x[::-1, ::-1].swapaxes(0, 1)),
}


@pytest.mark.parametrize("name", MATRICES)
def test_all_eight_display_matrices(tmp_path, name):
    """A picture whose four corners differ, turned and mirrored by the track header (ISO 14496-12, 8.3.2)."""
    matrix, turn = MATRICES[name]
    path = make_clip(tmp_path / "a.mp4", width=64, height=48, frames=1, sound=None, picture=lambda *_: quarters(48, 64))
    stored = read(path)[0].image
    data = bytearray(path.read_bytes())
    a, b, c, d = (value << 16 for value in matrix)
    at = data.index(b"tkhd") + 44
    data[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    with ClipReader(path) as reader:
        (frame,) = reader
        assert (reader.info.height, reader.info.width) == frame.image.shape[:2]
    np.testing.assert_array_equal(frame.image, turn(stored))


# What the numbers mean


@pytest.mark.parametrize(
    ("curve", "number"), [("hlg", av.video.reformatter.ColorTrc.ARIB_STD_B67), ("pq", av.video.reformatter.ColorTrc.SMPTE2084)]
)
def test_hdr_clips_have_the_skin_of_an_sdr_clip(tmp_path, curve, number):
    stored = np.rint(65535 * encode_hdr(BARS.astype(float), curve)).astype(np.uint16)
    frame = av.VideoFrame.from_ndarray(stored, format="rgb48le")
    frame = frame.reformat(format="yuv420p10le", dst_colorspace="BT2020", dst_color_range="MPEG")
    frame.colorspace, frame.color_range, frame.color_primaries, frame.color_trc = 9, 1, 9, number
    path = write_frames(tmp_path / "a.mp4", [frame], "libx265", crf="10")
    (seen,) = read(path)
    assert np.abs(bar_colours(seen.image) - SKIN).mean() < 3
    assert np.abs(seen.image.astype(int) - BARS).mean() < 6


def coded(image: np.ndarray, red: float, blue: float, full: bool) -> list[np.ndarray]:
    """Planes of Y'CbCr, by the shares of red and blue in luma."""
    values = image / 255
    luma = values @ (red, 1 - red - blue, blue)
    chroma = [(values[..., 2] - luma) / (2 * (1 - blue)), (values[..., 0] - luma) / (2 * (1 - red))]
    planes = (
        [255 * luma, *(128 + 255 * plane for plane in chroma)]
        if full
        else [16 + 219 * luma, *(128 + 224 * plane for plane in chroma)]
    )
    return [np.rint(plane.clip(0, 255)).astype(np.uint8) for plane in planes]


def frame_of(planes: list[np.ndarray], matrix: int, colour_range: int) -> av.VideoFrame:
    height, width = planes[0].shape
    frame = av.VideoFrame(width, height, "yuv444p")
    for plane, values in zip(frame.planes, planes, strict=True):
        padded = np.zeros((plane.height, plane.line_size), np.uint8)
        padded[:, :width] = values
        plane.update(padded.tobytes())
    frame.colorspace, frame.color_range, frame.color_primaries, frame.color_trc = matrix, colour_range, 2, 2
    return frame


@pytest.mark.slow
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize(("tag", "red", "blue"), [(1, 0.2126, 0.0722), (5, 0.299, 0.114), (6, 0.299, 0.114)])
def test_matrices_and_ranges_are_read_and_what_is_written_is_tagged_right(tmp_path, full, tag, red, blue):
    path = write_frames(tmp_path / "a.mp4", [frame_of(coded(BARS, red, blue, full), tag, 2 if full else 1)], "libx264", crf="4")
    assert np.abs(bar_colours(read(path)[0].image) - SKIN).max() <= 3
    for encoding in (H264_MP4, VP9_ALPHA_WEBM, PRORES_4444_MOV):
        target = tmp_path / f"out.{encoding.container}"
        copy(path, target, encoding)
        with av.open(str(target)) as container:
            frame = next(container.decode(video=0))
            assert (frame.colorspace, frame.color_range) == (1, 1), encoding.container
            if encoding.container != "webm":
                assert (int(frame.color_primaries), int(frame.color_trc)) == (1, 1)
        assert np.abs(bar_colours(read(target)[0].image) - SKIN).max() <= 6, encoding.container


@pytest.mark.parametrize(
    ("size", "red", "blue"), [((1280, 536), 0.2126, 0.0722), ((720, 576), 0.299, 0.114), ((480, 800), 0.2126, 0.0722)]
)
def test_a_clip_without_tags_is_hd_by_its_width_or_height(tmp_path, size, red, blue):
    image = np.asarray(Image.fromarray(BARS).resize(size, Image.Resampling.NEAREST))
    path = write_frames(tmp_path / "a.mp4", [frame_of(coded(image, red, blue, False), 2, 0)], "libx264", crf="4")
    assert np.abs(read(path)[0].image[size[1] // 2, size[0] // 10 :: size[0] // 5].astype(int) - SKIN).max() <= 3


def test_interlaced_frames_are_made_whole(tmp_path):
    def at(moment: int) -> np.ndarray:
        image = np.full((64, 96, 3), 30, np.uint8)
        image[:, 6 * moment : 6 * moment + 24] = 220
        return image

    frames = []
    for number in range(6):
        woven = at(2 * number)
        woven[1::2] = at(2 * number + 1)[1::2]
        frames.append(av.VideoFrame.from_ndarray(woven, format="rgb24").reformat(format="yuv420p"))
    path = write_frames(tmp_path / "a.mp4", frames, "libx264", crf="8", **{"x264-params": "interlaced=1:tff=1"})
    seen = read(path)
    assert len(seen) == 6 and [frame.pts for frame in seen] == [512 * i for i in range(6)]
    middle = seen[3].image[8:-8].astype(int)
    combing = np.abs(middle[1:-1] - (middle[:-2] + middle[2:]) / 2).mean()
    assert combing < 2  # as stored it is far more
    assert abs(int(middle[..., 0].argmax(1).mean()) - 36) <= 7  # the first half picture's moment


# What else is in the file


def test_the_track_that_plays_is_taken_not_a_thumbnail_before_it(tmp_path):
    """A still picture as the first track, which nothing marks as a thumbnail."""
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        still, moving = container.add_stream("mjpeg", rate=25), container.add_stream("libx264", rate=25)
        still.width, still.height, still.pix_fmt = 80, 80, "yuvj420p"
        moving.width, moving.height, moving.pix_fmt = 64, 48, "yuv420p"
        container.mux(
            still.encode(
                av.VideoFrame.from_ndarray(np.zeros((80, 80, 3), np.uint8), format="rgb24").reformat(format="yuvj420p")
            )
        )
        container.mux(still.encode(None))
        for _ in range(8):
            container.mux(moving.encode(av.VideoFrame.from_ndarray(np.full((48, 64, 3), 99, np.uint8), format="rgb24")))
        container.mux(moving.encode(None))
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4
    data[at + 3] &= 0xFE  # not enabled: not shown when the file plays
    path.write_bytes(data)
    with ClipReader(path) as reader:
        assert (reader.info.width, reader.info.height, reader.info.frames) == (64, 48, 8)
        assert len(list(reader)) == 8


def copy(source: Path, path: Path, encoding: Encoding, alpha: Callable[[np.ndarray], np.ndarray] | None = None) -> None:
    with ClipReader(source) as reader, ClipWriter(path, encoding, reader.info.width, reader.info.height, reader) as writer:
        for frame in reader:
            opacity = np.full(frame.image.shape[:2], 255, np.uint8) if alpha is None else alpha(frame.image)
            pixels = np.dstack([frame.image, opacity]) if encoding.has_alpha else frame.image
            writer.write(pixels, frame.pts, frame.duration)


@pytest.mark.slow
@pytest.mark.parametrize("encoding", [VP9_ALPHA_WEBM, PRORES_4444_MOV])
def test_alpha_of_a_clip_is_read_and_an_opaque_one_has_none(tmp_path, encoding):
    ramp = np.linspace(0, 255, 48).astype(np.uint8)[None].repeat(32, 0)
    source = write_clip(tmp_path / "a.mp4", [])
    copy(source, tmp_path / "b", encoding, lambda _: ramp)
    frames = read(tmp_path / "b")
    assert len(frames) == 10
    assert np.abs(frames[4].alpha.astype(int) - ramp).mean() < 2
    copy(source, tmp_path / "c", encoding)
    assert all(frame.alpha is None for frame in read(tmp_path / "c"))


def test_alpha_of_a_gif_is_read(tmp_path):
    frames = []
    for left in (0, 8):
        frame = Image.new("RGBA", (32, 24), (0, 0, 0, 0))
        frame.paste((200, 40, 40, 255), (left, 4, left + 16, 20))
        frames.append(frame)
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:], duration=100, disposal=2)
    seen = read(tmp_path / "a.gif")
    for frame, wanted in zip(seen, frames, strict=True):
        np.testing.assert_array_equal(frame.alpha, np.asarray(wanted)[..., 3])
        assert (frame.image[frame.alpha == 0] == 255).all()
        assert np.abs(frame.image[10, 12].astype(int) - (200, 40, 40)).max() < 8
