"""Runs the one pass over a source and its proxy, and measures its output as it arrives."""

import hashlib
from collections.abc import Callable

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.engines.source_file import OpenSource
from proxx_worker.engines.tools import Tools
from proxx_worker.process.child import run_child
from proxx_worker.process.child_exit import ChildExit
from proxx_worker.process.stop import StopSignal
from proxx_worker.report.audio_measures import AudioMeter
from proxx_worker.report.avi import AviStreams
from proxx_worker.report.comparison import Comparison, comparison_argv
from proxx_worker.report.figures import FigureReader
from proxx_worker.report.measurements import AudioPair, Measurements
from proxx_worker.report.video_measures import VideoMeter

_CHUNK = 1 << 20
_MEANS, _SAMPLES, _FIRST_AUDIO = 0, 1, 2


def sha256_of(file: OpenSource, stop: StopSignal) -> str:
    """The SHA-256 of all of an open file, in hex. Raises SOURCE_UNREADABLE, and INTERRUPTED for a stop."""
    digest = hashlib.sha256()
    for offset in range(0, file.identity.size, _CHUNK):
        refuse_to_go_on(stop)
        digest.update(file.read(offset, _CHUNK))
    return digest.hexdigest()


def refuse_to_go_on(stop: StopSignal) -> None:
    """Raise INTERRUPTED once a stop was requested."""
    if stop.requested():
        raise ProxxError(ErrorCode.INTERRUPTED, "the report was stopped; nothing was written")


def compare(
    tools: Tools,
    comparison: Comparison,
    source: OpenSource,
    proxy: OpenSource,
    *,
    counted: int | None,
    stop: StopSignal,
    stall_seconds: float,
    on_frames: Callable[[int], None],
) -> Measurements:
    """Measure all frames and audio streams. `on_frames` gets how many frames were compared so far.

    Raises INTERRUPTED for a stop, ENCODE_STALLED if FFmpeg outputs nothing for `stall_seconds`, FFMPEG_MISSING, IO_ERROR.
    """
    streams, figures = AviStreams(), FigureReader()
    pictures = VideoMeter(counted or comparison.source.video.frames or 0)
    audio_streams = [
        AudioMeter(facts.audio[number].channels)
        for number in range(comparison.audio_streams)
        for facts in (comparison.source, comparison.proxy)
    ]

    def take(data: bytes) -> None:
        for number, chunk in streams.feed(data):
            if not chunk:
                continue  # AVI's form of "repeat the previous frame"
            if number == _MEANS:
                pictures.take_means(chunk)
                on_frames(pictures.measures.frames)
            elif number == _SAMPLES:
                pictures.take_samples(chunk)
            else:
                audio_streams[number - _FIRST_AUDIO].feed(chunk)

    child = run_child(
        comparison_argv(tools.ffmpeg, comparison, source.descriptor_path, proxy.descriptor_path),
        stop=stop,
        on_stdout=take,
        on_stderr=figures.feed,
        stall_seconds=stall_seconds,
        pass_fds=(source.descriptor, proxy.descriptor),
        confinement=tools.confinement(reads=(source.descriptor, proxy.descriptor)),
    )
    require_ended(tools, child, stall_seconds)
    return Measurements(
        comparison,
        figures.finish(),
        pictures.finish(),
        tuple(AudioPair(one.courses, other.courses) for one, other in zip(audio_streams[::2], audio_streams[1::2], strict=True)),
        counted,
        child.exit_code,
    )


def require_ended(tools: Tools, child: ChildExit, stall_seconds: float) -> None:
    """Raise INTERRUPTED, ENCODE_OUT_OF_MEMORY or ENCODE_STALLED for a child that did not end by itself."""
    if child.stopped:
        raise ProxxError(ErrorCode.INTERRUPTED, "the report was stopped; nothing was written")
    if child.out_of_memory:
        raise ProxxError.of(tools.out_of_memory("the comparison"))
    if child.stalled:
        raise ProxxError(
            ErrorCode.ENCODE_STALLED,
            f"FFmpeg must make progress with the comparison, but produced nothing for {stall_seconds:g} s. "
            "Check the storage of both files.",
        )
