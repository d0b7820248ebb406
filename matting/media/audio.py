"""Copy the audio of a clip into another container; re-encoded if the container does not support its codec."""

from collections.abc import Generator

import av

from matting.media.reader import start_of

_USUAL_RATE = 48000  # samples per second; Opus supports only this and its fractions
_AAC_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000)


class AudioCarrier:
    """Copies the first audio track of `source` into `container` step by step, so that audio and video packets interleave.

    A source without audio is allowed: nothing is copied.

    Args:
        source: the clip, as an input container of its own; closed by `close`.
        container: an output container to which no packet has been written yet.
        kept_codecs: names of the codecs that are copied without re-encoding.
        fallback_codec: encoder for audio in any other codec.
    """

    def __init__(
        self,
        source: "av.container.InputContainer",
        container: "av.container.OutputContainer",
        kept_codecs: tuple[str, ...],
        fallback_codec: str,
    ):
        self._source, self._out, self._start = source, container, start_of(source)
        try:
            self._packets = self._carried_packets(kept_codecs, fallback_codec)
            self._next = next(self._packets, None)
        except BaseException:
            self._source.close()
            raise

    def carry_until(self, seconds: float) -> None:
        """Write all audio packets that begin at or before this time of the clip."""
        while self._next is not None and _begin(self._next) <= seconds:
            self._out.mux(self._next)
            self._next = next(self._packets, None)

    def close(self) -> None:
        """Stop reading the source; audio not yet copied is dropped."""
        self._packets.close()
        self._source.close()

    def _carried_packets(self, kept_codecs: tuple[str, ...], fallback_codec: str) -> Generator[av.Packet, None, None]:
        """Set up the output stream and return the packets to be written, in order."""
        if not self._source.streams.audio:
            return self._nothing()
        track = self._source.streams.audio[0]
        if track.codec_context.codec.canonical_name in kept_codecs:
            return self._copied(track, self._out.add_stream_from_template(track))
        rate = track.rate if fallback_codec == "aac" and track.rate in _AAC_RATES else _USUAL_RATE
        layout = "mono" if track.channels == 1 else "stereo"
        stream = self._out.add_stream(fallback_codec, rate=rate, layout=layout)
        if not isinstance(stream, av.AudioStream):
            raise ValueError(f"expected an encoder for sound, got {fallback_codec}")
        return self._encoded(track, stream)

    def _nothing(self) -> Generator[av.Packet, None, None]:
        yield from ()

    def _copied(
        self, track: "av.audio.stream.AudioStream", stream: "av.audio.stream.AudioStream"
    ) -> Generator[av.Packet, None, None]:
        for packet in self._source.demux(track):
            if packet.size and packet.pts is not None:
                late = round(self._start / packet.time_base)
                packet.pts, packet.dts = packet.pts - late, None if packet.dts is None else packet.dts - late
                packet.stream = stream
                yield packet

    def _encoded(
        self, track: "av.audio.stream.AudioStream", stream: "av.audio.stream.AudioStream"
    ) -> Generator[av.Packet, None, None]:
        for frame in self._source.decode(track):
            if frame.pts is not None and frame.time_base is not None:
                frame.pts -= round(self._start / frame.time_base)
            yield from stream.encode(frame)
        yield from stream.encode(None)


def _begin(packet: av.Packet) -> float:
    """Seconds at which a packet begins; 0 for one without a time stamp, so that it is written at once."""
    return float((packet.pts or 0) * packet.time_base)
