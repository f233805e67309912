"""The engine interface: an engine turns a source into a proxy. Execution knows this module and no engine.

An engine plans each source before anything is written, makes each output in staging, and returns its evidence. Everything else
is the same for all engines: source identity, staging, verification, sealing, publishing, recovery and results.

An `Encoded` is one output, not one process. If one decode feeds several outputs, each is an `Encoded` whose `usage` is its share;
if several processes make one output in turn, its `usage` is their sum.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Protocol, TypeAlias

from proxx_worker.contract.errors import JobError
from proxx_worker.contract.output_settings import OutputSettings
from proxx_worker.contract.source_media import SourceMedia
from proxx_worker.engines.source_file import OpenSource, SourceIdentity
from proxx_worker.media.clip_properties import SurveyedRaw
from proxx_worker.media.facts import MediaFacts, RawSource
from proxx_worker.media.raw_record import raw_source_media
from proxx_worker.media.source_record import source_media
from proxx_worker.observe.joblog import JobLog
from proxx_worker.planning.expectation import Expectation
from proxx_worker.process.stop import StopSignal, checkpoint
from proxx_worker.verification.evidence import Evidence
from proxx_worker.verification.progress import Progress
from proxx_worker.verification.proxy_probe import ProxyObservation

Media: TypeAlias = MediaFacts | RawSource
"""What probing a source can find."""


class Plan(Protocol):
    """How one source becomes its proxy. Each engine has its own kind, and is only ever given its own."""

    @property
    def expected(self) -> Expectation:
        """What the proxy must be."""
        ...

    @property
    def duration(self) -> Fraction | None:
        """The video's duration in seconds, for progress only."""
        ...

    def fingerprint(self) -> str:
        """SHA-256 (hex) over everything that determines the output, except paths."""
        ...


@dataclass(frozen=True, slots=True)
class Accepted:
    """One source that can be encoded, as far as known. `source`: its path in the spec.

    `source_path`: its path on this machine if `path_map` applies, else None.
    """

    source: str
    output_name: str
    identity: SourceIdentity
    media: Media
    plan: Plan
    source_path: str | None = None

    @property
    def source_file(self) -> str:
        """The path to open."""
        return self.source if self.source_path is None else self.source_path

    @property
    def source_media(self) -> SourceMedia | None:
        """The facts for the result: of ordinary media, and of camera RAW once its engine has surveyed it."""
        match self.media:
            case MediaFacts():
                return source_media(self.media)
            case SurveyedRaw():
                return raw_source_media(self.media)
            case _:
                return None


@dataclass(frozen=True, slots=True)
class Refused:
    """One source that cannot be encoded, and why."""

    source: str
    error: JobError


class StagedOutput(Protocol):
    """One output in progress: an open file in staging."""

    @property
    def name(self) -> str:
        """Its name in `folder`, which is also its final name."""
        ...

    @property
    def folder(self) -> str:
        """The staging folder as the working directory of a child, so that `name` can only refer to this file."""
        ...

    @property
    def path(self) -> str:
        """Its path, for messages."""
        ...

    @property
    def fd(self) -> int:
        """The worker's descriptor of the file."""
        ...

    def size(self) -> int:
        """Its current size in bytes."""
        ...

    def growth(self) -> tuple[int, ...]:
        """A value that changes with every write to it."""
        ...

    def read_at(self, offset: int, size: int) -> bytes:
        """Up to `size` bytes from `offset`; fewer only at the end of the file."""
        ...

    def write_at(self, offset: int, data: bytes) -> None:
        """Write `data` at `offset`."""
        ...

    def seal(self, checkpoint: Callable[[], object]) -> tuple[int, str]:
        """Make it durable. Returns its size and SHA-256. Called by execution once the proxy is verified."""
        ...

    def close(self) -> None:
        """Close the file. Called by execution."""
        ...


class StagingArea(Protocol):
    """Where a job's outputs are made. An engine gets each in one of two ways."""

    @property
    def path(self) -> str:
        """The folder, for an engine that needs a path."""
        ...

    def create(self, name: str) -> StagedOutput:
        """A new, empty file for the engine to fill. Raises NO_SPACE, IO_ERROR."""
        ...

    def adopt(self, rendered: str, name: str, checkpoint: Callable[[], object]) -> StagedOutput:
        """Take over the file `rendered`, which the engine itself created here, and rename it to `name`. Raises OUTPUT_INVALID.

        The file is made durable first; `checkpoint` is called between pieces.
        """
        ...


@dataclass(frozen=True, slots=True)
class EngineContext:
    """What an engine needs to know of the job.

    `output_directory`: the final location of the outputs, on this machine. `stop`: must be checked in every long pass.
    `stall_seconds`: how long an engine may make no progress. `on_progress`: must be called at least once a second, even without
    news. `pass_fds`: descriptors that every child inherits, so that locks are held until the last child has exited.
    """

    output_directory: str
    stop: StopSignal
    stall_seconds: float
    log: JobLog
    on_progress: Callable[[Progress], None]
    pass_fds: Sequence[int]

    def checkpoint(self, work: str) -> Callable[[], None]:
        """A function for long passes to call repeatedly: it raises `StopSignal.error` once a stop is requested."""
        return partial(checkpoint, self.stop, work)


@dataclass(frozen=True, slots=True)
class Usage:
    """The cost of an output: CPU seconds of all its processes, and peak resident memory in bytes."""

    cpu_seconds: float = 0.0
    peak_memory_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Encoded:
    """An output whose engine ran to its own end; the evidence says whether it succeeded.

    `argv`, `exit_code`: of the last command that made it, if there was one. `plan`: the plan used, if the source's frames
    required a different one than the task's. `notes`: what the encode found out about the source, for the operator.
    """

    staged: StagedOutput
    evidence: Evidence
    usage: Usage
    argv: tuple[str, ...] | None = None
    exit_code: int | None = None
    plan: "Plan | None" = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unfinished:
    """An output whose engine was stopped (INTERRUPTED, ENCODE_STALLED) or cannot be verified. Other fields as in `Encoded`."""

    fault: JobError
    usage: Usage
    argv: tuple[str, ...] | None = None
    exit_code: int | None = None


class EnginePort(Protocol):
    """An engine. Every method may raise `ProxxError`, and no other error that it expects."""

    def require_available(self) -> None:
        """Raise an environment error if the engine cannot run here. Cheap: starts no process."""
        ...

    def plan(self, settings: OutputSettings, media: Media, preset: str | None) -> Plan:
        """Plan one source. `preset`: the spec's `resolve_preset`. Raises SOURCE_UNSUPPORTED with the reason."""
        ...

    def survey(self, tasks: Sequence[Accepted], context: EngineContext) -> Sequence[Accepted | Refused]:
        """The tasks, in order, with what only the engine can find out before the first encode. Raises errors of the whole job."""
        ...

    def encode(
        self, plan: Plan, source: OpenSource, staging: StagingArea, name: str, context: EngineContext
    ) -> Encoded | Unfinished:
        """Make the output `name` of `source`, and wait until it is done.

        Errors after the start are returned, because what is known by then belongs in the result.
        """
        ...

    def finalize(self, plan: Plan, encoded: Encoded, context: EngineContext) -> None:
        """Finish the output after its source is closed, before it is verified. Raises OUTPUT_INVALID, INTERRUPTED."""
        ...


@dataclass(frozen=True, slots=True)
class ProbedSource:
    """A probed source, and the identity of the file that was probed."""

    media: Media
    identity: SourceIdentity


class MediaProbe(Protocol):
    """The probes that are the same for every engine: of a source before the encode, of its proxy afterwards."""

    def require_available(self) -> None:
        """Raise an environment error if probing is impossible. Cheap: starts no process."""
        ...

    def source(self, path: str, check_place: Callable[[str], None], stop: StopSignal, stall_seconds: float) -> ProbedSource:
        """Probe the source at `path`. `check_place` gets its real location, and raises if that is not allowed.

        Raises SOURCE_MISSING, SOURCE_NOT_A_FILE, SOURCE_UNREADABLE, SOURCE_UNSUPPORTED, SOURCE_NO_VIDEO, INTERRUPTED.
        """
        ...

    def proxy(self, expected: Expectation, staged: StagedOutput, context: EngineContext) -> ProxyObservation:
        """Decode the whole finished proxy. Raises INTERRUPTED, or OUTPUT_INVALID if that stalls."""
        ...
