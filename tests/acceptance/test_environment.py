"""The operator's side: tools, configuration, roots. What is missing is named, what is declared is copied."""

from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.clips import tool
from tests.acceptance.command import Command
from tests.acceptance.results import names, parse_result, read_result, snapshot, stems
from tests.acceptance.specs import Workspace, encode, jobspec

TOOLS = ("ffmpeg", "ffprobe", "setpriv")


def _path_with(folder: Path, *tools: str) -> dict[str, str]:
    """An environment whose PATH holds these tools and no others."""
    folder.mkdir()
    for name in tools:
        (folder / name).symlink_to(tool(name))
    return {"PATH": str(folder)}


def write(folder: Path, document: dict[str, Any], name: str = "spec.json") -> Path:
    path = folder / name
    path.write_bytes(encode(document))
    return path


@pytest.mark.one_in(2)
@pytest.mark.parametrize("missing", ["ffmpeg", "ffprobe"])
@pytest.mark.parametrize("how", ["PATH", "flag"])
def test_watch_without_its_tools_claims_nothing(
    proxx: Command, workspace: Workspace, clip: Path, proxies: Path, tmp_path: Path, missing: str, how: str
) -> None:
    environment = _path_with(tmp_path / "bin", *(name for name in TOOLS if how == "flag" or name != missing))
    flags = (f"--{missing}", tmp_path / "nowhere" / missing) if how == "flag" else ()
    workspace.drop("good", jobspec(clip, proxies))
    workspace.drop("bad", b"[]")
    before = snapshot(workspace.inbox)
    for once in ((), ("--once",)):
        ended = proxx("watch", workspace, *once, *flags, environment=environment)
        assert ended.exit_code == 4
        assert f"{missing.upper()}_MISSING" in ended.stderr
    assert snapshot(workspace.inbox) == before
    assert [names(folder) for folder in (workspace.running, workspace.done, workspace.failed)] == [[], [], []]


@pytest.mark.parametrize("missing", ["ffmpeg", "ffprobe"])
def test_run_without_its_tools_says_so_in_the_result(
    proxx: Command, clip: Path, proxies: Path, tmp_path: Path, missing: str
) -> None:
    spec = write(tmp_path, jobspec(clip, proxies))
    environment = _path_with(tmp_path / "bin", *(name for name in TOOLS if name != missing))
    ended = proxx("run", spec, environment=environment)
    assert ended.exit_code == 4
    result = parse_result(ended.stdout)
    assert result["error"]["code"] == f"{missing.upper()}_MISSING"
    assert [task["status"] for task in result["tasks"]] == ["NOT_RUN"]
    assert names(proxies) == []


def test_a_tool_that_is_no_program_is_missing(proxx: Command, clip: Path, proxies: Path, tmp_path: Path) -> None:
    spec = write(tmp_path, jobspec(clip, proxies))
    (tmp_path / "text").write_text("not a program")
    for path in (tmp_path / "text", tmp_path):
        ended = proxx("run", spec, "--ffmpeg", path)
        assert ended.exit_code == 4
        assert parse_result(ended.stdout)["error"]["code"] == "FFMPEG_MISSING"


def test_a_tool_that_goes_missing_ends_the_worker_before_the_next_claim(
    proxx: Command, workspace: Workspace, clip: Path, proxies: Path, tmp_path: Path
) -> None:
    (tmp_path / "ffmpeg").symlink_to(tool("ffmpeg"))
    with proxx.start("watch", workspace, "--ffmpeg", tmp_path / "ffmpeg", "--poll-seconds", "0.1") as worker:
        worker.until(lambda: (workspace.status() or {}).get("state") == "idle", "an idle worker")
        (tmp_path / "ffmpeg").unlink()
        workspace.drop("good", jobspec(clip, proxies))
        ended = worker.wait()
    assert ended.exit_code == 4
    assert "FFMPEG_MISSING" in ended.stderr
    assert names(workspace.inbox) == ["good.json"]


def test_path_locates_the_tools_and_the_result_records_which(proxx: Command, clip: Path, proxies: Path, tmp_path: Path) -> None:
    spec = write(tmp_path, jobspec(clip, proxies))
    environment = _path_with(tmp_path / "bin", *TOOLS)
    result = parse_result(proxx("run", spec, environment=environment).stdout)
    assert result["status"] == "COMPLETED"
    assert result["worker"]["ffmpeg"] == str(tmp_path / "bin" / "ffmpeg")
    assert result["worker"]["ffprobe"] == str(tmp_path / "bin" / "ffprobe")
    assert result["tasks"][0]["command"][0] == str(tmp_path / "bin" / "ffmpeg")


def test_configuration_goes_before_path(proxx: Command, clip: Path, proxies: Path, tmp_path: Path) -> None:
    _path_with(tmp_path / "bin", *TOOLS)
    config = tmp_path / "worker.toml"
    config.write_text(
        f'ffmpeg = "{tmp_path}/bin/ffmpeg"\nffprobe = "{tmp_path}/bin/ffprobe"\n[declared_versions]\nffmpeg = "5.1.9"\n'
    )
    result = parse_result(proxx("run", write(tmp_path, jobspec(clip, proxies)), "--config", config).stdout)
    assert result["worker"]["ffmpeg"] == f"{tmp_path}/bin/ffmpeg"
    assert result["worker"]["declared_versions"] == {"ffmpeg": "5.1.9"}


def test_declared_versions_are_copied_and_never_checked(
    proxx: Command, workspace: Workspace, clip: Path, proxies: Path, tmp_path: Path
) -> None:
    config = tmp_path / "worker.toml"
    config.write_text(
        'poll_seconds = 1\nsettle_seconds = 0\nlog_format = "json"\n[declared_versions]\nffmpeg = "99"\nresolve = "none"\n'
    )
    workspace.drop("good", jobspec(clip, proxies))
    workspace.drop("bad", b"[]")
    assert proxx("watch", workspace, "--once", "--config", config).exit_code == 1
    for result in (read_result(workspace.done, "good"), read_result(workspace.failed, "bad")):
        assert result["worker"]["declared_versions"] == {"ffmpeg": "99", "resolve": "none"}
    flags = ("--declared-versions", "ffmpeg=1")
    spec = write(tmp_path, jobspec(clip, proxies, naming_template="flag"))
    assert parse_result(proxx("run", spec, "--config", config, *flags).stdout)["worker"]["declared_versions"] == {"ffmpeg": "1"}


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    "text",
    [
        "surprise = 1",
        "poll_second = 1",
        "ffmpeg = 5",
        'ffmpeg = "bin/ffmpeg"',
        'poll_seconds = "2"',
        "poll_seconds = 0",
        "stall_seconds = -1",
        "settle_seconds = nan",
        'log_format = "xml"',
        "declared_versions = 5",
        "[declared_versions]\nffmpeg = 5",
        'source_roots = "/clips"',
        'source_roots = ["clips"]',
        "output_roots = [1]",
        "poll_seconds = ",
        "[broken",
        "poll_seconds = 1\npoll_seconds = 2",
    ],
)
def test_a_bad_configuration_is_64(proxx: Command, workspace: Workspace, tmp_path: Path, text: str) -> None:
    config = tmp_path / "worker.toml"
    config.write_text(text)
    ended = proxx("watch", workspace, "--config", config)
    assert ended.exit_code == 64
    assert ended.stdout == b""
    assert "worker.toml" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert names(workspace.root) == ["done", "failed", "inbox", "running"]


@pytest.mark.parametrize("command", ["run", "validate"])
def test_a_bad_configuration_is_64_for_one_job_too(
    proxx: Command, clip: Path, proxies: Path, tmp_path: Path, command: str
) -> None:
    config = tmp_path / "worker.toml"
    config.write_text("surprise = 1")
    ended = proxx(command, write(tmp_path, jobspec(clip, proxies)), "--config", config)
    assert ended.exit_code == 64
    assert ended.stdout == b""
    assert "surprise" in ended.stderr


def test_a_missing_configuration_is_64(proxx: Command, workspace: Workspace, tmp_path: Path) -> None:
    ended = proxx("watch", workspace, "--once", "--config", tmp_path / "missing.toml")
    assert ended.exit_code == 64
    assert "missing.toml" in ended.stderr


def test_every_key_is_a_flag_too(proxx: Command, clip: Path, proxies: Path, tmp_path: Path) -> None:
    flags = {
        "ffmpeg": tool("ffmpeg"),
        "ffprobe": tool("ffprobe"),
        "declared-versions": "ffmpeg=5.1",
        "poll-seconds": "1",
        "settle-seconds": "1",
        "stall-seconds": "100",
        "log-format": "json",
        "source-roots": "/",
        "output-roots": "/",
    }
    arguments = [argument for key, value in flags.items() for argument in (f"--{key}", value)]
    ended = proxx("run", write(tmp_path, jobspec(clip, proxies)), *arguments)
    assert ended.exit_code == 0, ended.stderr


@pytest.fixture
def roots(clip: Path, tmp_path: Path) -> Path:
    """`inside/` and `outside/`, each with a clip and an output directory, and links between them."""
    for name in ("inside", "outside"):
        (tmp_path / name / "proxies").mkdir(parents=True)
        (tmp_path / name / "a.mov").write_bytes(clip.read_bytes())
    (tmp_path / "inside" / "link.mov").symlink_to(tmp_path / "outside" / "a.mov")
    (tmp_path / "inside" / "door").symlink_to(tmp_path / "outside")
    (tmp_path / "outside" / "back").symlink_to(tmp_path / "inside")
    (tmp_path / "inside-not").mkdir()
    (tmp_path / "inside-not" / "a.mov").write_bytes(clip.read_bytes())
    (tmp_path / "alias").symlink_to(tmp_path / "inside")
    return tmp_path


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    ("source", "allowed"),
    [
        ("inside/a.mov", True),
        ("outside/back/a.mov", True),
        ("alias/a.mov", True),
        ("outside/a.mov", False),
        ("inside/link.mov", False),
        ("inside/door/a.mov", False),
        ("inside/../outside/a.mov", False),
        ("inside-not/a.mov", False),
    ],
)
def test_source_roots(proxx: Command, roots: Path, proxies: Path, source: str, allowed: bool) -> None:
    spec = write(roots, jobspec([f"{roots}/{source}"], proxies))
    checked = proxx("validate", spec, "--source-roots", roots / "alias")
    assert checked.exit_code == (0 if allowed else 1)
    assert ("PATH_NOT_ALLOWED" in checked.stdout.decode()) is not allowed
    ended = proxx("run", spec, "--source-roots", roots / "inside")
    result = parse_result(ended.stdout)
    assert (result["error"] is None) is allowed
    if not allowed:
        assert result["error"]["code"] == "PATH_NOT_ALLOWED"
        assert str(roots / "inside") in result["error"]["message"] + str(result["error"]["details"])


@pytest.mark.one_in(2)
@pytest.mark.parametrize(
    ("directory", "allowed"),
    [
        ("inside/proxies", True),
        ("outside/back/proxies", True),
        ("inside", True),
        ("outside/proxies", False),
        ("inside/door/proxies", False),
        ("inside/../outside/proxies", False),
        ("inside-not", False),
    ],
)
def test_output_roots(proxx: Command, workspace: Workspace, clip: Path, roots: Path, directory: str, allowed: bool) -> None:
    (roots / "elsewhere").mkdir()
    before = snapshot(roots / "outside")
    workspace.drop("job", jobspec(clip, f"{roots}/{directory}"))
    ended = proxx("watch", workspace, "--once", "--output-roots", roots / "inside", "--output-roots", roots / "elsewhere")
    assert ended.exit_code == (0 if allowed else 1)
    if allowed:
        assert stems(workspace.done) == ["job"]
    else:
        assert read_result(workspace.failed, "job")["error"]["code"] == "PATH_NOT_ALLOWED"
        assert snapshot(roots / "outside") == before


def test_several_roots(proxx: Command, roots: Path, proxies: Path) -> None:
    spec = write(roots, jobspec([f"{roots}/inside/a.mov"], proxies))
    config = roots / "worker.toml"
    config.write_text(f'source_roots = ["{roots}/outside", "{roots}/inside"]\noutput_roots = ["{proxies}"]\n')
    assert proxx("run", spec, "--config", config).exit_code == 0


def test_a_child_s_environment_is_fixed(proxx: Command, clip: Path, proxies: Path, tmp_path: Path) -> None:
    seen = []
    for number, environment in enumerate(
        ({"TZ": "Asia/Tokyo", "FFREPORT": "x", "SECRET": "1"}, {"LC_ALL": "de_DE.UTF-8", "HOME": "/x"})
    ):
        script = tmp_path / f"ffmpeg{number}"
        script.write_text(
            f'#!/bin/sh\nenv | grep -v "^_=" | grep -v "^PWD=" >"{tmp_path}/env{number}"\nexec {tool("ffmpeg")} "$@"\n'
        )
        script.chmod(0o755)
        spec = write(tmp_path, jobspec(clip, proxies, naming_template=str(number)))
        assert proxx("run", spec, "--ffmpeg", script, environment=environment).exit_code == 0
        seen.append((tmp_path / f"env{number}").read_text())
    assert seen[0] == seen[1]
    assert "SECRET" not in seen[0]
