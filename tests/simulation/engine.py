"""What stands for FFmpeg and ffprobe in a simulation: every source is the same clip, and its proxy a few bytes of its own."""

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from proxx_worker.contract.errors import ErrorCode, JobError
from proxx_worker.contract.output_settings import OutputSettings
from proxx_worker.engines.port import (
    Accepted,
    Encoded,
    EngineContext,
    Media,
    Plan,
    ProbedSource,
    StagedOutput,
    StagingArea,
    Unfinished,
    Usage,
)
from proxx_worker.engines.source_file import OpenSource, open_source
from proxx_worker.planning.expectation import Expectation
from proxx_worker.process.stop import StopSignal
from proxx_worker.verification.progress import Progress
from proxx_worker.verification.proxy_probe import ProxyObservation
from tests.simulation.kernel import Description, Kernel, Process
from tests.support.fake_engine import FakeEngine, FakeEvidence, FakePlan
from tests.support.printouts import parse_proxy
from tests.unit.planning.sources import CLIP

BAD = b"bad"
"""What a source begins with that no encoder can read to its end."""
_CHUNKS = 3
_RENDERS = 0.15
_RENDER = "render.mov"
_REPORT = b"stream|index=0|codec_type=video|codec_name=prores|width=64|height=36\nformat|format_name=mov,mp4,m4a,3gp,3g2,mj2\n"
_PROXY = ProxyObservation(0, parse_proxy(_REPORT), "")
_DYING_SECONDS = 1.5


@dataclass(frozen=True)
class SimulatedProbe:
    """Looks at sources and proxies without a child."""

    kernel: Kernel

    def require_available(self) -> None: ...

    def source(self, path: str, check_place: Callable[[str], None], stop: StopSignal, stall_seconds: float) -> ProbedSource:
        with open_source(path) as source:
            check_place(source.real_path())
            self.kernel.wait(0.01)
            return ProbedSource(CLIP, source.identity)

    def proxy(self, expected: Expectation, staged: StagedOutput, context: EngineContext) -> ProxyObservation:
        self.kernel.wait(0.02)
        return _PROXY


@dataclass
class SimulatedEngine:
    """Writes each proxy in pieces, as a child that may outlive its worker for a moment."""

    kernel: Kernel
    encoding: "dict[int, tuple[EngineContext, StagedOutput]]"
    """By the worker's pid: what its child has inherited."""

    def require_available(self) -> None: ...

    def plan(self, settings: OutputSettings, media: Media, preset: str | None) -> FakePlan:
        return FakeEngine(b"").plan(settings, media, preset)

    def survey(self, tasks: Sequence[Accepted], context: EngineContext) -> Sequence[Accepted]:
        return tasks

    def encode(
        self, plan: Plan, source: OpenSource, staging: StagingArea, name: str, context: EngineContext
    ) -> Encoded | Unfinished:
        head = source.read(0, 64)
        if self.kernel.rng.random() < _RENDERS:
            return Encoded(self._rendered(staging, name, head, context), FakeEvidence(), Usage())
        staged = staging.create(name)
        pid = self.kernel.me().pid
        self.encoding[pid] = context, staged
        try:
            for number in range(_CHUNKS):
                self.kernel.wait(0.05)
                if context.stop.requested():
                    return Unfinished(context.stop.error("the source was encoded").error, Usage())
                if number and head.startswith(BAD):
                    return Unfinished(JobError(ErrorCode.SOURCE_DAMAGED, "it cannot be decoded"), Usage())
                staged.write_at(staged.size(), proxy_part(name, head, number))
                context.on_progress(Progress(frames=number))
        finally:
            self.encoding.pop(pid, None)
        return Encoded(staged, FakeEvidence(), Usage())

    def _rendered(self, staging: StagingArea, name: str, head: bytes, context: EngineContext) -> StagedOutput:
        """A file that another program has made in the staging folder, as Resolve does, and that is taken over."""
        disk, now_ns = self.kernel.disk, self.kernel.now_ns
        made = disk.make(disk.find(os.fsencode(staging.path)), _RENDER.encode(), is_folder=False, now_ns=now_ns)
        for number in range(_CHUNKS):
            disk.write(made, len(made.data), proxy_part(name, head, number), now_ns)
        return staging.adopt(_RENDER, name, context.stop.requested)

    def finalize(self, plan: Plan, encoded: Encoded, context: EngineContext) -> None: ...

    def orphan(self, worker: Process) -> None:
        """The worker was killed: its child dies a little later, and holds until then what it inherited."""
        found = self.encoding.pop(worker.pid, None)
        if found is None or self.kernel.cut:
            return
        context, _ = found
        held = [worker.descriptors[fd] for fd in context.pass_fds if fd in worker.descriptors]
        for description in held:
            description.holders += 1
        seconds = self.kernel.rng.random() * _DYING_SECONDS
        self.kernel.start("encoder", lambda: self._die(held), exposed=False, delay=seconds)

    def _die(self, held: Sequence[Description]) -> None:
        for description in held:
            self.kernel.let_go(description)


def proxy_part(name: str, head: bytes, number: int) -> bytes:
    """A piece of a proxy's bytes, like no other."""
    return hashlib.sha256(b"%d %s %s" % (number, name.encode(), head)).digest()
