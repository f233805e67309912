"""Values of flags that cannot be meant: each refusal says what is expected, with the exit code of a usage error."""

import pytest

from proxx_worker.cli.parser import build_parser

SECONDS = "a number of seconds, such as 2.5, not "


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["check", "--stall-seconds", "nan"], f"argument --stall-seconds: {SECONDS}nan"),
        (["check", "--stall-seconds", "inf"], f"argument --stall-seconds: {SECONDS}inf"),
        (["check", "--stall-seconds=-inf"], f"argument --stall-seconds: {SECONDS}-inf"),
        (["check", "--stall-seconds", "1e999"], f"argument --stall-seconds: {SECONDS}1e999"),
        (["check", "--stall-seconds", ""], f"argument --stall-seconds: {SECONDS}nothing"),
        (["watch", "ws", "--poll-seconds", "nan"], f"argument --poll-seconds: {SECONDS}nan"),
        (["watch", "ws", "--settle-seconds", "5s"], f"argument --settle-seconds: {SECONDS}5s"),
        (["run", "a.json", "--resolve-start-seconds", "inf"], f"argument --resolve-start-seconds: {SECONDS}inf"),
        (["report", "ws", "--html", "p", "--stall-seconds", "nan"], f"argument --stall-seconds: {SECONDS}nan"),
        (["status", "ws", "--health", "--max-age", "nan"], f"argument --max-age: {SECONDS}nan"),
        (["status", "ws", "--health", "--max-age", "-1"], "argument --max-age: 0 seconds or more, not -1"),
        (["report", "ws", "--html", "p", "--worst", "x"], "argument --worst: 0 to 9, not x"),
        (["report", "ws", "--html", "p", "--worst", "1.5"], "argument --worst: 0 to 9, not 1.5"),
        (["report", "ws", "--html", "p", "--worst", "10"], "argument --worst: 0 to 9, not 10"),
        (["report", "ws", "--html", "p", "--worst", "-1"], "argument --worst: 0 to 9, not -1"),
        (["report", "ws", "--html", "p", "--fail-below", "high"], "argument --fail-below: 0 to 1, not high"),
        (["report", "ws", "--html", "p", "--fail-below", "nan"], "argument --fail-below: 0 to 1, not nan"),
        (["report", "ws", "--html", "p", "--fail-below", "1.01"], "argument --fail-below: 0 to 1, not 1.01"),
        (["run", "a.json", "--encoder-memory-bytes", "1.5"], "argument --encoder-memory-bytes: a whole number, not 1.5"),
        (["spec", "--profile", "p", "--beside", "d", "--chunk", "x", "a"], "argument --chunk: a whole number, not x"),
    ],
    ids=lambda it: " ".join(it) if isinstance(it, list) else "",
)
def test_it_says_what_is_expected(capsys: pytest.CaptureFixture[str], words: list[str], says: str) -> None:
    with pytest.raises(SystemExit) as caught:
        build_parser().parse_args(words)
    assert caught.value.code == 64
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == f"proxx-worker {words[0]}: {says} (`proxx-worker {words[0]} --help` explains)"


@pytest.mark.parametrize(("flag", "text", "value"), [("worst", "0", 0), ("worst", "9", 9), ("fail_below", "1", 1.0)])
def test_the_edges_are_taken(flag: str, text: str, value: float) -> None:
    words = ["report", "ws", "--html", "p", f"--{flag.replace('_', '-')}", text]
    assert getattr(build_parser().parse_args(words), flag) == value
