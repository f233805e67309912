"""The verdict on one encode: every check with expected and actual, and the error that follows from them.

One ffprobe process over the proxy sees everything (it decodes all of it); the source is not read again, because the encode itself
reported every frame that the source presented.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from proxx_worker.contract.errors import ErrorCode, JobError, JsonValue
from proxx_worker.contract.output_settings import Container
from proxx_worker.contract.result import Check
from proxx_worker.planning.checks import audio_checks, compare, identity_checks, picture_duration, stream_checks, time_checks
from proxx_worker.planning.encode_observation import EncodeObservation, EncodeObserver
from proxx_worker.planning.grid import Scale, places_on_grid
from proxx_worker.planning.plan import TaskPlan
from proxx_worker.planning.proxy_observation import (
    FORMAT_ENTRIES,
    FRAME_ENTRIES,
    HDR_ENTRIES,
    LENGTH_ENTRIES,
    STREAM_ENTRIES,
    ProxyObservation,
    ProxyReport,
)
from proxx_worker.planning.sound_damage import sound_damage

__all__ = ["EncodeObservation", "EncodeObserver", "ProxyObservation", "Verdict", "judge", "judge_encode", "proxy_probe_argv"]

_DEMUXERS = {
    Container.MOV: "mov",
    Container.MP4: "mov",
    Container.MKV: "matroska",
    Container.WEBM: "matroska",
    Container.MXF: "mxf",
}
_NO_SPACE = re.compile(r"No space left on device|Disk quota exceeded")
_CONTEXT = re.compile(r"^\[(?P<context>[^@\]]+?) @ ")
# FFmpeg's own words, whatever the decoder.
_DECODE_FAULT = re.compile(r"Error while decoding stream|corrupt (?:decoded frame|input packet)|corrupted? packet")
_DECODERS = {"av1": "libdav1d", "dts": "dca"}
"""Decoders that do not bear their codec's name."""

_GAVE_UP = "Conversion failed!"
"""FFmpeg's last word after an error. With -xerror a decoder's may be such a one that nothing is said of it (libdav1d)."""

_READ_FAULT = re.compile(r"Input/output error|Error (?:while|during) (?:reading|demuxing)")
_QUOTED_LINES = 10


@dataclass(frozen=True, slots=True)
class Verdict:
    """`checks` in order; `error` None for a proxy to be published; `output_media` what was seen of it, None without a proxy."""

    checks: tuple[Check, ...]
    error: JobError | None
    output_media: dict[str, JsonValue] | None


def proxy_probe_argv(ffprobe: str, path: str, plan: TaskPlan) -> list[str]:
    """The one process that looks at a proxy: it decodes every frame and says its time, and what streams and container say."""
    video = plan.expected.video
    has_hdr = video.mastering_display is not None or video.content_light is not None
    copies = any(sound.copied_from is not None for sound in plan.expected.audio)
    more = (*((HDR_ENTRIES,) if has_hdr else ()), *((LENGTH_ENTRIES,) if copies else ()))
    entries = (FORMAT_ENTRIES, STREAM_ENTRIES, FRAME_ENTRIES, *more)
    return [
        ffprobe, "-hide_banner", "-v", "error", "-protocol_whitelist", "file",
        "-f", _DEMUXERS[plan.settings.container], "-threads", "auto",
        "-show_entries", ":".join(entries),
        "-of", "compact", "-i", f"file:{path}",
    ]  # fmt: skip


def judge_encode(plan: TaskPlan, encode: EncodeObservation) -> Verdict:
    """What can be said before the proxy is looked at; with an error, looking at it is not worth the time."""
    checks = (
        compare("exit_code", 0, encode.exit_code),
        compare("file_size", encode.progress.total_size, encode.file_size),
    )
    return Verdict(checks, _encode_error(plan, encode, checks), None)


def judge(plan: TaskPlan, encode: EncodeObservation, proxy: ProxyObservation) -> Verdict:
    """The whole verdict. Errors in this order: no space, damaged source, failed encoder, then the first check that failed."""
    first = judge_encode(plan, encode)
    report = proxy.report
    checks = list(first.checks)
    complaint = proxy.stderr.strip()
    fine = proxy.exit_code == 0 and not complaint
    checks.append(Check(name="decodes", expected=True, actual=fine or complaint[-400:] or f"exit {proxy.exit_code}", ok=fine))
    checks.extend(stream_checks(plan.expected, report))
    pictures = report.of_type("video")
    length: Fraction | None = None
    if pictures:
        checks.extend(time_checks(plan.expected, encode, pictures[0]))
        length = picture_duration(plan.expected.container, pictures[0])
    checks.extend(identity_checks(plan.expected, report))
    checks.extend(audio_checks(plan.expected, report, length))
    error = (
        first.error
        or _ends_early(plan, encode, report)
        or _gap(plan, encode)
        or sound_damage(plan.expected.audio, proxy)
        or _uneven(plan, encode)
        or _failed_check(checks)
    )
    return Verdict(tuple(checks), error, _as_json(report))


def _encode_error(plan: TaskPlan, encode: EncodeObservation, checks: Sequence[Check]) -> JobError | None:
    if any(_NO_SPACE.search(line) for line in (*encode.complaints, *encode.stderr_tail)):
        return JobError(
            ErrorCode.NO_SPACE,
            "no space was left for the output: free some in the output directory's filesystem, then submit again",
        )
    failed = encode.exit_code != 0
    damage = [line for line in encode.complaints if _from_decoder(plan, line) or (failed and _from_demuxer(plan, line))]
    if failed and not encode.complaints:
        damage = [line for line in encode.stderr_tail[-1:] if line.endswith(_GAVE_UP)]
    if damage:
        return _damaged(plan, encode, damage)
    if encode.restarts:
        return JobError(
            ErrorCode.SOURCE_UNSUPPORTED,
            "the source's picture changes its size or format on the way, which one proxy cannot follow: split the clip there",
            {"changes": encode.restarts},
        )
    if failed:
        how = f"signal {-encode.exit_code}" if encode.exit_code < 0 else f"exit code {encode.exit_code}"
        last = _plain(next(iter((*encode.complaints[-1:], *encode.stderr_tail[-1:])), "it said nothing"))
        return JobError(
            ErrorCode.ENCODE_FAILED,
            f"FFmpeg ended with {how}: {last}; the job's log holds all it said",
            {"exit_code": encode.exit_code, "lines": list(encode.stderr_tail[-_QUOTED_LINES:])},
        )
    if not encode.progress.ended:
        return JobError(
            ErrorCode.ENCODE_FAILED,
            "FFmpeg must report its end, but it left with exit code 0 and without that report, so what it wrote proves nothing; "
            "see the job's log, and that the program named as ffmpeg is FFmpeg",
            {"exit_code": encode.exit_code, "lines": list(encode.stderr_tail[-_QUOTED_LINES:])},
        )
    return _failed_check(checks)


def _context(line: str) -> str:
    match = _CONTEXT.match(line)
    return "" if match is None else match["context"]


def _from_decoder(plan: TaskPlan, line: str) -> bool:
    """Whether a complaint says that a picture or sound of the source could not be decoded as it was meant."""
    facts = plan.facts
    codecs = {facts.video.codec, *(stream.codec for stream in facts.audio)}
    context = _context(line)
    # Not all that begins with the codec's name is its decoder: prores_aw is the encoder. aac_adtstoasc looks at sound that is
    # copied, where the first packet is overwritten so that it looks like ADTS.
    names = ("{}", "{}float", "lib{}", "{}_adtstoasc")
    named = any(context in {_DECODERS.get(codec), *(name.format(codec) for name in names)} for codec in codecs)
    return bool(_DECODE_FAULT.search(line)) or named


def _from_demuxer(plan: TaskPlan, line: str) -> bool:
    """Whether a complaint comes from reading the source. Alone it is no damage: demuxers also complain about indexes and tags."""
    # The whole list of names is the demuxer's (`mov,mp4,...`); one of them alone is the muxer's.
    return bool(_READ_FAULT.search(line)) or _context(line) == ",".join(plan.facts.formats)


def _damaged(plan: TaskPlan, encode: EncodeObservation, lines: Sequence[str]) -> JobError:
    where = _where(plan, encode)
    return JobError(
        ErrorCode.SOURCE_DAMAGED,
        f"the source could not be read and decoded without errors, first near {where} s of its picture: {_plain(lines[0])}; "
        "deliver the clip again, or repair it",
        {"near_seconds": where, "lines": list(lines[:_QUOTED_LINES])},
    )


def _gap(plan: TaskPlan, encode: EncodeObservation) -> JobError | None:
    """The demuxer complained, and frames are missing where it did: a constant rate with holes, or fewer frames than promised."""
    lines = [line for line in encode.complaints if _from_demuxer(plan, line)]
    timing, promised = plan.expected.timing, plan.facts.video.frames
    if not lines or promised == len(encode.presented):
        return None
    places = places_on_grid(_times(encode), timing.source_tick, plan.facts.video.rate)
    if plan.facts.video.constant_rate and _first_gap(places) is None:
        return None
    return _damaged(plan, encode, lines)


def _uneven(plan: TaskPlan, encode: EncodeObservation) -> JobError | None:
    """A source that its container calls constant, but whose frames stand off that grid, or leave holes in it for MXF."""
    timing, video = plan.expected.timing, plan.facts.video
    times = _times(encode)
    if timing.rate is None or timing.converts or not times:
        return None
    places = places_on_grid(times, timing.source_tick, timing.rate)
    if _off_grid(times, places, timing.source_tick, timing.rate):
        return JobError(
            ErrorCode.SOURCE_UNSUPPORTED,
            f"the source says that its frame rate is constant ({video.rate}), but its frames come at other times: "
            'ask for fps_mode "explicit" with a rate',
            {"rate": str(video.rate)},
        )
    missing = _first_gap(places) if plan.settings.container is Container.MXF else None
    if missing is None:
        return None
    second = f"{float(missing / timing.rate):.3f}"
    return JobError(
        ErrorCode.SOURCE_UNSUPPORTED,
        f"the source leaves out frames of its constant rate ({video.rate}), first at {second} s, and MXF has no place for a gap: "
        'ask for fps_mode "explicit" with that rate, which repeats the frame before, or for mov, mp4 or mkv',
        {"rate": str(video.rate), "near_seconds": second},
    )


def _off_grid(times: Sequence[int], places: Sequence[int], tick: Fraction, rate: Fraction) -> bool:
    # Containers round times to their ticks. A tenth of a frame is more than any of them needs, and nothing that can be seen.
    slack = max(2 * tick, 1 / (10 * rate))
    scale = Scale.common(tick, 1 / rate, slack)
    ticks, frames, most = scale.of(tick), scale.of(1 / rate), scale.of(slack)
    return any(abs((time - times[0]) * ticks - place * frames) > most for time, place in zip(times, places, strict=True))


def _times(encode: EncodeObservation) -> list[int]:
    """When the source presented its frames, in source ticks, as far as they had a time."""
    return [time for time in encode.presented if time is not None]


def _first_gap(places: Sequence[int]) -> int | None:
    """The first place on the grid without its one frame; None where there is none."""
    return next((wanted for wanted, place in enumerate(places) if place != wanted), None)


def _where(plan: TaskPlan, encode: EncodeObservation) -> str:
    times = [time for time in encode.presented[: encode.complained_at] if time is not None]
    return f"{float((times[-1] - times[0]) * plan.expected.timing.source_tick):.3f}" if times else "0.000"


def _ends_early(plan: TaskPlan, encode: EncodeObservation, report: ProxyReport) -> JobError | None:
    """The picture (or, where only the whole file's length is known, everything) ends before the container says."""
    source = plan.expected.source
    tick = plan.expected.timing.source_tick
    times = _times(encode)
    if not times:
        return JobError(
            ErrorCode.SOURCE_DAMAGED,
            "not one picture of the source could be decoded: deliver the clip again",
            {"frames_before": 0},
        )
    end = max(times) * tick + source.frame_length
    if source.frames is not None and len(encode.presented) < source.frames:
        return _short(f"after {len(encode.presented)} frames", f"{source.frames} frames", end, source.frames, len(times))
    # Containers round, decoders hold back a frame at a cut: two frames and a hundredth are no damage.
    slack = 2 * source.frame_length + Fraction(1, 100)
    if source.picture_duration is not None:
        length = end - min(times) * tick
        if source.frames is None and length + slack < source.picture_duration:
            return _short(f"after {float(length):.3f} s", f"{float(source.picture_duration):.3f} s", end, None, len(times))
    elif source.duration is not None:
        sounds = (Fraction(s.samples, s.integer("sample_rate") or 1) for s in report.of_type("audio"))
        longest = max((end, *sounds))
        if longest + slack + Fraction(1, 2) < source.duration:
            return _short(f"after {float(longest):.3f} s", f"{float(source.duration):.3f} s", longest, None, len(times))
    return None


def _short(actual: str, promised: str, end: Fraction, frames: int | None, presented: int) -> JobError:
    return JobError(
        ErrorCode.SOURCE_DAMAGED,
        f"the source ends {actual}, its container promises {promised}: it was cut off; deliver the clip again",
        {"ends_at_seconds": f"{float(end):.3f}", "frames": presented, "frames_promised": frames},
    )


def _failed_check(checks: Sequence[Check]) -> JobError | None:
    failed = [check for check in checks if check.ok is False]
    if not failed:
        return None
    first = failed[0]
    return JobError(
        ErrorCode.OUTPUT_INVALID,
        f"the proxy does not match its source: {first.name} should be {first.expected}, but is {first.actual}"
        + (f" (and {len(failed) - 1} more)" if len(failed) > 1 else "")
        + "; nothing was published",
        {"failed": [{"name": check.name, "expected": check.expected, "actual": check.actual} for check in failed]},
    )


def _plain(line: str) -> str:
    """A line without its address, which differs from run to run."""
    return re.sub(r"^\[([^@\]]+?) @ 0x[0-9a-f]+\]", r"[\1]", line)


def _as_json(report: ProxyReport) -> dict[str, JsonValue]:
    streams: list[JsonValue] = [
        {key.replace("tag:", ""): value for key, value in stream.fields.items()} | {"decoded_frames": stream.frames}
        for stream in report.streams
    ]
    return {"format": {key.replace("tag:", ""): value for key, value in report.container.items()}, "streams": streams}
