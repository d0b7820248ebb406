"""The kinds of clips that are written, and what an encoder is told."""

from dataclasses import asdict, dataclass
from typing import Any

from matting.media.sound_plan import SoundTrack


@dataclass(frozen=True)
class Encoding:
    """How one kind of clip is stored.

    Attributes:
        container: name of the file format.
        codec, options: encoder and its settings.
        pixel_format: how pixels are stored; formats that begin with "yuva" keep alpha.
        container_options: settings of the container.
        audio_kept: sound codecs the container holds as they are.
        audio_codec: encoder for any other sound.
        square_pixels: whether an anamorphic clip is stretched to its true shape, as the container's writer cannot note it.
    """

    container: str
    codec: str
    pixel_format: str
    options: dict[str, str]
    container_options: dict[str, str]
    audio_kept: tuple[str, ...]
    audio_codec: str
    square_pixels: bool = False

    @property
    def has_alpha(self) -> bool:
        return self.pixel_format.startswith("yuva")


# No B-frames, so that every packet has the duration of its own frame and the last frame is as long as in the source.
H264_MP4 = Encoding(
    container="mp4",
    codec="libx264",
    pixel_format="yuv420p",
    options={"preset": "veryfast", "crf": "18", "bf": "0"},
    container_options={"movflags": "+faststart"},
    audio_kept=("aac", "mp3", "ac3", "eac3", "opus", "flac", "alac"),
    audio_codec="aac",
)
VP9_ALPHA_WEBM = Encoding(
    container="webm",
    codec="libvpx-vp9",
    pixel_format="yuva420p",
    options={"crf": "20", "b": "0", "deadline": "good", "cpu-used": "5", "row-mt": "1", "auto-alt-ref": "0"},
    container_options={},
    audio_kept=("opus", "vorbis"),
    audio_codec="libopus",
    square_pixels=True,
)
PRORES_4444_MOV = Encoding(
    container="mov",
    codec="prores_ks",
    pixel_format="yuva444p10le",
    options={"profile": "4", "alpha_bits": "16"},
    container_options={},
    audio_kept=("aac", "mp3", "ac3", "eac3", "alac", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_f32le"),
    audio_codec="aac",
)


@dataclass(frozen=True)
class EncoderSpec:
    """What is to be written, in plain values that can be sent to a helper process.

    Attributes:
        path: the file to make.
        name: what it is called in messages.
        encoding: container and codec.
        width, height: pixels of the frames that will be written.
        pixel_aspect, time_base, frame_rate: fractions as text.
        source: path of the clip whose sound is carried.
        sound: the track that is carried, or None.
        duration: of the source's pictures, in seconds.
    """

    path: str
    name: str
    encoding: Encoding
    width: int
    height: int
    pixel_aspect: str
    time_base: str
    frame_rate: str
    source: str
    sound: SoundTrack | None
    duration: float

    def plain(self) -> dict[str, Any]:
        """As `from_plain` takes it."""
        return {**asdict(self), "sound": self.sound and self.sound._asdict()}

    @classmethod
    def from_plain(cls, values: dict[str, Any]) -> "EncoderSpec":
        sound, encoding = values["sound"], values["encoding"]
        kept = Encoding(**{**encoding, "audio_kept": tuple(encoding["audio_kept"])})
        return cls(**{**values, "encoding": kept, "sound": sound and SoundTrack(**sound)})
