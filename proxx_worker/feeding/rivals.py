"""Outputs of known jobs: none is made twice, and one that a known job makes differently is refused. Values in, values out."""

import posixpath
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from proxx_worker.contract.errors import ErrorCode, JobError, ProxxError
from proxx_worker.contract.jobspec import JobSpec, parse_jobspec, summarize_spec
from proxx_worker.contract.naming import output_names
from proxx_worker.contract.output_settings import OutputSettings
from proxx_worker.contract.text import encodable, folded
from proxx_worker.feeding.orders import PlannedSpec
from proxx_worker.feeding.standing import State

_DOES = {State.WAITING: "(waiting) makes", State.RUNNING: "(running) makes", State.DONE: "(done) has made"}


@dataclass(frozen=True, slots=True)
class KnownSpec:
    """A spec in a folder: its name without `.json`, where it is, its bytes."""

    name: str
    state: State
    data: bytes


@dataclass(frozen=True, slots=True)
class Making:
    """How outputs are made. The preset also tells the engines apart: Resolve's jobs must have one, FFmpeg's must not."""

    settings: OutputSettings
    resolve_preset: str | None

    @classmethod
    def of(cls, spec: JobSpec) -> "Making":
        """How a spec has its outputs made, whether it names a profile or says the same explicitly."""
        return cls(spec.settings, spec.resolve_preset)


@dataclass(frozen=True, slots=True)
class Owner:
    """A job that has made `output` from `source`, or will. `name`: its spec's, without `.json`."""

    name: str
    state: State
    source: str
    output: str
    making: Making


@dataclass(frozen=True, slots=True)
class Claims:
    """What known jobs mean for a spec.

    `states`: of the jobs that make exactly its outputs, whatever they are called and however they group the clips; empty if that
    is not so for each output. `refusal`: why the spec must not be written; None if no job is in its way.
    """

    states: frozenset[State]
    refusal: JobError | None


class _Reason(Enum):
    """Why an output of another job is in the way."""

    CLIP = auto()
    SETTINGS = auto()
    GROUPING = auto()


def owners(known: Iterable[KnownSpec], directories: Collection[str]) -> dict[str, list[Owner]]:
    """The jobs of each output below `directories`, by `output_key`. What a worker would refuse has no outputs."""
    wanted = {output_key(directory) for directory in directories}
    found: dict[str, list[Owner]] = {}
    for spec in known if wanted else ():
        directory = summarize_spec(spec.data).output_directory
        if directory is None or output_key(directory) not in wanted:
            continue
        try:
            parsed = parse_jobspec(spec.data)
            names = output_names(parsed)
        except ProxxError:
            continue
        for source, name in zip(parsed.sources, names, strict=True):
            output = posixpath.join(directory, name)
            found.setdefault(output_key(output), []).append(Owner(spec.name, spec.state, source, output, Making.of(parsed)))
    return found


def output_key(path: str) -> str:
    """Equal for two paths that name one file, also where a file system ignores case."""
    return folded(posixpath.normpath(path))


def claims_on(
    spec: PlannedSpec,
    known: Mapping[str, Sequence[Owner]],
    there: Collection[str],
    same_clip: Callable[[str, str], bool],
    folder: str | None = None,
) -> Claims:
    """What the known jobs mean for a spec.

    `there`: those of its outputs that are in place; a done job counts only for these, as the others were taken away. `same_clip`:
    whether two paths name one clip. `folder`: the folder of specs that `known` comes from; None for a workspace.
    """
    making = Making.of(parse_jobspec(spec.data))
    equal: list[list[Owner]] = []
    for clip, output in zip(spec.clips, spec.outputs, strict=True):
        holders = [one for one in known.get(output_key(output), ()) if one.state is not State.DONE or output in there]
        of_clip = [one for one in holders if same_clip(one.source, clip.path)]
        equal.append([one for one in of_clip if one.making == making])
        if holders and not equal[-1]:
            reason = _Reason.SETTINGS if of_clip else _Reason.CLIP
            return Claims(frozenset(), _error(clip.path, output, (of_clip or holders)[0], reason, folder))
    if all(equal):
        return Claims(frozenset(one.state for found in equal for one in found), None)
    for clip, output, found in zip(spec.clips, spec.outputs, equal, strict=True):
        if coming := [one for one in found if one.state is not State.DONE]:
            return Claims(frozenset(), _error(clip.path, output, coming[0], _Reason.GROUPING, folder))
    return Claims(frozenset(), None)


def _error(clip: str, output: str, owner: Owner, reason: _Reason, folder: str | None) -> JobError:
    job = f"job {owner.name} {_DOES[owner.state]}" if folder is None else f"the spec {owner.name}.json in {folder} makes"
    spelt = "" if owner.output == output else f" (as {encodable(owner.output)}: upper and lower case count as the same)"
    message = (
        f"{encodable(clip)} would become {encodable(output)}, but {job} that{spelt} from {_origin(owner, reason)}; "
        f"{_remedy(clip, owner, reason, folder)}"
    )
    sources = sorted({clip, owner.source})
    return JobError(ErrorCode.OUTPUT_NAME_COLLISION, message, {"sources": [*sources], "output": output, "job": owner.name})


def _origin(owner: Owner, reason: _Reason) -> str:
    if reason is _Reason.CLIP:
        return encodable(owner.source)
    return f"the same clip{' with other settings' if reason is _Reason.SETTINGS else ', without the other clips of this spec'}"


def _remedy(clip: str, owner: Owner, reason: _Reason, folder: str | None) -> str:
    elsewhere = "choose another folder for the proxies"
    first = "" if folder is None else "remove it if its job has ended, or "
    if reason is _Reason.GROUPING:
        return f"{first or 'let it end and gather its outputs, or cancel it, or '}{elsewhere}"
    if reason is _Reason.CLIP and posixpath.dirname(clip) != posixpath.dirname(owner.source):
        above = "or the folder above both clips (mirror keeps the tree below it)"
        return f"{first}{elsewhere}, {above}, or put proxies beside clips"
    tokens = "{codec} or {resolution}" if reason is _Reason.SETTINGS else "{source_ext}"
    return f"{first}make the names differ with {tokens} in the naming template, or {elsewhere}"
