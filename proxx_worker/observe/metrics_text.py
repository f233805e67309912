"""The metrics' names, and their text in Prometheus's exposition format 0.0.4. Pure.

Not written with `prometheus_client`: importing it takes longer than the worker's start, and a file of two dozen lines does not
need its thread-safe registry. The tests check every line with its parser.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from proxx_worker.contract.errors import ErrorCode
from proxx_worker.contract.result import JobStatus

PREFIX: Final = "proxx_worker_"
NO_CODE: Final = ""
"""The `code` of a job that is COMPLETED."""

Kind = Literal["gauge", "counter"]


@dataclass(frozen=True, slots=True)
class Family:
    """One metric: its name without the prefix, its kind, and its help text.

    Workers whose files are in one folder must have the same help texts, or the node exporter reports an error.
    """

    name: str
    kind: Kind
    help: str


INFO = Family("info", "gauge", "The worker's version, as a label; the value is 1.")
UP = Family(
    "up", "gauge", "1 while the worker runs, 0 once it has ended by itself. One that was killed leaves a 1: see the heartbeat."
)
START = Family("start_time_seconds", "gauge", "When the worker started, in seconds since 1970.")
HEARTBEAT = Family("heartbeat_timestamp_seconds", "gauge", "When the worker's loops last showed that they run.")
SCAN = Family("last_scan_timestamp_seconds", "gauge", "When the inbox was last listed; 0 before the first time.")
INBOX = Family("inbox_jobs", "gauge", "Jobs waiting in the inbox.")
RUNNING = Family("job_running", "gauge", "1 while a job runs, else 0.")
JOB_START = Family("job_start_time_seconds", "gauge", "When the running job was claimed; 0 if none runs.")
JOBS = Family(
    "jobs_total", "counter", "Jobs that ended, by status and error code (empty for COMPLETED), since the worker started."
)
ENCODE = Family("encode_seconds_total", "counter", "Seconds in which an encoder ran.")
MEDIA = Family("media_seconds_total", "counter", "Length of the sources whose tasks were completed, in seconds.")
BYTES = Family("output_bytes_total", "counter", "Bytes of the outputs that were published.")
MEMORY = Family("resident_memory_bytes", "gauge", "Memory of the worker's own process; the encoder's is in each result.")

Outcome = tuple[JobStatus, str]
OUTCOMES: Final[tuple[Outcome, ...]] = (
    (JobStatus.COMPLETED, NO_CODE),
    *((JobStatus.FAILED, code.value) for code in ErrorCode),
)
"""Everything `jobs_total` can count. All are exported from the start: `increase()` misses the first value of a new series."""


@dataclass(slots=True)
class Values:
    """The metrics' values. Times in seconds since 1970."""

    up: bool = True
    started_at: float = 0.0
    heartbeat_at: float = 0.0
    scanned_at: float = 0.0
    inbox: int = 0
    job_started_at: float | None = None
    jobs: dict[Outcome, int] = field(default_factory=lambda: dict.fromkeys(OUTCOMES, 0))
    encode_seconds: float = 0.0
    media_seconds: float = 0.0
    output_bytes: int = 0
    resident_memory_bytes: int = 0


def metrics_text(values: Values, *, workspace: str, version: str) -> str:
    """The whole file. Every series has the label `workspace`, so that the files of several workers may be in one folder."""
    own = {"workspace": workspace}
    parts = [
        _family(INFO, [({**own, "version": version}, 1)]),
        *(_family(family, [(own, value)]) for family, value in _single(values)),
        _family(JOBS, [({**own, "status": status, "code": code}, count) for (status, code), count in values.jobs.items()]),
    ]
    return "".join(parts)


def _single(values: Values) -> Iterator[tuple[Family, float]]:
    yield UP, int(values.up)
    yield START, values.started_at
    yield HEARTBEAT, values.heartbeat_at
    yield SCAN, values.scanned_at
    yield INBOX, values.inbox
    yield RUNNING, int(values.job_started_at is not None)
    yield JOB_START, values.job_started_at or 0.0
    yield ENCODE, values.encode_seconds
    yield MEDIA, values.media_seconds
    yield BYTES, values.output_bytes
    yield MEMORY, values.resident_memory_bytes


def _family(family: Family, samples: list[tuple[Mapping[str, str], float]]) -> str:
    name = PREFIX + family.name
    lines = [f"# HELP {name} {family.help}", f"# TYPE {name} {family.kind}"]
    lines += [f"{name}{{{_labels(labels)}}} {value!r}" for labels, value in samples]
    return "\n".join(lines) + "\n"


def _labels(labels: Mapping[str, str]) -> str:
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
