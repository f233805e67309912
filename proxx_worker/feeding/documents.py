"""Writes a JobSpec's bytes from a request, for both `spec` and `feed`."""

from dataclasses import dataclass
from functools import lru_cache

import orjson

from proxx_worker.contract.errors import ErrorCode, JsonValue, ProxxError
from proxx_worker.contract.jobspec import parse_jobspec
from proxx_worker.contract.naming import output_names
from proxx_worker.contract.output_settings import Engine
from proxx_worker.contract.profiles import PROFILES
from proxx_worker.contract.text import encodable, has_lone_surrogate, steady_json


@dataclass(frozen=True, slots=True)
class Document:
    """A JobSpec that a worker accepts: its bytes, and the file name of each source's output."""

    data: bytes
    output_names: tuple[str, ...]


@lru_cache(maxsize=1 << 16)  # a feeder asks for the same ones every few seconds
def jobspec_document(
    sources: tuple[str, ...], output_directory: str, profile: str, naming_template: str, resolve_preset: str | None = None
) -> Document:
    """The JobSpec; all paths absolute, as text.

    Raises `ProxxError`: a worker's refusal, or SPEC_INVALID for a path that is not UTF-8.
    """
    document: dict[str, JsonValue] = {
        "jobspec_version": "2.1",
        "sources": list(sources),
        "output_directory": output_directory,
        "proxy_profile": profile,
        "naming_template": naming_template,
    }
    if resolve_preset is not None:
        document["resolve_preset"] = resolve_preset
    for text in (*sources, output_directory, profile, naming_template, resolve_preset or ""):
        if has_lone_surrogate(text):
            shown = encodable(text)
            message = f"{shown} is not UTF-8, so JSON cannot represent it; rename the file or the folder"
            raise ProxxError(ErrorCode.SPEC_INVALID, message, path=shown)
    data = steady_json(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    return Document(data, output_names(parse_jobspec(data)))


def is_for_raw(profile: str) -> bool:
    """Whether a profile's engine takes camera RAW, and nothing else. False for a name that is no profile's."""
    return profile in PROFILES and PROFILES[profile].engine is Engine.RESOLVE
