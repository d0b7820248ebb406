"""Frame reader and writers (PyAV)."""

from matting.video.reader import CLIP_SUFFIXES, ClipInfo, ClipReader, Frame
from matting.video.writer import H264_MP4, PRORES_4444_MOV, VP9_ALPHA_WEBM, ClipWriter, Encoding, PartFile

__all__ = [
    "CLIP_SUFFIXES",
    "H264_MP4",
    "PRORES_4444_MOV",
    "VP9_ALPHA_WEBM",
    "ClipInfo",
    "ClipReader",
    "ClipWriter",
    "Encoding",
    "Frame",
    "PartFile",
]
