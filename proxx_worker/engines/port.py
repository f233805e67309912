"""What an engine is: whoever turns a source into a proxy. Execution knows this page and no engine.

An engine plans each source before anything is written, makes each output in staging, and hands over its evidence. All else is the
same for every engine: the sources' identity, staging, verification, sealing, publication, recovery and results.

An `Encoded` is one output, not one process. Of several outputs from one decode each is an `Encoded` of its own, whose `usage` is
its share; an output that several processes made in turn is one, whose `usage` is their sum.
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
"""What a look at a source can find."""


class Plan(Protocol):
    """How one source becomes its proxy. Each engine has its own kind, and gets back none but its own."""

    @property
    def expected(self) -> Expectation:
        """What the proxy must be."""
        ...

    @property
    def duration(self) -> Fraction | None:
        """Seconds of picture, for progress only."""
        ...

    def fingerprint(self) -> str:
        """SHA-256 (hex) over all that decides the output, paths left out."""
        ...


@dataclass(frozen=True, slots=True)
class Accepted:
    """One source that can be encoded, as far as is known. `source`: its path as the spec has it.

    `source_path`: where it is read, where `path_map` applied; else None.
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
        """The facts for the result: of ordinary media, and of camera RAW once its engine has looked at it."""
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
    """One output while it is made: a file in staging that is held open."""

    @property
    def name(self) -> str:
        """Its name in `folder`, which is also its final one."""
        ...

    @property
    def folder(self) -> str:
        """The staging folder as the working directory of a child, so that the bare name leads to this file and to no other."""
        ...

    @property
    def path(self) -> str:
        """Where it is, for messages."""
        ...

    @property
    def fd(self) -> int:
        """The file itself, as the worker holds it."""
        ...

    def size(self) -> int:
        """Bytes in it now."""
        ...

    def growth(self) -> tuple[int, ...]:
        """A value that changes with every write to it."""
        ...

    def read_at(self, offset: int, size: int) -> bytes:
        """Up to `size` bytes from `offset`; fewer at the end of the file only."""
        ...

    def write_at(self, offset: int, data: bytes) -> None:
        """Put `data` at `offset`."""
        ...

    def seal(self, checkpoint: Callable[[], object]) -> tuple[int, str]:
        """Make it durable; its size and SHA-256. Execution's to call, once the proxy is proven."""
        ...

    def close(self) -> None:
        """Let go of the file. Execution's to call."""
        ...


class StagingArea(Protocol):
    """Where a job's outputs are made. An engine takes each from here in one of two ways."""

    @property
    def path(self) -> str:
        """The folder, for an engine that is told a path."""
        ...

    def create(self, name: str) -> StagedOutput:
        """A new, empty file for the engine to fill. Raises NO_SPACE, IO_ERROR."""
        ...

    def adopt(self, rendered: str, name: str, checkpoint: Callable[[], object]) -> StagedOutput:
        """The file `rendered` that the engine has made here by itself, from now on called `name`. Raises OUTPUT_INVALID.

        It is made durable first: `checkpoint` is called between its pieces.
        """
        ...


@dataclass(frozen=True, slots=True)
class EngineContext:
    """What an engine's work is surrounded by.

    `output_directory`: where the outputs will stand on this machine. `stop` must be heard in every long pass.
    `stall_seconds`: how long an engine may show no sign of getting on. `on_progress` wants to hear at least once a second, also
    the same again. `pass_fds`: descriptors that every child inherits, so that locks live as long as the last of them.
    """

    output_directory: str
    stop: StopSignal
    stall_seconds: float
    log: JobLog
    on_progress: Callable[[Progress], None]
    pass_fds: Sequence[int]

    def checkpoint(self, work: str) -> Callable[[], None]:
        """What a long pass over a file calls again and again: raises `StopSignal.error` once a stop is requested."""
        return partial(checkpoint, self.stop, work)


@dataclass(frozen=True, slots=True)
class Usage:
    """What an output took: CPU seconds of all its processes, and the peak of resident memory in bytes."""

    cpu_seconds: float = 0.0
    peak_memory_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Encoded:
    """An output whose engine has come to its own end, well or not: the evidence tells.

    `argv`, `exit_code`: of the one command that made it, where there was one; of several the last. `plan`: by which it was made,
    where the source's frames called for another than the task's.
    """

    staged: StagedOutput
    evidence: Evidence
    usage: Usage
    argv: tuple[str, ...] | None = None
    exit_code: int | None = None
    plan: "Plan | None" = None


@dataclass(frozen=True, slots=True)
class Unfinished:
    """An output whose engine was ended (INTERRUPTED, ENCODE_STALLED), or left what cannot be judged. The rest as in `Encoded`."""

    fault: JobError
    usage: Usage
    argv: tuple[str, ...] | None = None
    exit_code: int | None = None


class EnginePort(Protocol):
    """An engine. Every method may raise `ProxxError`, and nothing else that it foresees."""

    def require_available(self) -> None:
        """Raise an environment error where the engine cannot work here. Cheap: no process is started."""
        ...

    def plan(self, settings: OutputSettings, media: Media, preset: str | None) -> Plan:
        """Plan one source. `preset`: the spec's `resolve_preset`. Raises SOURCE_UNSUPPORTED with the reason."""
        ...

    def survey(self, tasks: Sequence[Accepted], around: EngineContext) -> Sequence[Accepted | Refused]:
        """The tasks, in order, with what only the engine can tell before the first encode. Raises what fails the whole job."""
        ...

    def encode(
        self, plan: Plan, source: OpenSource, staging: StagingArea, name: str, around: EngineContext
    ) -> Encoded | Unfinished:
        """Make the output `name` of `source`, and wait for the end.

        What goes wrong after the start is in the answer, because what was seen up to then belongs into the result.
        """
        ...

    def finalize(self, plan: Plan, encoded: Encoded, around: EngineContext) -> None:
        """What the output still needs once its source is closed, before it is verified.

        Raises OUTPUT_INVALID, INTERRUPTED.
        """
        ...


@dataclass(frozen=True, slots=True)
class ProbedSource:
    """What a source is, and the state of the file that this was read from."""

    media: Media
    identity: SourceIdentity


class MediaProbe(Protocol):
    """The looks at files that are the same for every engine: at a source before, at its proxy afterwards."""

    def require_available(self) -> None:
        """Raise an environment error where no look is possible. Cheap: no process is started."""
        ...

    def source(self, path: str, check_place: Callable[[str], None], stop: StopSignal, stall_seconds: float) -> ProbedSource:
        """Look at the source at `path`. `check_place` gets its real location, and raises where it may not lie there.

        Raises SOURCE_MISSING, SOURCE_NOT_A_FILE, SOURCE_UNREADABLE, SOURCE_UNSUPPORTED, SOURCE_NO_VIDEO, INTERRUPTED.
        """
        ...

    def proxy(self, expected: Expectation, staged: StagedOutput, around: EngineContext) -> ProxyObservation:
        """Decode all of the finished proxy. Raises INTERRUPTED, OUTPUT_INVALID where that comes to no end."""
        ...
