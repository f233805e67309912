"""A job as a list shows it. Made from a result's bytes, or from a name alone. Pure.

Ten thousand results must be read in a moment, so only what is shown is validated: pydantic takes 0.3 ms for a result, this a
tenth of that. For all of one job, read its result.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

import orjson

from proxx_worker.contract.candidates import display_name
from proxx_worker.contract.errors import JsonValue


class JobState(StrEnum):
    """Where a job is."""

    WAITING = "waiting"
    RUNNING = "running"
    FAILED = "failed"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class JobSummary:
    """One job. Times are UTC RFC 3339, as the worker's clock had them; None, or empty, if unknown.

    `settings`: codec, container and resolution, if no profile is named. `code` and `message`: of a failed one. `sha256`: of
    its spec. `failed_sources`: where the worker read those that have an error of their own. `unreadable`: why the result says
    nothing.
    """

    stem: bytes
    state: JobState
    job_id: str | None = None
    profile: str | None = None
    settings: str | None = None
    sources: tuple[str, ...] = ()
    failed_sources: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    code: str | None = None
    message: str | None = None
    sha256: str | None = None
    started_at: str | None = None
    finished_at: str | None = None
    duration_seconds: float | None = None
    unreadable: str | None = None
    resubmittable: bool = False

    @property
    def name(self) -> str:
        """The job's name for people and programs."""
        return display_name(self.stem)

    @property
    def wanted(self) -> str:
        """The profile, or the settings of the explicit form; empty if unknown."""
        return self.profile or self.settings or ""


def summary_of(stem: bytes, state: JobState, result: bytes) -> JobSummary:
    """A finished job from the bytes of its result; if they are not a result, `unreadable` says why."""
    bare = JobSummary(stem, state)
    try:
        document: JsonValue = orjson.loads(result)
    except ValueError:
        return replace(bare, unreadable="the result is not JSON")
    match document:
        case {
            "job_id": str(job_id),
            "error": error,
            "jobspec": {"sha256": (str() | None) as sha256},
            "proxy_profile": (str() | None) as profile,
            "tasks": list(tasks),
            "started_at": str(started_at),
            "finished_at": str(finished_at),
            "duration_seconds": (float() | int()) as duration,
        }:
            code, message = _error(error)
            told = [_task(task) for task in tasks]
            return JobSummary(
                stem,
                state,
                job_id=job_id,
                profile=profile,
                settings=_settings(document),
                sources=tuple(source for source, _, _ in told if source),
                failed_sources=tuple(failed for _, failed, _ in told if failed),
                outputs=tuple(output for _, _, output in told if output),
                code=code,
                message=message,
                sha256=sha256,
                started_at=started_at,
                finished_at=finished_at,
                duration_seconds=duration,
            )
        case _:
            return replace(bare, unreadable="the result is not one of this worker's")


def _settings(document: JsonValue) -> str | None:
    """The settings of the explicit form in one line. None if a profile is named, or nothing is known."""
    match document:
        case {
            "proxy_profile": None,
            "settings": {"codec": str(codec), "container": str(container), "resolution": str(resolution)},
        }:
            return f"{codec} {container} {resolution}"
        case _:
            return None


def _error(error: JsonValue) -> tuple[str | None, str | None]:
    match error:
        case {"code": str(code), "message": str(message)}:
            return code, message
        case _:
            return None, None


def _task(task: JsonValue) -> tuple[str, str, str]:
    """A task's source, the path where it was read if the task has an error, its output; empty if there is none."""
    match task:
        case {"source": str(source), "error": error, "output": output, **more}:
            path = more.get("source_path")
            failed = "" if error is None else path if isinstance(path, str) else source
            return source, failed, output if isinstance(output, str) else ""
        case _:
            return "", "", ""
