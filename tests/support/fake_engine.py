"""An engine of a few lines: every source becomes one prepared proxy, or what a test wants to see go wrong."""

import hashlib
import select
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from proxx_worker.contract.errors import ErrorCode, JobError
from proxx_worker.contract.output_settings import OutputSettings
from proxx_worker.contract.result import Check
from proxx_worker.engines.port import Accepted, Encoded, EngineContext, Media, Plan, StagingArea, Unfinished, Usage
from proxx_worker.engines.source_file import OpenSource
from proxx_worker.planning.color_tags import Tags
from proxx_worker.planning.expectation import Expectation, ExpectedTiming, ExpectedVideo
from proxx_worker.verification.evidence import Evidence
from proxx_worker.verification.progress import Progress
from proxx_worker.verification.proxy_probe import ProxyObservation

NO_TAGS = Tags(None, None, None)


@dataclass(frozen=True)
class FakePlan:
    expected: Expectation
    duration: None = None

    def fingerprint(self) -> str:
        return hashlib.sha256(repr(self).encode()).hexdigest()


def plan_for(settings: OutputSettings) -> FakePlan:
    video = ExpectedVideo("prores", None, None, None, None, None, None, NO_TAGS, NO_TAGS, None, None)
    timing = ExpectedTiming(None, varies=False, duration=None, converts=False, timecode=None, reel=None)
    return FakePlan(Expectation(settings.container, video, timing, audio=None))


class FakeEvidence(Evidence):
    def checks(self) -> Sequence[Check]:
        return ()

    def fault(self) -> JobError | None:
        return None

    def error(self, proxy: ProxyObservation) -> JobError | None:
        return None


@dataclass(frozen=True)
class FakeEngine:
    content: bytes
    adopts: bool = False
    hangs: bool = False

    def require_available(self) -> None: ...

    def plan(self, settings: OutputSettings, media: Media, preset: str | None) -> FakePlan:
        return plan_for(settings)

    def survey(self, tasks: Sequence[Accepted], context: EngineContext) -> Sequence[Accepted]:
        return tasks

    def encode(
        self, plan: Plan, source: OpenSource, staging: StagingArea, name: str, context: EngineContext
    ) -> Encoded | Unfinished:
        context.on_progress(Progress(frames=1))
        select.select([context.stop.fileno()], [], [], context.stall_seconds if self.hangs else 0)
        if context.stop.requested():
            return Unfinished(context.stop.error("it was encoded").error, Usage())
        if self.hangs:
            return Unfinished(JobError(ErrorCode.ENCODE_STALLED, "it was ended"), Usage())
        if self.adopts:
            Path(staging.path, "rendered").write_bytes(self.content)
            return Encoded(staging.adopt("rendered", name, context.checkpoint("it was adopted")), FakeEvidence(), Usage())
        staged = staging.create(name)
        staged.write_at(0, self.content)
        return Encoded(staged, FakeEvidence(), Usage())

    def finalize(self, plan: Plan, encoded: Encoded, context: EngineContext) -> None: ...
