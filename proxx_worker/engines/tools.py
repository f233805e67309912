"""Finds the tools. Their version is never checked: the worker neither detects versions nor adapts to them."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from proxx_worker.contract.errors import ErrorCode, JobError, ProxxError
from proxx_worker.process.sandbox import Confinement, Sandbox
from proxx_worker.process.spawn import is_executable_file


@dataclass(frozen=True, slots=True)
class Tools:
    """Absolute paths of the two programs, as configured or found, symlinks not resolved, and their confinement.

    `sandbox`: None for no confinement. `memory_bytes`: how much private memory each may use.
    """

    ffmpeg: str
    ffprobe: str
    sandbox: Sandbox | None = None
    memory_bytes: int | None = None

    def confinement(self, *, reads: Sequence[int] = (), writes: Sequence[int] = ()) -> Confinement:
        """What one of them may access: the files open as `reads`, and for writing those open as `writes`."""
        return Confinement(self.sandbox, reads, writes, self.memory_bytes)

    def out_of_memory(self, doing: str) -> JobError:
        """ENCODE_OUT_OF_MEMORY for a tool that exceeded its memory limit while `doing` something."""
        return JobError(
            ErrorCode.ENCODE_OUT_OF_MEMORY,
            f"{doing} must stay within `encoder_memory_bytes`, but used more than {self.memory_bytes} bytes. "
            "Raise the limit if the source is good and the machine has the memory.",
            {"encoder_memory_bytes": self.memory_bytes},
        )

    def require_confined(self) -> None:
        """Raise SANDBOX_UNAVAILABLE if they are to be confined and cannot be."""
        if self.sandbox is not None:
            self.sandbox.require()


def locate_tools(ffmpeg: str | None, ffprobe: str | None, path: str | None) -> Tools:
    """The configured paths, or for None the first executable of that name in `path` (the value of `PATH`).

    Raises FFMPEG_MISSING or FFPROBE_MISSING if there is no executable file.
    """
    return Tools(locate_tool("ffmpeg", ffmpeg, path), locate_tool("ffprobe", ffprobe, path))


def locate_tool(name: Literal["ffmpeg", "ffprobe"], configured: str | None, path: str | None) -> str:
    """One of the tools, as in `locate_tools`."""
    missing = {"ffmpeg": ErrorCode.FFMPEG_MISSING, "ffprobe": ErrorCode.FFPROBE_MISSING}[name]
    if configured is not None:
        if configured.startswith("/") and is_executable_file(configured):
            return configured
        raise ProxxError(
            missing,
            f"the configured {name} must be an executable file: {configured} is not. Install it there, or correct `{name}`.",
            configured=configured,
        )
    # A relative or empty entry of PATH would depend on the working directory.
    for folder in (entry for entry in (path or "").split(os.pathsep) if entry.startswith("/")):
        candidate = f"{folder}/{name}"
        if is_executable_file(candidate):
            return candidate
    raise ProxxError(
        missing,
        f"{name} must be installed: PATH ({path or 'empty'}) has none. Install FFmpeg, or set `{name}` to its absolute path.",
        path=path,
    )
