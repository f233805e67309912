"""Fuzz target of what FFmpeg and ffprobe say of an encode and of its proxy, and of the proxy's own bytes where it is MXF."""

from collections.abc import Sequence
from fractions import Fraction

import orjson

from proxx_worker.contract.errors import ErrorCode
from proxx_worker.contract.profiles import PROFILES
from proxx_worker.contract.result import ErrorRecord, TaskRecord, TaskStatus
from proxx_worker.contract.text import steady_json
from proxx_worker.media.facts import MediaFacts
from proxx_worker.media.source_probe import read_source
from proxx_worker.planning.mxf import MxfScanner
from proxx_worker.planning.plan import TaskPlan, plan_task
from proxx_worker.process.stderr_lines import StderrLines
from proxx_worker.verification.encode_observation import EncodeObservation, EncodeObserver
from proxx_worker.verification.ffmpeg_evidence import FfmpegEvidence
from proxx_worker.verification.proxy_probe import ProxyObservation, ProxyReader, ProxyReport
from proxx_worker.verification.verdict import judge
from tests.faults.fuzz.consume import Choices
from tests.faults.fuzz.spec_targets import CONTROL
from tests.support.printouts import parse_proxy
from tests.unit.media.documents import audio, document, video

VERDICTS = frozenset(
    {
        ErrorCode.NO_SPACE, ErrorCode.SOURCE_DAMAGED, ErrorCode.ENCODE_FAILED, ErrorCode.SOURCE_UNSUPPORTED,
        ErrorCode.OUTPUT_INVALID,
    }
)  # fmt: skip

_STDOUT_LINES = (
    b"frame:0    pts:0       pts_time:0", b"frame:1    pts:512     pts_time:0.04", b"frame:0 pts:NOPTS pts_time:NOPTS",
    b"presented=1", b"frame=25", b"fps=12.5", b"total_size=1000", b"total_size=N/A", b"out_time_us=1000000",
    b"out_time_us=-9223372036854775807", b"speed=2.1x", b"speed=N/A", b"dup_frames=0", b"drop_frames=1", b"progress=continue",
    b"progress=end",
    b"frame:999999999999999999 pts:-999999999999999999 pts_time:0", b"frame:0 pts:1e9 pts_time:0", b"=", b"progress=",
    b"\xff=\xff",
)  # fmt: skip
_STDERR_LINES = (
    b"Stream mapping:", b"[info] Stream mapping:", b"[h264 @ 0x55] [error] error while decoding MB 1 2",
    b"[mov,mp4,m4a,3gp,3g2,mj2 @ 0x55] [error] stream 0, offset 0x30: partial file", b"[error] No space left on device",
    b"[fatal] Error while decoding stream #0:0", b"[warning] corrupt input packet in stream 0", b"\x1b[31mred\x1b[0m",
    b"\xff\xfe", b"[] @ [error] ", b"x" * 5000,
)  # fmt: skip
_PROXY_LINES = (
    "frame|stream_index=0|pts=0|interlaced_frame=0|top_field_first=0|color_range=tv",
    "frame|stream_index=0|pts=1|interlaced_frame=0|top_field_first=0|color_range=tv",
    "frame|stream_index=1|pts=0|nb_samples=1024",
    (
        "stream|index=0|codec_name=h264|profile=High|codec_type=video|codec_tag_string=avc1|width=960|height=540|pix_fmt=yuv420p"
        "|sample_aspect_ratio=1:1|field_order=progressive|r_frame_rate=25/1|avg_frame_rate=25/1|time_base=1/12800|start_pts=0"
        "|duration_ts=12800"
    ),
    "stream|index=1|codec_name=aac|codec_type=audio|sample_rate=48000|channels=2|channel_layout=stereo|time_base=1/48000",
    "format|format_name=mov,mp4,m4a,3gp,3g2,mj2|start_time=0.000000|duration=1.000000|tag:timecode=01:00:00:00",
)
_ODD_VALUES = (
    "", "N/A", "0", "-1", "--5", "1/0", "0/0", "0:0", "٣", "1_0", "nan", "inf", "-inf", "1e999",
    "99999999999999999999", "9" * 5000, "00:00:01", "aa:bb:cc", "00:00:00:00:00", "00:00:nan", "\x1b[2J", "\0", "video",
    "audio", "data",
    "tmcd", "h264", "mov", "1.5", " 1 ",
)  # fmt: skip
_KEYS = (
    "index", "stream_index", "pts", "nb_samples", "codec_type", "codec_name", "width", "height", "sample_aspect_ratio",
    "time_base", "duration_ts", "r_frame_rate", "avg_frame_rate", "sample_rate", "channels", "tag:DURATION",
    "side_data:rotation", "rotation",
    "interlaced_frame", "top_field_first", "tag:reel_name", "tag:timecode", "format_name", "start_pts",
)  # fmt: skip
_KLV = (
    bytes.fromhex("060e2b34020501010d01020101020400"), bytes.fromhex("060e2b34025301010d01010101013700"),
    bytes.fromhex("060e2b34010201010d01030115010500"), bytes.fromhex("060a2b340101010501010d0013000000") + bytes(15),
    b"\x83\0\1\0", b"\x04", b"\x88" + b"\xff" * 8, b"\x89", b"\x80",
)  # fmt: skip


def _plans() -> tuple[TaskPlan, ...]:
    """One plan of each FFmpeg profile, for a constant and for a variable source."""
    documents = (
        document(video(width=1280, height=720), audio()),
        document(video(width=1280, height=720, r_frame_rate="600/1", avg_frame_rate="24/1", nb_frames="24")),
    )
    sources = [read_source(stdout, "", 0) for stdout in documents]
    facts = [source for source in sources if isinstance(source, MediaFacts)]
    pairs = [(PROFILES[name], of) for name in ("proxy_h264_low", "proxy_prores_proxy", "proxy_dnxhr_lb") for of in facts]
    return tuple(
        plan_task(profile.settings, of) for profile, of in pairs if of.video.constant_rate or "dnxhr" not in profile.name
    )


PLANS = _plans()


def fuzz_encoder(data: bytes) -> None:
    """A whole encode's words in pieces of any size and the verdict on them; or the bytes of an MXF file."""
    choices = Choices(data)
    if choices.below(5) == 0:
        _scan(choices)
        return
    plan = choices.one_of(PLANS)
    exit_code = choices.one_of((0, 0, 0, 0, 1, -9))
    size = choices.one_of((1000, 1000, 1000, 0, 1))
    stdout, stderr = _lines(choices, _STDOUT_LINES, 12), _lines(choices, _STDERR_LINES, 5)
    encode = _observe(stdout, stderr, choices.byte() + 1, exit_code, size)
    if max(map(len, stdout.split(b"\n"))) <= 4096:
        # How the pipe cut the words into pieces must not matter. (Where a line has no end, nothing can be said.)
        assert encode == _observe(stdout, stderr, 1 << 16, exit_code, size)
    said, step = _proxy(choices), choices.byte() + 1
    report = parse_proxy(said)
    assert report == _report_of(said, step)
    proxy = ProxyObservation(choices.one_of((0, 0, 0, 1)), report, choices.text(20) if choices.byte() % 4 == 1 else "")
    _hold_verdict(plan, encode, proxy)


def _observe(stdout: bytes, stderr: bytes, step: int, exit_code: int, size: int) -> EncodeObservation:
    observer = EncodeObserver()
    logged: list[str] = []
    lines = StderrLines(observer.feed_line, logged.extend)
    for start in range(0, len(stderr), step):
        lines.feed(stderr[start : start + step])
    lines.finish()
    for start in range(0, len(stdout), step):
        for progress in observer.feed_stdout(stdout[start : start + step]):
            assert progress.frames is not None
    assert not any(CONTROL.search(line) for line in logged)
    return observer.finish(exit_code, size)


def _report_of(said: bytes, step: int) -> ProxyReport:
    reader = ProxyReader()
    for start in range(0, len(said), step):
        reader.feed(said[start : start + step])
    return reader.finish()


def _hold_verdict(plan: TaskPlan, encode: EncodeObservation, proxy: ProxyObservation) -> None:
    verdict = judge(plan.expected, proxy, FfmpegEvidence(plan, encode))
    assert verdict.error is None or verdict.error.code in VERDICTS
    assert verdict.error is not None or all(check.ok is not False for check in verdict.checks)
    record = TaskRecord(
        index=0,
        source="/a.mov",
        status=TaskStatus.FAILED,
        error=None if verdict.error is None else ErrorRecord.of(verdict.error),
        output_media=verdict.output_media,
        checks=list(verdict.checks),
    )
    written = steady_json(orjson.dumps(record.model_dump(mode="json")))
    assert CONTROL.search(written.decode()) is None


def _lines(choices: Choices, known: Sequence[bytes], limit: int) -> bytes:
    chosen = (
        choices.take(choices.below(40)) if choices.byte() % 8 == 1 else choices.one_of(known)
        for _ in range(choices.below(limit + 1))
    )
    return b"".join(line + (b"\r" if choices.byte() % 32 == 1 else b"\n") for line in chosen)


def _proxy(choices: Choices) -> bytes:
    if choices.byte() % 8 == 1:
        return choices.rest()
    lines = list(_PROXY_LINES)
    for _ in range(choices.below(6)):
        at = choices.below(len(lines))
        match choices.below(4):
            case 0:
                lines.insert(choices.below(len(lines)), lines[at])
            case 1 if len(lines) > 1:
                del lines[at]
            case _:
                value = choices.text(12) if choices.byte() % 4 == 1 else choices.one_of(_ODD_VALUES)
                lines[at] += f"|{choices.one_of(_KEYS)}={value}"
    return "\n".join(lines).encode()


def _scan(choices: Choices) -> None:
    pieces = [
        choices.take(choices.below(40)) if choices.byte() % 4 == 1 else choices.one_of(_KLV) for _ in range(choices.below(12))
    ]
    content, step = b"".join(pieces), choices.byte() + 1
    scanner = MxfScanner(Fraction(16, 9))
    try:
        for start in range(0, len(content), step):
            scanner.feed(content[start : start + step])
        patch = scanner.finish()
    except ValueError:
        return  # documented: these are not FFmpeg's MXF
    assert all(place + len(value) <= len(content) for place, value in patch.writes())
