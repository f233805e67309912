"""What engines are surrounded by, for tests that look into it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from proxx_worker.contract.errors import JsonValue
from proxx_worker.engines.ffprobe import probe_source
from proxx_worker.engines.port import EngineContext
from proxx_worker.engines.tools import Tools
from proxx_worker.media.facts import MediaFacts
from proxx_worker.process.stop import StopFlag, StopSignal
from proxx_worker.verification.progress import Progress


@dataclass
class Log:
    """A job log that a test can look into."""

    actions: list[str] = field(default_factory=list)
    fields: dict[str, dict[str, JsonValue]] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    def event(self, action: str, message: str = "", *, level: str = "INFO", **fields: JsonValue) -> None:
        """See `JobLog`."""
        self.actions.append(action)
        self.fields[action] = fields

    def encoder_lines(self, lines: Sequence[str]) -> None:
        """See `JobLog`."""
        self.lines.extend(lines)


def context(
    stop: StopSignal,
    *,
    log: Log | None = None,
    stall_seconds: float = 60.0,
    on_progress: Callable[[Progress], None] = lambda _: None,
    output_directory: str = "/out",
) -> EngineContext:
    """A context in which nothing but what a test names is of interest."""
    return EngineContext(
        output_directory=output_directory,
        stop=stop,
        stall_seconds=stall_seconds,
        log=log or Log(),
        on_progress=on_progress,
        pass_fds=(),
    )


def facts_of(tools: Tools, clip: Path) -> MediaFacts:
    """What ffprobe says of a video file."""
    flag = StopFlag()
    media = probe_source(tools, str(clip), flag).media
    flag.close()
    assert isinstance(media, MediaFacts)
    return media


def pretend_ffprobe(folder: Path, script: str, ffmpeg: str = "/usr/bin/ffmpeg") -> Tools:
    """Tools whose ffprobe is a shell script in `folder`."""
    program = folder / "ffprobe"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return Tools(ffmpeg, str(program))
