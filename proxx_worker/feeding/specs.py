"""`spec` for many clips: finds and plans them, compares with what exists, and only then writes all specs or none."""

import os
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from proxx_worker.contract.errors import ErrorCode, JobError, ProxxError
from proxx_worker.contract.text import encodable
from proxx_worker.feeding.clips import Clip, Findings, counted, tell
from proxx_worker.feeding.drops import drop, make_directories, require_directories
from proxx_worker.feeding.jobs import Jobs, how_many, in_place
from proxx_worker.feeding.orders import (
    Beside,
    Order,
    PlannedSpec,
    fixed_part,
    plan,
    require_apart,
    require_possible,
    without_collisions,
)
from proxx_worker.feeding.rivals import claims_on, owners
from proxx_worker.feeding.same_clip import same_clip
from proxx_worker.feeding.scan import Walk, find_clips
from proxx_worker.feeding.standing import Standing, State, standing
from proxx_worker.files.errnos import translate_os_errors
from proxx_worker.files.locations import path_bytes, real_path_of
from proxx_worker.workspace.entries import exists
from proxx_worker.workspace.layout import Workspace

_PATHS_TOLD = 20


@dataclass(frozen=True, slots=True)
class Request:
    """A request to `spec`.

    `sources`: absolute paths, folders if `recursive`. `to`: an inbox or a folder. `how_to_create`: how the caller's user has
    missing folders created, for the message.
    """

    sources: tuple[str, ...]
    recursive: bool
    order: Order
    to: Workspace | Path
    create_directories: bool = False
    how_to_create: str = "pass --create-directories"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome: the specs' paths, and what to report, a line each."""

    made: tuple[bytes, ...]
    told: tuple[str, ...]


def write_specs(request: Request) -> Outcome:
    """Write the specs that do not exist yet.

    Raises `ProxxError`: a worker's refusal of a spec; OUTPUT_NAME_COLLISION; SOURCE_MISSING if there is no clip at all;
    ENGINE_MISMATCH if no profile is for any; OUTPUT_DIRECTORY_MISSING; OUTPUT_EXISTS; errors of the system. Then nothing
    is written.
    """
    wanted = _wanted(request)
    if request.create_directories:
        make_directories(wanted.directories)
    elif request.recursive:
        require_directories(wanted.directories, request.how_to_create)
    made = drop(_folder_of(request.to), wanted.new) if wanted.new else []
    return Outcome(tuple(made), _told(f"{counted(len(made), 'spec')} written", wanted, request.to))


def preview_specs(request: Request) -> tuple[str, ...]:
    """The report of `write_specs`, without writing anything. Raises `ProxxError` as it does."""
    wanted = _wanted(request)
    if request.recursive and not request.create_directories:
        require_directories(wanted.directories, request.how_to_create)
    return _told(f"{counted(len(wanted.new), 'spec')} to be written", wanted, request.to)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The findings, the specs to write, the folders of their outputs, the state of all, and outputs without a known job."""

    findings: Findings
    new: tuple[PlannedSpec, ...]
    directories: tuple[str, ...]
    standings: Counter[Standing]
    made: tuple[str, ...]


def _wanted(request: Request) -> _Wanted:
    require_possible(request.order)
    specs, findings = _planned(request, _find(request))
    found = _standings(request, specs)
    new = tuple(spec for spec, where in zip(specs, found, strict=True) if where is Standing.NEW)
    made = tuple(output for spec, where in zip(specs, found, strict=True) if where is Standing.MADE for output in spec.outputs)
    return _Wanted(findings, new, tuple(dict.fromkeys(spec.output_directory for spec in new)), Counter(found), made)


def _find(request: Request) -> Findings:
    if not request.recursive:
        folders = [os.path.dirname(source) for source in request.sources]
        root = os.path.commonpath(folders)
        return Findings(tuple(Clip(source, root, os.path.relpath(source, root)) for source in request.sources), ())
    for source in request.sources:
        _require_folder(source)
    require_apart(request.sources, request.order.destination, real_path_of)
    fixed = fixed_part(request.order.destination)
    destination = request.order.destination
    own = frozenset({destination.name}) if isinstance(destination, Beside) else frozenset[str]()
    left_out = frozenset() if fixed is None else frozenset({real_path_of(fixed)})
    findings = find_clips(request.sources, Walk(own_proxies=own, left_out=left_out))
    if not findings.clips:
        message = (
            f"{tell(findings)[0]} below {', '.join(map(encodable, request.sources))}; check that what you expect there is mounted"
        )
        raise ProxxError(ErrorCode.SOURCE_MISSING, message)
    return findings


def _require_folder(source: str) -> None:
    """Raise SOURCE_MISSING unless it is a folder; IO_ERROR if the system cannot tell."""
    path, shown = path_bytes(source), encodable(source)
    with translate_os_errors("inspect the folder", path):
        if os.path.isdir(path):
            return
        try:
            there = exists(path)
        except NotADirectoryError:
            there = False
    if there:
        message = f"with --recursive each source must be a folder, but {shown} is not; give its folder, or omit --recursive"
    else:
        message = f"a source folder must exist, but {shown} does not; check the path, and that it is mounted"
    raise ProxxError(ErrorCode.SOURCE_MISSING, message, path=shown)


def _planned(request: Request, findings: Findings) -> tuple[Sequence[PlannedSpec], Findings]:
    """The specs, and the findings without the clips that no profile is for. Raises the first refusal."""
    wanted = plan(findings.clips, request.order)
    specs, colliding = without_collisions(wanted.specs)
    for refused in (*wanted.refused, *colliding):
        raise ProxxError(refused.error.code, refused.error.message, **refused.error.details)
    unfit = dict(wanted.unfit)
    if len(unfit) == len(findings.clips):
        path, reason = wanted.unfit[0]
        message = f"{', '.join(request.order.profiles)} cannot take any of these clips: {encodable(path)} is {reason}"
        raise ProxxError(ErrorCode.ENGINE_MISMATCH, message, path=encodable(path))
    fitting = tuple(clip for clip in findings.clips if clip.path not in unfit)
    return specs, replace(findings, clips=fitting, skipped=(*findings.skipped, *wanted.unfit))


def _standings(request: Request, specs: Sequence[PlannedSpec]) -> list[Standing]:
    """The state of each spec.

    Raises OUTPUT_NAME_COLLISION if a known job has an output and makes it otherwise; OUTPUT_EXISTS if a job could only fail, or
    another chunk already has the name.
    """
    jobs = _jobs_of(request)
    states = {spec.stem: jobs.states_of(spec.stem, spec.data) for spec in specs}
    idle = [spec for spec in specs if not states[spec.stem] & {State.WAITING, State.RUNNING}]
    # Before the outputs are looked for: a job that ends meanwhile is then known as running, or its outputs are found.
    known = jobs.known(State.RUNNING, State.WAITING) if idle else []
    there = {spec.stem: in_place(spec.outputs) for spec in idle}
    found = {spec.stem: _standing_of(spec, states[spec.stem], there.get(spec.stem, ())) for spec in specs}
    undecided = [spec for spec in idle if found[spec.stem] is not Standing.DONE]
    # done/ may hold ten thousand specs, and they only matter where an output is in place.
    if any(there[spec.stem] for spec in undecided):
        known += jobs.known(State.DONE)
    owned = owners(known, {spec.output_directory for spec in undecided})
    folder = None if isinstance(request.to, Workspace) else encodable(str(request.to))
    for spec in undecided:
        claims = claims_on(spec, owned, there[spec.stem], same_clip, folder)
        other_chunk = request.order.chunk is not None and not states[spec.stem] and jobs.is_taken(spec.stem)
        where = _standing_of(spec, states[spec.stem] | claims.states, there[spec.stem])
        _require_free(spec, where, claims.refusal, other_chunk=other_chunk)
        found[spec.stem] = where
    return [found[spec.stem] for spec in specs]


def _standing_of(spec: PlannedSpec, states: Collection[State], there: Collection[str]) -> Standing:
    return standing(states, how_many(there, spec.outputs), again=True)


def _require_free(spec: PlannedSpec, where: Standing, refusal: JobError | None, *, other_chunk: bool) -> None:
    """Raise what stands against a spec, as `_standings`. `other_chunk`: a job of other clips has its name."""
    if where is Standing.NEW and other_chunk:
        message = f"{spec.stem}.json exists with other clips: clips were added or removed since, and chunks would overlap"
        remedy = "remove the old specs, or write these elsewhere"
        raise ProxxError(ErrorCode.OUTPUT_EXISTS, f"{message}; {remedy}", stem=spec.stem)
    if refusal is not None:
        raise ProxxError(refusal.code, refusal.message, **refusal.details)
    if where is Standing.IN_PART:
        message = f"some outputs of {spec.stem} are already in {spec.output_directory}, so its job would fail"
        raise ProxxError(ErrorCode.OUTPUT_EXISTS, f"{message}; gather them first, or choose another folder", stem=spec.stem)


def _jobs_of(request: Request) -> Jobs:
    if isinstance(request.to, Workspace):
        request.to.require()
        jobs = Jobs.of_workspace(request.to)
    else:
        jobs = Jobs({State.WAITING: os.fsencode(request.to)})
    jobs.look()
    return jobs


def _folder_of(to: Workspace | Path) -> bytes:
    """The folder for the specs, created if missing, as `submit` and `--per-clip` do."""
    if isinstance(to, Workspace):
        to.make_inbox()
        return to.inbox
    with translate_os_errors("create the folder", to):
        to.mkdir(parents=True, exist_ok=True)
    return os.fsencode(to)


def _told(written: str, wanted: _Wanted, to: Workspace | Path) -> tuple[str, ...]:
    """What was found, the outputs that no known job has made, and the counts of all specs, last."""
    found = wanted.standings
    names = {where: str(where) for where in found} | ({} if isinstance(to, Workspace) else {Standing.QUEUED: "already written"})
    rest = [f"{count} {names[where]}" for where, count in sorted(found.items()) if where is not Standing.NEW]
    paths = [f"already exists, without a known job: {encodable(output)}" for output in wanted.made[:_PATHS_TOLD]]
    if len(wanted.made) > _PATHS_TOLD:
        paths.append(f"and {len(wanted.made) - _PATHS_TOLD} more outputs without a known job")
    return (*tell(wanted.findings), *paths, written + "".join(f", {text}" for text in rest))
