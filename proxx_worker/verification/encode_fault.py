"""Diagnosis of an encode by FFmpeg's own words: no space left, a damaged or unsupported source, a failed encoder."""

import re
from collections.abc import Sequence

from proxx_worker.contract.errors import ErrorCode, JobError
from proxx_worker.planning.plan import TaskPlan
from proxx_worker.verification.encode_observation import EncodeObservation
from proxx_worker.verification.frame_grid import first_gap, places_on_grid

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


def encode_error(plan: TaskPlan, encode: EncodeObservation) -> JobError | None:
    """Why this encode cannot have made a good proxy, by its exit code, words and progress; None where they show no fault."""
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
    return None


def gap_error(plan: TaskPlan, encode: EncodeObservation) -> JobError | None:
    """The demuxer complained, and frames are missing where it did: a constant rate with holes, or fewer frames than promised."""
    lines = [line for line in encode.complaints if _from_demuxer(plan, line)]
    timing, promised = plan.expected.timing, plan.facts.video.frames
    if not lines or promised == len(encode.presented):
        return None
    places = places_on_grid(encode.times, timing.source_tick, plan.facts.video.rate)
    if plan.facts.video.constant_rate and first_gap(places) is None:
        return None
    return _damaged(plan, encode, lines)


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


def _where(plan: TaskPlan, encode: EncodeObservation) -> str:
    times = [time for time in encode.presented[: encode.complained_at] if time is not None]
    return f"{float((times[-1] - times[0]) * plan.expected.timing.source_tick):.3f}" if times else "0.000"


def _plain(line: str) -> str:
    """A line without its address, which differs from run to run."""
    return re.sub(r"^\[([^@\]]+?) @ 0x[0-9a-f]+\]", r"[\1]", line)
