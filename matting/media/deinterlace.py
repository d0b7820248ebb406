"""Interlaced frames made whole: each keeps its time, and its two half pictures, taken at different moments, become one."""

from collections.abc import Iterable, Iterator
from typing import cast

import av
import av.filter
from av.error import BlockingIOError as NotYet


def deinterlaced(frames: Iterable[av.VideoFrame]) -> Iterator[av.VideoFrame]:
    """The frames in order, those marked as interlaced filtered with bwdif; as long as none is, they pass as they are."""
    graph, form = None, None
    for frame in frames:
        if graph is not None and form != _form(frame):
            yield from _drain(graph)
            graph, form = None, None
        if graph is None and frame.interlaced_frame:
            graph, form = _build_graph(frame), _form(frame)
        if graph is None:
            yield frame
        else:
            graph.push(frame)
            yield from _ready(graph)
    if graph is not None:
        yield from _drain(graph)


def _form(frame: av.VideoFrame) -> tuple[int, int, str]:
    return frame.width, frame.height, frame.format.name


def _build_graph(frame: av.VideoFrame) -> "av.filter.Graph":
    graph = av.filter.Graph()
    source = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base)
    graph.link_nodes(source, graph.add("bwdif", "mode=send_frame:deint=interlaced"), graph.add("buffersink")).configure()
    return graph


def _ready(graph: "av.filter.Graph") -> Iterator[av.VideoFrame]:
    while True:
        try:
            yield cast(av.VideoFrame, graph.pull())
        except (NotYet, av.EOFError):
            return


def _drain(graph: "av.filter.Graph") -> Iterator[av.VideoFrame]:
    graph.push(None)
    yield from _ready(graph)
