"""Carry the sound of a clip into another container, copied where it fits and is steady, encoded anew where not."""

import math
from collections.abc import Generator, Iterator
from typing import Any

import av

from matting.media.decoder import open_source, reason_of, start_of
from matting.media.encoding import Encoding
from matting.media.sound import DecodedTrack, steady_sound
from matting.media.sound_plan import SoundTrack

_USUAL_RATE = 48000  # samples per second; Opus knows only this and its fractions
_AAC_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000)
_SPARE_S = 60.0  # that sound may go on after the pictures have ended


class AudioCarrier:
    """Puts a sound track of `source` into `container` piece by piece, so that sound and pictures interleave.

    Args:
        path: the clip whose sound is wanted.
        container: an output container to which no packet has been written yet.
        encoding: which codecs the container holds as they are, and the encoder for all others.
        track: what is carried, or None.
        duration: of the pictures, in seconds.

    Attributes:
        problem: why the sound ends before its end, or an empty text.
    """

    def __init__(self, path: str, container: Any, encoding: Encoding, track: SoundTrack | None, duration: float):
        self.problem = ""
        self._out, self._source = container, None if track is None else open_source(path)
        try:
            self._packets = self._nothing()
            if self._source is not None and track is not None:
                self._packets = self._carried_packets(self._source, encoding, track, duration)
            self._next = self._advance()
        except BaseException:
            self.close()
            raise

    def carry_until(self, seconds: float) -> None:
        """Write all sound that begins at or before this time of the clip."""
        while self._next is not None and _begin(self._next) <= seconds:
            try:
                self._out.mux(self._next)
            except av.error.ArgumentError as error:  # the packet's own fault, not the disk's
                self.problem, self._next = f"its sound ends early: {reason_of(error)}", None
                return
            self._next = self._advance()

    def close(self) -> None:
        """Stop reading the source; sound not yet carried stays out."""
        if self._source is not None:
            self._source.close()

    def _advance(self) -> "av.Packet | None":
        try:
            return next(self._packets, None)
        except (av.FFmpegError, ValueError) as error:
            self.problem = f"its sound ends early: {error}"
            return None

    def _carried_packets(
        self, source: Any, encoding: Encoding, track: SoundTrack, duration: float
    ) -> Generator["av.Packet", None, None]:
        """Set up the output stream and return the packets to be written, in order."""
        stream: Any = source.streams[track.stream]
        if track.steady and track.codec in encoding.audio_kept:
            return self._copied(source, stream, self._out.add_stream_from_template(stream))
        rate = track.rate if encoding.audio_codec == "aac" and track.rate in _AAC_RATES else _USUAL_RATE
        layout = "mono" if track.channels == 1 else "stereo"
        made = self._out.add_stream(encoding.audio_codec, rate=rate, layout=layout)
        sound = steady_sound(DecodedTrack(source, track.stream), rate, layout, start_of(source), duration + _SPARE_S)
        return self._encoded(made, sound)

    def _nothing(self) -> Generator["av.Packet", None, None]:
        yield from ()

    def _copied(self, source: Any, track: Any, stream: Any) -> Generator["av.Packet", None, None]:
        start, last = start_of(source), -math.inf
        for packet in source.demux(track):
            if packet.size and packet.pts is not None:
                late = round(start / packet.time_base)
                packet.pts, packet.dts = packet.pts - late, None if packet.dts is None else packet.dts - late
                if packet.dts is not None and packet.dts <= last:
                    continue  # time that goes back: containers refuse it
                last = last if packet.dts is None else packet.dts
                packet.stream = stream
                yield packet

    def _encoded(self, stream: Any, sound: Iterator[av.AudioFrame]) -> Generator["av.Packet", None, None]:
        for frame in sound:
            yield from stream.encode(frame)
        yield from stream.encode(None)


def _begin(packet: "av.Packet") -> float:
    """Seconds at which a packet begins; one without a time stamp follows the packet before it at once."""
    return float((packet.pts or 0) * packet.time_base)
