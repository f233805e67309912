"""The text on a console's lines: header, rows, a job's details. Made from values, with every name escaped. Pure."""

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, overload

import orjson

from proxx_worker.contract.errors import JsonValue
from proxx_worker.contract.status import RunningJob, WorkerState, WorkerStatus
from proxx_worker.contract.text import value_text, visible
from proxx_worker.desk.commands import command_line
from proxx_worker.desk.jobs import JobState, JobSummary
from proxx_worker.desk.remedies import remedy_of
from proxx_worker.desk.selection import by_code

SIGNS: Final[Mapping[JobState, str]] = {
    JobState.WAITING: "·", JobState.RUNNING: ">", JobState.FAILED: "x", JobState.DONE: "+",
}  # fmt: skip
"""The signs beside the colours."""

JSON_LINES: Final = 5000
"""More lines than anybody reads; a longer result is cut, and the last line says where all of it is."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a list: a job, or the head of a group.

    `title`: the job's name, which is cut so that `note` stays, its clip and profile. `rest`: what became of it.
    """

    title: str
    note: str
    rest: str
    job: JobSummary | None = None


class Sorting:
    """The orders of a list, in turn."""

    NEWEST: Final = "newest first"
    NAME: Final = "by name"
    CODE: Final = "by code"
    ALL: Final = (NEWEST, NAME, CODE)


class Rows(Sequence[Row]):
    """The rows of a list, each made when it is drawn: of ten thousand, twenty are."""

    def __init__(self, items: Sequence[JobSummary | Row]) -> None:
        """Jobs, and heads of groups, in order."""
        self._items = items

    def __len__(self) -> int:
        """How many there are."""
        return len(self._items)

    @overload
    def __getitem__(self, at: int) -> Row: ...
    @overload
    def __getitem__(self, at: slice) -> "Rows": ...
    def __getitem__(self, at: int | slice) -> "Row | Rows":
        """A row, or some of them."""
        if isinstance(at, slice):
            return Rows(self._items[at])
        item = self._items[at]
        return item if isinstance(item, Row) else _row(item)

    def jobs(self) -> list[JobSummary]:
        """The jobs among them."""
        return [item for item in self._items if isinstance(item, JobSummary)]

    def place_of(self, stem: bytes) -> int | None:
        """Where the job `stem` is."""
        return next((at for at, item in enumerate(self._items) if isinstance(item, JobSummary) and item.stem == stem), None)


def rows_of(jobs: Sequence[JobSummary], *, search: str, sorting: str, grouped: bool) -> Rows:
    """The rows of the jobs that the search finds in their name, sources, profile, code or reason, in upper or lower case."""
    wanted = search.casefold()
    found = [job for job in jobs if not wanted or wanted in _text_of(job).casefold()]
    if sorting == Sorting.NAME:
        found.sort(key=lambda job: job.stem)
    elif sorting == Sorting.CODE:
        found.sort(key=lambda job: (job.code or "", job.stem))
    if not grouped:
        return Rows(found)
    items: list[JobSummary | Row] = []
    for code, members in by_code(found):
        items.append(Row(f"{code} ({len(members)})", "", remedy_of(code).action))
        items += members
    return Rows(items)


def _text_of(job: JobSummary) -> str:
    return "\n".join((job.name, job.code or "", job.message or "", job.wanted, *job.sources))


def _row(job: JobSummary) -> Row:
    wanted = visible(job.wanted)
    match job.state:
        case JobState.FAILED:
            reason = job.message or job.unreadable or "..."
            note = "  ".join(filter(None, (_clip_of(job), wanted)))
            return Row(visible(job.name), note, visible(f"{job.code or ''}  {reason}").strip(), job)
        case JobState.DONE:
            took = "" if job.duration_seconds is None else f"{job.duration_seconds:.1f} s  {(job.finished_at or '')[:19]}"
            return Row(visible(job.name), wanted, visible(job.unreadable or took), job)
        case _:
            return Row(visible(job.name), "", "", job)


def _clip_of(job: JobSummary) -> str:
    """The name of the clip that a failed job is about, and how many more it has; empty if unknown."""
    sources = job.failed_sources or job.sources
    if not sources:
        return ""
    more = f" +{len(job.sources) - 1}" if len(job.sources) > 1 else ""
    return visible(posixpath.basename(sources[0])) + more


def worker_line(status: WorkerStatus | None, now: datetime, *, alive: bool | None, held: bool, stale: bool) -> str:
    """The worker in one line: whether it is running, and what is urgent."""
    who = "" if status is None else f" (pid {status.pid} on {visible(status.host)})"
    there = {True: f"worker alive{who}", None: f"worker on another host{who}", False: "no worker is running"}
    line = there[alive]
    if stale and status is not None:
        line = f"STALE HEARTBEAT, {(now - datetime.fromisoformat(status.heartbeat_at)).total_seconds():.0f} s old: {line}"
    return f"HELD: {line}" if held else line


def counts_line(counts: Mapping[JobState, int], unread: int) -> str:
    """How many jobs are in each state."""
    text = "  ".join(f"{counts[state]} {state.value}" for state in JobState)
    return f"{text}  (reading {unread})" if unread else text


def job_line(status: WorkerStatus | None, workspace: str, *, alive: bool | None) -> str:
    """What the worker is doing, or what to do if there is none."""
    if alive is False:
        return f"No worker: run  {command_line('watch', workspace)}"
    if status is None:
        return "it has not written a status yet"
    if status.job is None:
        return str(status.state)
    stopping = "stopping after " if status.state is WorkerState.STOPPING else ""
    return visible(stopping + _job_text(status.job))


def _job_text(job: RunningJob) -> str:
    """What changes comes first, then the clip: a job's name may be longer than the line, as that of a clip on a card."""
    text = str(job.stage)
    if job.task:
        text += f" {job.task}/{job.tasks}"
    if job.position_seconds is not None:
        length = "" if job.duration_seconds is None else f" of {job.duration_seconds:.1f}"
        text += f"  {job.position_seconds:.1f}{length} s"
    if job.speed is not None:
        text += f"  {job.speed:.1f}x"
    clip = () if job.source is None else (posixpath.basename(job.source),)
    return "  ".join((text, *clip, job.name))


def nothing_text(state: JobState, workspace: str, search: str) -> str:
    """What an empty list says: what to do."""
    if search:
        return f"No {state.value} job has {visible(search)} in its name, source, profile, code or reason. Escape ends the search."
    return {
        JobState.RUNNING: "No job is running. Press n to submit clips; to run them:  " + command_line("watch", workspace),
        JobState.WAITING: "No job is waiting. Press n to submit, or run  " + command_line("submit", workspace, "JOBSPEC.json"),
        JobState.FAILED: "Nothing has failed. Press 4 for the done jobs, or run  " + command_line("list", "--done", workspace),
        JobState.DONE: "Nothing is done yet. Press 1 for the running job, or run  " + command_line("status", workspace),
    }[state]


def detail_lines(job: JobSummary, result: bytes | None) -> Iterator[str]:
    """Everything about a job except its log and its whole result: error, remedy, sources, checks, command."""
    yield f"{SIGNS[job.state]} {job.name}: {job.state.value}"
    if job.code is not None:
        remedy = remedy_of(job.code)
        yield ""
        yield f"{job.code}: {job.message}"
        yield f"what to do: {remedy.action}"
        yield f"submitting the same spec again {remedy.again.value}"
    if job.unreadable is not None:
        yield f"its result cannot be read: {job.unreadable}"
    if job.finished_at is not None:
        yield ""
        yield ", ".join((f"job id {job.job_id}", *_wanted(job), f"{job.duration_seconds} s", f"ended {job.finished_at}"))
    tasks = _tasks_of(result)
    for number, task in enumerate(tasks, 1):
        yield ""
        yield f"task {number} of {len(tasks)}: {task.get('status')}"
        yield f"  source  {task.get('source')}"
        if task.get("output") is not None:
            yield f"  output  {task['output']}"
        yield from (f"  {line}" for line in _check_lines(task.get("checks")))
        command = task.get("command")
        if isinstance(command, list):
            yield "  command " + " ".join(str(word) for word in command)


def _wanted(job: JobSummary) -> Iterator[str]:
    if job.profile is not None:
        yield f"profile {job.profile}"
    elif job.settings is not None:
        yield f"settings {job.settings}"


def _check_lines(checks: JsonValue) -> Iterator[str]:
    """Failed checks first, then those that could not be made, then the rest in one line."""
    known = [check for check in checks if isinstance(check, dict)] if isinstance(checks, list) else []
    for verdict, sign in ((False, "x BAD"), (None, "? not done")):
        for check in known:
            if check.get("ok") is verdict:
                expected, found = value_text(check.get("expected")), value_text(check.get("actual"))
                yield f"{sign}: {check.get('name')}: expected {expected}, found {found}"
    good = [str(check.get("name")) for check in known if check.get("ok") is True]
    if good:
        yield f"+ {len(good)} checks passed: {', '.join(good)}"


def _tasks_of(result: bytes | None) -> list[dict[str, JsonValue]]:
    try:
        document: JsonValue = None if result is None else orjson.loads(result)
    except ValueError:
        return []
    match document:
        case {"tasks": list(tasks)}:
            return [task for task in tasks if isinstance(task, dict)]
        case _:
            return []


def json_lines(result: bytes | None, path: str) -> list[str]:
    """The result as it is, line by line; of a very long one the beginning, and where the rest is. `path`: of its file."""
    if result is None:
        return [f"There is no {path}, or it cannot be read." if path.endswith(".result.json") else "There is no result yet."]
    lines = result.decode("utf-8", "backslashreplace").splitlines()
    if len(lines) <= JSON_LINES:
        return lines
    return [*lines[:JSON_LINES], f"... and {len(lines) - JSON_LINES} more lines; all of it is in {path} (y copies the path)"]
