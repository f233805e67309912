"""FFmpeg's names for the containers of proxies, and what is special about some of them."""

from collections.abc import Mapping

from proxx_worker.contract.output_settings import Container

DEMUXERS: Mapping[Container, str] = {
    Container.MOV: "mov",
    Container.MP4: "mov",
    Container.MKV: "matroska",
    Container.WEBM: "webm",
    Container.MXF: "mxf",
}
"""The demuxer that reads each, by one of its names: `matroska,webm` is one demuxer with two."""

MUXERS: Mapping[Container, str] = {
    Container.MOV: "mov",
    Container.MP4: "mp4",
    Container.MKV: "matroska",
    Container.MXF: "mxf",
    Container.WEBM: "webm",
}

QUICKTIME = frozenset({Container.MOV, Container.MP4})

MATROSKA = frozenset({Container.MKV, Container.WEBM})
"""They count time in milliseconds and round the display size to whole pixels."""

MATROSKA_TICKS = 1000
"""Ticks per second: FFmpeg's muxer writes TimestampScale 1,000,000 ns."""
