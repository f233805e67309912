"""The console in a real terminal, with a real worker; what it writes, as the kernel sees it; where it is refused."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from proxx_worker.contract.errors import ErrorCode
from proxx_worker.contract.profiles import PROFILES
from tests.acceptance.command import COMMAND, Command
from tests.acceptance.results import audit, names, read_result, stems
from tests.acceptance.specs import Workspace, explicit, jobspec
from tests.acceptance.terminals import Terminal, terminal
from tests.support.desks import finished

WRITING = "openat,open,creat,rename,renameat,renameat2,link,linkat,unlink,unlinkat,mkdir,mkdirat,rmdir,truncate,symlinkat"
_CALL = re.compile(r"^(?:\d+\s+)?(?P<call>\w+)\((?P<arguments>.*)\)\s+= (?P<answer>-?\d+)")


@pytest.fixture
def console(workspace: Workspace, child_environment: Mapping[str, str], tmp_path: Path) -> Iterator[Terminal]:
    """A console on the workspace, in a terminal."""
    with terminal(tmp_path, [COMMAND, "console", workspace.root], child_environment) as started:
        yield started


def test_a_session_from_submitting_to_the_end(  # noqa: PLR0915 - one session, step by step
    proxx: Command, workspace: Workspace, clip: Path, long_clip: Path, proxies: Path, console: Terminal, tmp_path: Path
) -> None:
    slow = workspace.drop("slow", jobspec(long_clip, proxies, **explicit("prores_4444", "mov"))).read_bytes()
    card = tmp_path / "card"
    card.mkdir()
    (card / "A001C001.mov").write_bytes(clip.read_bytes())
    console.until("No worker: run", "1 waiting")
    with proxx.start("watch", workspace) as worker:
        console.until("worker alive", "encoding 1/1", "> slow")

        console.press("h")  # hold: the running job goes on
        console.until("HELD: worker alive", "$ proxx-worker hold")

        console.press("n")  # submit a folder
        console.until("Clips or folders")
        console.press(str(card), "Tab", "Space", "F5")
        console.until("choose to create it")
        console.press(*["Tab"] * (len(PROFILES) + 2), "Space", "F5")
        console.until("1 spec to be written")
        console.press("C-s")
        console.until("1 spec written", "1 waiting", "$ proxx-worker spec --recursive")
        (submitted,) = (path.read_bytes() for path in workspace.inbox.glob("card+*.json"))

        console.press("c")  # cancel the running job
        console.until("Cancel slow?")
        console.press("y")
        worker.until(lambda: stems(workspace.failed) == ["slow"], "the end of the cancelled job")
        console.press("3")
        console.until("slow", "CANCELLED")
        console.press("Enter")
        console.until("CANCELLED: ", "the job was cancelled while", "what to do")
        console.press("q")  # Escape with a letter right behind it would be another key
        console.until("[3 failed]")

        console.press("r")  # submit it again, while nothing is claimed
        console.until("2 waiting 0 running")  # only then the cursor can follow the job into the other list
        console.press("2")
        console.until("> slow")
        console.press("h")  # release
        console.until("$ proxx-worker release")
        worker.until(lambda: ((workspace.status() or {}).get("job") or {}).get("name") == "slow~2", "the job, again")
        console.resize(50, 20)
        console.until("encoding 1/1", "slow~2")
        console.resize(120, 40)
        console.press("1", "c")
        console.until("Cancel slow~2?")
        console.press("y")
        worker.until(lambda: stems(workspace.failed) == ["slow", "slow~2"], "its end")

        console.press("d")
        console.until("Drain?", "kill -USR1")
        console.press("y")
        assert worker.wait().exit_code == 0
    console.until("No worker: run")
    console.press("q")
    console.until_true(console.has_ended, "the end of the console")
    assert console.exit_code() == 0
    for name in ("slow", "slow~2"):
        assert read_result(workspace.failed, name)["error"]["code"] == "CANCELLED"
    assert (workspace.failed / "slow~2.json").read_bytes() == slow
    for suffix in (".json", ".result.json", ".log"):
        (workspace.failed / f"slow~2{suffix}").unlink()  # the auditor knows each spec's bytes once
    audit(workspace.root, [slow, submitted], [proxies, card / "Proxy"])
    assert names(card / "Proxy") == ["A001C001.mp4"]


def test_a_worker_that_is_killed_is_seen_and_seen_again(
    proxx: Command, workspace: Workspace, long_clip: Path, proxies: Path, console: Terminal
) -> None:
    with proxx.start("watch", workspace) as worker:
        console.until("worker alive", "idle")
        workspace.drop("slow", jobspec(long_clip, proxies, **explicit("prores_4444", "mov")))
        console.until("encoding 1/1", "> slow")
        worker.process.kill()
        worker.wait()
    console.until("No worker: run")
    with proxx.start("watch", workspace):
        console.until("worker alive", "1 failed")
        console.press("3")
        console.until("INTERRUPTED")


def test_it_writes_nothing_but_its_drops(  # noqa: PLR0915 - one session with every action, step by step
    proxx: Command, workspace: Workspace, clip: Path, proxies: Path, child_environment: Mapping[str, str], tmp_path: Path
) -> None:
    card = tmp_path / "card"
    (card / "Proxy").mkdir(parents=True)
    (card / "A001C001.mov").write_bytes(clip.read_bytes())
    finished(workspace.root, "made")
    finished(workspace.root, "lost", ErrorCode.SOURCE_MISSING)
    finished(workspace.root, "full", ErrorCode.NO_SPACE)
    (workspace.failed / "lost.html").write_text("<title>lost</title>")
    workspace.drop("a", jobspec(clip, proxies))
    trace = tmp_path / "trace"
    traced: list[str | Path] = ["strace", "-f", "-qq", "-s", "300", "-e", f"trace={WRITING}", "-o", trace]
    traced += [COMMAND, "console", workspace.root]
    # Measured for coverage, Python would write its own files: not the console's.
    environment = {name: value for name, value in child_environment.items() if name != "COVERAGE_PROCESS_CONFIG"}
    with terminal(tmp_path, traced, {**environment, "PYTHONDONTWRITEBYTECODE": "1"}) as console:
        console.until("1 waiting")
        console.press("2", "Enter")
        console.until("a: waiting")
        console.press("3", "2", "q")
        console.until("[2 waiting]")
        console.press("c")
        console.until("Cancel a?")
        console.press("y")
        console.until("a will be cancelled")
        console.press("h")
        console.until("HELD")
        console.press("h")
        console.until("released")
        console.press("n")
        console.until("Clips or folders")
        console.press(str(card / "A001C001.mov"), "Tab", "Space", "F5")
        console.until("1 spec to be written")
        console.press("C-s")
        console.until("1 spec written")
        console.press("4")
        console.until("> made")
        console.press("o")
        console.until("$ proxx-worker report", "--html")
        console.press("3")
        console.until("> full")
        console.press("r")
        console.until("1 submitted again")
        console.press("Down")
        console.until("> lost")
        console.press("o")
        console.until("the report exists, path copied")
        console.press("h")
        console.until("HELD")
        (submitted,) = workspace.inbox.glob("card+*.json")
        assert names(workspace.inbox) == sorted([".hold", "a.cancel", "a.json", "full.json", submitted.name])
        with proxx.start("watch", workspace) as worker:  # what it writes is not traced
            console.until("HELD: worker alive (pid ")
            console.press("d")
            console.until("Drain?")
            console.press("y")
            assert worker.wait().exit_code == 0
        console.press("q")
        console.until_true(console.has_ended, "its end")
    written = set(_written(trace.read_text(errors="replace")))
    own = {re.sub(r"\.(desk|feed)-[0-9a-f]{16}", r".\1-N", path) for path in written}
    drops = (".desk-N", ".feed-N", ".hold", "a.cancel", "full.json", submitted.name)
    assert own == {f"{workspace.inbox}/{name}" for name in drops}
    assert names(card) == ["A001C001.mov", "Proxy"]


def _written(trace: str) -> Iterator[str]:
    """Every path that a call made, changed or removed; a terminal, and what is no file, apart."""
    for line in trace.splitlines():
        found = _CALL.match(line)
        if found is None or int(found["answer"]) < 0:
            continue
        paths = re.findall(r'"([^"]*)"', found["arguments"])
        opens = found["call"] in {"open", "openat"}
        reads = not re.search(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC", found["arguments"]) or paths[0].startswith("/dev/")
        if not (opens and reads):
            yield from paths


def test_without_a_terminal_it_points_to_status(proxx: Command, workspace: Workspace) -> None:
    ended = proxx("console", workspace, environment={"TERM": "xterm"})
    assert ended.exit_code == 64
    assert "needs a terminal, but this is not one" in ended.stderr
    assert f"proxx-worker status {workspace.root}" in ended.stderr


def test_a_dumb_terminal_is_refused(workspace: Workspace, child_environment: Mapping[str, str], tmp_path: Path) -> None:
    with terminal(tmp_path, ["env", "TERM=dumb", COMMAND, "console", workspace.root], child_environment) as shown:
        shown.until_true(shown.has_ended, "its end")
        assert shown.exit_code() == 64
        assert "TERM=dumb" in shown.said()
        assert f"proxx-worker status {workspace.root}" in shown.said()


def test_without_the_extra_it_says_what_to_install(
    workspace: Workspace, child_environment: Mapping[str, str], tmp_path: Path
) -> None:
    (tmp_path / "textual.py").write_text("raise ModuleNotFoundError('No module named textual', name='textual')\n")
    environment = {**child_environment, "PYTHONPATH": str(tmp_path)}
    with terminal(tmp_path, [COMMAND, "console", workspace.root], environment) as shown:
        shown.until_true(shown.has_ended, "its end")
        assert shown.exit_code() == 64
        assert "pip install 'proxx-worker[console]'" in shown.said()


def test_no_colour_and_no_folder(workspace: Workspace, child_environment: Mapping[str, str], tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    with terminal(tmp_path / "one", [COMMAND, "console", workspace.root], {**child_environment, "NO_COLOR": "1"}) as shown:
        shown.until("No worker: run")
    with terminal(tmp_path, [COMMAND, "console", tmp_path / "none"], child_environment) as shown:
        shown.until_true(shown.has_ended, "its end")
        assert shown.exit_code() == 4
        assert "WORKSPACE_INVALID" in shown.said()
