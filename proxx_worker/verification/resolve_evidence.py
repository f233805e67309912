"""The evidence of a render by DaVinci Resolve: what it told of the clip before, and of its own work afterwards.

Success is reported also where nothing could be written, so none of it is believed alone: the proxy is decoded and measured as any
other. What Resolve does not tell has `ok=None`.
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
    """One finished render by `plan`. `percentage`: as the job said last. Satisfies `Evidence`."""

    plan: ResolvePlan
    percentage: int

    def checks(self) -> Sequence[Check]:
        """How far Resolve says that it came."""
        return (compare("render_percentage", COMPLETE, self.percentage),)

    def fault(self) -> JobError | None:
        """None: a render that failed has no evidence."""
        return None

    def time_checks(self, picture: StreamReport) -> Iterator[Check]:
        """Frame count and every frame's time. When the first one must be shown is not known: timelines have no offset."""
        clip = self.plan.clip
        yield compare("frames", None if clip is None else clip.frames, picture.frames)
        rate = self.plan.expected.timing.rate
        if rate is not None:
            yield frame_times(self.plan.expected.container, picture, 1 / rate, range(picture.frames))
        yield start_check("start", None, None, Fraction(0))

    def audio(self) -> Sequence[HeardAudio | None]:
        """Nothing: Resolve does not tell what it decoded."""
        return ()

    def error(self, proxy: ProxyObservation) -> JobError | None:
        """A proxy without the source's sound. How many streams it has is the preset's and the timeline's to decide."""
        clip = self.plan.clip
        if clip is None or not clip.audio_channels or proxy.report.of_type("audio") or not proxy.report.streams:
            return None
        return JobError(
            ErrorCode.OUTPUT_INVALID,
            f"the proxy must carry its source's sound, but it has none of the {clip.audio_channels} channels: nothing was "
            f"published. See that the preset {self.plan.preset!r} exports audio.",
            {"audio_channels": clip.audio_channels, "preset": self.plan.preset},
        )
