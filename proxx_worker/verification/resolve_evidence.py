"""The evidence of a render by DaVinci Resolve: what it reported about the clip before, and about its own work afterwards.

Resolve reports success even if nothing could be written, so its word alone is not enough: the proxy is decoded and measured like
any other. What Resolve does not report has `ok=None`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from proxx_worker.contract.errors import ErrorCode, JobError
from proxx_worker.contract.result import Check
from proxx_worker.planning.resolve_plan import ResolvePlan
from proxx_worker.verification.checks import compare, frame_times, start_check
from proxx_worker.verification.heard_audio import HeardAudio
from proxx_worker.verification.proxy_probe import ProxyObservation, StreamReport

COMPLETE = 100


@dataclass(frozen=True, slots=True)
class ResolveEvidence:
    """One finished render of `plan`. `percentage`: as last reported. Satisfies `Evidence`."""

    plan: ResolvePlan
    percentage: int

    def checks(self) -> Sequence[Check]:
        """The percentage that Resolve reports."""
        return (compare("render_percentage", COMPLETE, self.percentage),)

    def fault(self) -> JobError | None:
        """None: a failed render has no evidence."""
        return None

    def time_checks(self, stream: StreamReport) -> Iterator[Check]:
        """Frame count and every frame's time. The first one's expected time is unknown: timelines have no offset."""
        clip = self.plan.clip
        yield compare("frames", None if clip is None else clip.frames, stream.frames)
        rate = self.plan.expected.timing.rate
        if rate is not None:
            yield frame_times(self.plan.expected.container, stream, 1 / rate, range(stream.frames))
        yield start_check("start", None, None, Fraction(0))

    def audio(self) -> Sequence[HeardAudio | None]:
        """Nothing: Resolve does not report what it decoded."""
        return ()

    def error(self, proxy: ProxyObservation) -> JobError | None:
        """A proxy without the source's audio. The preset and the timeline decide how many streams it has."""
        clip = self.plan.clip
        if clip is None or not clip.audio_channels or proxy.report.of_type("audio") or not proxy.report.streams:
            return None
        return JobError(
            ErrorCode.OUTPUT_INVALID,
            f"the proxy must carry its source's audio, but it has none of the {clip.audio_channels} channels: nothing was "
            f"published. Check that the preset {self.plan.preset!r} exports audio.",
            {"audio_channels": clip.audio_channels, "preset": self.plan.preset},
        )
