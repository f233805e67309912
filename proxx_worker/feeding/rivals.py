"""Outputs of jobs that are known: a spec that would make one of them for another clip is refused. Values in, values out."""

import posixpath
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from proxx_worker.contract.errors import ErrorCode, JobError, ProxxError
from proxx_worker.contract.jobspec import parse_jobspec, summarize_spec
from proxx_worker.contract.naming import output_names
from proxx_worker.contract.text import encodable, folded
from proxx_worker.feeding.orders import PlannedSpec
from proxx_worker.feeding.standing import State

_WORDS = {State.WAITING: "waits", State.RUNNING: "runs", State.DONE: "is done", State.FAILED: "failed"}


@dataclass(frozen=True, slots=True)
class KnownSpec:
    """A spec in a folder: its name without `.json`, where it is, its bytes."""

    name: str
    state: State
    data: bytes


@dataclass(frozen=True, slots=True)
class Owner:
    """A job that has made an output, or will: from `source`, by the spec `data`."""

    name: str
    state: State
    source: str
    data: bytes


def owners(known: Iterable[KnownSpec], directories: Collection[str]) -> dict[str, list[Owner]]:
    """The jobs of each output below `directories`, by `output_key`. What a worker would refuse has no outputs."""
    wanted = {output_key(directory) for directory in directories}
    found: dict[str, list[Owner]] = {}
    for spec in known:
        directory = summarize_spec(spec.data).output_directory
        if directory is None or output_key(directory) not in wanted:
            continue
        try:
            parsed = parse_jobspec(spec.data)
            names = output_names(parsed)
        except ProxxError:
            continue
        for source, name in zip(parsed.sources, names, strict=True):
            owner = Owner(spec.name, spec.state, source, spec.data)
            found.setdefault(output_key(posixpath.join(directory, name)), []).append(owner)
    return found


def output_key(path: str) -> str:
    """Equal for two paths that name one file, also where a file system ignores case."""
    return folded(posixpath.normpath(path))


def states_under_other_names(spec: PlannedSpec, known: Mapping[str, Sequence[Owner]]) -> frozenset[State]:
    """Where jobs of exactly this spec are, whatever they are called: a folder above, or the clip alone, gives another name."""
    return frozenset(owner.state for _, owner in _owners_of(spec, known) if owner.data == spec.data)


def rival(spec: PlannedSpec, known: Mapping[str, Sequence[Owner]], there: Collection[str]) -> JobError | None:
    """The refusal of a spec whose output belongs to another job; None if there is no such job.

    A done job counts where its output is in place (is in `there`), and only for another clip: of the same one the proxy exists.
    """
    for index, owner in _owners_of(spec, known):
        clip, output = spec.clips[index].path, spec.outputs[index]
        if owner.data == spec.data or (owner.state is State.DONE and (output not in there or owner.source == clip)):
            continue
        return _error(clip, output, owner)
    return None


def _owners_of(spec: PlannedSpec, known: Mapping[str, Sequence[Owner]]) -> list[tuple[int, Owner]]:
    return [(index, owner) for index, output in enumerate(spec.outputs) for owner in known.get(output_key(output), ())]


def _error(clip: str, output: str, owner: Owner) -> JobError:
    job = f"job {encodable(owner.name)}, which {_WORDS[owner.state]},"
    if owner.source == clip:
        cause = f"{job} makes the same for that clip"
        remedy = "let it end, or cancel it; or make the names differ in the naming template, with {codec} and {resolution}"
    else:
        cause = f"that is the output of {encodable(owner.source)} by {job} already"
        apart = posixpath.dirname(clip) != posixpath.dirname(owner.source)
        remedy = (
            "name another folder, or the folder above both clips (mirror keeps the tree below it), or put proxies beside clips"
            if apart
            else "make the names differ in the naming template, with {source_ext}"
        )
    message = f"{encodable(clip)} would become {encodable(output)}, but {cause} (upper and lower case count as one): {remedy}"
    sources = sorted({clip, owner.source})
    return JobError(ErrorCode.OUTPUT_NAME_COLLISION, message, {"sources": [*sources], "output": output, "job": owner.name})
