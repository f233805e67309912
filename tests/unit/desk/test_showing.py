"""What a console writes on its lines, from values."""

import json
import shlex
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxx_worker.cli.parser import build_parser
from proxx_worker.contract.errors import ErrorCode
from proxx_worker.contract.result import Check, ErrorRecord, JobStatus, TaskStatus, encode_result
from proxx_worker.contract.status import RunningJob, Stage, WorkerState, WorkerStatus
from proxx_worker.desk.commands import Place, SubmitForm, command_line, needs_preset, paths_in
from proxx_worker.desk.jobs import JobState, JobSummary, summary_of
from proxx_worker.desk.showing import (
    JSON_LINES,
    Sorting,
    counts_line,
    detail_lines,
    job_line,
    json_lines,
    nothing_text,
    rows_of,
    worker_line,
)
from tests.support.results import job_result, task_record

NOW = datetime(2026, 1, 1, 10, 2, tzinfo=UTC)
JOB = RunningJob("clip", "J1", Stage.ENCODING, 1, 2, "/a.mov", 12.0, 60.0, 300, 2.06)


def status(state: WorkerState = WorkerState.RUNNING, job: RunningJob | None = JOB) -> WorkerStatus:
    return WorkerStatus(state, 42, "desk\x1b[2J", "2026-01-01T10:00:00Z", "2026-01-01T10:00:00Z", 0, job)


def failed(name: str, code: str, message: str = "it is not there") -> JobSummary:
    return JobSummary(name.encode(), JobState.FAILED, code=code, message=message, profile="p", sources=(f"/mnt/{name}.mov",))


JOBS = [failed("b", "NO_SPACE"), failed("a", "SOURCE_MISSING"), failed("c", "SOURCE_MISSING", "gone\nfor good")]


def titles(**how: object) -> list[str]:
    wanted = {"search": "", "sorting": Sorting.NEWEST, "grouped": False, **how}
    rows = rows_of(JOBS, search=str(wanted["search"]), sorting=str(wanted["sorting"]), grouped=bool(wanted["grouped"]))
    return [row.title for row in rows]


def test_rows_are_found_sorted_and_grouped() -> None:
    assert titles() == ["b", "a", "c"]
    assert titles(sorting=Sorting.NAME) == ["a", "b", "c"]
    assert titles(sorting=Sorting.CODE) == ["b", "a", "c"]
    assert titles(search="SOURCE_m") == ["a", "c"]
    assert titles(search="for good") == ["c"]
    assert titles(search="/MNT/B") == ["b"]
    assert titles(grouped=True) == ["SOURCE_MISSING (2)", "a", "c", "NO_SPACE (1)", "b"]


def test_a_row_has_its_reason_and_none_that_steers() -> None:
    rows = rows_of(JOBS, search="", sorting=Sorting.NEWEST, grouped=True)
    assert (rows[2].title, rows[2].note, rows[2].rest) == ("c", "c.mov  p", "SOURCE_MISSING  gone\\x0afor good")
    assert rows[0].rest == "check the path, and that its storage is mounted"
    assert rows[0].job is None
    assert [row.title for row in rows[1:3]] == ["a", "c"]
    assert rows.place_of(b"b") == 4
    assert rows.place_of(b"z") is None
    done = JobSummary(b"d", JobState.DONE, duration_seconds=1.25, finished_at="2026-01-01T10:00:00.123Z")
    waiting = JobSummary(b"\xff\x1b", JobState.WAITING)
    shown = rows_of([done, waiting, JobSummary(b"e", JobState.DONE, unreadable="no")], search="", sorting="", grouped=False)
    assert [(row.title, row.rest) for row in shown] == [
        ("d", "1.2 s  2026-01-01T10:00:00"), ("\\xff\\x1b", ""), ("e", "no"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("alive", "held", "stale", "line"),
    [
        (True, False, False, "worker alive (pid 42 on desk\\x1b[2J)"),
        (None, False, False, "worker on another host (pid 42 on desk\\x1b[2J)"),
        (False, False, False, "no worker is running"),
        (True, True, False, "HELD: worker alive (pid 42 on desk\\x1b[2J)"),
        (True, False, True, "STALE HEARTBEAT, 120 s old: worker alive (pid 42 on desk\\x1b[2J)"),
    ],
)
def test_the_worker_in_one_line(alive: bool | None, held: bool, stale: bool, line: str) -> None:
    assert worker_line(status(), NOW, alive=alive, held=held, stale=stale) == line


@pytest.mark.parametrize(
    ("sources", "failed_sources", "note"),
    [
        ((), (), "p"),
        (("/mnt/a.mov",), (), "a.mov  p"),
        (("/mnt/a.mov", "/mnt/b.mov", "/mnt/c.mov"), ("/vol/b.mov",), "b.mov +2  p"),
        (("/mnt/\x1b.mov",), (), "\\x1b.mov  p"),
    ],
)
def test_a_failed_row_has_its_clip(sources: tuple[str, ...], failed_sources: tuple[str, ...], note: str) -> None:
    job = JobSummary(b"n", JobState.FAILED, profile="p", code="NO_SPACE", sources=sources, failed_sources=failed_sources)
    (row,) = rows_of([job], search="", sorting="", grouped=False)
    assert row.note == note


def test_what_it_does_in_one_line() -> None:
    assert job_line(status(), "/ws", alive=True) == "encoding 1/2  12.0 of 60.0 s  2.1x  a.mov  clip"
    stopping = RunningJob("clip", "J1", Stage.PROBING, 0, 2, position_seconds=1.0)
    assert job_line(status(WorkerState.STOPPING, stopping), "/ws", alive=None) == "stopping after probing  1.0 s  clip"
    assert job_line(status(WorkerState.IDLE, None), "/ws", alive=True) == "idle"
    assert job_line(None, "/ws", alive=True) == "it has not written a status yet"
    assert job_line(status(), "/ws", alive=False) == "No worker: run  proxx-worker watch /ws"
    assert job_line(status(), "/my ws", alive=False) == "No worker: run  proxx-worker watch '/my ws'"
    assert counts_line(dict.fromkeys(JobState, 3), 2) == "3 waiting  3 running  3 failed  3 done  (reading 2)"


@pytest.mark.parametrize("state", JobState)
def test_an_empty_list_says_so(state: JobState) -> None:
    said, _, command = nothing_text(state, "/my ws", "").partition("  proxx-worker ")
    assert "Press " in said
    arguments = build_parser().parse_args(shlex.split(command))
    assert "/my ws" in vars(arguments).values()
    assert "ends the search" in nothing_text(state, "/ws", "x")


def test_the_details_have_bad_checks_first() -> None:
    fault = ErrorRecord(code=ErrorCode.OUTPUT_INVALID, message="frames differ")
    checks = [
        Check(name="reel", expected=None, actual=None, ok=None),
        Check(name="start", expected=0, actual=0, ok=True),
        Check(name="frames", expected=25, actual=24, ok=False),
    ]
    task = task_record(TaskStatus.FAILED, fault).model_copy(update={"checks": checks, "command": ["ffmpeg", "-i", "x"]})
    data = encode_result(job_result(JobStatus.FAILED, fault, [task]))
    lines = list(detail_lines(summary_of(b"a", JobState.FAILED, data), data))
    assert lines[0] == "x a: failed"
    assert "OUTPUT_INVALID: frames differ" in lines
    told = [line.strip() for line in lines if line.startswith("  ")]
    assert told == [
        "source  /a.mov",
        "x BAD: frames: expected 25, found 24",
        "? not done: reel: expected nothing, found nothing",
        "+ 1 checks passed: start",
        "command ffmpeg -i x",
    ]


def explicit(settings: object, profile: str | None = None) -> bytes:
    document = json.loads(encode_result(job_result(JobStatus.COMPLETED, None, [])))
    return json.dumps(document | {"settings": settings, "proxy_profile": profile}).encode()


PRORES = {"codec": "prores_proxy", "container": "mov", "resolution": "half", "fps_mode": "same-as-source", "fps": None}
ENDED = "0.0 s, ended 2026-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("data", "note", "line"),
    [
        (explicit(PRORES), "prores_proxy mov half", f"job id J1, settings prores_proxy mov half, {ENDED}"),
        (explicit(PRORES, "proxy_prores_proxy"), "proxy_prores_proxy", f"job id J1, profile proxy_prores_proxy, {ENDED}"),
        (explicit(None), "", f"job id J1, {ENDED}"),
        (explicit({"codec": "h264"}), "", f"job id J1, {ENDED}"),
        (explicit(PRORES | {"codec": "\x1b[2J"}), "\\x1b[2J mov half", f"job id J1, settings \x1b[2J mov half, {ENDED}"),
    ],
)
def test_without_a_profile_its_settings_are_shown(data: bytes, note: str, line: str) -> None:
    job = summary_of(b"a", JobState.DONE, data)
    (row,) = rows_of([job], search="PRORES" if "prores" in note else "", sorting="", grouped=False)
    assert row.note == note
    assert line in list(detail_lines(job, data))


def test_the_details_of_what_is_no_result_say_so() -> None:
    assert list(detail_lines(JobSummary(b"a", JobState.RUNNING), None)) == ["> a: running"]
    unreadable = JobSummary(b"a", JobState.DONE, unreadable="the result is not JSON")
    assert "its result cannot be read: the result is not JSON" in list(detail_lines(unreadable, b"{"))
    assert list(detail_lines(JobSummary(b"a", JobState.DONE), b"[]")) == ["+ a: done"]
    done = json.loads(encode_result(job_result(JobStatus.COMPLETED, None, [task_record(TaskStatus.COMPLETED)])))
    done["tasks"][0] |= {"output": "/o.mov", "checks": "none"}
    assert "  output  /o.mov" in list(detail_lines(JobSummary(b"a", JobState.DONE), json.dumps(done).encode()))


def test_a_long_result_is_cut_and_says_so() -> None:
    assert json_lines(None, "/r") == ["There is no result yet."]
    assert json_lines(None, "/a.result.json") == ["There is no /a.result.json, or it cannot be read."]
    assert json_lines(b"{\n}\n", "/r") == ["{", "}"]
    lines = json_lines(b"x\n" * (JSON_LINES + 7), "/r")
    assert len(lines) == JSON_LINES + 1
    assert lines[-1] == "... and 7 more lines; all of it is in /r (y copies the path)"


@given(name=st.text(max_size=30))
def test_a_command_line_is_one_line_for_a_shell(name: str) -> None:
    line = command_line("cancel", "/ws", name)
    assert line.startswith("proxx-worker cancel /ws ")
    assert "\n" not in line


@pytest.mark.parametrize(
    ("form", "line"),
    [
        (
            SubmitForm(("/mnt/card", "/mnt/b"), ("p", "q"), Place.BESIDE, "Proxy", create_directories=True),
            "spec --recursive --profile p --profile q --beside Proxy --create-directories --submit /ws -- /mnt/card /mnt/b",
        ),
        (
            SubmitForm(("/mnt/a b.mov",), ("p",), Place.DIRECTORY, "/out", create_directories=False, preset="RAW"),
            "spec --profile p --resolve-preset RAW --output-directory /out --submit /ws -- '/mnt/a b.mov'",
        ),
    ],
)
def test_a_form_is_a_command(form: SubmitForm, line: str) -> None:
    recursive = not form.sources[0].endswith(".mov")
    assert command_line(*form.words("/ws", recursive=recursive)) == f"proxx-worker {line}"


@pytest.mark.parametrize(
    ("typed", "paths"),
    [
        ("/mnt/card", ("/mnt/card",)),
        ("  '/mnt/my card'  b.mov b.mov ", ("/mnt/my card", "b.mov")),
        ("/mnt/my\\ card", ("/mnt/my card",)),
    ],
)
def test_typed_paths_are_read_as_a_shell_reads_words(typed: str, paths: tuple[str, ...]) -> None:
    assert paths_in(typed) == paths


@pytest.mark.parametrize(
    ("typed", "said"),
    [("", "no clip is given"), (" '' ", "no clip is given"), ("it's", "quote the whole"), ("~a\0b", "a path contains a NUL")],
)
def test_a_field_without_a_path_is_refused(typed: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        paths_in(typed)


def test_a_profile_of_resolve_needs_a_preset() -> None:
    assert [needs_preset(name) for name in ("proxy_h264_low", "proxy_prores_lt_resolve", "none")] == [False, True, False]
