"""Files made to break a reader: known kinds, and valid files changed at random from a seed.

    python tests/hostile.py --files 2000 --seed 1

reads each with what reads uploads, in processes of their own, and prints how many ended in a result or in an error of ours.
"""

import argparse
import io
import json
import multiprocessing
import struct
import sys
import tempfile
import time
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import av
import numpy as np
import pillow_heif
from hostile_media import mutate_boxes, sounds, stated_files
from PIL import Image

pillow_heif.register_heif_opener()

SECONDS, MEMORY_GB = 10.0, 2.0
PHOTOS = ("png", "jpg", "webp", "gif", "tif", "heic", "avif")
CLIPS = ("mp4", "webm", "clip.gif")
WEIGHTS = ("safetensors",)
CLIP_ENDINGS = (".mp4", ".webm", ".clip.gif", ".mov", ".mkv", ".avi", ".ts")


def picture(mode: str = "RGB", size: tuple[int, int] = (61, 47)) -> Image.Image:
    noise = np.random.default_rng(0).integers(0, 256, (size[1], size[0], len(mode)), dtype=np.uint8)
    return Image.fromarray(noise.squeeze(), mode)


def encoded(kind: str, image: Image.Image | None = None, **options: object) -> bytes:
    buffer = io.BytesIO()
    (image or picture()).save(buffer, kind, **options)
    return buffer.getvalue()


def with_exif() -> bytes:
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "a description"
    return encoded("JPEG", exif=exif)


def clip(kind: str) -> bytes:
    codec, pixels = {"mp4": ("libx264", "yuv420p"), "webm": ("libvpx-vp9", "yuv420p"), "gif": ("gif", "rgb8")}[kind]
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=kind) as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, pixels
        for value in range(6):
            frame = np.full((48, 64, 3), 40 * value, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))
    return buffer.getvalue()


def weights() -> bytes:
    from matting.weights import locate

    return locate("bundled").read_bytes()


def valid_files() -> dict[str, bytes]:
    """One good file of each kind, by its ending."""
    frames = [picture("L"), picture("L").rotate(90)]
    return {
        "png": encoded("PNG", picture("RGBA")),
        "jpg": with_exif(),
        "webp": encoded("WEBP"),
        "gif": encoded("GIF", frames[0], save_all=True, append_images=frames[1:]),
        "tif": encoded("TIFF", compression="tiff_lzw"),
        "heic": encoded("HEIF"),
        "avif": encoded("AVIF"),
        "mp4": clip("mp4"),
        "webm": clip("webm"),
        "clip.gif": clip("gif"),
        "safetensors": weights(),
    }


def mutate(data: bytes, random: np.random.Generator, reach: int = 1 << 16) -> bytes:
    """Change a file in one to four places among its first `reach` bytes, where the headers are."""
    changed = bytearray(data)
    for _ in range(random.integers(1, 5)):
        place = int(random.integers(0, max(1, min(len(changed), reach))))
        kind = random.integers(0, 7)
        if kind == 0:
            changed[place : place + 1] = bytes([random.integers(0, 256)])
        elif kind == 1:
            changed[place : place + 4] = random.choice([b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\0\0\0\1"])
        elif kind == 2:
            del changed[place:]
        elif kind == 3:
            del changed[place : place + int(random.integers(1, 64))]
        elif kind == 4:
            changed[place:place] = random.bytes(int(random.integers(1, 64)))
        elif kind == 5:
            start = int(random.integers(0, max(1, len(changed))))
            changed[place:place] = changed[start : start + int(random.integers(1, 4096))]
        elif changed:
            changed[place % len(changed)] ^= 1 << random.integers(0, 8)
    return bytes(changed)


def mutants(count: int, seed: int, files: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """Names and contents; the kinds take turns, weights come seldom because one that is whole takes a second."""
    kinds = [*PHOTOS, *CLIPS] * 2 + [*WEIGHTS]
    for number in range(count):
        kind = kinds[number % len(kinds)]
        random = np.random.default_rng((seed, number))
        yield f"{number}.{kind}", mutate(files[kind], random, 90_000 if kind in WEIGHTS else 1 << 12)


def stated_mutants(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Files whose boxes of colour, rotation and alpha are changed; names and contents."""
    files = stated_files()
    kinds = [*files]
    for number in range(count):
        kind = kinds[number % len(kinds)]
        yield f"stated{number}.{kind}", mutate_boxes(files[kind], np.random.default_rng((seed, number, 1)))


def sound_mutants(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Clips with unusual sound, combinations as they are, and then any of them changed at random."""
    whole = [*sounds()]
    yield from whole[::4]  # over 400 of them
    for number in range(count):
        random = np.random.default_rng((seed, number, 2))
        name, data = whole[random.integers(len(whole))]
        changed = mutate_boxes(data, random) if random.random() < 0.5 else mutate(data, random, len(data))
        yield f"sound{number}-{name}", changed


def png(width: int, height: int, rows: bytes = b"") -> bytes:
    """A PNG that declares a size, whatever it holds."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def bmp(width: int, height: int) -> bytes:
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    return struct.pack("<2sIHHI", b"BM", 54 + len(info), 0, 0, 54) + info


def exif_loop() -> bytes:
    """A JPEG whose EXIF directory says that the next one is itself, and whose sub-directory is its parent."""
    entries = struct.pack("<HHII", 0x0112, 3, 1, 6) + struct.pack("<HHII", 0x8769, 4, 1, 8)
    tiff = b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", 2) + entries + struct.pack("<I", 8)
    body = b"Exif\0\0" + tiff
    data = encoded("JPEG")
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + data[2:]


def nan_tiff() -> bytes:
    values = np.full((40, 50), np.nan, np.float32)
    values[::2], values[1, 1] = np.inf, -np.inf
    return encoded("TIFF", Image.fromarray(values))


def zip_with(name: str, content: bytes, link: bool = False) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        entry = zipfile.ZipInfo(name)
        entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, (0o120777 << 16) if link else 0
        archive.writestr(entry, content)
    return buffer.getvalue()


def million_frames() -> bytes:
    """An MP4 whose table of times speaks of a million frames."""
    data = bytearray(clip("mp4"))
    place = data.index(b"stts") + 8
    data[place + 4 : place + 8] = struct.pack(">I", 1_000_000)
    size = data.index(b"stsz") + 12
    data[size : size + 4] = struct.pack(">I", 1_000_000)
    return bytes(data)


def endless_gif(frames: int = 200_000) -> bytes:
    """A GIF with as many frames as a small file can hold."""
    data = clip("gif")
    start = data.index(b"\x21\xf9\x04")
    frame = b"\x21\xf9\x04\x04\x01\0\0\0" + b"\x2c\0\0\0\0\1\0\1\0\0" + b"\x02\x02\x44\x01\0"
    return data[:start] + frame * frames + b";"


def safetensors(header: dict[str, object]) -> bytes:
    """A file with this header and no tensor."""
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text


def classics() -> dict[str, bytes]:
    """Well-known hostile files, by a name that says what they are."""
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/><script>alert(1)</script></svg>'
    playlist = b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
    concat = b"ffconcat version 1.0\nfile /etc/passwd\n"
    text_bomb = encoded("PNG")[:-12]
    packed = b"note\0\0" + zlib.compress(bytes(200_000_000), 9)
    text_bomb += struct.pack(">I", len(packed)) + b"zTXt" + packed + struct.pack(">I", zlib.crc32(b"zTXt" + packed))
    return {
        "bomb.png": png(7_100, 7_100, bytes(7_100 * 21_301)),
        "sixty_thousand.png": png(60_000, 60_000),
        "sixty_thousand.bmp": bmp(60_000, 60_000),
        "negative.bmp": bmp(-5, 7),
        "nothing.png": png(0, 0),
        "thin.png": png(1, 100_000, bytes(100_000 * 4)),
        "wide.png": png(100_000, 1, bytes(300_001)),
        "text_bomb.png": text_bomb + encoded("PNG")[-12:],
        "exif_loop.jpg": exif_loop(),
        "nan.tif": nan_tiff(),
        "page.gif": b"GIF89a/*" + b"\0" * 20 + b"*/=1;alert(1)//",
        "polyglot.jpg": with_exif() + zip_with("../../evil.sh", b"echo"),
        "script.png": encoded("PNG") + b"<script>alert(1)</script>",
        "drawing.svg": svg,
        "drawing.png": svg,
        "postscript.png": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) (r) file\n",
        "archive.jpg": zip_with("a.jpg", bytes(50_000_000)),
        "link.jpg": zip_with("a.jpg", b"/etc/passwd", link=True),
        "empty.jpg": b"",
        "playlist.mp4": playlist,
        "list.mp4": concat,
        "million.mp4": million_frames(),
        "endless.clip.gif": endless_gif(),
        "empty.mp4": b"",
        "link.pth": zip_with("archive/data.pkl", b"/etc/passwd", link=True),
        "bomb.pth": zip_with("archive/data/0", bytes(50_000_000)),
        "header.safetensors": struct.pack("<Q", 1 << 62) + b"{}",
        "deep.safetensors": safetensors({"__metadata__": {"config": "[" * 100_000}}),
        "long_header.safetensors": struct.pack("<Q", 99_999_999) + b" " * 1000,
    }


def reader_of(name: str) -> Callable[[Path], object]:
    """What reads an upload of this kind; ends in a result, or in `Problem` or ValueError."""
    if name.endswith(CLIP_ENDINGS):
        return read_clip
    if name.endswith((".safetensors", ".pth")):
        from matting.weights import load_model

        return load_model
    from matting.app.service import read_photo

    return read_photo


def read_clip(path: Path) -> int:
    """As the Clip tab does: ask what is wrong with it, then read all frames."""
    from matting.app.tabs.clip_work import find_problem
    from matting.media.reader import ClipReader

    problem = find_problem(path)
    if problem:
        raise ValueError(problem)
    with ClipReader(path) as reader:
        frames = sum(1 for _ in reader)
        return frames + len(reader.sound.notes)  # notes are no errors: the pictures are fine


def judge(path: Path) -> str:
    """ "result", "refused", or what went wrong."""
    from matting.app.errors import Problem
    from matting.evaluation.benchmark import peak_bytes

    began, peak = (time.perf_counter(), time.process_time()), peak_bytes()
    try:
        reader_of(path.name)(path)
        verdict = "result"
    except (Problem, ValueError):
        verdict = "refused"
    except Exception as error:  # noqa: BLE001 - every other kind is a finding
        return f"{type(error).__name__}: {error}"
    wall, busy = time.perf_counter() - began[0], time.process_time() - began[1]
    memory_gb = (peak_bytes() - peak) / 1e9
    if min(wall, busy) > SECONDS:
        return f"took {wall:.1f} s, {busy:.1f} s of them busy"
    return f"the process grew by {memory_gb:.2f} GB" if memory_gb > MEMORY_GB else verdict


def _work(folder: Path, names: list[str], pipe: Connection) -> None:
    """Judge files; what is imported takes time of its own, so the first message is that it has been."""
    from matting.app.errors import Problem  # noqa: F401
    from matting.evaluation.benchmark import peak_bytes  # noqa: F401

    reader_of("a.png"), reader_of("a.pth")
    pipe.send(None)
    for name in names:
        pipe.send((name, None))
        began = time.perf_counter()
        pipe.send((name, (judge(folder / name), time.perf_counter() - began)))


def judge_all(folder: Path, names: list[str]) -> dict[str, tuple[str, float]]:
    """Verdict and seconds of each file; a process that dies takes only the file at hand with it."""
    verdicts: dict[str, tuple[str, float]] = {}
    context = multiprocessing.get_context("spawn")
    while left := [name for name in names if name not in verdicts]:
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_work, args=(folder, left, theirs))
        process.start()
        theirs.close()
        name = left[0]
        try:
            ours.recv()
            while True:
                if not ours.poll(60 + 6 * SECONDS):
                    process.kill()
                    raise EOFError
                name, verdict = ours.recv()
                if verdict:
                    verdicts[name] = verdict
        except EOFError:
            process.join()
            if name not in verdicts:
                verdicts[name] = (f"the process ended with {process.exitcode}", 0.0)
    return verdicts


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="where to put the files that went wrong")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        share = options.files // 5
        contents = {**classics(), **dict(mutants(options.files - 2 * share, options.seed, valid_files()))}
        contents |= {**dict(stated_mutants(share, options.seed)), **dict(sound_mutants(share, options.seed))}
        for name, data in contents.items():
            (folder / name).write_bytes(data)
        del contents
        before = {path.name for path in folder.iterdir()}
        verdicts = judge_all(folder, sorted(before))
        wrong = {name: verdict for name, (verdict, _) in verdicts.items() if verdict not in ("result", "refused")}
        stray = {path.name for path in folder.iterdir()} - before
        if options.keep:
            options.keep.mkdir(exist_ok=True)
            for name in wrong:
                (options.keep / name).write_bytes((folder / name).read_bytes())
    kinds = Counter((name.rpartition(".")[2], verdict) for name, (verdict, _) in verdicts.items() if name not in wrong)
    for (kind, verdict), count in sorted(kinds.items()):
        print(f"{kind:14}{verdict:10}{count:6}")
    slow = sorted(verdicts, key=lambda name: -verdicts[name][1])[:3]
    slowest = ", ".join(f"{name} in {verdicts[name][1]:.1f} s" for name in slow)
    print(f"{len(verdicts)} files, the slowest {slowest}; {len(wrong)} went wrong")
    print(json.dumps({**wrong, **dict.fromkeys(stray, "was written")}, indent=1) if wrong or stray else "nothing else written")
    return 1 if wrong or stray else 0


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    sys.exit(main())
