"""Results: the contract's fields in its order, and what is written is read back."""

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxx_worker.contract.errors import ErrorCode, JobError
from proxx_worker.contract.result import (
    Check,
    ErrorRecord,
    JobResult,
    JobStatus,
    SpecRecord,
    TaskRecord,
    TaskStatus,
    WorkerRecord,
    decode_result,
    encode_result,
)
from proxx_worker.contract.source_media import SettingsRecord
from proxx_worker.media.source_record import source_media
from tests.unit.contract.corpus import PROPERTY
from tests.unit.planning.sources import CLIP

TEXT = st.text(st.characters(exclude_categories=()), max_size=8)
INTEGERS = st.integers(-(1 << 70), 1 << 70)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | INTEGERS | FLOATS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
FACTS = st.dictionaries(TEXT, JSON, max_size=3)
ERRORS = st.builds(ErrorRecord, code=st.sampled_from(ErrorCode), message=TEXT, details=FACTS)
CHECKS = st.builds(Check, name=TEXT, expected=JSON, actual=JSON, ok=st.none() | st.booleans())
SIZES = st.none() | st.integers(0, 1 << 62)
SECONDS = st.none() | FLOATS
SOURCE = source_media(CLIP)
TASKS = st.builds(
    TaskRecord,
    index=st.integers(0, 5000),
    source=TEXT,
    status=st.sampled_from(TaskStatus),
    error=st.none() | ERRORS,
    output=st.none() | TEXT,
    output_size_bytes=SIZES,
    output_sha256=st.none() | TEXT,
    command=st.none() | st.lists(TEXT, max_size=3),
    exit_code=st.none() | st.integers(-64, 255),
    source_media=st.none() | st.just(SOURCE),
    output_media=st.none() | FACTS,
    checks=st.lists(CHECKS, max_size=2),
    started_at=st.none() | TEXT,
    finished_at=st.none() | TEXT,
    duration_seconds=SECONDS,
    cpu_seconds=SECONDS,
    peak_memory_bytes=SIZES,
)
RESULTS = st.builds(
    JobResult,
    result_version=st.just("1.1"),
    job_id=TEXT,
    status=st.sampled_from(JobStatus),
    error=st.none() | ERRORS,
    jobspec=st.builds(SpecRecord, name=TEXT, sha256=st.none() | TEXT, version=st.none() | TEXT),
    engine=st.sampled_from([None, "ffmpeg", "resolve"]),
    proxy_profile=st.none() | TEXT,
    settings=st.none() | st.builds(SettingsRecord, codec=TEXT, container=TEXT, resolution=TEXT, fps_mode=TEXT, fps=st.none()),
    tasks=st.lists(TASKS, max_size=2),
    worker=st.builds(
        WorkerRecord,
        version=TEXT,
        ffmpeg=st.none() | TEXT,
        ffprobe=st.none() | TEXT,
        declared_versions=st.dictionaries(TEXT, TEXT, max_size=2),
    ),
    started_at=TEXT,
    finished_at=TEXT,
    duration_seconds=FLOATS,
)

REFUSED = JobResult(
    job_id="0123456789ab",
    status=JobStatus.FAILED,
    error=ErrorRecord.of(JobError(ErrorCode.SPEC_INVALID, "the spec is refused", {"faults": []})),
    jobspec=SpecRecord(name="clip~2", sha256="00", version="2.1"),
    engine=None,
    proxy_profile=None,
    settings=None,
    tasks=[TaskRecord(index=0, source="/media/\u00fc.mov", status=TaskStatus.NOT_RUN)],
    worker=WorkerRecord(version="2.0.0", ffmpeg=None, ffprobe=None, declared_versions={"ffmpeg": "5.1"}),
    started_at="2025-12-29T14:30:00Z",
    finished_at="2025-12-29T14:30:01Z",
    duration_seconds=1,
)


def test_the_fields_and_their_order_are_the_contracts() -> None:
    document = json.loads(encode_result(REFUSED))
    assert list(document) == [
        "result_version",
        "job_id",
        "status",
        "error",
        "jobspec",
        "engine",
        "proxy_profile",
        "settings",
        "tasks",
        "worker",
        "started_at",
        "finished_at",
        "duration_seconds",
    ]
    assert list(document["error"]) == ["code", "message", "details"]
    assert list(document["jobspec"]) == ["name", "sha256", "version"]
    assert list(document["worker"]) == ["version", "ffmpeg", "ffprobe", "declared_versions", "sandbox"]
    assert list(document["tasks"][0]) == [
        "index",
        "source",
        "source_path",
        "status",
        "error",
        "output",
        "output_path",
        "output_size_bytes",
        "output_sha256",
        "command",
        "exit_code",
        "source_media",
        "output_media",
        "checks",
        "started_at",
        "finished_at",
        "duration_seconds",
        "cpu_seconds",
        "peak_memory_bytes",
    ]
    assert list(Check.model_fields) == ["name", "expected", "actual", "ok"]


def test_it_is_indented_utf_8_with_a_newline_at_the_end() -> None:
    data = encode_result(REFUSED)
    assert data.startswith(
        b'{\n  "result_version": "1.1",\n  "job_id": "0123456789ab",\n  "status": "FAILED",\n  "error": {\n    '
    )
    assert data.endswith(b"\n}\n")
    assert "/media/\u00fc.mov".encode() in data
    assert data == json.dumps(json.loads(data), indent=2, ensure_ascii=False).encode() + b"\n"


def test_what_utf_8_cannot_say_is_written_visibly() -> None:
    record = ErrorRecord.of(JobError(ErrorCode.IO_ERROR, "no \udcff", {"\ud800": ["\udcfe", {"size": 1 << 64}]}))
    assert record.message == "no \\xff"
    assert record.details == {"\\ud800": ["\\xfe", {"size": "18446744073709551616"}]}


@PROPERTY
@given(RESULTS)
def test_what_is_written_is_read_back(result: JobResult) -> None:
    data = encode_result(result)
    again = decode_result(data)
    assert again == result
    assert encode_result(again) == data


@PROPERTY
@given(RESULTS, st.data())
def test_a_torn_result_is_not_read(result: JobResult, data: st.DataObject) -> None:
    whole = encode_result(result)
    with pytest.raises(ValueError, match=r".*"):
        decode_result(whole[: data.draw(st.integers(0, len(whole) - 2))])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"1.1"', b'"1.0"'),
        (b'"job_id"', b'"job"'),
        (b'"FAILED"', b'"failed"'),
        (b'"SPEC_INVALID"', b'"SPEC_ODD"'),
        (b'"index": 0', b'"index": "0"'),
        (b'"index": 0', b'"index": 0.0, "more": 1'),
        (b'      "checks": [],\n', b""),
        (b'"duration_seconds": 1.0', b'"duration_seconds": null'),
        (b'{\n  "result', b'[{\n  "result'),
    ],
)
def test_what_would_not_have_been_written_is_not_read(old: bytes, new: bytes) -> None:
    data = encode_result(REFUSED)
    assert old in data
    with pytest.raises(ValueError, match=r".*"):
        decode_result(data.replace(old, new))


def test_a_number_written_as_text_is_named_as_another_version() -> None:
    data = encode_result(REFUSED).replace(b'"index": 0', b'"index": "0"')
    with pytest.raises(ValueError, match=r"^not a result of this version: fields are missing or have other types$"):
        decode_result(data)


@pytest.mark.parametrize("data", [b"", b"\x00" * 4096, b"{}", b"[]", b"null", b"\xff"])
def test_what_a_crash_leaves_is_not_read(data: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        decode_result(data)


def test_layout_does_not_matter() -> None:
    assert decode_result(orjson.dumps(orjson.loads(encode_result(REFUSED)))) == REFUSED


def test_a_message_is_one_line_and_its_details_are_as_they_are() -> None:
    record = ErrorRecord.of(JobError(ErrorCode.SOURCE_MISSING, "there is no file /a\n\x1b", {"path": "/a\n\x1b"}))
    assert (record.message, record.details) == (r"there is no file /a\x0a\x1b", {"path": "/a\n\x1b"})
