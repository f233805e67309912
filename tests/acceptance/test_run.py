"""`run`: one job, the result on stdout and nothing else there."""

import json
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.command import COMMAND, Argument, Command, is_running
from tests.acceptance.results import names, parse_result, snapshot
from tests.acceptance.specs import encode, explicit, jobspec
from tests.acceptance.stand_ins import Gate, program


def write(folder: Path, document: dict[str, Any], name: str = "spec.json") -> Path:
    path = folder / name
    path.write_bytes(encode(document))
    return path


def test_the_result_is_on_stdout_and_the_same_in_a_file(proxx: Command, clip: Path, proxies: Path, tmp_path: Path) -> None:
    spec, saved = write(tmp_path, jobspec(clip, proxies, job_id="JOB-1"), "scene~2.json"), tmp_path / "saved.json"
    ended = proxx("run", spec, "--result", saved)
    assert ended.exit_code == 0
    result = parse_result(ended.stdout)
    assert saved.read_bytes() == ended.stdout
    assert (result["status"], result["job_id"], result["jobspec"]["name"]) == ("COMPLETED", "JOB-1", "scene~2")
    assert "task_completed" in ended.stderr
    assert names(proxies) == ["A001C001_proxy.mp4"]
    assert names(tmp_path) == ["proxies", "saved.json", "scene~2.json"]


def test_the_default_job_id_is_of_the_spec_s_bytes(proxx: Command, clip: Path, proxies: Path, tmp_path: Path) -> None:
    result = parse_result(proxx("run", write(tmp_path, jobspec(clip, proxies, jobspec_version="1"))).stdout)
    assert result["job_id"] == result["jobspec"]["sha256"][:12]


def test_a_failed_job_s_result_is_written_too(proxx: Command, tmp_path: Path, proxies: Path) -> None:
    saved = tmp_path / "saved.json"
    ended = proxx("run", write(tmp_path, jobspec(tmp_path / "missing.mov", proxies)), "--result", saved)
    assert ended.exit_code == 1
    assert parse_result(saved.read_bytes())["error"]["code"] == "SOURCE_MISSING"
    assert saved.read_bytes() == ended.stdout


@pytest.mark.parametrize("kind", ["missing", "folder", "locked"])
def test_a_spec_that_cannot_be_read_is_64_and_has_no_result(proxx: Command, tmp_path: Path, kind: str) -> None:
    spec, saved = tmp_path / "spec.json", tmp_path / "saved.json"
    if kind == "folder":
        spec.mkdir()
    if kind == "locked":
        spec.write_bytes(b"{}")
        spec.chmod(0)
    ended = proxx("run", spec, "--result", saved, privileged=False)
    assert ended.exit_code == 64
    assert ended.stdout == b""
    assert "spec.json" in ended.stderr
    assert not saved.exists()


def test_a_result_that_has_no_place_is_found_before_the_work(proxx: Command, clip: Path, proxies: Path, tmp_path: Path) -> None:
    ended = proxx("run", write(tmp_path, jobspec(clip, proxies)), "--result", tmp_path / "nowhere" / "saved.json")
    assert ended.exit_code != 0
    assert "nowhere" in ended.stderr
    assert names(proxies) == []


@pytest.mark.parametrize("unbuffered", ["1", ""])
def test_a_result_that_stdout_refuses_is_in_its_file(
    proxx: Command, clip: Path, proxies: Path, tmp_path: Path, unbuffered: str
) -> None:
    environment = {**proxx.environment, "PYTHONUNBUFFERED": unbuffered}
    saved = tmp_path / "result.json"
    command: list[Argument] = [COMMAND, "run", write(tmp_path, jobspec(clip, proxies)), "--result", saved]
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False, env=environment)
    assert ended.returncode == 4
    assert b"NO_SPACE" in ended.stderr
    assert b"Exception ignored" not in ended.stderr
    assert parse_result(saved.read_bytes())["status"] == "COMPLETED"


@pytest.mark.parametrize("unbuffered", ["1", ""])
@pytest.mark.parametrize("command", [("profiles",), ("schema", "result"), ("explain", "IO_ERROR")], ids=" ".join)
def test_a_stdout_that_takes_nothing_is_told(proxx: Command, command: tuple[str, ...], unbuffered: str) -> None:
    with Path("/dev/full").open("wb") as full:
        environment = {**proxx.environment, "PYTHONUNBUFFERED": unbuffered}
        ended = subprocess.run([COMMAND, *command], stdout=full, stderr=subprocess.PIPE, check=False, env=environment)
    assert ended.returncode == 4
    assert ended.stderr.startswith(b"proxx-worker: NO_SPACE: stdout must accept output, but did not: No space left on device;")
    assert ended.stderr.count(b"\n") == 1


def test_a_spec_s_name_needs_no_suffix(proxx: Command, clip: Path, proxies: Path, tmp_path: Path) -> None:
    ended = proxx("run", write(tmp_path, jobspec(clip, proxies), "spec without suffix"))
    assert ended.exit_code == 0
    assert parse_result(ended.stdout)["jobspec"]["name"] == "spec without suffix"


def test_a_spec_may_be_a_pipe(proxx: Command, clip: Path, proxies: Path) -> None:
    command: list[Argument] = [COMMAND, "run", "/dev/stdin"]
    ended = subprocess.run(command, input=encode(jobspec(clip, proxies)), capture_output=True, check=True, env=proxx.environment)
    assert parse_result(ended.stdout)["jobspec"]["name"] == "stdin"


@pytest.mark.parametrize(("closed", "exit_code"), [("<&-", 0), (">&-", 64), ("2>&-", 64), ("<&- >&- 2>&-", 64)])
def test_streams_that_the_caller_has_closed(
    proxx: Command, clip: Path, proxies: Path, tmp_path: Path, closed: str, exit_code: int
) -> None:
    """The next file to be opened would get a closed stream's number, and what is meant for a person would land in it."""
    spec = write(tmp_path, jobspec(clip, proxies))
    command: list[Argument] = ["sh", "-c", f'exec "$0" run "$1" {closed}', COMMAND, spec]
    ended = subprocess.run(command, capture_output=True, check=False, env=proxx.environment)
    assert ended.returncode == exit_code
    assert b"Traceback" not in ended.stderr
    assert len(names(proxies)) == (exit_code == 0)


def test_a_job_that_is_told_to_finish_goes_on(proxx: Command, clip: Path, proxies: Path, tmp_path: Path) -> None:
    gate = Gate(tmp_path / "gate")
    with proxx.start("run", write(tmp_path, jobspec(clip, proxies)), "--ffmpeg", gate.program) as job:
        job.until(gate.reached, "the encoder")
        job.signal(signal.SIGUSR1)
        gate.open()
        assert job.wait().exit_code == 0


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_while_a_source_is_looked_at(
    proxx: Command, clip: Path, proxies: Path, tmp_path: Path, number: signal.Signals, exit_code: int
) -> None:
    reached = tmp_path / "reached"
    hanging = program(tmp_path / "ffprobe", f">'{reached}'\nwhile :; do sleep 60; done")
    with proxx.start("run", write(tmp_path, jobspec(clip, proxies)), "--ffprobe", hanging) as job:
        job.until(reached.exists, "ffprobe")
        job.signal(number)
        ended = job.wait()
    assert ended.exit_code == exit_code
    result = parse_result(ended.stdout)
    assert result["error"]["code"] == "INTERRUPTED"
    assert [task["status"] for task in result["tasks"]] == ["NOT_RUN"]


@pytest.mark.one_in(2)
@pytest.mark.parametrize(
    "fields",
    [
        dict.fromkeys(
            (
                "job_id",
                "codec",
                "container",
                "resolution",
                "fps_mode",
                "fps_explicit",
                "resolved_tokens",
                "created_at",
                "resolve_preset",
            )
        ),
        explicit("h264", "mp4", "quarter", proxy_profile=None),
        {"codec": "h264", "container": "mp4", "resolution": "quarter"},
        {"container": "mp4"},
        {"fps_mode": "same-as-source"},
        {"naming_template": "{source_name}_{date}_{time}", "created_at": "2026-03-04T05:06:07+01:00"},
    ],
    ids=["null-is-absent", "null-profile", "agreeing-settings", "one-agreeing-setting", "fps-mode", "created-at"],
)
def test_what_is_allowed(proxx: Command, clip: Path, proxies: Path, tmp_path: Path, fields: dict[str, Any]) -> None:
    ended = proxx("run", write(tmp_path, jobspec(clip, proxies, **fields)))
    assert ended.exit_code == 0, ended.stderr


def test_every_token(proxx: Command, clip: Path, proxies: Path, tmp_path: Path) -> None:
    template = "{source_name}+{source_ext}+{job_id}+{date}+{time}+{index}+{codec}+{resolution}"
    source = tmp_path / "Sc\u00e8ne 1.MoV"
    source.symlink_to(clip)
    fields = {"job_id": "J.1", "created_at": "2026-03-04T05:06:07Z", "naming_template": template}
    ended = proxx("run", write(tmp_path, jobspec(source, proxies, **fields)))
    assert ended.exit_code == 0, ended.stderr
    assert names(proxies) == ["Sc\u00e8ne 1+MoV+J.1+20260304+050607+000+h264+quarter.mp4"]


def test_resolved_tokens_stand_as_they_are(proxx: Command, clip: Path, proxies: Path, tmp_path: Path) -> None:
    fields = {"naming_template": "{source_name}_{date}_{codec}", "resolved_tokens": {"date": "day 1", "source_name": "{index}"}}
    ended = proxx("run", write(tmp_path, jobspec(clip, proxies, **fields)))
    assert ended.exit_code == 0, ended.stderr
    assert names(proxies) == ["{index}_day 1_h264.mp4"]


@pytest.mark.one_in(3)
@pytest.mark.parametrize("name", ["x" * 251, "-vf", "%d", "a'b\"c;$(touch x)", "\U0001f3ac", "a b", "CON", "file:a", "~"])
def test_names_that_are_harmless(proxx: Command, clip: Path, proxies: Path, tmp_path: Path, name: str) -> None:
    source = tmp_path / f"{name}.mov"
    source.symlink_to(clip)
    ended = proxx("run", write(tmp_path, jobspec(source, proxies, naming_template="{source_name}")), cwd=tmp_path)
    assert ended.exit_code == 0, ended.stderr
    assert names(proxies) == [f"{name}.mp4"]
    assert parse_result(ended.stdout)["tasks"][0]["output"] == str(proxies / f"{name}.mp4")


def test_a_spec_of_one_mib(proxx: Command, clip: Path, proxies: Path, tmp_path: Path) -> None:
    spec = tmp_path / "spec.json"
    spec.write_bytes(encode(jobspec(clip, proxies)).ljust(1 << 20))
    assert proxx("run", spec).exit_code == 0


def test_rates_of_broadcast_are_the_exact_1001_ones(proxx: Command, proxies: Path, tmp_path: Path) -> None:
    settings = []
    for fps in (23.976, 29.97, 59.94, 119.88, 25):
        ended = proxx("run", write(tmp_path, jobspec(tmp_path / "missing.mov", proxies, fps_mode="explicit", fps_explicit=fps)))
        settings.append(parse_result(ended.stdout)["settings"]["fps"])
    assert settings == ["24000/1001", "30000/1001", "60000/1001", "120000/1001", "25/1"]


def test_one_job_at_a_time_writes_to_an_output_directory(proxx: Command, clip: Path, proxies: Path, tmp_path: Path) -> None:
    gate = Gate(tmp_path / "gate")
    first = write(tmp_path, jobspec(clip, proxies, naming_template="first"), "first.json")
    second = write(tmp_path, jobspec(clip, proxies, naming_template="second"), "second.json")
    (tmp_path / "link").symlink_to(proxies)
    third = write(tmp_path, jobspec(clip, tmp_path / "link", naming_template="third"), "third.json")
    with proxx.start("run", first, "--ffmpeg", gate.program) as holder:
        holder.until(gate.reached, "the first job's encoder")
        before = snapshot(proxies)
        for spec in (second, third):
            busy = proxx("run", spec)
            assert busy.exit_code == 4
            assert parse_result(busy.stdout)["error"]["code"] == "OUTPUT_DIRECTORY_BUSY"
        assert snapshot(proxies) == before
        gate.open()
        assert holder.wait().exit_code == 0
    assert names(proxies) == ["first.mp4"]
    assert proxx("run", second).exit_code == 0


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_in_mid_encode(
    proxx: Command, clip: Path, long_clip: Path, proxies: Path, tmp_path: Path, number: signal.Signals, exit_code: int
) -> None:
    saved = tmp_path / "saved.json"
    sources = [clip, long_clip, tmp_path / "third.mov"]
    sources[2].symlink_to(clip)
    spec = write(tmp_path, jobspec(sources, proxies, **explicit("prores_4444", "mov")))
    with proxx.start("run", spec, "--result", saved) as job:
        job.until(lambda: list(proxies.glob(".proxx-*/A001C004*")), "the second task's file in staging")
        encoders = job.until(lambda: job.children("A001C004"), "the second task's encoder")
        job.signal(number)
        ended = job.wait()
    assert ended.exit_code == exit_code
    assert not any(is_running(encoder) for encoder in encoders)
    result = parse_result(ended.stdout)
    assert saved.read_bytes() == ended.stdout
    assert result["error"]["code"] == "INTERRUPTED"
    assert [task["status"] for task in result["tasks"]] == ["DISCARDED", "FAILED", "NOT_RUN"]
    assert result["tasks"][1]["error"]["code"] == "INTERRUPTED"
    assert names(proxies) == []


def test_a_killed_run_leaves_staging_that_the_next_run_removes(
    proxx: Command, clip: Path, long_clip: Path, proxies: Path, tmp_path: Path
) -> None:
    killed = write(tmp_path, jobspec(long_clip, proxies, **explicit("prores_4444", "mov")), "killed.json")
    with proxx.start("run", killed) as job:
        job.until(lambda: list(proxies.glob(".proxx-*/*.mov")), "a file in staging")
        encoders = job.until(lambda: job.children("A001C004"), "the encoder")
        job.signal(signal.SIGKILL)
        assert job.wait().exit_code == -signal.SIGKILL
    assert [name for name in names(proxies) if not name.startswith(".proxx-")] == [], "nothing has a final name"
    ended = proxx("run", write(tmp_path, jobspec(clip, proxies), "next.json"))
    assert ended.exit_code == 0, ended.stderr
    assert not any(is_running(encoder) for encoder in encoders)
    assert names(proxies) == ["A001C001_proxy.mp4"]


def test_log_lines_are_json_where_asked(proxx: Command, clip: Path, proxies: Path, tmp_path: Path) -> None:
    ended = proxx("run", write(tmp_path, jobspec(clip, proxies)), "--log-format", "json")
    records = [json.loads(line) for line in ended.stderr.splitlines()]
    actions = [record["action"] for record in records]
    assert actions[0] == "job_started"
    assert "task_completed" in actions


def test_nothing_comes_from_the_caller_s_environment(proxx: Command, clip: Path, proxies: Path, tmp_path: Path) -> None:
    spec = write(tmp_path, jobspec(clip, proxies))
    hostile = {"FFREPORT": "file=report.log:level=32", "AV_LOG_FORCE_COLOR": "1", "PROXX_CODEC": "vp9", "COLUMNS": "20"}
    ended = proxx("run", spec, environment=hostile, cwd=tmp_path)
    assert ended.exit_code == 0
    assert names(tmp_path) == ["proxies", "spec.json"]
    assert "\x1b" not in ended.stderr
