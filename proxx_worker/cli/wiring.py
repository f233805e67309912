"""Builds the objects that the commands need from flags and files."""

import argparse
import os
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

from proxx_worker import __version__
from proxx_worker.cli.console import UsageError
from proxx_worker.contract.errors import ProxxError
from proxx_worker.contract.output_settings import Engine
from proxx_worker.contract.result import WorkerRecord
from proxx_worker.engines.ffmpeg import FfmpegEngine
from proxx_worker.engines.media_probe import FfprobeProbe
from proxx_worker.engines.resolve.child.request import Limits
from proxx_worker.engines.resolve.engine import ResolveEngine
from proxx_worker.engines.resolve.lock import ResolveLock
from proxx_worker.engines.resolve.paths import ScriptingPaths
from proxx_worker.engines.tools import Tools, locate_tools
from proxx_worker.execution.preflight import Environment, Roots
from proxx_worker.process.sandbox import Sandbox, describe
from proxx_worker.settings import ConfigurationError, Settings, load_settings


def settings_from(arguments: argparse.Namespace) -> Settings:
    """The settings of `--config` and the flags. Raises `UsageError`."""
    flags: dict[str, object] = {key: getattr(arguments, key, None) for key in Settings.model_fields}
    if arguments.declared_versions is not None:
        flags["declared_versions"] = dict(
            _pair(text, "--declared-versions", "NAME=VERSION") for text in arguments.declared_versions
        )
    if (mappings := getattr(arguments, "path_map", None)) is not None:
        pairs = [_pair(text, "--path-map", "FROM=TO") for text in mappings]
        flags["path_map"] = [{"from": prefix, "to": target} for prefix, target in pairs]
    try:
        return load_settings(None if arguments.config is None else Path(arguments.config), flags)
    except ConfigurationError as error:
        raise UsageError(str(error)) from error


def _pair(text: str, flag: str, form: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise UsageError(f"{flag} takes {form}, not {text!r}")
    return name, value


def sandbox_of(settings: Settings) -> Sandbox | None:
    """What confines the tools under these settings; None if nothing does."""
    return None if settings.sandbox == "off" else Sandbox(settings.sandbox_read)


def tools_of(settings: Settings, sandbox: Sandbox | None) -> Callable[[], Tools]:
    """A lookup of the tools, made once: `PATH` is read here and nowhere else. Raises FFMPEG_MISSING or FFPROBE_MISSING."""
    path = os.environ.get("PATH")
    memory = settings.encoder_memory_bytes
    return cache(lambda: replace(locate_tools(settings.ffmpeg, settings.ffprobe, path), sandbox=sandbox, memory_bytes=memory))


def environment_of(settings: Settings, tools: Callable[[], Tools]) -> Environment:
    """What jobs may use under these settings."""
    return Environment(
        probe=FfprobeProbe(tools),
        engines={Engine.FFMPEG: FfmpegEngine(tools), Engine.RESOLVE: resolve_engine(settings)},
        roots=Roots(settings.source_roots, settings.output_roots),
        stall_seconds=settings.stall_seconds,
        paths=settings.paths,
    )


def resolve_engine(settings: Settings) -> ResolveEngine:
    """DaVinci Resolve as it is set up, there or not. Its lock is taken with the first job."""
    paths = ScriptingPaths.of(settings.resolve_script_api, settings.resolve_script_lib, settings.resolve_executable)
    return ResolveEngine(paths, ResolveLock(paths.lib), Limits(start=settings.resolve_start_seconds))


def worker_record(settings: Settings, tools: Callable[[], Tools]) -> WorkerRecord:
    """The worker's description for the result. A missing tool shows as null."""
    try:
        found: Tools | None = tools()
    except ProxxError:
        found = None
    return WorkerRecord(
        version=__version__,
        ffmpeg=found.ffmpeg if found is not None else settings.ffmpeg,
        ffprobe=found.ffprobe if found is not None else settings.ffprobe,
        declared_versions=dict(settings.declared_versions),
        sandbox=_enforced(settings),
    )


def _enforced(settings: Settings) -> str:
    """What a result says of the confinement. Without the means for it no job comes so far as to start a child."""
    if settings.sandbox == "off":
        return "off"
    try:
        return describe()
    except ProxxError:
        return "unavailable"
