"""Everything that can be known before encoding, for every source, without a side effect.

The executor starts from an `Inspection`; `validate` prints one. The order of the stages is the contract's (section 2, "Which code
wins"): the spec, the output names, the sources, the engine, the output directory.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from proxx_worker.contract.errors import ErrorCode, JobError, ProxxError
from proxx_worker.contract.faults import SPEC_REFUSED, Allowed, Fault, fault_error
from proxx_worker.contract.jobspec import JobSpec, parse_jobspec
from proxx_worker.contract.naming import output_names
from proxx_worker.contract.output_settings import Engine
from proxx_worker.contract.spec_model import RULES
from proxx_worker.engines.ffprobe import probe_source
from proxx_worker.engines.source_file import SourceIdentity, check_source_file
from proxx_worker.engines.tools import Tools
from proxx_worker.files.locations import require_inside, require_path_inside
from proxx_worker.media.facts import MediaFacts, RawSource
from proxx_worker.planning.plan import TaskPlan, plan_task
from proxx_worker.planning.routing import route
from proxx_worker.process.stop import StopSignal, interrupted, raise_if_stopped


@dataclass(frozen=True, slots=True)
class Roots:
    """Where sources may lie and outputs may go, as real paths; None allows every place."""

    sources: tuple[str, ...] | None = None
    outputs: tuple[str, ...] | None = None

    def check_source(self, path: str) -> Callable[[str], None]:
        """A check that raises PATH_NOT_ALLOWED where the real location that it is given may not be that of the source `path`."""
        return lambda real: require_inside(path, real, self.sources, "source_roots", "a source")

    def check_output(self, path: str) -> None:
        """Raise PATH_NOT_ALLOWED where the output directory `path` leads outside."""
        require_path_inside(path, self.outputs, "output_roots", "the output directory")


@dataclass(frozen=True, slots=True)
class Environment:
    """What a job may use. `tools` finds FFmpeg and ffprobe or raises FFMPEG_MISSING / FFPROBE_MISSING."""

    tools: Callable[[], Tools]
    roots: Roots
    stall_seconds: float


@dataclass(frozen=True, slots=True)
class InspectedTask:
    """One source: its output's name, and what was found. `plan` is set once everything about it is known to be good."""

    source: str
    output_name: str | None = None
    identity: SourceIdentity | None = None
    media: MediaFacts | RawSource | None = None
    engine: Engine | None = None
    plan: TaskPlan | None = None
    error: JobError | None = None

    @property
    def facts(self) -> MediaFacts | None:
        """The media facts, where the source is ordinary media."""
        return self.media if isinstance(self.media, MediaFacts) else None


@dataclass(frozen=True, slots=True)
class Inspection:
    """How far a spec got. `error` is the job's error: the first of the first stage that failed."""

    spec: JobSpec | None
    engine: Engine | None
    tasks: tuple[InspectedTask, ...]
    error: JobError | None


def inspect(data: bytes, environment: Environment, stop: StopSignal, check_output: "OutputCheck") -> Inspection:
    """Inspect the spec `data`. `check_output(path, names)` raises for an output directory that cannot take the outputs.

    Never raises `ProxxError`: it ends up in the inspection.
    """
    try:
        spec = parse_jobspec(data)
    except ProxxError as fault:
        return Inspection(None, None, (), fault.error)
    tasks = tuple(InspectedTask(source) for source in spec.sources)
    engine = spec.engine
    try:
        tasks = tuple(replace(task, output_name=name) for task, name in zip(tasks, output_names(spec), strict=True))
        tasks = _each(tasks, stop, lambda task: _found(task, environment.roots))
        tools = _tools_for(tasks, environment)
        tasks = _each(tasks, stop, lambda task: _probed(task, tools, environment, stop))
        tasks = _each(tasks, stop, lambda task: _planned(task, spec))
        _raise_first(tasks)
        tasks = _each(tasks, stop, lambda task: _routed(task, spec.engine))
        _raise_first(tasks)
        engine = _engine_of(spec, tasks)
        environment.roots.check_output(spec.output_directory)
        check_output(spec.output_directory, [task.output_name or "" for task in tasks])
    except ProxxError as fault:
        return Inspection(spec, engine, tasks, fault.error)
    return Inspection(spec, engine, tasks, None)


class OutputCheck(Protocol):
    """A look at an output directory, without touching it."""

    def __call__(self, path: str, names: Sequence[str]) -> None:
        """Raise OUTPUT_DIRECTORY_MISSING, OUTPUT_DIRECTORY_NOT_WRITABLE or OUTPUT_EXISTS."""
        ...


def _each(
    tasks: tuple[InspectedTask, ...], stop: StopSignal, step: Callable[[InspectedTask], InspectedTask]
) -> tuple[InspectedTask, ...]:
    """Take every task without an error one step further; an error stays with its task. Raises INTERRUPTED."""
    return tuple(task if task.error is not None else _attempt(task, stop, step) for task in tasks)


def _attempt(task: InspectedTask, stop: StopSignal, step: Callable[[InspectedTask], InspectedTask]) -> InspectedTask:
    raise_if_stopped(stop, interrupted("the sources were looked at"))
    try:
        return step(task)
    except ProxxError as fault:
        if fault.code is ErrorCode.INTERRUPTED:
            raise
        return replace(task, error=about(task.source, fault.error))


def about(source: str, error: JobError) -> JobError:
    """`error` with its source named: as a job's error it stands without its task."""
    if source in error.message:
        return error
    return JobError(error.code, f"{source}: {error.message}", {"source": source, **error.details})


def _raise_first(tasks: tuple[InspectedTask, ...]) -> None:
    for task in tasks:
        if task.error is not None:
            raise ProxxError(task.error.code, task.error.message, **task.error.details)


def _tools_for(tasks: tuple[InspectedTask, ...], environment: Environment) -> Tools:
    """The tools; a source's own error goes before a missing tool."""
    try:
        return environment.tools()
    except ProxxError:
        _raise_first(tasks)
        raise


def _found(task: InspectedTask, roots: Roots) -> InspectedTask:
    # The place first: of a file outside it is not even told whether it exists. The place is checked again once it is open.
    require_path_inside(task.source, roots.sources, "source_roots", "a source")
    check_source_file(task.source)
    return task


def _probed(task: InspectedTask, tools: Tools, environment: Environment, stop: StopSignal) -> InspectedTask:
    probed = probe_source(
        tools,
        task.source,
        stop,
        stall_seconds=environment.stall_seconds,
        check_place=environment.roots.check_source(task.source),
    )
    return replace(task, media=probed.media, identity=probed.identity)


def _routed(task: InspectedTask, engine_of_profile: Engine | None) -> InspectedTask:
    return task if task.media is None else replace(task, engine=route(engine_of_profile, task.media))


def _engine_of(spec: JobSpec, tasks: tuple[InspectedTask, ...]) -> Engine:
    """The one engine of the job. Raises MIXED_ENGINES, SPEC_INVALID (resolve_preset), RESOLVE_UNAVAILABLE."""
    raw = [task for task in tasks if task.engine is Engine.RESOLVE]
    if raw and len(raw) < len(tasks):
        ordinary = next(task for task in tasks if task.engine is Engine.FFMPEG)
        raise ProxxError(
            ErrorCode.MIXED_ENGINES,
            f"a job's sources must all go to one engine: {raw[0].source} needs Resolve, {ordinary.source} FFmpeg. "
            "Submit camera RAW and ordinary media as separate jobs.",
            resolve=[task.source for task in raw],
            ffmpeg=[task.source for task in tasks if task.engine is Engine.FFMPEG],
        )
    engine = Engine.RESOLVE if raw else Engine.FFMPEG
    if engine is Engine.FFMPEG and spec.resolve_preset is not None:
        raise _preset_fault("every source is ordinary media, which FFmpeg encodes without a preset: leave it out", "absent")
    if engine is Engine.RESOLVE and spec.resolve_preset is None:
        message = "the sources are camera RAW, which DaVinci Resolve renders by a preset: give its name"
        raise _preset_fault(message, RULES["resolve_preset"].allowed)
    if engine is Engine.RESOLVE:
        formats = sorted({task.media.format for task in raw if isinstance(task.media, RawSource)})
        raise ProxxError(
            ErrorCode.RESOLVE_UNAVAILABLE,
            f"{', '.join(formats)} needs DaVinci Resolve, and this version of proxx-worker has no Resolve engine. "
            "Transcode the camera RAW elsewhere.",
            formats=list(formats),
        )
    return engine


def _preset_fault(message: str, allowed: Allowed) -> ProxxError:
    return fault_error(ErrorCode.SPEC_INVALID, SPEC_REFUSED, [Fault("resolve_preset", message, allowed)])


def _planned(task: InspectedTask, spec: JobSpec) -> InspectedTask:
    # What these settings cannot make of a source is a fault of that source, so it goes before the engine. What Resolve would make
    # of ordinary media is not FFmpeg's to judge.
    if task.facts is None or spec.engine is Engine.RESOLVE:
        return task
    return replace(task, plan=plan_task(spec.settings, task.facts))
