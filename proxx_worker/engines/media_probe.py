"""Probes sources and proxies with ffprobe, and one kind of proxy with FFmpeg, too."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from proxx_worker.engines.ffprobe import probe_source
from proxx_worker.engines.first_pictures import look_at_first_pictures
from proxx_worker.engines.port import EngineContext, ProbedSource, StagedOutput
from proxx_worker.engines.proxy_probe import probe_proxy
from proxx_worker.engines.tools import Tools
from proxx_worker.planning.expectation import Expectation
from proxx_worker.process.stop import StopSignal
from proxx_worker.verification.first_pictures import has_pictures_to_see
from proxx_worker.verification.proxy_probe import ProxyObservation


@dataclass(frozen=True, slots=True)
class FfprobeProbe:
    """Satisfies `MediaProbe`. `tools` finds FFmpeg and ffprobe or raises FFMPEG_MISSING / FFPROBE_MISSING."""

    tools: Callable[[], Tools]

    def require_available(self) -> None:
        """Raise FFMPEG_MISSING or FFPROBE_MISSING: a job needs both, so both are checked before its first probe.

        Raise SANDBOX_UNAVAILABLE if they are to be confined and cannot be.
        """
        self.tools().require_confined()

    def source(self, path: str, check_place: Callable[[str], None], stop: StopSignal, stall_seconds: float) -> ProbedSource:
        """See `probe_source`."""
        return probe_source(self.tools(), path, stop, stall_seconds=stall_seconds, check_place=check_place)

    def proxy(self, expected: Expectation, staged: StagedOutput, context: EngineContext) -> ProxyObservation:
        """See `probe_proxy`; of interlaced H.264 also `look_at_first_pictures`."""
        tools = self.tools()
        seen = probe_proxy(
            tools,
            expected,
            staged.name,
            context.stop,
            cwd=staged.folder,
            stall_seconds=context.stall_seconds,
            pass_fds=context.pass_fds,
            reads=(staged.fd,),
        )
        if not has_pictures_to_see(expected):
            return seen
        return replace(seen, first_pictures=look_at_first_pictures(tools, expected, staged, context))
