"""More files made to break a reader: sound in every codec, layout, rate and container, and the boxes that say how pictures lie
and what their numbers mean, changed at random."""

import io
import struct
import zlib
from collections.abc import Iterator
from fractions import Fraction
from itertools import product

import av
import numpy as np
import pillow_heif
from PIL import Image

pillow_heif.register_heif_opener()

CODECS = ("pcm_s16le", "pcm_s24le", "pcm_f32le", "pcm_u8", "aac", "mp2", "libmp3lame", "ac3", "eac3", "flac", "alac", "libopus")
LAYOUTS = ("mono", "stereo", "3.0", "quad", "5.1", "6.1", "7.1", "octagonal")
RATES = (8000, 32000, 44100, 48000, 96000)
CONTAINERS = ("mov", "mp4", "mkv", "avi", "ts")
_FORMATS = {"mkv": "matroska", "ts": "mpegts"}
# Orders of channels that QuickTime has and FFmpeg calls custom.
_ORDERS = [(tag << 16) | count for tag, count in ((122, 6), (124, 6), (125, 7), (126, 8), (127, 8), (128, 8), (133, 4))]
BOXES = (
    b"colr",
    b"nclx",
    b"irot",
    b"imir",
    b"tkhd",
    b"elst",
    b"chan",
    b"wave",
    b"stsd",
    b"esds",
    b"auxC",
    b"ipma",
    b"pixi",
    b"ispe",
)
BOXES += (b"cICP", b"gAMA", b"cHRM", b"iCCP", b"tRNS", b"eXIf", b"Exif", b"ICC_PROFILE", b"ALPH", b"VP8X", b"acsp", b"A2B0")


def sounds() -> Iterator[tuple[str, bytes]]:
    """Clips with one picture and a sound track, for every combination that can be written: over 300 of them."""
    for codec, layout, rate, container in product(CODECS, LAYOUTS, RATES, CONTAINERS):
        data = _with_sound(codec, layout, rate, container)
        if data is None:
            continue
        yield f"{codec}-{layout}-{rate}.{container}", data
        if b"chan" in data:
            order = _ORDERS[(rate // 1000 + len(layout)) % len(_ORDERS)]
            at = data.index(b"chan") + 8
            yield f"{codec}-{layout}-{rate}-order.{container}", data[:at] + struct.pack(">II", order, 0) + data[at + 8 :]


def _with_sound(codec: str, layout: str, rate: int, container: str) -> bytes | None:
    buffer = io.BytesIO()
    channels = av.AudioLayout(layout).nb_channels
    try:
        with av.open(buffer, "w", format=_FORMATS.get(container, container)) as output:
            video = output.add_stream("mpeg4", rate=10)
            video.width, video.height, video.pix_fmt = 32, 32, "yuv420p"
            sound = output.add_stream(codec, rate=rate, layout=layout)
            samples = np.zeros((1, 2000 * channels), np.int16)
            samples[0, ::7] = 3000
            frame = av.AudioFrame.from_ndarray(samples, format="s16", layout=layout)
            frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
            packets = [*sound.encode(frame), *sound.encode(None)]
            for _ in range(2):
                output.mux(video.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")))
            output.mux(video.encode(None))
            output.mux(packets)
    except (av.FFmpegError, ValueError):
        return None  # the codec does not know the rate or layout, or the container the codec
    return buffer.getvalue()


def stated_files() -> dict[str, bytes]:
    """Good files full of boxes that say how they lie, what their colours are and that they have an alpha."""
    colours = np.random.default_rng(0).integers(0, 256, (40, 56, 4), np.uint8)
    layer, opaque = Image.fromarray(colours), Image.fromarray(colours[..., :3].copy())
    chunks = [
        (b"cICP", bytes((9, 16, 0, 1))),
        (b"gAMA", struct.pack(">I", 45455)),
        (b"cHRM", struct.pack(">8I", *range(30000, 38000, 1000))),
    ]
    png = _saved(layer, "PNG")
    stated = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
    exif = Image.Exif()
    exif[0x0112] = 7
    return {
        "png": _mended(png[:33] + stated + png[33:]),
        "webp": _saved(layer, "WEBP", exif=exif),
        "heic": _saved(opaque, "HEIF", color_primaries=12, transfer_characteristics=18),
        "avif": _saved(layer, "AVIF", exif=exif),
        "tif": _saved(layer, "TIFF", exif=exif),
        "mp4": _turned("mp4"),
        "mov": _turned("mov"),
        "webm": _transparent(),
    }


def _saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def _turned(container: str) -> bytes:
    """HDR, with a display matrix."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as output:
        stream = output.add_stream("libx265", rate=10, options={"x265-params": "log-level=none"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p10le"
        context = stream.codec_context
        context.colorspace, context.color_primaries, context.color_trc, context.color_range = 9, 9, 18, 1
        for value in (1000, 30_000):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), value, np.uint16), format="rgb48le")
            output.mux(stream.encode(frame.reformat(format="yuv420p10le")))
        output.mux(stream.encode(None))
    data = bytearray(buffer.getvalue())
    at = data.index(b"tkhd") + 44
    data[at : at + 36] = struct.pack(">9i", 0, 1 << 16, 0, 1 << 16, 0, 0, 0, 0, 1 << 30)
    return bytes(data)


def _transparent() -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="webm") as output:
        stream = output.add_stream("libvpx-vp9", rate=10, options={"auto-alt-ref": "0", "cpu-used": "8"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuva420p"
        for value in (90, 190):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 4), value, np.uint8), format="rgba")
            output.mux(stream.encode(frame.reformat(format="yuva420p")))
        output.mux(stream.encode(None))
    return buffer.getvalue()


def mutate_boxes(data: bytes, random: np.random.Generator) -> bytes:
    """Change one to six bytes or words in or right behind boxes that state something; checksums of PNG are mended."""
    changed = bytearray(data)
    places = [at for name in BOXES for at in _all_of(data, name)] or [0]
    for _ in range(random.integers(1, 7)):
        at = int(random.choice(places)) + int(random.integers(-4, 48))
        if not 0 <= at < len(changed):
            continue
        if random.random() < 0.5:
            changed[at] = random.integers(0, 256)
        else:
            word = [b"\0\0\0\0", b"\xff\xff\xff\xff", b"\0\1\0\0", b"\x80\0\0\0", b"\0\0\0\x12"][random.integers(5)]
            changed[at : at + 4] = word
    return _mended(bytes(changed)) if data[:4] == b"\x89PNG" else bytes(changed)


def _all_of(data: bytes, name: bytes) -> Iterator[int]:
    at = data.find(name)
    while at >= 0:
        yield at
        at = data.find(name, at + 1)


def _mended(data: bytes) -> bytes:
    """A PNG with right checksums as far as its lengths lead."""
    changed, at = bytearray(data), 8
    while at + 12 <= len(changed):
        (length,) = struct.unpack_from(">I", changed, at)
        if at + 12 + length > len(changed):
            break
        struct.pack_into(">I", changed, at + 8 + length, zlib.crc32(changed[at + 4 : at + 8 + length]))
        at += 12 + length
    return bytes(changed)
