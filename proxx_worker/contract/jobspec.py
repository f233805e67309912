"""JobSpec 2.1: from the bytes of a file to a resolved, frozen value, or to an error that lists everything wrong with them."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType

from proxx_worker.contract.errors import ErrorCode, JsonValue, ProxxError
from proxx_worker.contract.faults import SPEC_REFUSED, Fault, fault_error
from proxx_worker.contract.output_settings import Codec, DnxhrLevel, Engine, FpsMode, OutputSettings
from proxx_worker.contract.profiles import PROFILES
from proxx_worker.contract.spec_faults import find_faults
from proxx_worker.contract.spec_model import RULES, SPEC_VERSION, JobSpecModel
from proxx_worker.contract.strict_json import (
    MAX_SPEC_BYTES,
    Document,
    NotJsonError,
    Value,
    is_binary,
    is_whole_json_object,
    parse_object,
)
from proxx_worker.contract.text import quoted
from proxx_worker.contract.values import JOB_ID_PATTERN, read_moment, read_rate, read_resolution

__all__ = [
    "MAX_SPEC_BYTES",
    "JobSpec",
    "JobSpecModel",
    "SpecSummary",
    "is_whole_json_object",
    "parse_jobspec",
    "spec_digest",
    "summarize_spec",
]

_JOB_ID = re.compile(JOB_ID_PATTERN.removeprefix("^").removesuffix("$"))
_DEFAULT_JOB_ID_DIGITS = 12


@dataclass(frozen=True, slots=True)
class JobSpec:
    """A valid spec, completely resolved: no default is left open, no text left to parse.

    `sha256` is of the spec's bytes, in hex. `engine` is the profile's; None in explicit form, where the sources decide.
    `created_at` is as written, with the offset from UTC if it has one.
    """

    sha256: str
    version: str
    job_id: str
    sources: tuple[str, ...]
    output_directory: str
    profile: str | None
    engine: Engine | None
    settings: OutputSettings
    naming_template: str
    resolved_tokens: Mapping[str, str]
    created_at: datetime | None
    resolve_preset: str | None


@dataclass(frozen=True, slots=True)
class SpecSummary:
    """What the result of a refused spec can still state about it.

    `job_id` is the spec's own if valid, else the default. `sources` is empty unless the spec has a list of texts; the other
    fields are None unless the spec has them as texts, valid or not.
    """

    job_id: str
    version: str | None
    sources: tuple[str, ...]
    sha256: str | None
    profile: str | None
    output_directory: str | None


def spec_digest(data: bytes) -> str:
    """The SHA-256 of a spec's bytes, 64 hex digits."""
    return hashlib.sha256(data).hexdigest()


def parse_jobspec(data: bytes) -> JobSpec:
    """Read a spec.

    Raises `ProxxError`, in this order: `SPEC_TOO_LARGE`, `SPEC_NOT_JSON`, `SPEC_VERSION`, then every other fault at once as
    `SPEC_INVALID`, or as `PROFILE_UNKNOWN` if an unknown profile is the only one. Output names are checked in `naming`.
    """
    document = _read_document(data)
    _refuse_other_version(document.content)
    faults = find_faults(document)
    if faults:
        raise _spec_error(document.content, faults)
    return _resolve(spec_digest(data), JobSpecModel.model_validate(document.content))


def summarize_spec(data: bytes) -> SpecSummary:
    """What is known about a spec that may be refused, or may not be one at all. Never raises."""
    digest = spec_digest(data)
    try:
        content = _read_document(data).content
    except ProxxError:
        content = {}
    job_id, sources = _text(content, "job_id"), content.get("sources")
    return SpecSummary(
        job_id=job_id if job_id and _JOB_ID.fullmatch(job_id) else digest[:_DEFAULT_JOB_ID_DIGITS],
        version=_text(content, "jobspec_version"),
        sources=_texts(sources) if isinstance(sources, list) else (),
        sha256=digest,
        profile=_text(content, "proxy_profile"),
        output_directory=_text(content, "output_directory"),
    )


def unread_summary(sha256: str | None) -> SpecSummary:
    """What is known about a spec whose bytes were not read into memory; `sha256` is None if they were not read to the end."""
    job_id = "unknown" if sha256 is None else sha256[:_DEFAULT_JOB_ID_DIGITS]
    return SpecSummary(job_id=job_id, version=None, sources=(), sha256=sha256, profile=None, output_directory=None)


def too_large(size: int, head: bytes = b"") -> ProxxError:
    """The refusal of a spec of `size` bytes. `head`: its first bytes, if known."""
    message = f"a JobSpec must have at most {MAX_SPEC_BYTES} bytes (1 MiB), but this one has {size}: split it into several jobs"
    if is_binary(head):
        message = f"this is {size} bytes of binary data, not a JobSpec: if it is a clip, make one for it with `proxx-worker spec`"
    return ProxxError(ErrorCode.SPEC_TOO_LARGE, message, size_bytes=size, max_bytes=MAX_SPEC_BYTES)


def _read_document(data: bytes) -> Document:
    if len(data) > MAX_SPEC_BYTES:
        raise too_large(len(data), data)
    try:
        return parse_object(data)
    except NotJsonError as error:
        message = f"the spec is not one JSON object: {error}"
        raise ProxxError(ErrorCode.SPEC_NOT_JSON, message, reason=str(error)) from error


def _refuse_other_version(content: Mapping[str, Value]) -> None:
    version = content.get("jobspec_version")
    if version == SPEC_VERSION:
        return
    if "jobspec_version" not in content:
        found = "it is missing"
    else:
        found = f"it is {quoted(version)}" if isinstance(version, str) else "it is not a string"
    fault = Fault("jobspec_version", found, RULES["jobspec_version"].allowed)
    lead = f"this worker only accepts JobSpec {SPEC_VERSION}"
    raise fault_error(ErrorCode.SPEC_VERSION, lead, [fault])


def _spec_error(content: Mapping[str, Value], faults: list[Fault]) -> ProxxError:
    name = content.get("proxy_profile")
    if len(faults) == 1 and faults[0].path == "proxy_profile" and isinstance(name, str) and name not in PROFILES:
        lead = "the spec asks for a profile that does not exist; `proxx-worker profiles` lists them"
        profiles: list[JsonValue] = list(PROFILES)
        return fault_error(ErrorCode.PROFILE_UNKNOWN, lead, faults, profile=name, profiles=profiles)
    return fault_error(ErrorCode.SPEC_INVALID, SPEC_REFUSED, faults)


def _resolve(digest: str, model: JobSpecModel) -> JobSpec:
    """The value of a spec in which no fault was found."""
    profile = PROFILES[model.proxy_profile] if model.proxy_profile else None
    settings = profile.settings if profile else _explicit_settings(model)
    if model.fps_explicit is not None:
        settings = replace(settings, fps_mode=FpsMode.EXPLICIT, fps=read_rate(model.fps_explicit))
    return JobSpec(
        sha256=digest,
        version=model.jobspec_version,
        job_id=model.job_id or digest[:_DEFAULT_JOB_ID_DIGITS],
        sources=tuple(model.sources),
        output_directory=model.output_directory,
        profile=profile.name if profile else None,
        engine=profile.engine if profile else None,
        settings=settings,
        naming_template=model.naming_template,
        resolved_tokens=MappingProxyType({str(token): value for token, value in (model.resolved_tokens or {}).items()}),
        created_at=read_moment(model.created_at) if model.created_at else None,
        resolve_preset=model.resolve_preset,
    )


def _explicit_settings(model: JobSpecModel) -> OutputSettings:
    if model.codec is None or model.container is None or model.resolution is None:  # pragma: no cover - `find_faults` told it
        raise AssertionError("a spec without a profile and without explicit settings has a fault")
    level = DnxhrLevel.HQ if model.codec is Codec.DNXHR else None
    return OutputSettings(model.codec, model.container, read_resolution(model.resolution), dnxhr_level=level)


def _text(content: Mapping[str, Value], field: str) -> str | None:
    value = content.get(field)
    return value if isinstance(value, str) else None


def _texts(values: list[Value]) -> tuple[str, ...]:
    """The values, if all of them are texts; else nothing."""
    texts = tuple(value for value in values if isinstance(value, str))
    return texts if len(texts) == len(values) else ()
