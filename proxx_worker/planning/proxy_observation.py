"""What was seen of a finished proxy: one ffprobe process decodes all of it and reports streams, container and every frame."""

import re
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

# As many digits as FFmpeg's 64 bits have, so that no other number can break an array or Python's own limit.
_INTEGER = re.compile(r"-?[0-9]{1,18}")
_RATIO = re.compile(r"(-?[0-9]{1,18})(?:[/:]([0-9]{1,18}))?")
_NOT_SAID = frozenset({"", "N/A", "unknown", "unspecified", "und"})

FORMAT_ENTRIES = "format=format_name,start_time,duration:format_tags=timecode,TIMECODE,reel_name,REEL_NAME"
STREAM_ENTRIES = (
    "stream=index,codec_type,codec_name,profile,codec_tag_string,width,height,pix_fmt,sample_aspect_ratio,field_order,r_frame_rate,"
    "avg_frame_rate,time_base,start_pts,duration_ts,color_range,color_space,color_transfer,color_primaries,sample_rate,channels,"
    "channel_layout:stream_tags=timecode,reel_name,DURATION:stream_side_data=side_data_type,rotation"
)
FRAME_ENTRIES = (
    "frame=stream_index,pts,nb_samples,sample_aspect_ratio,interlaced_frame,top_field_first,color_range,color_space,"
    "color_primaries,color_transfer"
)


@dataclass(frozen=True, slots=True)
class ProxyObservation:
    """One finished ffprobe process: its exit code (negative for a signal), its output and its complaints."""

    exit_code: int
    stdout: bytes
    stderr: str


@dataclass(slots=True)
class StreamReport:
    """One stream of the proxy: ffprobe's `fields`, the time of each decoded frame in ticks (`times`), decoded `samples` per channel,
    and each distinct set of what the bitstream says of its frames (`looks`)."""

    fields: Mapping[str, str]
    times: "array[int]" = field(default_factory=lambda: array("q"))
    samples: int = 0
    frames: int = 0
    looks: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def text(self, key: str) -> str | None:
        """A field as text; None where ffprobe does not know."""
        value = self.fields.get(key)
        return None if value is None or value in _NOT_SAID else value

    def ratio(self, key: str) -> Fraction | None:
        """A field like `30000/1001` or `16:9`; None where it is unknown, zero or undefined."""
        return ratio(self.fields.get(key))

    def integer(self, key: str) -> int | None:
        """A whole number; None where it is unknown."""
        value = self.ratio(key) if self.fields.get(key) != "0" else Fraction(0)
        return None if value is None else int(value)

    def look(self, key: str) -> str | None:
        """What all frames of the bitstream say of `key`; None where they do not say, or do not agree."""
        values = {look.get(key, "") for look in self.looks.values()}
        value = values.pop() if len(values) == 1 else ""
        return None if value in _NOT_SAID else value


@dataclass(frozen=True, slots=True)
class ProxyReport:
    """The parsed output: the container's fields and the streams in order."""

    container: Mapping[str, str]
    streams: tuple[StreamReport, ...]

    def of_type(self, kind: str) -> tuple[StreamReport, ...]:
        """The streams of one kind (`video`, `audio`, `data`), in order."""
        return tuple(stream for stream in self.streams if stream.fields.get("codec_type") == kind)


def ratio(text: str | None) -> Fraction | None:
    """Parse `a/b`, `a:b` or `a`; None for anything else, for zero and for a zero denominator."""
    if text is None:
        return None
    match = _RATIO.fullmatch(text)
    denominator = 0 if match is None else int(match[2] or "1")
    if match is None or denominator == 0:
        return None
    return Fraction(int(match[1]), denominator) or None


def parse_proxy(stdout: bytes) -> ProxyReport:
    """Read ffprobe's compact output. Frames come before their streams; lines that are neither are passed over."""
    reports: dict[str, StreamReport] = {}
    container: Mapping[str, str] = {}
    order: list[StreamReport] = []
    for raw in stdout.split(b"\n"):
        section, _, rest = raw.decode(errors="replace").partition("|")
        if section == "frame":
            _frame(reports, rest)
        elif section == "stream":
            fields = _fields(rest)
            report = reports.setdefault(fields.get("index", ""), StreamReport({}))
            report.fields = fields
            order.append(report)
        elif section == "format":
            container = _fields(rest)
    return ProxyReport(container, tuple(order))


def _frame(reports: dict[str, StreamReport], text: str) -> None:
    fields = _fields(text)
    report = reports.setdefault(fields.get("stream_index", ""), StreamReport({}))
    report.frames += 1
    time = fields.get("pts", "")
    if _INTEGER.fullmatch(time):
        report.times.append(int(time))
    samples = fields.get("nb_samples")
    if samples is not None and _INTEGER.fullmatch(samples):
        report.samples += int(samples)
        return
    look = "|".join(part for part in text.split("|") if not part.startswith("pts="))
    if look not in report.looks:
        report.looks[look] = fields


def _fields(text: str) -> dict[str, str]:
    return {key: value for key, separator, value in (part.partition("=") for part in text.split("|")) if separator}
