"""Compares a proxy with its plan. Each comparison is one `Check`; what cannot be known is `ok=None`, never true."""

import re
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction

from pydantic import JsonValue

from proxx_worker.contract.output_settings import Container
from proxx_worker.contract.result import Check
from proxx_worker.media.decoder_names import decoder_names
from proxx_worker.media.ffprobe_json import read_ratio
from proxx_worker.media.nanoseconds import means
from proxx_worker.media.orientation import mirrors
from proxx_worker.media.timecode import usual_timecode
from proxx_worker.planning.color_tags import same
from proxx_worker.planning.containers import DEMUXERS, MATROSKA
from proxx_worker.planning.expectation import Expectation
from proxx_worker.verification.first_pictures import first_pictures_checks
from proxx_worker.verification.frame_grid import Scale
from proxx_worker.verification.proxy_probe import ProxyObservation, ProxyReport, StreamReport

CLOCK = re.compile(r"([0-9]{1,9}):([0-9]{2}):([0-9]{2}(?:\.[0-9]{1,12})?)")
_ZERO_TIMECODE = "00:00:00:00"
_QUOTED = 400
MILLISECOND = Fraction(1, 1000)
_TELL_HDR = frozenset({"hevc", "av1"})
_DISPLAY_PARTS = (
    ("G", "green_x", "green_y", 50_000),
    ("B", "blue_x", "blue_y", 50_000),
    ("R", "red_x", "red_y", 50_000),
    ("WP", "white_point_x", "white_point_y", 50_000),
    ("L", "max_luminance", "min_luminance", 10_000),
)


def compare(name: str, expected: JsonValue, actual: JsonValue) -> Check:
    """Equality; unknown if nothing is expected."""
    return Check(name=name, expected=expected, actual=actual, ok=None if expected is None else expected == actual)


def decode_check(expected: Expectation, proxy: ProxyObservation) -> Check:
    """Whether the whole proxy decodes: ffprobe's exit code, and its decoders' messages at error level.

    Messages of parsers and demuxers do not count (ffprobe 8.0 reports an error for every Opus stream in WebM that decodes well).
    What they might indicate is measured: the number and times of the frames, and the length of the audio.
    """
    found = [stream.text("codec_name") for stream in proxy.report.streams]
    codecs = [expected.video.codec, *(stream.codec for stream in expected.audio or ()), *found]
    decoders = {f"[{name}]" for codec in codecs if codec is not None for name in decoder_names(codec)}
    # Lines without a name are ffprobe's own.
    faults = [line for line in proxy.complaints if not line.startswith("[") or line.partition(" ")[0] in decoders]
    ok = proxy.exit_code == 0 and not faults
    said = "\n".join(faults)[-_QUOTED:]
    return Check(name="decodes", expected=True, actual=ok or said or f"exit {proxy.exit_code}", ok=ok)


def stream_checks(expected: Expectation, proxy: ProxyObservation) -> Iterator[Check]:
    """Container, streams, codec, geometry, fields and colour."""
    report = proxy.report
    names = report.container.get("format_name", "").split(",")
    wanted = DEMUXERS[expected.container]
    yield Check(name="container", expected=wanted, actual=",".join(names), ok=wanted in names)
    videos, audios = report.of_type("video"), report.of_type("audio")
    yield compare("video_streams", 1, len(videos))
    yield compare("audio_streams", None if expected.audio is None else len(expected.audio), len(audios))
    others = [s.text("codec_tag_string") or s.fields.get("codec_type", "") for s in report.streams if s not in (*videos, *audios)]
    yield Check(name="other_streams", expected=[], actual=list(others), ok=all(tag == "tmcd" for tag in others))
    if videos:
        yield from _video_checks(expected, videos[0])
        yield from first_pictures_checks(expected, proxy.first_pictures, videos[0].frames)
        yield from _color_checks(expected, videos[0])
        yield from _hdr_checks(expected, videos[0])


def _video_checks(expected: Expectation, stream: StreamReport) -> Iterator[Check]:
    video = expected.video
    yield compare("video_codec", video.codec, stream.text("codec_name"))
    yield compare("video_profile", video.profile, stream.text("profile"))
    yield compare("video_tag", video.codec_tag, stream.text("codec_tag_string"))
    size = f"{stream.text('width')}x{stream.text('height')}"
    yield compare("picture_size", None if video.size is None else "{}x{}".format(*video.size), size)
    yield _display_aspect(expected, stream)
    yield _rotation(stream)
    yield _field_order(expected, stream)
    yield _field_order_said(expected, stream)


def _rotation(stream: StreamReport) -> Check:
    """A proxy is upright: it has no display matrix, or the identity. A matrix that is not printed whole is unknown."""
    matrices = [it for it in stream.side_data if "rotation" in it or it.get("side_data_type") == "Display Matrix"]
    turns = [matrix.get("rotation") for matrix in matrices]
    mirrored = [mirrors(matrix.get("displaymatrix", "")) for matrix in matrices]
    turned = next((turn for turn in turns if turn not in {"0", "-0", None}), "mirrored" if True in mirrored else None)
    ok = None if turned is None and None in (*turns, *mirrored) else turned is None
    return Check(name="rotation", expected=0, actual=turned if ok is False else None if ok is None else 0, ok=ok)


def _display_aspect(expected: Expectation, stream: StreamReport) -> Check:
    video = expected.video
    # Every player treats an unset pixel aspect as square.
    sample = stream.ratio("sample_aspect_ratio") or Fraction(1)
    width, height = stream.integer("width") or 0, stream.integer("height") or 1
    actual = sample * width / height
    wanted = video.display_aspect
    if wanted is None:
        return Check(name="display_aspect", expected=None, actual=str(actual), ok=None)
    close = actual == wanted
    if expected.container in MATROSKA and width:
        # Matroska stores the display size in whole pixels, and FFmpeg reads it as a ratio with terms up to 255.
        tolerance = Fraction(1, min(video.size or (width, height))) + Fraction(1, 255)
        close = abs(actual / wanted - 1) <= tolerance
    ok = close if "sample_aspect_ratio" in stream.fields else None
    return Check(name="display_aspect", expected=str(wanted), actual=str(actual), ok=ok)


def _field_order(expected: Expectation, stream: StreamReport) -> Check:
    interlaced, top = stream.frame_value("interlaced_frame"), stream.frame_value("top_field_first")
    actual = {"0": "progressive", "1": {"1": "tt", "0": "bb"}.get(top or "")}.get(interlaced or "")
    wanted = expected.video.field_order
    # A source that does not state it is encoded as progressive; whether it is cannot be known.
    return compare("field_order", wanted, actual)


_SAID_ORDERS = {"progressive": "progressive", "tt": "tt", "tb": "tt", "bb": "bb", "bt": "bb"}


def _field_order_said(expected: Expectation, stream: StreamReport) -> Check:
    """The container's field order; in MP4, which has no word for it, that of H.264's first picture (see `first_pictures`)."""
    said, wanted = _SAID_ORDERS.get(stream.text("field_order") or ""), expected.video.field_order
    ok = None if said is None or wanted is None else said == wanted
    return Check(name="field_order_said", expected=wanted, actual=said, ok=ok)


def _color_checks(expected: Expectation, stream: StreamReport) -> Iterator[Check]:
    video = expected.video
    yield _color_check("color_range", "color_range", video.color_range, video.color_range, stream)
    tags, frames = video.tags, video.frames
    yield _color_check("color_matrix", "color_space", tags.matrix, frames.matrix, stream)
    yield _color_check("color_primaries", "color_primaries", tags.primaries, frames.primaries, stream)
    yield _color_check("color_transfer", "color_transfer", tags.transfer, frames.transfer, stream)


def _color_check(name: str, key: str, wanted: str | None, frame: str | None, stream: StreamReport) -> Check:
    kind = name.removeprefix("color_")
    said = [value for value in (stream.text(key), stream.frame_value(key)) if value is not None]
    actual = said[0] if said and len(set(said)) == 1 else " / ".join(said) or None
    if wanted is None or (frame is None and not said) or key not in stream.fields or not stream.says(key):
        # The source has no tag; or the bitstream cannot carry it, and ffprobe prefers the bitstream to the container.
        return Check(name=name, expected=wanted, actual=actual, ok=None)
    return Check(name=name, expected=wanted, actual=actual, ok=bool(said) and all(same(kind, wanted, value) for value in said))


def _hdr_checks(expected: Expectation, stream: StreamReport) -> Iterator[Check]:
    """Static HDR metadata. HEVC stores exact values, AV1 rounds some; FFmpeg does not report it for other codecs."""
    video, seen = expected.video, stream.static_hdr
    light = f"{seen['max_content']},{seen['max_average']}" if {"max_content", "max_average"} <= seen.keys() else None
    reported = video.codec in _TELL_HDR
    ok = None if video.content_light is None or (not reported and light is None) else light == video.content_light
    yield Check(name="content_light", expected=video.content_light, actual=light, ok=ok)
    display = _mastering_display(seen)
    ok = None if video.mastering_display is None or (not reported and display is None) else display is not None
    if video.codec == "hevc" and ok is not None:
        ok = display == video.mastering_display
    yield Check(name="mastering_display", expected=video.mastering_display, actual=display, ok=ok)


def _mastering_display(seen: Mapping[str, str]) -> str | None:
    parts: list[str] = []
    for name, first, second, unit in _DISPLAY_PARTS:
        x, y = read_ratio(seen.get(first)), read_ratio(seen.get(second)) or Fraction(0)
        if x is None:
            return None
        parts.append(f"{name}({round(x * unit)},{round(y * unit)})")
    return "".join(parts)


def frame_times(container: Container, stream: StreamReport, unit: Fraction, wanted: Iterable[int]) -> Check:
    """Whether every frame is shown at its time, relative to the first. `wanted`: of each frame, in units of `unit` seconds."""
    tick = stream.ratio("time_base")
    times = stream.times
    if tick is None or not times or len(times) != stream.frames:
        return Check(name="frame_times", expected="every frame has a time", actual=None, ok=False)
    # Matroska counts milliseconds, and the audio priming shifts its start: one tick of rounding at each end.
    tolerance = tick if container in MATROSKA else Fraction(0)
    scale = Scale.common(tick, unit)
    ticks, units, slack = scale.of(tick), scale.of(unit), scale.of(tolerance)
    first, previous = times[0], times[0] - 1
    places, position = iter(wanted), -1
    for position, (time, place) in enumerate(zip(times, places, strict=False)):
        if abs((time - first) * ticks - place * units) > slack or time <= previous:
            fault = f"frame {position} at {float((time - first) * tick):.6f} s"
            return Check(name="frame_times", expected=f"{float(place * unit):.6f} s", actual=fault, ok=False)
        previous = time
    summary = f"{len(times)} frames on their times"
    as_many = position + 1 == len(times) and next(places, None) is None
    return Check(name="frame_times", expected=summary, actual=summary, ok=as_many)


def first_frame(stream: StreamReport) -> Fraction | None:
    """When the first frame is shown. ffprobe's stream start may be the audio's (Matroska with interlaced H.264)."""
    tick = stream.ratio("time_base")
    return None if tick is None or not stream.times else stream.times[0] * tick


def start_check(name: str, wanted: Fraction | None, actual: Fraction | None, tolerance: Fraction) -> Check:
    """When a stream starts, in seconds from the file's start."""
    ok = None if wanted is None else actual is not None and abs(actual - wanted) <= tolerance
    return Check(name=name, expected=decimal(wanted), actual=decimal(actual), ok=ok)


def time_checks(expected: Expectation, stream: StreamReport) -> Iterator[Check]:
    """Rate and duration according to the proxy's container."""
    yield _rate(expected, stream)
    yield _duration(expected, stream)


def _rate(expected: Expectation, stream: StreamReport) -> Check:
    rate = expected.timing.rate
    average, nominal = stream.ratio("avg_frame_rate"), stream.ratio("r_frame_rate")
    if rate is None:
        expectation = "variable" if expected.timing.varies else None
        return Check(name="frame_rate", expected=expectation, actual=str(average), ok=None)

    # A missing source frame lowers the average, and the nominal rate of a very short clip is a guess: either may match.
    def is_it(value: Fraction) -> bool:
        rounded = expected.container in MATROSKA and (abs(value - rate) * 1_000_000 <= rate or means(value, rate))
        return value == rate or rounded

    found = next((value for value in (average, nominal) if value and is_it(value)), None)
    return Check(name="frame_rate", expected=str(rate), actual=str(found or average or nominal), ok=found is not None)


def video_duration(container: Container, stream: StreamReport) -> Fraction | None:
    """The video's duration in seconds according to the proxy's container."""
    tick, ticks, text = stream.ratio("time_base"), stream.integer("duration_ts"), stream.text("tag:DURATION")
    clock = CLOCK.fullmatch(text) if container in MATROSKA and text is not None else None
    if clock is not None and tick is not None and stream.times:
        # Matroska stores each stream's end in a tag; the duration that ffprobe reports is the whole file's.
        end = 3600 * int(clock[1]) + 60 * int(clock[2]) + Fraction(clock[3])
        return end - stream.times[0] * tick
    return None if ticks is None or tick is None or container in MATROSKA else ticks * tick


def _duration(expected: Expectation, stream: StreamReport) -> Check:
    timing = expected.timing
    actual = video_duration(expected.container, stream)
    tick = stream.ratio("time_base") or Fraction(0)
    shown = (stream.times[-1] - stream.times[0]) * tick if stream.times else Fraction(0)
    wanted, tolerance = timing.duration, Fraction(0)
    if timing.rate is None:
        # Some files state an end before their last frame; then that frame's duration is unknown.
        wanted = wanted if stream.times and wanted is not None and wanted > shown else None
    elif timing.converts:
        tolerance = 1 / timing.rate
    else:
        wanted = shown + 1 / timing.rate
    if expected.container in MATROSKA:
        tolerance += Fraction(3, 1000)
    ok = None if wanted is None else actual is not None and abs(actual - wanted) <= tolerance
    return Check(name="duration", expected=decimal(wanted), actual=decimal(actual), ok=ok)


def identity_checks(expected: Expectation, report: ProxyReport) -> Iterator[Check]:
    """Start timecode and reel name."""
    wanted = expected.timing.timecode
    found = next((usual_timecode(text) for text in _tags(report, "timecode") if text), None)
    if wanted is None:
        yield Check(name="timecode", expected=None, actual=found, ok=None)
    elif wanted.text is None and expected.container is Container.MXF and found == _ZERO_TIMECODE:
        # FFmpeg's MXF always has one. The check must not present it as the source's.
        yield Check(name="timecode", expected=None, actual=f"{found} (container default)", ok=None)
    else:
        yield Check(name="timecode", expected=wanted.text, actual=found, ok=found == wanted.text)
    yield compare("reel", expected.timing.reel, next((text for text in _tags(report, "reel_name") if text), None))


def _tags(report: ProxyReport, name: str) -> Iterator[str | None]:
    yield report.container.get(f"tag:{name}")
    yield report.container.get(f"tag:{name.upper()}")
    for stream in report.streams:
        yield stream.text(f"tag:{name}")


def decimal(seconds: Fraction | None) -> str | None:
    """Seconds as a short decimal, to the microsecond: `4.933375`, `1`."""
    return None if seconds is None else f"{float(round(seconds, 6)):.6f}".rstrip("0").rstrip(".")
