"""The status document: written and read by one model, and read with care whatever stands there."""

from collections.abc import Iterator

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxx_worker.contract.status import (
    MAX_STATUS_BYTES,
    RunningJob,
    Stage,
    WorkerState,
    WorkerStatus,
    decode_status,
    encode_status,
    status_field_names,
    status_fields,
)

NOON = "2026-03-01T12:00:00.000Z"
JOB = RunningJob("clip~2", "JOB-1", Stage.VERIFYING, 2, 3, "/mnt/san/A001.mov", 4.2, 10, 105, 2.1)
STATUS = WorkerStatus(WorkerState.RUNNING, 12, "edit-3", NOON, "2026-03-01T12:00:01.500Z", 7, JOB)

TEXT = st.text(max_size=20)
WHOLE = st.integers(-(2**63), 2**63 - 1)
NUMBER = st.none() | st.floats(allow_nan=False, allow_infinity=False) | WHOLE
JOBS = st.builds(
    RunningJob, TEXT, TEXT, st.sampled_from(Stage), WHOLE, WHOLE, st.none() | TEXT, NUMBER, NUMBER, st.none() | WHOLE, NUMBER
)
STATUSES = st.builds(
    WorkerStatus,
    st.sampled_from(WorkerState),
    WHOLE,
    TEXT,
    st.just(NOON),
    st.just(NOON),
    WHOLE,
    st.none() | JOBS,
    st.none() | WHOLE,
)


def changed(**fields: object) -> bytes:
    return orjson.dumps({**status_fields(STATUS), **fields})


def with_job(**fields: object) -> bytes:
    job = status_fields(STATUS)["job"]
    assert isinstance(job, dict)
    return changed(job={**job, **fields})


def test_the_document_is_what_the_contract_names() -> None:
    assert (
        encode_status(STATUS).decode()
        == """{
  "state": "running",
  "pid": 12,
  "host": "edit-3",
  "started_at": "2026-03-01T12:00:00.000Z",
  "heartbeat_at": "2026-03-01T12:00:01.500Z",
  "inbox": 7,
  "job": {
    "name": "clip~2",
    "job_id": "JOB-1",
    "stage": "verifying",
    "task": 2,
    "tasks": 3,
    "source": "/mnt/san/A001.mov",
    "position_seconds": 4.2,
    "duration_seconds": 10,
    "frames": 105,
    "speed": 2.1
  },
  "exit_code": null
}
"""
    )
    assert tuple(orjson.loads(encode_status(STATUS))) == status_field_names()


@given(STATUSES)
def test_what_was_written_is_read_back(status: WorkerStatus) -> None:
    assert decode_status(encode_status(status)) == status


def test_names_that_could_steer_a_terminal_or_are_not_utf_8_are_written_as_escapes() -> None:
    job = RunningJob("a\x1b[2J\u202e", "id", Stage.CLAIMED, 0, 1, "/mnt/\udcff\ud800.mov")
    written = encode_status(WorkerStatus(WorkerState.RUNNING, 1, "h\udcfe", NOON, NOON, 0, job))
    assert written.isascii()
    assert b"\x1b" not in written
    read = decode_status(written)
    assert read.host == r"h\xfe"
    assert read.job is not None
    assert (read.job.name, read.job.source) == ("a\x1b[2J\u202e", r"/mnt/\xff\ud800.mov")


def test_fields_of_a_later_version_are_passed_over() -> None:
    assert decode_status(with_job(eta="never")) == STATUS
    assert decode_status(changed(queue=[1, {"deep": None}])) == STATUS


ADDED = {"exit_code"}
"""Fields that earlier versions do not write."""


def test_a_status_of_an_earlier_version_is_read() -> None:
    fields = status_fields(STATUS)
    del fields["exit_code"]
    assert decode_status(orjson.dumps(fields)) == STATUS


def hostile() -> Iterator[tuple[str, bytes]]:
    for name in status_field_names():
        without = status_fields(STATUS)
        del without[name]
        if name not in ADDED:
            yield f"no {name}", orjson.dumps(without)
        yield f"{name} is a list", changed(**{name: []})
        yield f"{name} is true", changed(**{name: True})
    for name in RunningJob.__dataclass_fields__:
        yield f"job.{name} is a list", with_job(**{name: []})
        yield f"job.{name} is true", with_job(**{name: True})
    yield "an unknown state", changed(state="sleeping")
    yield "an unknown stage", with_job(stage="eta")
    yield "a job that is text", changed(job="clip")
    yield "a pid with a fraction", changed(pid=1.5)
    yield "frames as text", with_job(frames="105")
    yield "no time", changed(heartbeat_at="noon")
    yield "another time zone", changed(heartbeat_at="2026-03-01T12:00:00.000+01:00")
    yield "no time zone", changed(started_at="2026-03-01T12:00:00.000")
    yield "nothing", b""
    yield "half of it", encode_status(STATUS)[:100]
    yield "null", b"null"
    yield "a list", b"[]"
    yield "not a number", encode_status(STATUS).replace(b"2.1", b"NaN")
    yield "not UTF-8", encode_status(STATUS).replace(b"edit-3", b"edit-\xff")
    yield "half a surrogate pair", encode_status(STATUS).replace(b"edit-3", rb"\ud800")
    yield "too deep", b"[" * 60_000
    yield "too long", encode_status(STATUS).rstrip() + b" " * MAX_STATUS_BYTES


HOSTILE = dict(hostile())


@pytest.mark.parametrize("name", HOSTILE)
def test_anything_else_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode_status(HOSTILE[name])


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("no pid", "a field is missing or has another type"),
        ("pid is true", "a field is true or false"),
        ("job.name is a list", "a field of the job is missing or has another type"),
        ("another time zone", "a time is not in UTC"),
        ("too long", f"it has more than {MAX_STATUS_BYTES} bytes"),
    ],
)
def test_the_refusal_tells_why(name: str, says: str) -> None:
    with pytest.raises(ValueError, match=f"^{says}$"):
        decode_status(HOSTILE[name])


def test_one_of_the_greatest_length_is_read() -> None:
    assert decode_status(encode_status(STATUS).rstrip().ljust(MAX_STATUS_BYTES)) == STATUS


@given(st.binary(max_size=200))
def test_noise_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode_status(data)
