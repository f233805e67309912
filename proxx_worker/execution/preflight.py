"""Checks everything that can be checked before encoding, for every source, without side effects.

The executor starts with it, and `validate` prints it. The order of the stages is the contract's (section 2, "Which code wins"):
the spec, the output names, the sources, the engine, the output directory.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from proxx_worker.contract.errors import ErrorCode, JobError, JsonValue, ProxxError
from proxx_worker.contract.faults import SPEC_REFUSED, Fault, fault_error
from proxx_worker.contract.jobspec import JobSpec, parse_jobspec
from proxx_worker.contract.naming import output_names
from proxx_worker.contract.output_settings import Engine
from proxx_worker.contract.path_map import NO_MAPPINGS, PathMap
from proxx_worker.contract.resolve_rules import resolve_faults
from proxx_worker.contract.spec_model import RULES
from proxx_worker.engines.port import Accepted, EnginePort, MediaProbe, Plan, ProbedSource
from proxx_worker.engines.source_file import check_source_file
from proxx_worker.files.locations import require_inside, require_path_inside
from proxx_worker.media.facts import RawSource
from proxx_worker.planning.routing import engine_for, route
from proxx_worker.process.stop import CUT_SHORT, StopSignal, checkpoint

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True, slots=True)
class Roots:
    """Where sources may be read and outputs written, as real paths; None allows any location."""

    sources: tuple[str, ...] | None = None
    outputs: tuple[str, ...] | None = None

    def check_source(self, path: str) -> Callable[[str], None]:
        """A check of the source at `path`: given its real location, it raises PATH_NOT_ALLOWED if that is outside the roots."""
        return lambda real: require_inside(path, real, self.sources, "source_roots", "a source")

    def check_output(self, path: str) -> None:
        """Raise PATH_NOT_ALLOWED if the output directory `path` is outside the roots."""
        require_path_inside(path, self.outputs, "output_roots", "the output directory")


@dataclass(frozen=True, slots=True)
class Environment:
    """What a job may use. `engines`: those this worker has. `paths`: maps a spec's paths to this machine's."""

    probe: MediaProbe
    engines: Mapping[Engine, EnginePort]
    roots: Roots
    stall_seconds: float
    paths: PathMap = NO_MAPPINGS


@dataclass(frozen=True, slots=True)
class AcceptedJob:
    """A job that passed every check. `engine`: the one that encodes all its sources, of kind `kind`."""

    spec: JobSpec
    kind: Engine
    engine: EnginePort
    tasks: tuple[Accepted, ...]


@dataclass(frozen=True, slots=True)
class RefusedJob:
    """A job that cannot run. `error`: the first of the first stage that failed. `errors`: those of sources, by index.

    `spec` is None if it was rejected itself, `kind` if the engine is not known.
    """

    error: JobError
    spec: JobSpec | None = None
    kind: Engine | None = None
    errors: Mapping[int, JobError] = field(default_factory=dict)


class OutputCheck(Protocol):
    """A check of an output directory that changes nothing in it."""

    def __call__(self, path: str, names: Sequence[str]) -> None:
        """Raise OUTPUT_DIRECTORY_MISSING, OUTPUT_DIRECTORY_NOT_WRITABLE or OUTPUT_EXISTS."""
        ...


def inspect(data: bytes, environment: Environment, stop: StopSignal, check_output: OutputCheck) -> AcceptedJob | RefusedJob:
    """Inspect the spec `data`. Never raises `ProxxError`: errors are in the result."""
    try:
        spec = parse_jobspec(data)
    except ProxxError as fault:
        return RefusedJob(fault.error)
    sources = _Sources(spec.sources, stop)
    kind = spec.engine
    try:
        names = output_names(spec)
        local = {index: environment.paths.local(path) for index, path in enumerate(spec.sources)}
        existing = sources.each(local, lambda path: _check_path(path, environment.roots))
        _require_probe(environment.probe, sources)
        probed = sources.each(existing, lambda path: _probe(path, environment, stop))
        ready = ready_engines(environment.engines)
        plans = _plan(spec, probed, sources, environment.engines, ready)
        sources.raise_first()
        sources.each(probed, lambda source: route(spec.engine, source.media, ready))
        sources.raise_first()
        kind = _select_engine(spec, probed)
        engine = _require_engine(kind, probed, environment.engines)
        _require_available(engine, probed)
        output_directory = environment.paths.local(spec.output_directory)
        environment.roots.check_output(output_directory)
        check_output(output_directory, names)
    except ProxxError as fault:
        return RefusedJob(fault.error, spec, kind, sources.errors)
    tasks = (
        Accepted(path, names[index], probed[index].identity, probed[index].media, plans[index], environment.paths.mapped(path))
        for index, path in enumerate(spec.sources)
    )
    return AcceptedJob(spec, kind, engine, tuple(tasks))


class _Sources:
    """The sources of a job, by index. A source with an error takes no part in later stages."""

    def __init__(self, paths: Sequence[str], stop: StopSignal) -> None:
        self._paths = paths
        self._stop = stop
        self.errors: dict[int, JobError] = {}

    def each(self, items: Mapping[int, T], step: Callable[[T], U]) -> dict[int, U]:
        """The result of `step` for each of `items`, by index. Raises `StopSignal.error`, which is not a source's error."""
        results: dict[int, U] = {}
        for index, item in items.items():
            checkpoint(self._stop, "the sources were inspected")
            try:
                results[index] = step(item)
            except ProxxError as fault:
                if fault.code in CUT_SHORT:
                    raise
                self.errors[index] = with_source(self._paths[index], fault.error)
        return results

    def raise_first(self) -> None:
        """Raise the error of the first source that has one."""
        if self.errors:
            raise ProxxError.of(self.errors[min(self.errors)])


def with_source(source: str, error: JobError) -> JobError:
    """`error` with its source named, because a job's error is shown without its task."""
    if source in error.message:
        return error
    return JobError(error.code, f"{source}: {error.message}", {"source": source, **error.details})


def _require_probe(probe: MediaProbe, sources: _Sources) -> None:
    """Raise the error of a source, if there is one, before that of a missing tool."""
    try:
        probe.require_available()
    except ProxxError:
        sources.raise_first()
        raise


def _check_path(path: str, roots: Roots) -> str:
    # Roots first, so as not to reveal whether a file outside them exists. They are checked again once the file is open.
    require_path_inside(path, roots.sources, "source_roots", "a source")
    check_source_file(path)
    return path


def _probe(path: str, environment: Environment, stop: StopSignal) -> ProbedSource:
    return environment.probe.source(path, environment.roots.check_source(path), stop, environment.stall_seconds)


def _plan(
    spec: JobSpec,
    probed: Mapping[int, ProbedSource],
    sources: _Sources,
    engines: Mapping[Engine, EnginePort],
    ready: Collection[Engine],
) -> dict[int, Plan]:
    """A plan for every source whose engine this worker has, limited to the engine that the spec names, if any.

    Settings that a source does not support are an error of that source, so they come before errors of the engine. No engine
    plans media that another engine encodes. What Resolve cannot render is for a Resolve to say: where there is none, all camera
    RAW ends with RESOLVE_UNAVAILABLE (contract, section 2).
    """

    def plan(source: ProbedSource) -> Plan:
        return engines[engine_for(source.media)].plan(spec.settings, source.media, spec.resolve_preset)

    kinds = engines.keys() if spec.engine is None else engines.keys() & {spec.engine}
    if any(resolve_faults(spec.settings)) or Engine.RESOLVE not in ready:
        kinds = kinds - {Engine.RESOLVE}  # the spec's or the engine's error, once its sources are known to be camera RAW
    return sources.each({index: source for index, source in probed.items() if engine_for(source.media) in kinds}, plan)


def _select_engine(spec: JobSpec, probed: Mapping[int, ProbedSource]) -> Engine:
    """The job's engine. Raises MIXED_ENGINES, SPEC_INVALID (`resolve_preset`, and settings that Resolve cannot render)."""
    by_engine = {
        kind: [spec.sources[index] for index, source in probed.items() if engine_for(source.media) is kind] for kind in Engine
    }
    raw, ordinary = by_engine[Engine.RESOLVE], by_engine[Engine.FFMPEG]
    if raw and ordinary:
        raise ProxxError(
            ErrorCode.MIXED_ENGINES,
            f"a job's sources must all go to one engine: {raw[0]} needs Resolve, {ordinary[0]} FFmpeg. "
            "Submit camera RAW and ordinary media as separate jobs.",
            resolve=list(raw),
            ffmpeg=list(ordinary),
        )
    engine = Engine.RESOLVE if raw else Engine.FFMPEG
    if engine is Engine.FFMPEG and spec.resolve_preset is not None:
        message = "every source is ordinary media, which FFmpeg encodes without a preset: leave it out"
        raise fault_error(ErrorCode.SPEC_INVALID, SPEC_REFUSED, [Fault("resolve_preset", message, "absent")])
    if engine is Engine.RESOLVE:
        faults = [*resolve_faults(spec.settings)]
        if spec.resolve_preset is None:
            message = "the sources are camera RAW, which DaVinci Resolve renders by a preset: give its name"
            faults.append(Fault("resolve_preset", message, RULES["resolve_preset"].allowed))
        if faults:
            raise fault_error(ErrorCode.SPEC_INVALID, SPEC_REFUSED, faults)
    return engine


def ready_engines(engines: Mapping[Engine, EnginePort]) -> frozenset[Engine]:
    """The engines that are available on this machine."""
    return frozenset(kind for kind, engine in engines.items() if _is_available(engine))


def _is_available(engine: EnginePort) -> bool:
    try:
        engine.require_available()
    except ProxxError:
        return False
    return True


def _raw_formats(probed: Mapping[int, ProbedSource]) -> list[str]:
    """The camera RAW formats among the sources."""
    return sorted({source.media.format for source in probed.values() if isinstance(source.media, RawSource)})


def _require_available(engine: EnginePort, probed: Mapping[int, ProbedSource]) -> None:
    """Raise the error of an unavailable engine, naming the camera RAW that needs it: the spec may not have named the engine."""
    try:
        engine.require_available()
    except ProxxError as fault:
        formats = _raw_formats(probed)
        if not formats:
            raise
        details: dict[str, JsonValue] = {**fault.error.details, "formats": list(formats)}
        raise ProxxError(fault.code, f"{', '.join(formats)}: {fault.error.message}", **details) from fault


def _require_engine(kind: Engine, probed: Mapping[int, ProbedSource], engines: Mapping[Engine, EnginePort]) -> EnginePort:
    """The engine of that kind. Raises RESOLVE_UNAVAILABLE, as Resolve is the only engine that a worker may lack."""
    engine = engines.get(kind)
    if engine is None:
        formats = _raw_formats(probed)
        raise ProxxError(
            ErrorCode.RESOLVE_UNAVAILABLE,
            f"{', '.join(formats)} needs DaVinci Resolve, and this worker has no engine for it. Make these proxies elsewhere.",
            formats=list(formats),
        )
    return engine
