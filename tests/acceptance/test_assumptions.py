"""What `check` calls violated, `watch` does not start on: one list of assumptions serves both."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.acceptance.clips import tool
from tests.acceptance.command import COMMAND, Command
from tests.acceptance.results import names, snapshot
from tests.acceptance.specs import Workspace, jobspec


def refusing(paths: Sequence[str | Path], calls: str, error: str) -> list[str | Path]:
    """A tracer before the command that lets its `calls` on `paths` fail."""
    named = [argument for path in paths for argument in ("-P", path)]
    return [tool("strace"), "-f", "-qq", "-o", "/dev/null", *named, "-e", f"inject={calls}:error={error}"]


@pytest.mark.one_in(2)
@pytest.mark.parametrize(
    ("flags", "code"),
    [
        (("--ffmpeg", "/missing/ffmpeg"), "FFMPEG_MISSING"),
        (("--ffprobe", "/missing/ffprobe"), "FFPROBE_MISSING"),
        (("--source-roots", "/missing/sources"), "IO_ERROR"),
        (("--output-roots", "/missing/proxies"), "IO_ERROR"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[0],
)
def test_watch_does_not_start_on_settings_that_check_calls_violated(
    proxx: Command, workspace: Workspace, clip: Path, proxies: Path, flags: tuple[str, str], code: str
) -> None:
    workspace.drop("good", jobspec(clip, proxies))
    workspace.drop("bad", b"[]")
    checked = proxx("check", workspace, *flags)
    assert checked.exit_code == 4
    violated = [line for line in checked.stdout.decode().splitlines() if line.startswith("VIOLATED")]
    assert len(violated) == 1
    assert code in violated[0]
    assert flags[1] in violated[0]
    for once in ((), ("--once",)):
        ended = proxx("watch", workspace, *once, *flags)
        assert ended.exit_code == 4
        assert code in ended.stderr
        assert flags[1] in ended.stderr
    assert names(workspace.inbox) == ["bad.json", "good.json"]
    assert [names(folder) for folder in (workspace.running, workspace.done, workspace.failed)] == [[], [], []]


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    ("place", "calls", "error", "said"),
    [
        ("workspace", "fsync", "EINVAL", "folder syncs: IO_ERROR"),
        ("workspace", "fsync", "EIO", "folder syncs: IO_ERROR"),
        ("inbox", "access,faccessat,faccessat2", "EACCES", "inbox/: WORKSPACE_INVALID"),
        ("setpriv", "%file", "ENOENT", "setpriv: IO_ERROR"),
    ],
)
def test_watch_does_not_start_where_check_finds_the_system_at_fault(
    proxx: Command, workspace: Workspace, clip: Path, proxies: Path, place: str, calls: str, error: str, said: str
) -> None:
    workspace.drop("good", jobspec(clip, proxies))
    before = snapshot(workspace.inbox)
    paths: dict[str, list[str | Path]] = {
        "workspace": [workspace.root],
        "inbox": [workspace.inbox],
        "setpriv": ["/usr/bin/setpriv", "/bin/setpriv"],
    }
    prefix = refusing(paths[place], calls, error)

    def refused(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        argv = [*prefix, COMMAND, *arguments]
        return subprocess.run(argv, env=proxx.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)

    # Without the sandbox it is setpriv that guards.
    guard = ["--sandbox", "off"] if place == "setpriv" else []
    checked = refused("check", workspace.root, *guard)
    assert checked.returncode == 4
    assert [line.split("  ", 1)[1].startswith(said) for line in checked.stdout.splitlines() if "VIOLATED" in line] == [True]
    ended = refused("watch", workspace.root, "--once", *guard)
    assert ended.returncode == 4
    assert said.split(": ")[1] in ended.stderr
    assert snapshot(workspace.inbox) == before
    assert [names(folder) for folder in (workspace.running, workspace.done, workspace.failed)] == [[], [], []]


def test_a_second_worker_is_told_of_the_first_before_all_else(proxx: Command, workspace: Workspace) -> None:
    with proxx.start("watch", workspace) as worker:
        worker.until(workspace.status, "status.json")
        ended = proxx("watch", workspace, "--ffmpeg", "/missing/ffmpeg", "--source-roots", "/missing")
    assert ended.exit_code == 4
    assert "WORKSPACE_BUSY" in ended.stderr
