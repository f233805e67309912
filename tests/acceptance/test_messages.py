"""What a person is told by commands that go well, and by those that do not; the mistakes are in `test_mistakes`."""

import json
import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest
from jsonschema import Draft202012Validator

from tests.acceptance.command import COMMAND, Argument, Command
from tests.acceptance.results import parse_result, read_result
from tests.acceptance.specs import Workspace, encode, jobspec
from tests.acceptance.stand_ins import around_ffmpeg, program
from tests.acceptance.terminal import on_a_terminal

SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "schema" / "validation.schema.json"


def write(folder: Path, document: dict[str, Any], name: str = "spec.json") -> Path:
    path = folder / name
    path.write_bytes(encode(document))
    return path


# --- run, for a person ---


def test_run_on_a_terminal_ends_with_a_summary(proxx: Command, clip: Path, proxies: Path, tmp_path: Path) -> None:
    shown = on_a_terminal(proxx, "run", write(tmp_path, jobspec(clip, proxies), "scene 1.json"))
    assert shown.exit_code == 0
    lines = [line for line in shown.text.split("\n") if line.strip()]
    assert lines[-4].startswith("COMPLETED  scene 1: 1 clip in ")
    assert lines[-3] == f"  COMPLETED  {clip}"
    assert lines[-2] == f"    {proxies}/A001C001_proxy.mp4"
    size, checks, speed = lines[-1].strip().split(", ")
    assert size.endswith(" kB")
    assert checks.endswith(" checks passed")
    assert speed.endswith("x real time")
    assert "result_version" not in shown.text


def test_run_on_a_terminal_prints_json_where_asked(proxx: Command, clip: Path, proxies: Path, tmp_path: Path) -> None:
    shown = on_a_terminal(proxx, "run", write(tmp_path, jobspec(clip, proxies)), "--json")
    assert shown.exit_code == 0
    document = shown.raw[shown.raw.index('{\r\n  "result_version"') :].replace("\r\n", "\n")
    assert parse_result(document.encode())["status"] == "COMPLETED"


def test_run_into_a_pipe_prints_json(proxx: Command, clip: Path, proxies: Path, tmp_path: Path) -> None:
    shown = on_a_terminal(proxx, "run", write(tmp_path, jobspec(clip, proxies)), stdout_too=False)
    assert parse_result(shown.stdout)["status"] == "COMPLETED"
    assert "checks passed" not in shown.text


def test_a_refused_spec_has_one_line_per_fault(proxx: Command, clip: Path, proxies: Path, tmp_path: Path) -> None:
    spec = write(tmp_path, jobspec(clip, proxies, codek="h264", naming_template="{nme}", job_id="a b"))
    shown = on_a_terminal(proxx, "run", spec, columns=400)
    assert shown.exit_code == 1
    assert [line.split(":")[0] for line in shown.text.strip().split("\n")[-4:] if line.strip()] != []
    text = shown.text.replace("\n\n", "\n")
    assert "\nSPEC_INVALID: 3 faults\n  job_id: " in text
    assert "\n  naming_template: there is no token " in text
    assert "\n  codek: there is no such field in JobSpec 2.1: did you mean codec?\n" in text


# --- FFmpeg's words ---


def talking(folder: Path, lines: int) -> Path:
    """An FFmpeg that says so many lines and fails."""
    return program(folder / "ffmpeg", f'for i in $(seq {lines}); do echo "word $i" >&2; done; exit 1')


def test_the_encoder_s_last_lines_are_shown_where_it_failed(proxx: Command, clip: Path, proxies: Path, tmp_path: Path) -> None:
    spec, ffmpeg = write(tmp_path, jobspec(clip, proxies)), talking(tmp_path, 50)
    shown = on_a_terminal(proxx, "run", spec, "--ffmpeg", ffmpeg, columns=400)
    assert shown.exit_code == 2
    text = shown.text.replace("\n\n", "\n")
    kept = "".join(f"  word {number}\n" for number in range(31, 51))
    assert f"The last lines of FFmpeg (--log FILE keeps all of them):\n{kept}" in text
    assert "word 30\n" not in text
    assert "ENCODE_FAILED" in text
    assert "; its full output is in the job's log (`run` writes one with `--log FILE`)" in text


def test_they_are_not_shown_where_all_went_well(proxx: Command, clip: Path, proxies: Path, tmp_path: Path) -> None:
    chatty = around_ffmpeg(tmp_path / "ffmpeg", before="echo a word >&2")
    shown = on_a_terminal(proxx, "run", write(tmp_path, jobspec(clip, proxies)), "--ffmpeg", chatty)
    assert shown.exit_code == 0
    assert "a word" not in shown.text


def test_elsewhere_they_are_in_the_log_as_they_come(proxx: Command, clip: Path, proxies: Path, tmp_path: Path) -> None:
    ended = proxx("run", write(tmp_path, jobspec(clip, proxies)), "--ffmpeg", talking(tmp_path, 30))
    assert ended.exit_code == 2
    assert all(f"encoder word {number}\n" in ended.stderr for number in range(1, 31))
    assert "The last lines" not in ended.stderr


@pytest.mark.parametrize("terminal", [True, False])
def test_a_log_file_has_all_of_them(proxx: Command, clip: Path, proxies: Path, tmp_path: Path, terminal: bool) -> None:
    log = tmp_path / "run.log"
    log.write_text("of another run\n")
    arguments: list[Argument] = ["run", write(tmp_path, jobspec(clip, proxies)), "--ffmpeg", talking(tmp_path, 50), "--log", log]
    assert (on_a_terminal(proxx, *arguments).exit_code if terminal else proxx(*arguments).exit_code) == 2
    text = log.read_text()
    assert all(f"encoder word {number}\n" in text for number in range(1, 51))
    assert " job_started " in text
    assert " job_failed " in text
    assert "of another run" not in text


def test_a_log_file_that_cannot_take_it_is_told(proxx: Command, clip: Path, proxies: Path, tmp_path: Path) -> None:
    ended = proxx("run", write(tmp_path, jobspec(clip, proxies)), "--log", "/dev/full")
    assert ended.exit_code == 4
    assert "NO_SPACE: cannot write the log of the job spec" in ended.stderr
    assert parse_result(ended.stdout)["status"] == "COMPLETED"


# --- being stopped ---


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_is_called_what_it_is(
    proxx: Command, long_clip: Path, proxies: Path, tmp_path: Path, number: signal.Signals
) -> None:
    with proxx.start("run", write(tmp_path, jobspec(long_clip, proxies))) as job:
        job.until(lambda: list(proxies.glob(".proxx-*/*.mp4")), "an output that grows")
        job.signal(number)
        ended = job.wait()
    message = parse_result(ended.stdout)["error"]["message"]
    told = "stopped by a signal (SIGTERM, or Ctrl-C) while this was being encoded. Nothing was published; run the job again."
    assert told in message
    assert "the worker was" not in message


def test_ctrl_c_ends_a_command_that_has_nothing_to_clean_up_without_a_traceback(proxx: Command, tmp_path: Path) -> None:
    config = tmp_path / "settings.toml"
    os.mkfifo(config)

    def reader_is_there() -> int | None:
        try:
            return os.open(config, os.O_WRONLY | os.O_NONBLOCK)  # refused until the command reads it
        except OSError:
            return None

    with proxx.start("check", "--config", config) as job:
        writer = job.until(reader_is_there, "a command that opens its settings")
        # Until it sleeps in its read, Python may take the signal just before, and then not come to its handler while it reads.
        job.until(lambda: psutil.Process(job.pid).status() == psutil.STATUS_SLEEPING, "a command that waits for its settings")
        job.signal(signal.SIGINT)
        ended = job.wait()
        os.close(writer)
    assert (ended.exit_code, ended.stdout, ended.stderr) == (130, b"", "")


# --- a reader who goes ---


def closed_pipe(
    proxx: Command, *arguments: Argument, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run it with a stdout whose reader has gone already."""
    with subprocess.Popen(["true"], stdin=subprocess.PIPE) as gone:
        assert gone.stdin is not None
        gone.wait()
        return subprocess.run(
            [COMMAND, *arguments],
            stdout=gone.stdin,
            stderr=subprocess.PIPE,
            check=False,
            env={**proxx.environment, **(environment or {})},
        )


@pytest.mark.parametrize("gone", [True, False])
def test_a_stderr_that_takes_nothing_does_not_change_the_exit_code(proxx: Command, tmp_path: Path, *, gone: bool) -> None:
    reader, writer = os.pipe()
    os.close(reader)  # whoever writes gets EPIPE

    def exit_code(*arguments: Argument) -> int:
        with Path("/dev/full").open("wb") as full:
            stderr = writer if gone else full
            ended = subprocess.run(
                [COMMAND, *arguments], stdout=subprocess.PIPE, stderr=stderr, check=False, env=proxx.environment
            )
        return ended.returncode

    missing = tmp_path / "missing"
    assert (exit_code("run", missing), exit_code("submit", missing, missing), exit_code("runn")) == (64, 64, 64)
    assert exit_code("status", missing) == 4
    os.close(writer)


def test_a_closed_pipe_does_not_make_a_completed_job_fail(proxx: Command, clip: Path, proxies: Path, tmp_path: Path) -> None:
    saved = tmp_path / "saved.json"
    ended = closed_pipe(proxx, "run", write(tmp_path, jobspec(clip, proxies)), "--result", saved)
    assert (ended.returncode, parse_result(saved.read_bytes())["status"]) == (0, "COMPLETED")
    again = closed_pipe(proxx, "run", write(tmp_path, jobspec(clip, proxies, naming_template="again")))
    assert again.returncode == 0
    assert b"stdout was closed before the result was written; --result FILE keeps it\n" in again.stderr
    failed = closed_pipe(proxx, "run", write(tmp_path, jobspec(tmp_path / "missing.mov", proxies)))
    assert failed.returncode == 1, "the job's own class"
    assert b"Traceback" not in ended.stderr + again.stderr + failed.stderr


@pytest.mark.parametrize(
    "arguments",
    [("profiles",), ("schema", "result"), ("check",), ("profiles", "--json"), ("explain", "NO_SPACE")],
    ids=" ".join,
)
@pytest.mark.parametrize("environment", [{}, {"PYTHONUNBUFFERED": "1"}], ids=["buffered", "unbuffered"])
def test_a_closed_pipe_ends_a_command_as_sigpipe_does(
    proxx: Command, arguments: tuple[str, ...], environment: dict[str, str]
) -> None:
    ended = closed_pipe(proxx, *arguments, environment=environment)
    assert ended.stderr == b""
    assert ended.returncode == 141


def test_all_specs_are_submitted_though_nobody_reads_their_paths(proxx: Command, workspace: Workspace, tmp_path: Path) -> None:
    specs = [write(tmp_path, {}, f"{number}.json") for number in range(3)]
    assert closed_pipe(proxx, "submit", workspace, *specs).returncode == 0
    assert len(list(workspace.inbox.iterdir())) == 3


# --- validate ---


def test_validate_shows_every_bad_source(proxx: Command, clip: Path, proxies: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.mov"
    text.write_text("no movie\n")
    spec = write(tmp_path, jobspec([tmp_path / "a.mov", clip, text, tmp_path / "b.mov"], proxies))
    ended = proxx("validate", spec)
    assert ended.exit_code == 1
    first, *others = ended.stdout.decode().splitlines()
    assert first.startswith(f"{spec}: SOURCE_MISSING: there is no file {tmp_path}/a.mov.")
    assert [line.split(": ")[0] for line in others] == ["  SOURCE_UNSUPPORTED", "  SOURCE_MISSING"]
    assert str(text) in others[0]
    assert f"{tmp_path}/b.mov" in others[1]


def test_validate_as_json(proxx: Command, clip: Path, proxies: Path, tmp_path: Path) -> None:
    good, bad = write(tmp_path, jobspec(clip, proxies)), write(tmp_path, jobspec([clip, tmp_path / "b.mov"], proxies), "bad.json")
    wrong = write(tmp_path, jobspec(clip, proxies, codek=1), "wrong.json")
    missing = tmp_path / "missing.json"
    ended = proxx("validate", good, bad, wrong, missing, "--json")
    assert ended.exit_code == 64
    document = json.loads(ended.stdout)
    Draft202012Validator(json.loads(SCHEMA.read_bytes())).validate(document)
    assert document["validation_version"] == "1.0"
    files = document["files"]
    assert [(file["file"], file["status"]) for file in files] == [
        (str(good), "ok"),
        (str(bad), "refused"),
        (str(wrong), "refused"),
        (str(missing), "unreadable"),
    ]
    assert [file["error"] and file["error"]["code"] for file in files] == [None, "SOURCE_MISSING", "SPEC_INVALID", None]
    assert [source["error"] and source["error"]["code"] for source in files[1]["sources"]] == [None, "SOURCE_MISSING"]
    assert files[2]["error"]["details"]["faults"][0]["path"] == "codek"
    assert files[3]["reason"] == "No such file or directory"
    assert proxx("validate", good, "--json").exit_code == 0


def test_the_schema_of_validate_is_printed(proxx: Command) -> None:
    assert proxx("schema", "validation").stdout == SCHEMA.read_bytes()


# --- files that wait in vain ---


def test_what_is_not_a_jobspec_is_named_by_status_check_and_log(
    proxx: Command, workspace: Workspace, clip: Path, proxies: Path
) -> None:
    workspace.drop("job", jobspec(clip, proxies))
    for name in ("clip.mov", "spec.JSON", "spec.json.txt", ".hidden", ".hold", "job.cancel"):
        (workspace.inbox / name).write_bytes(b"")
    said = "3 files are not JobSpecs, left alone: clip.mov, spec.JSON, spec.json.txt."
    assert said in proxx("status", workspace).stdout.decode()
    assert json.loads(proxx("status", workspace, "--json").stdout)["not_jobspecs"] == ["clip.mov", "spec.JSON", "spec.json.txt"]
    assert f"note      in the inbox {said}" in proxx("check", workspace).stdout.decode()
    (workspace.inbox / ".hold").unlink()
    (workspace.inbox / "job.cancel").unlink()
    ended = proxx("watch", workspace, "--once")
    assert ended.exit_code == 0
    assert ended.stderr.count(f"WARNING not_jobspecs {said}") == 1
    assert sorted(path.name for path in workspace.inbox.iterdir()) == [".hidden", "clip.mov", "spec.JSON", "spec.json.txt"]


# --- the end of watch --once ---


def test_once_ends_with_counts_and_the_failed_jobs_by_code(
    proxx: Command, workspace: Workspace, clip: Path, proxies: Path, tmp_path: Path
) -> None:
    workspace.drop("good", jobspec(clip, proxies))
    for name in ("lost1", "lost2"):
        workspace.drop(name, jobspec(tmp_path / "missing.mov", proxies))
    workspace.drop("nowhere", jobspec(clip, tmp_path / "nowhere"))
    ended = proxx("watch", workspace, "--once")
    assert ended.exit_code == 4
    counts, missing, directory, end = ended.stderr.splitlines()[-4:]
    assert "INFO    once_ended 1 completed, 3 failed completed=1 failed=3" in counts
    assert "ERROR   failed_jobs 2 failed with SOURCE_MISSING: lost1, lost2 code=SOURCE_MISSING count=2" in missing
    assert "1 failed with OUTPUT_DIRECTORY_MISSING: nowhere" in directory
    assert "worker_ended exit_code=4" in end


def test_a_clean_end_is_told_with_its_exit_code(proxx: Command, workspace: Workspace, tmp_path: Path, proxies: Path) -> None:
    assert proxx("watch", workspace, "--once").exit_code == 0
    assert b", exit 0\n" in proxx("status", workspace).stdout
    workspace.drop("lost", jobspec(tmp_path / "missing.mov", proxies))
    assert proxx("watch", workspace, "--once").exit_code == 1
    assert b", exit 1\n" in proxx("status", workspace).stdout
    assert (workspace.status() or {})["exit_code"] == 1
    assert read_result(workspace.failed, "lost")["error"]["code"] == "SOURCE_MISSING"


# --- terminals ---


def test_a_dumb_terminal_gets_plain_lines(proxx: Command, clip: Path, proxies: Path, tmp_path: Path) -> None:
    spec = write(tmp_path, jobspec(clip, proxies))
    shown = on_a_terminal(proxx, "run", spec, environment={"TERM": "dumb"})
    assert shown.exit_code == 0
    assert "\x1b" not in shown.raw
    assert " task_completed " in shown.text


def test_a_dumb_terminal_gets_no_bar_of_a_report(proxx: Command, clip: Path, proxies: Path, tmp_path: Path) -> None:
    result = tmp_path / "r.result.json"
    assert proxx("run", write(tmp_path, jobspec(clip, proxies)), "--result", result).exit_code == 0
    for term, bar in (("dumb", False), ("xterm-256color", True)):
        shown = on_a_terminal(proxx, "report", result, "--html", tmp_path / "r.html", environment={"TERM": term})
        assert shown.exit_code == 0
        assert ("\x1b" in shown.raw, "[  " in shown.raw) == (bar, bar)


def test_fifty_columns_keep_the_clip_s_name(proxx: Command, clip: Path, proxies: Path, tmp_path: Path) -> None:
    shown = on_a_terminal(proxx, "run", write(tmp_path, jobspec(clip, proxies)), columns=50)
    assert "1/1 A001C001.mov" in shown.text
