"""How log events look: by value, and harmless whatever they hold."""

import json
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from proxx_worker.contract.text import visible
from proxx_worker.observe.records import json_line, text_line

WHEN = datetime(2026, 1, 2, 3, 4, 5, 678_900, tzinfo=UTC)


def test_a_text_line_has_time_level_action_message_and_fields() -> None:
    line = text_line(WHEN, "INFO", "task_started", "/media/A 001.mov", {"task": 1, "ok": None, "name": "a b", "argv": ["x", 2]})
    assert line == (
        "2026-01-02T03:04:05.678Z INFO    task_started /media/A 001.mov "
        'task=1 ok=null name="a b" argv=["x",2]\n'
    )  # fmt: skip


def test_a_text_line_without_message_has_no_gap() -> None:
    assert text_line(WHEN, "ERROR", "job_failed", "", {}) == "2026-01-02T03:04:05.678Z ERROR   job_failed\n"


def test_a_json_line_is_one_object() -> None:
    line = json_line(WHEN, "INFO", "claimed", "m", {"job": "clip", "nested": {"a": [1]}})
    assert json.loads(line) == {
        "time": "2026-01-02T03:04:05.678Z", "level": "INFO", "action": "claimed", "message": "m",
        "job": "clip", "nested": {"a": [1]},
    }  # fmt: skip


@given(st.text(st.characters(), max_size=80), st.dictionaries(st.text("abc", min_size=1), st.text(st.characters())))
def test_every_event_is_one_printable_line(message: str, fields: dict[str, str]) -> None:
    for line in (text_line(WHEN, "INFO", "a", message, dict(fields)), json_line(WHEN, "INFO", "a", message, dict(fields))):
        assert line.endswith("\n")
        assert visible(line[:-1]) == line[:-1]
        line.encode()


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_json_line_says_what_it_was_given(message: str) -> None:
    assert json.loads(json_line(WHEN, "INFO", "a", message, {"k": message})) | {"time": ""} == {
        "time": "", "level": "INFO", "action": "a", "message": message, "k": message,
    }  # fmt: skip


def test_json_escapes_what_could_steer_a_terminal_as_json_does() -> None:
    line = json_line(WHEN, "INFO", "a", "\x7f\x9b\u202e\u2028é", {})
    assert r'"message":"\u007f\u009b\u202e\u2028é"' in line
