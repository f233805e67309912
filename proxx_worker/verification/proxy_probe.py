"""The probe of a finished proxy: one ffprobe process that decodes it and reports container, streams and every frame."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from proxx_worker.media.ffmpeg_words import Meaning, says, without_addresses
from proxx_worker.media.ffprobe_json import read_ratio
from proxx_worker.media.integers import Integers
from proxx_worker.planning.containers import DEMUXERS
from proxx_worker.planning.expectation import Expectation
from proxx_worker.verification.damage_places import MOST_PLACES
from proxx_worker.verification.first_pictures import FirstPictures

# No more digits than 64 bits hold, so that no number overflows an array or Python's own limit.
_INTEGER = re.compile(r"-?[0-9]{1,18}")
# The escapes of ffprobe's compact writer (fftools/ffprobe.c, c_escape_str): a reel name may contain the separator.
_ESCAPED_PART = re.compile(r"(?:[^|\\]|\\.?)+", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED_CONTROLS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r"}
_MANY_VARIANTS = 64
_FRAME = re.compile(rb"frame\|stream_index=([0-9]{1,9})\|pts=(-?[0-9]{1,18})\|(.*)")
# What makes a frame's line unique in more than its time.
_OF_ITS_OWN = (b"side_dat", b"pts=", b"stream_index=")
_MAX_LINE = 1 << 20
_SIDE_DATA = "side_data"
_SIDE_DATUM = re.compile(r"side_datum/([^:]*):")
"""How ffprobe's compact writer marks side data: up to 6 with a bare `side_data` before its fields, which may also start a line of
its own; from 7 on with a prefix of each field (`side_datum/display_matrix:rotation=-90`)."""

_NOT_SAID = frozenset({"", "N/A", "unknown", "unspecified", "und"})

FORMAT_ENTRIES = "format=format_name,start_time,duration:format_tags=timecode,TIMECODE,reel_name,REEL_NAME"
STREAM_ENTRIES = (
    "stream=index,codec_type,codec_name,profile,codec_tag_string,width,height,pix_fmt,sample_aspect_ratio,field_order,r_frame_rate,"
    "avg_frame_rate,time_base,start_pts,duration_ts,color_range,color_space,color_transfer,color_primaries,sample_rate,channels,"
    "channel_layout,initial_padding:stream_tags=timecode,reel_name,DURATION:stream_side_data=side_data_type,rotation,displaymatrix"
)
FRAME_ENTRIES = (
    "frame=stream_index,pts,nb_samples,sample_aspect_ratio,interlaced_frame,top_field_first,color_range,color_space,"
    "color_primaries,color_transfer"
)
HDR_ENTRIES = (
    "frame_side_data=red_x,red_y,green_x,green_y,blue_x,blue_y,white_point_x,white_point_y,min_luminance,max_luminance,"
    "max_content,max_average"
)
"""Requested only if the source has such metadata, as it is repeated for every frame."""

_HDR_FIELDS = frozenset(HDR_ENTRIES.partition("=")[2].split(","))

LENGTH_ENTRIES = "frame=pkt_duration,duration"
"""Requested only if audio is copied: each frame's duration, which has another name from FFmpeg 6 on."""

_MOST_STREAMS = 1000
"""FFmpeg's own limit (`-max_streams`): an ffprobe that has been taken over may report any number."""

_LENGTHS = ("pkt_duration", "duration")
_OF_ONE_FRAME = frozenset({"pts", *_LENGTHS})


def proxy_probe_argv(ffprobe: str, path: str, expected: Expectation) -> list[str]:
    """The command that probes a proxy: it decodes every frame and reports frame times, streams and container."""
    video = expected.video
    has_hdr = video.mastering_display is not None or video.content_light is not None
    copies = any(stream.copied_from is not None for stream in expected.audio or ())
    more = (*((HDR_ENTRIES,) if has_hdr else ()), *((LENGTH_ENTRIES,) if copies else ()))
    entries = (FORMAT_ENTRIES, STREAM_ENTRIES, FRAME_ENTRIES, *more)
    return [
        ffprobe, "-hide_banner", "-v", "error", "-protocol_whitelist", "file",
        "-f", DEMUXERS[expected.container], "-threads", "auto",
        "-show_entries", ":".join(entries),
        "-of", "compact", "-i", f"file:{path}",
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class ProxyObservation:
    """One finished ffprobe process: its exit code (negative for a signal), its report, and its standard error.

    `first_pictures`: of interlaced H.264, what its pictures say of their fields.
    """

    exit_code: int
    report: "ProxyReport"
    stderr: str
    first_pictures: FirstPictures | None = None

    @property
    def complaints(self) -> tuple[str, ...]:
        """The lines on standard error without addresses, except those known to be harmless."""
        lines = (without_addresses(line).strip() for line in self.stderr.splitlines())
        return tuple(line for line in lines if line and not says(Meaning.HARMLESS, line))


@dataclass(slots=True)
class StreamReport:
    """One stream of the proxy.

    `fields`: ffprobe's; `side_data`: the fields of each kind of side data. `times`: of each decoded frame, in ticks. `samples`:
    decoded, per channel. `frame_variants`: each distinct set of frame properties, up to a limit. `static_hdr`: the HDR metadata
    of the latest frame that has any.

    `sizes`: samples of each decoded audio frame. For audio frames with a duration, in ticks: `end`, when the last one ends;
    `holes`, where one is missing between two others, the first `MOST_PLACES`; `more_holes`: how many further ones there are.
    """

    fields: Mapping[str, str]
    side_data: tuple[Mapping[str, str], ...] = ()
    times: Integers = field(default_factory=Integers)
    samples: int = 0
    sizes: Integers = field(default_factory=Integers)
    frames: int = 0
    frame_variants: dict[str, Mapping[str, str]] = field(default_factory=dict)
    static_hdr: dict[str, str] = field(default_factory=dict)
    end: int | None = None
    holes: list[int] = field(default_factory=list)
    more_holes: int = 0

    def text(self, key: str) -> str | None:
        """A field as text; None if ffprobe does not know it."""
        value = self.fields.get(key)
        return None if value is None or value in _NOT_SAID else value

    def ratio(self, key: str) -> Fraction | None:
        """A field like `30000/1001` or `16:9`; None if it is unknown, zero or undefined."""
        return read_ratio(self.fields.get(key))

    def integer(self, key: str) -> int | None:
        """A field as an integer; None if it is unknown."""
        return _integer(self.fields, key)

    def add_audio_frame(self, time: int | None, samples: int, length: int | None) -> None:
        """Add an audio frame of `length` ticks: record its end, and a gap between it and the frame before."""
        self.samples += samples
        self.sizes.append(samples)
        if time is None or length is None:
            return
        if self.end is not None and time > self.end:
            if len(self.holes) < MOST_PLACES:
                self.holes.append(self.end)
            else:
                self.more_holes += 1
        self.end = time + length

    def says(self, key: str) -> bool:
        """Whether all frames report this key."""
        return all(key in variant for variant in self.frame_variants.values())

    def frame_value(self, key: str) -> str | None:
        """The value of `key` that all frames share; None if it is unknown or they differ."""
        if len(self.frame_variants) >= _MANY_VARIANTS:
            return None
        values = {variant.get(key, "") for variant in self.frame_variants.values()}
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


class ProxyReader:
    """Parses ffprobe's compact output as it arrives, keeping only the time of each frame, and how many samples it has.

    Frames come before their streams; other lines are ignored. `pause` is called in every later pass over these, as in `Integers`.
    """

    def __init__(self, pause: Callable[[], object] = bool) -> None:
        """Starts empty."""
        self._pause = pause
        self._partial = b""
        self._reports: dict[str, StreamReport] = {}
        self._container: Mapping[str, str] = {}
        self._order: list[StreamReport] = []
        self._last: StreamReport | None = None
        self._last_is_frame = False
        # Nearly all frames of a stream differ only in their time, so the rest of such a line is parsed once.
        self._usual: dict[tuple[bytes, bytes], tuple[StreamReport, int | None, int | None]] = {}

    def feed(self, data: bytes) -> None:
        """Parse the next bytes."""
        *lines, self._partial = (self._partial + data).split(b"\n")
        for line in lines:
            self._line(line)
        if len(self._partial) > _MAX_LINE:
            self._partial = b""  # not from ffprobe; the rest of the line is not a section either

    def finish(self) -> ProxyReport:
        """The report, after all output was fed."""
        self._line(self._partial)
        self._partial = b""
        return ProxyReport(self._container, tuple(self._order))

    def _line(self, line: bytes) -> None:
        frame = _FRAME.fullmatch(line)
        known = None if frame is None else self._usual.get((frame[1], frame[3]))
        if frame is None or known is None:
            self._section(line)
            if frame is not None:
                self._remember(frame)
            return
        report, samples, length = known
        time = int(frame[2])
        report.frames += 1
        report.times.append(time)
        if samples is not None:
            report.add_audio_frame(time, samples, length)
        self._last, self._last_is_frame = report, True

    def _remember(self, frame: "re.Match[bytes]") -> None:
        rest = frame[3]
        if self._last is not None and len(self._usual) < _MANY_VARIANTS and not any(word in rest for word in _OF_ITS_OWN):
            fields, _ = _split(rest.decode(errors="replace"))
            self._usual[frame[1], rest] = self._last, _integer(fields, "nb_samples"), _integer(fields, *_LENGTHS)

    def _section(self, line: bytes) -> None:
        section, _, rest = line.decode(errors="replace").partition("|")
        if section == "frame":
            self._frame(rest)
        elif section == "stream":
            self._stream(rest)
        elif section == _SIDE_DATA:
            self._side_data(*_split(f"{_SIDE_DATA}|{rest}")[1])
        elif section == "format":
            self._container = _split(rest)[0]

    def _stream(self, text: str) -> None:
        fields, side_data = _split(text)
        report = self._report(fields.get("index", ""))
        if report is None:
            return
        report.fields, report.side_data = fields, side_data
        # Programs and stream groups come first and repeat their streams with fewer fields: the last occurrence counts.
        self._order = [*(other for other in self._order if other is not report), report]
        self._last, self._last_is_frame = report, False

    def _frame(self, text: str) -> None:
        fields, side_data = _split(text)
        report = self._report(fields.get("stream_index", ""))
        if report is None:
            return
        report.frames += 1
        self._last, self._last_is_frame = report, True
        time, samples = _integer(fields, "pts"), _integer(fields, "nb_samples")
        if time is not None:
            report.times.append(time)
        if samples is not None:
            report.add_audio_frame(time, samples, _integer(fields, *_LENGTHS))
            return
        self._side_data(*side_data)
        variant = "|".join(f"{key}={value}" for key, value in fields.items() if key not in _OF_ONE_FRAME)
        if variant not in report.frame_variants and len(report.frame_variants) < _MANY_VARIANTS:
            report.frame_variants[variant] = fields

    def _report(self, index: str) -> StreamReport | None:
        """The stream with this index; None if it is one of more than FFmpeg reads."""
        if index not in self._reports and len(self._reports) >= _MOST_STREAMS:
            return None
        series = (Integers(pause=self._pause), Integers(pause=self._pause))
        return self._reports.setdefault(index, StreamReport({}, times=series[0], sizes=series[1]))

    def _side_data(self, *side_data: Mapping[str, str]) -> None:
        """Add side data to what was printed last: a frame or a stream."""
        if self._last is None:
            return
        if self._last_is_frame:
            for datum in side_data:
                self._last.static_hdr.update((key, value) for key, value in datum.items() if key in _HDR_FIELDS)
        elif len(self._last.side_data) < _MANY_VARIANTS:
            self._last.side_data += side_data


def _split(text: str) -> tuple[dict[str, str], tuple[dict[str, str], ...]]:
    """The fields of a line, and those of each kind of side data on it."""
    parts = text.split("|") if "\\" not in text else [_unescaped(part) for part in _ESCAPED_PART.findall(text)]
    fields: dict[str, str] = {}
    side_data: dict[str, dict[str, str]] = {}
    into = fields
    for part in parts:
        if part == _SIDE_DATA:
            into = side_data.setdefault(f"{part} {len(side_data)}", {})
            continue
        key, separator, value = part.partition("=")
        if not separator:
            continue
        if datum := _SIDE_DATUM.match(key):
            side_data.setdefault(datum[1], {})[key[datum.end() :]] = value
        else:
            into[key] = value
    return fields, tuple(side_data.values())


def _integer(fields: Mapping[str, str], *keys: str) -> int | None:
    """The first of these fields that exists, as an integer; None if it is not one."""
    value = next((fields[key] for key in keys if key in fields), "")
    return int(value) if _INTEGER.fullmatch(value) else None


def _unescaped(part: str) -> str:
    r"""A part without ffprobe's escapes (`\|`, `\\`, `\n`)."""
    return _ESCAPE.sub(lambda found: _ESCAPED_CONTROLS.get(found[1], found[1]), part)
