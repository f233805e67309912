"""An engine of a few lines, with all that an engine needs: every source becomes one prepared proxy."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from proxx_worker.contract.output_settings import OutputSettings
from proxx_worker.engines.port import Accepted, Encoded, EngineContext, Media, Plan, StagingArea, Unfinished, Usage
from proxx_worker.engines.source_file import OpenSource
from proxx_worker.planning.color_tags import Tags
from proxx_worker.planning.expectation import Expectation, ExpectedTiming, ExpectedVideo
from proxx_worker.verification.evidence import Evidence
from proxx_worker.verification.progress import Progress
from proxx_worker.verification.proxy_probe import ProxyObservation


@dataclass(frozen=True)
class FakePlan:
    expected: Expectation
    duration: None = None

    def fingerprint(self) -> str:
        return sha256(repr(self).encode()).hexdigest()


class FakeEvidence(Evidence):
    def checks(self) -> tuple[()]:
        return ()

    def fault(self) -> None: ...

    def error(self, proxy: ProxyObservation) -> None: ...


@dataclass(frozen=True)
class FakeEngine:
    content: bytes

    def require_available(self) -> None: ...

    def plan(self, settings: OutputSettings, media: Media, preset: str | None) -> FakePlan:
        tags = Tags(None, None, None)
        video = ExpectedVideo("prores", None, None, None, None, None, None, tags, tags, None, None)
        timing = ExpectedTiming(None, varies=False, duration=None, converts=False, timecode=None, reel=None)
        return FakePlan(Expectation(settings.container, video, timing, audio=None))

    def survey(self, tasks: Sequence[Accepted], context: EngineContext) -> Sequence[Accepted]:
        return tasks

    def encode(
        self, plan: Plan, source: OpenSource, staging: StagingArea, name: str, context: EngineContext
    ) -> Encoded | Unfinished:
        context.on_progress(Progress(frames=1))
        if context.stop.requested():
            return Unfinished(context.stop.error("it was encoded").error, Usage())
        staged = staging.create(name)
        staged.write_at(0, self.content)
        return Encoded(staged, FakeEvidence(), Usage())

    def finalize(self, plan: Plan, encoded: Encoded, context: EngineContext) -> None: ...
