"""The names of a job's outputs: the template rendered for each source, refused if a name would be unsafe or used twice."""

import posixpath

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.contract.faults import MAX_FAULTS_TOLD, Fault, fault_error
from proxx_worker.contract.jobspec import JobSpec
from proxx_worker.contract.template import Part, PartKind, template_parts
from proxx_worker.contract.text import folded, quoted
from proxx_worker.contract.values import MAX_NAME_BYTES, name_fault

_NAME_RULE = f"at most {MAX_NAME_BYTES} bytes with the extension, without /, \\ and control characters, no dot at the beginning"
_INVALID = "the naming template gives a name that is refused; change the template or its tokens"
_MAX_TEMPLATE_CHARACTERS = 4096


def output_names(spec: JobSpec) -> tuple[str, ...]:
    """The file name of each source's proxy, in the order of the sources, extension included.

    Raises `ProxxError`: `OUTPUT_NAME_INVALID` with every unsafe name in `details.faults`, else `OUTPUT_NAME_COLLISION` with the
    two sources in `details.sources` if two names are the same on a file system that ignores case and composes accents.
    """
    _refuse_endless_template(spec.naming_template)
    parts = template_parts(spec.naming_template)
    values = _shared_values(spec)
    names: list[str] = []
    faults: list[Fault] = []
    for index, source in enumerate(spec.sources):
        name = _render(spec, parts, values, index)
        reason = name_fault(name)
        if reason is None:
            names.append(name)
        elif len(faults) <= MAX_FAULTS_TOLD:
            message = f"the output of {quoted(source)} would be called {quoted(name)}, and {reason}"
            faults.append(Fault(f"sources[{index}]", message, _NAME_RULE))
    if faults:
        raise fault_error(ErrorCode.OUTPUT_NAME_INVALID, _INVALID, faults, naming_template=spec.naming_template)
    _refuse_collisions(spec, names)
    return tuple(names)


def _refuse_endless_template(template: str) -> None:
    """Tokens can be empty, so a long template may still give short names; beyond this it only costs time."""
    if len(template) > _MAX_TEMPLATE_CHARACTERS:
        fault = Fault("naming_template", f"it is {len(template)} characters long", f"at most {_MAX_TEMPLATE_CHARACTERS}")
        raise fault_error(ErrorCode.OUTPUT_NAME_INVALID, _INVALID, [fault])


def _shared_values(spec: JobSpec) -> dict[str, str]:
    """The tokens that are the same for every source; what the spec resolves itself takes precedence."""
    values = {"job_id": spec.job_id, "codec": spec.settings.codec.value, "resolution": str(spec.settings.resolution)}
    moment = spec.created_at
    if moment is not None:
        values["date"] = f"{moment.year:04d}{moment.month:02d}{moment.day:02d}"
        values["time"] = f"{moment.hour:02d}{moment.minute:02d}{moment.second:02d}"
    return values


def _render(spec: JobSpec, parts: tuple[Part, ...], shared: dict[str, str], index: int) -> str:
    stem, extension = posixpath.splitext(posixpath.basename(spec.sources[index].rstrip("/")))
    own = {"source_name": stem, "source_ext": extension[1:], "index": f"{index:03d}"}
    values = {**shared, **own, **spec.resolved_tokens}
    name = "".join(values[part.text] if part.kind is PartKind.TOKEN else part.text for part in parts)
    return f"{name}.{spec.settings.container}"


def _refuse_collisions(spec: JobSpec, names: list[str]) -> None:
    first_with: dict[str, int] = {}
    for index, name in enumerate(names):
        other = first_with.setdefault(folded(name), index)
        if other == index:
            continue
        sources = [spec.sources[other], spec.sources[index]]
        message = (
            f"sources[{other}] {quoted(sources[0])} and sources[{index}] {quoted(sources[1])} would both be written to "
            f"{quoted(name)} (upper and lower case count as the same): make them differ in the naming template, "
            "for example with {index}"
        )
        raise ProxxError(
            ErrorCode.OUTPUT_NAME_COLLISION,
            message,
            sources=[*sources],
            indexes=[other, index],
            names=[names[other], name],
        )
