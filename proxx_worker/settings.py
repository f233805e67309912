"""The operator's settings: one TOML file, every key also a flag, a flag wins. Frozen once read; unknown keys are refused."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from proxx_worker.contract.hints import closest
from proxx_worker.contract.path_map import PathMap, PathMapping, components
from proxx_worker.contract.text import has_lone_surrogate

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


class ConfigurationError(Exception):
    """The configuration cannot be used; the message says where and why. The command exits with 64."""


def _absolute(path: str) -> str:
    if not path.startswith("/") or "\0" in path:
        raise ValueError("must be an absolute path: a relative one would depend on the working directory")
    return path


AbsolutePath = Annotated[str, AfterValidator(_absolute)]
Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]


LEAST_MEMORY_BYTES = 64 << 20
"""Less than any FFmpeg needs to start with its libraries."""

MOST_MEMORY_BYTES = 1 << 50
"""A pebibyte, more than any machine has: the kernel's own limits are reckoned from it and must not overflow."""


def _utf8(path: str) -> str:
    if has_lone_surrogate(path):
        raise ValueError("must be UTF-8: results record paths below it, and recovery relies on them")
    return path


class PathMapEntry(BaseModel):
    """One entry of `path_map`: what a spec calls `from` is in `to` here."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    prefix: Annotated[AbsolutePath, Field(alias="from")]
    to: Annotated[AbsolutePath, AfterValidator(_utf8)]


def _one_target_each(entries: tuple[PathMapEntry, ...]) -> tuple[PathMapEntry, ...]:
    seen: dict[tuple[str, ...], str] = {}
    for entry in entries:
        if seen.setdefault(tuple(components(entry.prefix)), entry.to) != entry.to:
            raise ValueError(f"{entry.prefix} is mapped twice, to different folders: keep one of the entries")
    return entries


class Settings(BaseModel):
    """Every key of the configuration file.

    `ffmpeg`, `ffprobe`: absolute paths; where absent, `PATH` locates them. `declared_versions`: the operator's pins, copied into
    results and never checked. `*_seconds`: how often the inbox is listed where events do not say; how long a spec that does not
    parse must stay unchanged; how long an encoder may make no progress. `metrics_file`: what `watch` keeps for Prometheus.
    `encoder_memory_bytes`: how much private memory FFmpeg and ffprobe may use. `sandbox`: whether they are confined;
    `sandbox_read`: what else they need to read to run, a folder with all in it.
    `path_map`: where the paths of a spec are on this machine. `source_roots`, `output_roots`: where given, a path whose real
    location lies outside is refused. `resolve_script_api`, `resolve_script_lib`: where DaVinci Resolve's scripting is installed,
    by default where its installer puts it on this system. `resolve_executable`: the Resolve to start for each job, headless;
    without it the one that runs is used. `resolve_start_seconds`: how long one that was started may take until it can be
    scripted.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    ffmpeg: AbsolutePath | None = None
    ffprobe: AbsolutePath | None = None
    declared_versions: dict[str, str] = {}
    poll_seconds: Seconds = 2.0
    settle_seconds: Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)] = 5.0
    stall_seconds: Seconds = 300.0
    log_format: Literal["text", "json"] = "text"
    progress_format: Literal["text", "openjd"] = "text"
    metrics_file: AbsolutePath | None = None
    encoder_memory_bytes: Annotated[int, Field(ge=LEAST_MEMORY_BYTES, le=MOST_MEMORY_BYTES)] | None = None
    sandbox: Literal["on", "off"] = "on"
    sandbox_read: tuple[AbsolutePath, ...] = ()
    path_map: Annotated[tuple[PathMapEntry, ...], AfterValidator(_one_target_each)] = ()
    source_roots: tuple[AbsolutePath, ...] | None = None
    output_roots: tuple[AbsolutePath, ...] | None = None
    resolve_script_api: AbsolutePath | None = None
    resolve_script_lib: AbsolutePath | None = None
    resolve_executable: AbsolutePath | None = None
    resolve_start_seconds: Seconds = 300.0

    @property
    def paths(self) -> PathMap:
        """`path_map`, ready to be applied."""
        return PathMap(tuple(PathMapping(entry.prefix, entry.to) for entry in self.path_map))


def load_settings(config: Path | None, flags: Mapping[str, object]) -> Settings:
    """The settings of `config` (a TOML file) with `flags` on top; a flag that is None was not given.

    Raises `ConfigurationError` for a file that cannot be read, is not TOML, or holds an unknown key or a bad value.
    """
    values: dict[str, object] = {}
    if config is not None:
        try:
            values.update(tomllib.loads(config.read_bytes().decode("utf-8-sig")))
        except OSError as error:
            raise ConfigurationError(
                f"configuration file {config} cannot be read: {error.strerror}; name a readable file, or leave out --config"
            ) from error
        except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
            raise ConfigurationError(
                f"configuration file {config} is not TOML: {error}; write UTF-8 text, each setting on a line of its own, "
                "such as stall_seconds = 120"
            ) from error
    values.update({key: value for key, value in flags.items() if value is not None})
    for key in ("path_map", "sandbox_read", "source_roots", "output_roots"):
        if isinstance(given := values.get(key), list):
            values[key] = tuple(given)  # TOML knows lists only; the model is frozen
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {_reason(fault)}" for fault in error.errors())
        where = f"configuration file {config}" if config is not None else "configuration"
        raise ConfigurationError(f"{where}: {faults}") from error


def _reason(fault: "ErrorDetails") -> str:
    match fault["type"]:
        case "extra_forbidden":
            known = Settings.model_fields if len(fault["loc"]) == 1 else ("from", "to")
            meant = closest(str(fault["loc"][-1]), known)
            return f"unknown key (known: {', '.join(known)})" if meant is None else f"unknown key: did you mean {meant}?"
        case "tuple_type":
            return "must be a list"  # TOML has no tuples
        case "value_error":
            return str(fault["ctx"]["error"])  # as we raised it; pydantic's own text puts "Value error, " before it
        case _:
            given = fault["input"]
            found = f", not {given}" if isinstance(given, str | float) or type(given) is int else ""
            return fault["msg"].replace("Input should be", "must be") + found
