"""`status`: what a workspace's worker is doing, read from its files. Touches nothing."""

import argparse
import os
import socket
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from proxx_worker.cli.console import fail, reason_of, say
from proxx_worker.contract.candidates import HOLD_NAME, display_name, is_candidate_name, is_stray_name, stem_too_long, strays_text
from proxx_worker.contract.errors import EXIT_OK, ErrorClass, JsonValue, ProxxError
from proxx_worker.contract.health import MAX_AGE_SECONDS, health_of
from proxx_worker.contract.status import (
    MAX_STATUS_BYTES,
    RunningJob,
    WorkerState,
    WorkerStatus,
    decode_status,
    encode_document,
    status_field_names,
    status_fields,
)
from proxx_worker.files.errnos import translate_os_errors
from proxx_worker.workspace.holder import Holder, is_dead_here
from proxx_worker.workspace.layout import Workspace


@dataclass(frozen=True, slots=True)
class Report:
    """What was found.

    `status`: what the worker wrote last, None if there is nothing or `unreadable` says why it cannot be read. `alive`: None
    where the worker is on another host, which this one cannot see. `inbox`: how many candidates there are now. `left_alone`:
    names that are too long. `strays`: names of what is not a JobSpec. `held`: nothing is claimed until it is released.
    """

    status: WorkerStatus | None
    unreadable: str | None
    alive: bool | None
    inbox: int
    left_alone: list[str]
    strays: list[bytes]
    held: bool

    @classmethod
    def of(cls, workspace: Workspace) -> "Report":
        """Read a workspace. Raises `ProxxError` if its inbox cannot be listed."""
        status, unreadable = _read(workspace.status_file)
        alive = _alive(workspace)
        names = _names_in(workspace)
        # Recounted: a worker that runs a job has counted before it.
        waiting = sum(is_file for name, is_file in names.items() if is_candidate_name(name))
        left_alone = [display_name(name) for name in sorted(names) if stem_too_long(name)]
        return cls(status, unreadable, alive, waiting, left_alone, sorted(filter(is_stray_name, names)), HOLD_NAME in names)

    def is_running(self) -> bool:
        """Whether a worker runs, as far as can be seen. One on another host runs unless it wrote last that it had ended."""
        ended = self.status is not None and self.status.state is WorkerState.ENDED
        return self.alive is True or (self.alive is None and not ended)

    def as_json(self) -> dict[str, JsonValue]:
        """The fields of status.json, null if there are none, with `alive`, `left_alone` and `not_jobspecs` added."""
        written = dict.fromkeys(status_field_names()) if self.status is None else status_fields(self.status)
        strays = [display_name(name) for name in self.strays]
        found: dict[str, JsonValue] = {"inbox": self.inbox, "alive": self.alive}
        return {**written, **found, "left_alone": [*self.left_alone], "not_jobspecs": [*strays]}

    def as_lines(self) -> list[str]:
        """The same for a person."""
        status = self.status
        who = "" if status is None else f" (pid {status.pid} on {status.host})"
        lines = [
            f"worker:  {_ALIVE[self.alive]}{who}",
            f"state:   {self._state()}",
            f"inbox:   {self.inbox} waiting",
        ]
        if self.held:
            lines.append("held:    nothing is claimed until it is released")
        if status is not None and status.job is not None:
            lines += _job_lines(status.job)
        lines += [f"left alone, its name is too long: {name}" for name in self.left_alone]
        return lines if not self.strays else [*lines, strays_text(self.strays)]

    def _state(self) -> str:
        if self.status is None:
            return "no worker has run here yet" if self.unreadable is None else f"status.json cannot be read: {self.unreadable}"
        state, when = self.status.state, self.status.heartbeat_at
        if state is WorkerState.ENDED:
            code = self.status.exit_code
            return f"{state} at {when}" if code is None else f"{state} at {when}, exit {code}"
        # The last status of a worker that died is outdated.
        return f"was {state} at {when}" if self.alive is False else state


_ALIVE = {None: "on another host, whose processes this one cannot see", True: "alive", False: "not running"}


def status(arguments: argparse.Namespace) -> int:
    """Print the status as JSON (with `alive`), for a person, or as one line on the worker's health.

    Exit code 4 where no worker runs or there is no workspace, with `--health` also where one runs and makes no progress; else 0.
    """
    if arguments.max_age is not None and not arguments.health:
        return fail("--max-age only works with --health: add that flag")
    workspace = Workspace(Path(arguments.workspace))
    try:
        workspace.require()
        report = Report.of(workspace)
    except ProxxError as fault:
        if arguments.health:
            say(f"unhealthy: {fault.code}: {fault.error.message}")
            return int(ErrorClass.ENVIRONMENT)
        return fail(fault.error.message, fault.code)
    if arguments.health:
        max_age = MAX_AGE_SECONDS if arguments.max_age is None else arguments.max_age
        health = health_of(report.status, datetime.now(UTC), alive=report.alive, max_age=max_age)
        say(health.line)
        return EXIT_OK if health.ok else int(ErrorClass.ENVIRONMENT)
    if arguments.json:
        sys.stdout.buffer.write(encode_document(report.as_json()))
    else:
        for line in report.as_lines():
            say(line)
    return EXIT_OK if report.is_running() else int(ErrorClass.ENVIRONMENT)


def _read(path: Path) -> tuple[WorkerStatus | None, str | None]:
    """The worker's status, or why it cannot be read; neither if no worker has ever run."""
    try:
        with path.open("rb") as file:
            return decode_status(file.read(MAX_STATUS_BYTES + 1)), None
    except FileNotFoundError:
        return None, None
    except (OSError, ValueError) as error:
        return None, reason_of(error)


def _alive(workspace: Workspace) -> bool | None:
    holder = Holder.read(workspace.lock_file)
    if holder is None or is_dead_here(holder):
        return False
    return True if holder.host == socket.gethostname() else None


def _names_in(workspace: Workspace) -> dict[bytes, bool]:
    """What is in the inbox, and whether each is a regular file."""
    with translate_os_errors("list the inbox", workspace.inbox, state_folder=True):
        try:
            with os.scandir(workspace.inbox) as entries:
                return {it.name: it.is_file(follow_symlinks=False) for it in entries}
        except FileNotFoundError:
            return {}  # a workspace that no worker has prepared yet


def _job_lines(job: RunningJob) -> list[str]:
    lines = [f"job:     {job.name} (job_id {job.job_id}), {job.stage}, task {job.task} of {job.tasks}: {job.source}"]
    facts = {"position": job.position_seconds, "duration": job.duration_seconds, "frames": job.frames, "speed": job.speed}
    shown = [f"{name} {value}" for name, value in facts.items() if value is not None]
    return [*lines, f"         {', '.join(shown)}"] if shown else lines
