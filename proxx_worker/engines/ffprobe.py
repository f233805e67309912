"""Probes a source: it is opened once, identified by its first bytes, then probed with one ffprobe process.

Only where no video is among the file's first packets, a second one looks for its first frame, and perhaps a third.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.engines.port import ProbedSource
from proxx_worker.engines.source_file import OpenSource, Window, open_source
from proxx_worker.engines.tools import Tools
from proxx_worker.media.avi_index import without_empty_end
from proxx_worker.media.bare_streams import numbered_by_order
from proxx_worker.media.facts import MediaFacts
from proxx_worker.media.ffprobe_json import Section
from proxx_worker.media.ivf import held_to_its_header
from proxx_worker.media.late_tracks import late_tracks
from proxx_worker.media.played_pictures import played_pictures
from proxx_worker.media.probe_command import LOOKS, PROBE_BYTES, look_argv, probe_argv
from proxx_worker.media.quicktime import (
    AVID_CODEC_TAGS,
    avid_pixel_aspect,
    gapless_tracks,
    refuse_external_media,
    refuse_protected,
)
from proxx_worker.media.signatures import HEAD_BYTES
from proxx_worker.media.source_probe import read_head, read_look, read_source, says_input_output_error, video_frame
from proxx_worker.media.transport_stream import with_its_end
from proxx_worker.media.unknown_durations import without_unknown_duration
from proxx_worker.process.child import run_child
from proxx_worker.process.child_exit import ChildExit
from proxx_worker.process.stop import StopSignal, checkpoint

MAX_REPORT_BYTES = 16 << 20
"""The largest report that ffprobe may print. Real ones have 2 to 40 KB; a hostile file can have endless tags."""

_AVID = tuple(tag.encode() for tag in AVID_CODEC_TAGS)
_AAC = b'"aac"'
_MOVIE = b'"mov,mp4,'
"""Strings in ffprobe's report without which a movie's structure need not be read again."""

_ABOUT_CONTENT = frozenset({ErrorCode.SOURCE_UNSUPPORTED, ErrorCode.SOURCE_NO_VIDEO, ErrorCode.SOURCE_DAMAGED})
_STDERR_BYTES = 64 << 10
_TAIL_BYTES = 1 << 20


def probe_source(
    tools: Tools,
    path: str,
    stop: StopSignal,
    *,
    stall_seconds: float | None = None,
    check_place: Callable[[str], None] | None = None,
) -> ProbedSource:
    """Probe the source at `path`. ffprobe is only started if the first bytes do not identify the file.

    `check_place` gets the real location of the opened file before any of it is read, and raises if that is not allowed: after a
    check of the path alone, a folder could be swapped for a symlink.

    Raises SOURCE_MISSING, SOURCE_NOT_A_FILE, SOURCE_UNREADABLE (also if ffprobe does not finish within `stall_seconds`),
    SOURCE_UNSUPPORTED, SOURCE_NO_VIDEO, SOURCE_DAMAGED (a bare stream that lacks frames by its own numbers, or a recording of
    which nothing is whole), SOURCE_CHANGED (instead of one of those three, if the file changed meanwhile), ENCODE_OUT_OF_MEMORY;
    `stop.error` for a stop; FFPROBE_MISSING, SANDBOX_UNAVAILABLE and IO_ERROR for the worker's own environment.
    """
    with open_source(path, check_place) as source:
        if check_place is not None:
            check_place(source.real_path())
        try:
            return _probe(tools, source, stop, stall_seconds)
        except ProxxError as refusal:
            if refusal.code in _ABOUT_CONTENT:
                source.require_unchanged()  # a file that is still being copied is neither unsupported nor damaged
            raise


def _probe(tools: Tools, source: OpenSource, stop: StopSignal, stall_seconds: float | None) -> ProbedSource:
    read = partial(_read_unless_stopped, source, stop)
    head = read(0, HEAD_BYTES)
    raw = read_head(head, read)
    if raw is not None:
        return ProbedSource(raw, source.identity)
    header = Window(read)
    refuse_external_media(header.read, source.identity.size)
    refuse_protected(header.read, source.identity.size)
    ffprobe = partial(_run_ffprobe, tools, source, stop, stall_seconds)
    report, child = ffprobe(probe_argv(tools.ffprobe, source.descriptor_path))
    stdout = bytes(report.stdout)
    size = source.identity.size
    aspect = avid_pixel_aspect(header.read, size) if any(tag in stdout for tag in _AVID) else None
    gapless = gapless_tracks(header.read, size) if _AAC in stdout else frozenset()
    heed_stop = partial(checkpoint, stop, _activity(source), path=source.path)
    played = played_pictures(header.read, size, heed_stop) if _MOVIE in stdout else {}
    late = late_tracks(header.read, size) if _MOVIE in stdout else {}
    read_report = partial(read_source, stdout, report.stderr_text(), child.exit_code, aspect, gapless, played, late)
    media = read_report()
    if isinstance(media, MediaFacts) and video_frame(stdout, media.video.index) is None:
        media = read_report(_sought_frame(tools, source, media.video.index, ffprobe))
    media = without_unknown_duration(media, header.read, size)
    for known_by_its_bytes in (held_to_its_header, without_empty_end, with_its_end):
        media = known_by_its_bytes(media, read, size)
    return ProbedSource(numbered_by_order(media, read), source.identity)


def _sought_frame(
    tools: Tools, source: OpenSource, index: int, ffprobe: Callable[[list[str]], tuple["_Report", ChildExit]]
) -> Section | None:
    """The first frame of video that comes late in its file, or that begins between keyframes; None if it is in neither place."""
    for look in LOOKS:
        report, child = ffprobe(look_argv(tools.ffprobe, source.descriptor_path, index, look))
        frame = read_look(bytes(report.stdout), report.stderr_text(), child.exit_code, index)
        if frame is not None:
            return frame
    return None


def _read_unless_stopped(source: OpenSource, stop: StopSignal, offset: int, size: int) -> bytes:
    """`OpenSource.read` with a stop check: a header may be thousands of scattered pieces. Raises `stop.error`."""
    checkpoint(stop, _activity(source), path=source.path)
    return source.read(offset, size)


def _activity(source: OpenSource) -> str:
    return f"{source.path} was probed"


class _Report:
    """ffprobe's output: all of stdout, up to a limit, and the beginning of stderr, which has the cause."""

    def __init__(self) -> None:
        self.stdout = bytearray()
        self._stderr = bytearray()

    def take_stdout(self, chunk: bytes) -> None:
        self.stdout += chunk
        if len(self.stdout) > MAX_REPORT_BYTES:
            raise ProxxError(
                ErrorCode.SOURCE_UNSUPPORTED,
                f"ffprobe's report on the file exceeds {MAX_REPORT_BYTES} bytes, far more than any clip needs; remove its tags",
            )

    def take_stderr(self, chunk: bytes) -> None:
        self._stderr += chunk[: _STDERR_BYTES - len(self._stderr)]

    def stderr_text(self) -> str:
        return self._stderr.decode("utf-8", "replace")


def _run_ffprobe(
    tools: Tools, source: OpenSource, stop: StopSignal, stall_seconds: float | None, argv: list[str]
) -> tuple[_Report, ChildExit]:
    if not Path(source.descriptor_path).exists():
        raise ProxxError(
            ErrorCode.IO_ERROR,
            f"an open file must have a name under /dev/fd, but {source.descriptor_path} is missing. Mount /proc (and /dev/fd).",
            path=source.descriptor_path,
        )
    report = _Report()
    child = run_child(
        argv,
        stop=stop,
        on_stdout=report.take_stdout,
        on_stderr=report.take_stderr,
        stall_seconds=stall_seconds,
        pass_fds=(source.descriptor,),
        missing=ErrorCode.FFPROBE_MISSING,
        confinement=tools.confinement(reads=(source.descriptor,)),
    )
    if child.stopped:
        raise stop.error(_activity(source), path=source.path)
    if child.out_of_memory:
        raise ProxxError.of(tools.out_of_memory("probing a source"))
    if child.stalled:
        # Not ENCODE_STALLED: nothing was encoded, and the job's other sources can still be probed.
        raise ProxxError(
            ErrorCode.SOURCE_UNREADABLE,
            f"ffprobe must finish, but it did not within {stall_seconds:g} s on {source.path}. "
            "Check the storage; if that is fine, the file itself is at fault.",
            path=source.path,
        )
    if says_input_output_error(bytes(report.stdout)):
        # FFmpeg reports a truncated file the same way. If the system is at fault, reading fails here again.
        source.require_readable(PROBE_BYTES, _TAIL_BYTES)
    return report, child
