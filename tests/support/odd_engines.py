"""The fake engine in two other ways: one that makes its own file, and one that never comes to its end."""

import select
from pathlib import Path

from proxx_worker.contract.errors import ErrorCode, JobError
from proxx_worker.engines.port import Encoded, EngineContext, Plan, StagingArea, Unfinished, Usage
from proxx_worker.engines.source_file import OpenSource
from proxx_worker.verification.progress import Progress
from tests.support.fake_engine import FakeEngine, FakeEvidence


class AdoptingEngine(FakeEngine):
    """Makes a file of its own beside the output, which is adopted, as Resolve does."""

    def encode(
        self, plan: Plan, source: OpenSource, staging: StagingArea, name: str, context: EngineContext
    ) -> Encoded | Unfinished:
        context.on_progress(Progress(frames=1))
        if context.stop.requested():
            return Unfinished(context.stop.error("it was encoded").error, Usage())
        Path(staging.path, "rendered").write_bytes(self.content)
        return Encoded(staging.adopt("rendered", name, context.checkpoint("it was adopted")), FakeEvidence(), Usage())


class HangingEngine(FakeEngine):
    """Shows no sign of life after its first progress, until it is stopped or its time is over."""

    def encode(self, plan: Plan, source: OpenSource, staging: StagingArea, name: str, context: EngineContext) -> Unfinished:
        context.on_progress(Progress(frames=1))
        select.select([context.stop.fileno()], [], [], context.stall_seconds)
        if context.stop.requested():
            return Unfinished(context.stop.error("it was encoded").error, Usage())
        return Unfinished(JobError(ErrorCode.ENCODE_STALLED, "it was ended"), Usage())
