"""The commands that see and steer a worker, with a real one: what they print, what they drop, what comes of it."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from proxx_worker.desk.documents import event_schema, list_schema
from tests.acceptance.command import COMMAND, Command
from tests.acceptance.results import names, read_result, stems
from tests.acceptance.specs import Workspace, explicit, jobspec
from tests.acceptance.stand_ins import Gate


def lines(text: bytes) -> list[str]:
    return text.decode().splitlines()


@pytest.fixture
def surveyed(proxx: Command, workspace: Workspace, clip: Path, proxies: Path, tmp_path: Path) -> Workspace:
    """A workspace with a completed job, three that failed, and one that waits."""
    workspace.drop("a", jobspec(clip, proxies, naming_template="a"))
    workspace.drop("b", jobspec(clip, proxies, naming_template="a", job_id="again"))
    for name in ("c", "d"):
        workspace.drop(name, jobspec(tmp_path / f"{name}.mov", proxies))
    assert proxx("watch", workspace, "--once").exit_code == 4
    workspace.drop("e", jobspec(clip, proxies, naming_template="e"))
    return workspace


def test_jobs_are_listed_by_state_and_failures_by_code(proxx: Command, surveyed: Workspace) -> None:
    listed = lines(proxx("list", surveyed).stdout)
    assert listed[0] == "1 waiting, 0 running, 3 failed, 1 done"
    assert [line for line in listed if line.endswith(":")] == ["waiting:", "failed:", "done:"]
    assert "  SOURCE_MISSING (2): check the path, and that its storage is mounted" in listed
    assert any(line.startswith("  OUTPUT_EXISTS (1): ") for line in listed)
    assert listed.index("  e") < listed.index("failed:")
    reasons = [line for line in listed if line.startswith("      ")]
    assert any("c.mov" in reason for reason in reasons)


def test_the_list_of_a_program_has_a_schema_and_every_choice(proxx: Command, surveyed: Workspace, tmp_path: Path) -> None:
    def listed(*flags: str) -> list[str]:
        document = json.loads(proxx("list", surveyed, "--json", *flags).stdout)
        Draft202012Validator(list_schema()).validate(document)
        assert document["counts"] == {"waiting": 1, "running": 0, "failed": 3, "done": 1}
        return [job["name"] for job in document["jobs"]]

    assert listed() == ["e", "b", "c", "d", "a"]
    assert listed("--failed") == ["b", "c", "d"]
    assert listed("--waiting", "--done") == ["e", "a"]
    assert listed("--code", "source_missing") == ["c", "d"]
    assert listed("--since", "1h") == ["b", "c", "d", "a"]
    assert listed("--since", "2100-01-01") == []
    assert listed("--resubmittable") == ["b"]
    (tmp_path / "c.mov").touch()
    assert listed("--resubmittable") == ["b", "c"]


def test_failed_jobs_are_submitted_again(proxx: Command, surveyed: Workspace, proxies: Path) -> None:
    for path in proxies.iterdir():
        path.unlink()
    ended = proxx("resubmit", surveyed, "--code", "OUTPUT_EXISTS")
    assert lines(ended.stdout) == [str(surveyed.inbox / "b.json")]
    again = proxx("resubmit", surveyed, "b")
    assert (again.exit_code, again.stdout) == (0, b"")
    assert "already waiting or running" in again.stderr
    assert proxx("watch", surveyed, "--once").exit_code == 0
    assert stems(surveyed.done) == ["a", "b~2", "e"]
    left = proxx("resubmit", surveyed, "--code", "OUTPUT_EXISTS")
    assert (left.exit_code, left.stdout) == (0, b"")
    assert "1 with this code were left alone" in left.stderr
    none = proxx("resubmit", surveyed, "--code", "IO_ERROR")
    assert (none.exit_code, none.stdout, none.stderr) == (0, b"", "no failed job has the code IO_ERROR\n")


def test_a_job_whose_result_was_removed_is_told(proxx: Command, surveyed: Workspace, tmp_path: Path) -> None:
    (surveyed.failed / "c.result.json").unlink()
    listed = lines(proxx("list", surveyed, "--failed").stdout)
    assert listed[listed.index("    c") + 1] == "      there is no result beside the spec"
    assert "failed c: its result cannot be read: there is no result beside the spec" in lines(proxx("events", surveyed).stdout)
    assert proxx("status", surveyed).stdout.startswith(b"worker:  not running")
    for command in ("report", "relink"):
        ended = proxx(command, surveyed, *(("--html", tmp_path / "r") if command == "report" else ("--ale", tmp_path / "a")))
        assert ended.exit_code == 0
        assert f"left out: there is no result beside {surveyed.failed}/c.json\n" in ended.stderr
    assert lines(proxx("resubmit", surveyed, "c").stdout) == [str(surveyed.inbox / "c.json")]


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("cancel", "nothing"), "no waiting or running job is called nothing"),
        (("cancel", "e", "a"), "a has already ended; it is in done/"),
        (("cancel", "../done/a"), "no waiting or running job is called ../done/a"),
        (("cancel", "x" * 300), "no waiting or running job"),
        (
            ("resubmit", "a"),
            "no job called a is in failed/; `proxx-worker list --failed WORKSPACE` lists them; nothing was submitted",
        ),
        (("resubmit", "../failed/b"), "no job called ../failed/b is in failed/"),
        (("resubmit", "x" * 300), "is in failed/"),
        (("resubmit", "--code", "OUTPUT_EXIST"), "did you mean OUTPUT_EXISTS?"),
        (("list", "--code", "TYPO"), "there is no code TYPO"),
        (("resubmit",), "name the jobs to submit again, or a code with --code"),
        (("resubmit", "b", "--code", "IO_ERROR"), "a name and --code exclude each other: leave out --code for these jobs, or"),
        (("list", "--since", "yesterday"), "an age such as 2h or 3d"),
        (("events", "--since-name", "nothing"), "are unknown; name one that is there, or leave out --since-name for all of them"),
    ],
    ids=lambda it: " ".join(it)[:40] if isinstance(it, tuple) else "",
)
def test_what_cannot_be_meant_is_told_and_nothing_is_dropped(
    proxx: Command, surveyed: Workspace, arguments: tuple[str, ...], says: str
) -> None:
    ended = proxx(arguments[0], surveyed, *arguments[1:])
    assert ended.exit_code == 64
    assert says in ended.stderr
    assert names(surveyed.inbox) == ["e.json"]


def test_a_hold_a_cancel_and_a_release(proxx: Command, workspace: Workspace, clip: Path, long_clip: Path, proxies: Path) -> None:
    workspace.drop("a", jobspec(long_clip, proxies, **explicit("prores_4444", "mov")))
    workspace.drop("b", jobspec(clip, proxies, naming_template="b"))
    workspace.drop("c", jobspec(clip, proxies, naming_template="c"))
    with proxx.start("watch", workspace) as worker:
        worker.until(lambda: bool(((workspace.status() or {}).get("job") or {}).get("frames")), "frames")
        assert lines(proxx("hold", workspace).stdout) == ["held: nothing is claimed until it is released"]
        assert lines(proxx("hold", workspace).stdout) == ["it is already held"]
        asked = proxx("cancel", workspace, "a", "c.json")
        assert lines(asked.stdout) == [str(workspace.inbox / f"{name}.cancel") for name in ("a", "c")]
        worker.until(lambda: (workspace.status() or {}).get("state") == "held", "the hold")
        assert stems(workspace.failed) == ["a"]
        assert names(workspace.inbox) == [".hold", "b.json", "c.cancel", "c.json"]
        assert lines(proxx("release", workspace).stdout) == ["released"]
        assert lines(proxx("release", workspace).stdout) == ["it is not held"]
        worker.until(lambda: stems(workspace.done) == ["b"] and stems(workspace.failed) == ["a", "c"], "the others")
    for name in ("a", "c"):
        assert read_result(workspace.failed, name)["error"]["code"] == "CANCELLED"


def test_events_are_told_once_over_restarts_of_both_sides(
    proxx: Command, workspace: Workspace, clip: Path, proxies: Path, tmp_path: Path
) -> None:
    gate = Gate(tmp_path / "gate")
    workspace.drop("a", jobspec(tmp_path / "none.mov", proxies))
    workspace.drop("b", jobspec(clip, proxies, naming_template="b"))
    with proxx.start("watch", workspace, "--once", "--ffmpeg", gate.program) as worker:
        worker.until(gate.reached, "the encoder")
        with proxx.start("events", workspace, "--follow", "--json") as follower:
            follower.until(lambda: b'"started"' in follower.stdout, "the start of a job")
            gate.open()
            assert worker.wait().exit_code == 1
            follower.until(lambda: follower.stdout.count(b'"ended"') == 2, "the end of both jobs")
            follower.signal(signal.SIGTERM)
            ended = follower.wait()
    assert ended.exit_code == 0
    told = [json.loads(line) for line in lines(ended.stdout)]
    for event in told:
        Draft202012Validator(event_schema()).validate(event)
    assert [(event["event"], event["name"]) for event in told] == [("ended", "a"), ("started", "b"), ("ended", "b")]
    workspace.drop("c", jobspec(tmp_path / "none.mov", proxies))
    proxx("watch", workspace, "--once")
    later = lines(proxx("events", workspace, "--since-name", "b").stdout)
    assert len(later) == 1
    assert " failed c SOURCE_MISSING: " in later[0]


def test_whoever_stops_reading_ends_the_events(surveyed: Workspace, child_environment: dict[str, str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [COMMAND, "events", surveyed, "--follow"], stdout=writer, stderr=subprocess.PIPE, env=child_environment, check=False
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


def test_every_code_is_explained(proxx: Command) -> None:
    told = lines(proxx("explain", "source_damaged").stdout)
    assert told[0] == "SOURCE_DAMAGED (execution, exit code 2)"
    assert told[-1] == "  again: submitting the same spec again helps once the source has changed"
    for word, says in (("SOURCE_DAMAGD", "did you mean SOURCE_DAMAGED?"), ("42", "SPEC_NOT_JSON, SPEC_TOO_LARGE")):
        ended = proxx("explain", word)
        assert ended.exit_code == 64
        assert says in ended.stderr
