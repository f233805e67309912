"""JobSpec 2.1, field by field: the one description that both the parser and the published JSON Schema follow.

What spans several fields is in `spec_faults` (for the parser) and in `spec_schema` (for the schema); tests keep the two in step.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema

from proxx_worker.contract.faults import Allowed
from proxx_worker.contract.output_settings import Codec, Container, FpsMode
from proxx_worker.contract.profiles import PROFILES
from proxx_worker.contract.strict_json import Number
from proxx_worker.contract.values import (
    ABSOLUTE_PATH_PATTERN,
    JOB_ID_PATTERN,
    MAX_NAME_BYTES,
    MAX_RATE,
    MOMENT_PATTERN,
    RESOLUTION_PATTERN,
    TOKEN_VALUE_PATTERN,
    name_fault,
    read_moment,
    read_rate,
)

SPEC_VERSION = "2.1"

TokenName = Literal["source_name", "source_ext", "job_id", "date", "time", "index", "codec", "resolution"]
TOKENS: tuple[TokenName, ...] = ("source_name", "source_ext", "job_id", "date", "time", "index", "codec", "resolution")
"""The tokens of a naming template."""

TEMPLATE_PATTERN = r"^([^{}]|\{(" + "|".join(TOKENS) + r")\})*$"


def _known_profile(name: str) -> str:
    if name not in PROFILES:
        raise ValueError
    return name


def _moment(text: str) -> str:
    read_moment(text)
    return text


def _token_value(text: str) -> str:
    fault = name_fault(text)
    if fault is not None:
        raise ValueError(fault)
    return text


def _rate(value: object) -> Number:
    if not isinstance(value, Number):
        raise ValueError("it is not a number")  # noqa: TRY004 - pydantic turns ValueError into a fault, TypeError into a crash
    read_rate(value)
    return value


AbsolutePath = Annotated[str, Field(pattern=ABSOLUTE_PATH_PATTERN)]
TokenValue = Annotated[str, AfterValidator(_token_value), Field(json_schema_extra={"pattern": TOKEN_VALUE_PATTERN})]


class JobSpecModel(BaseModel):
    """What a job is: sources, where their proxies go, what they are to be, and what they are called."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, title="JobSpec 2.1")

    jobspec_version: Annotated[
        Literal["2.1"], Field(description="The version of this format. Any other value is refused.", examples=["2.1"])
    ]
    job_id: Annotated[
        str | None,
        Field(
            pattern=JOB_ID_PATTERN,
            description="A name for the job in results and logs. Default: the first 12 hex digits of the spec's SHA-256.",
            examples=["day-03.cards-A"],
        ),
    ] = None
    sources: Annotated[
        list[AbsolutePath],
        Field(
            min_length=1,
            description="The media to make proxies of, as absolute paths. Each is one task; the order is kept.",
            examples=[["/media/A001/A001C001.mov", "/media/A001/A001C002.mov"]],
        ),
    ]
    output_directory: Annotated[
        AbsolutePath,
        Field(
            description="The absolute path of the folder for the proxies. It must exist and be writable; it is never created.",
            examples=["/proxies/day-03"],
        ),
    ]
    proxy_profile: Annotated[
        str | None,
        AfterValidator(lambda name: None if name is None else _known_profile(name)),
        Field(
            json_schema_extra={"enum": [*PROFILES, None]},
            description="A named, complete set of settings. Give this, or codec, container and resolution.",
            examples=["proxy_h264_low"],
        ),
    ] = None
    codec: Annotated[
        Codec | None,
        Field(strict=False, description="The codec. With a profile, it must be the profile's.", examples=["prores_lt"]),
    ] = None
    container: Annotated[
        Container | None,
        Field(
            strict=False,
            description="The container; its name is also the proxy's extension. With a profile, it must be the profile's.",
            examples=["mov"],
        ),
    ] = None
    resolution: Annotated[
        str | None,
        Field(
            pattern=RESOLUTION_PATTERN,
            description="`same`, `half`, `quarter`, or `WIDTHxHEIGHT`: the largest even size that fits inside, display aspect "
            "kept, never enlarged. With a profile, it must be the profile's.",
            examples=["half", "1280x720"],
        ),
    ] = None
    naming_template: Annotated[
        str,
        Field(
            json_schema_extra={"pattern": TEMPLATE_PATTERN},
            description="The proxy's file name without its extension, which is always appended. Tokens: "
            + ", ".join(f"{{{token}}}" for token in TOKENS)
            + ".",
            examples=["{source_name}_proxy", "{date}_{index}_{source_name}"],
        ),
    ]
    fps_mode: Annotated[
        FpsMode | None,
        Field(
            strict=False,
            description="`same-as-source` (default) keeps every frame's time; `explicit` converts to `fps_explicit`.",
            examples=["same-as-source"],
        ),
    ] = None
    fps_explicit: Annotated[
        Number | None,
        PlainValidator(lambda value: None if value is None else _rate(value)),
        WithJsonSchema(
            {"anyOf": [{"type": "number", "exclusiveMinimum": 0, "maximum": MAX_RATE}, {"type": "null"}]}, mode="validation"
        ),
        Field(
            description="Frames per second, with `explicit` and only then. 23.976, 29.97, 59.94 and 119.88 mean the exact "
            "n*1000/1001 rates; every other number is taken as the exact decimal it says.",
            examples=[25, 23.976],
        ),
    ] = None
    resolved_tokens: Annotated[
        dict[TokenName, TokenValue] | None,
        Field(
            description="Values for tokens of the template, used as they stand instead of the worker's own.",
            examples=[{"date": "20251229"}],
        ),
    ] = None
    created_at: Annotated[
        str | None,
        AfterValidator(lambda text: None if text is None else _moment(text)),
        Field(
            json_schema_extra={"pattern": MOMENT_PATTERN},
            description="When the job was made, ISO 8601. The only source of `{date}` (YYYYMMDD) and `{time}` (HHMMSS), as "
            "written: no time zone is converted.",
            examples=["2025-12-29T14:30:00Z"],
        ),
    ] = None
    resolve_preset: Annotated[
        str | None,
        Field(
            min_length=1,
            description="The name of DaVinci Resolve's render preset: required for Resolve's jobs, refused for FFmpeg's.",
            examples=["ProRes Proxy"],
        ),
    ] = None


FIELDS: tuple[str, ...] = tuple(JobSpecModel.model_fields)
"""The fields' names in the order of the contract."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a field holds: a noun for "... is not <noun>", and what is reported as allowed."""

    noun: str
    allowed: Allowed


_PATH = "a path that begins with / and contains no NUL character"

RULES: Mapping[str, Rule] = {
    "jobspec_version": Rule("this worker's version", (SPEC_VERSION,)),
    "job_id": Rule("a job id", "1 to 128 characters of A-Z a-z 0-9 . _ -"),
    "sources": Rule("a list of sources", "a list of 1 or more absolute paths"),
    "sources[]": Rule("an absolute path", _PATH),
    "output_directory": Rule("an absolute path", _PATH),
    "proxy_profile": Rule("a profile", tuple(PROFILES)),
    "codec": Rule("a codec", tuple(choice.value for choice in Codec)),
    "container": Rule("a container", tuple(choice.value for choice in Container)),
    "resolution": Rule("a resolution", "same, half, quarter, or WIDTHxHEIGHT with sides from 2 to 99999"),
    "naming_template": Rule("a naming template", "text with the tokens " + " ".join(f"{{{token}}}" for token in TOKENS)),
    "fps_mode": Rule("a frame rate mode", tuple(choice.value for choice in FpsMode)),
    "fps_explicit": Rule(
        "a frame rate", f"a number greater than 0, at most {MAX_RATE}; 23.976, 29.97, 59.94, 119.88 mean n*1000/1001"
    ),
    "resolved_tokens": Rule("an object of token values", "an object with values for " + " ".join(TOKENS)),
    "resolved_tokens[key]": Rule("a token", TOKENS),
    "resolved_tokens[]": Rule(
        "a token value",
        f"text of at most {MAX_NAME_BYTES} bytes, without /, \\ and control characters, that does not begin with a dot",
    ),
    "created_at": Rule("an ISO 8601 date and time", "YYYY-MM-DDTHH:MM:SS with or without Z or +HH:MM, or YYYY-MM-DD"),
    "resolve_preset": Rule("a preset's name", "text of 1 character or more"),
}
"""What a fault says of each field; `[]` stands for an element, `[key]` for a key."""
