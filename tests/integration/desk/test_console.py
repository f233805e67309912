"""The console at three sizes, without a terminal: what it shows, what its keys do, and that every name is harmless."""

import hashlib
import json
import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest
from textual.binding import Binding
from textual.widgets import Static

from proxx_worker.contract.errors import ErrorCode
from proxx_worker.desk.cancel import NoSuchJobError, Target
from proxx_worker.desk.commands import Place
from proxx_worker.desk.console.app import Console
from proxx_worker.desk.console.keys import KEYS
from proxx_worker.desk.console.view import ConsoleView
from proxx_worker.desk.jobs import JobState
from proxx_worker.workspace.holder import Holder, inspect_by_proc
from proxx_worker.workspace.layout import Workspace
from tests.integration.desk.consoles import SIZES, Desk, Forms, driven, works
from tests.support.desks import dropped, finished, spec_of

HOSTILE = ["[bold red]x", "a\x1b[2Jb", "\u202efdp.mov", "n\nl", "ü\udcff", "[", "]$(x)`y`", "日本" * 20]


@pytest.fixture
def busy(root: Path) -> Path:
    """A workspace with jobs in all states."""
    works(root)
    dropped(root, "A001C004", "running")
    dropped(root, "waits")
    finished(root, "good")
    finished(root, "b-full", ErrorCode.NO_SPACE, message="the disk is full: free 3 GB")
    finished(root, "c-gone", ErrorCode.SOURCE_MISSING, source="/nowhere/c.mov", message="/nowhere/c.mov is not there")
    finished(root, "d-gone", ErrorCode.SOURCE_MISSING, source="/nowhere/d.mov", message="/nowhere/d.mov is not there")
    return root


@pytest.mark.parametrize("size", SIZES, ids=lambda it: f"{it[0]}x{it[1]}")
def test_all_that_must_be_seen_is_seen(busy: Path, size: tuple[int, int], tmp_path: Path) -> None:
    async def drive(desk: Desk) -> None:
        screen = await desk.until(
            "1 waiting  1 running  3 failed  1 done", "worker alive", "encoding 1/2  12.0 of 60.0 s  2.1x  a.mov"
        )
        assert "[1 running]" in screen
        await desk.press("3")
        screen = await desk.until("b-full", "A001C001.mov  proxy_h264_low", "NO_SPACE", "the disk is full")
        await desk.press("g")
        screen = await desk.until("SOURCE_MISSING (2)")
        assert screen.index("SOURCE_MISSING (2)") < screen.index("NO_SPACE (1)")
        await desk.press("4")
        await desk.until("good")
        assert all(len(line) <= size[0] for line in desk.text().splitlines())
        desk.app.save_screenshot(str(tmp_path / "console.svg"))

    driven(busy, size, drive)
    picture = (tmp_path / "console.svg").read_text()
    assert picture.startswith("<svg")
    assert "good" in picture


@pytest.mark.parametrize("size", [*SIZES, (200, 40)], ids=lambda it: f"{it[0]}x{it[1]}")
def test_every_key_in_the_footer_is_whole_and_all_are_listed(busy: Path, size: tuple[int, int]) -> None:
    shown = [binding for binding in _bindings() if binding.show]

    async def drive(desk: Desk) -> None:
        await desk.until("q Quit  ? Keys")
        footer = desk.text().splitlines()[-1]
        whole = [f" {binding.key_display or binding.key} {binding.description} " for binding in shown]
        count = next(count for count in range(len(whole), 0, -1) if footer == "".join(whole[:count]).rstrip())
        assert count == len(whole) or len("".join(whole[: count + 1])) > size[0], "one more would fit"
        await desk.press("question_mark")
        await desk.until("1 to 4, Tab", "running, waiting, failed, done")
        await desk.press("end")
        await desk.until("?  ", "these keys", "leave")
        await desk.press("question_mark")
        await desk.until("[1 running]")

    driven(busy, size, drive)
    listed = {word for keys, _ in KEYS for word in keys.replace(",", "").split()}
    assert {binding.key_display or binding.key for binding in shown} <= listed


def test_a_wider_terminal_shows_more_keys(busy: Path) -> None:
    async def drive(desk: Desk) -> None:
        await desk.until("q Quit  ? Keys")
        assert "n Submit" not in desk.text()
        await desk.pilot.resize_terminal(200, 40)
        await desk.until("n Submit", "o Report")
        await desk.pilot.resize_terminal(50, 20)
        await desk.until_true(lambda: "n Submit" not in desk.text(), "fewer keys")

    driven(busy, (50, 20), drive)


def test_a_key_that_means_nothing_says_where_the_others_are(busy: Path) -> None:
    async def drive(desk: Desk) -> None:
        for key, name in (("ctrl+s", "ctrl+s"), ("f1", "f1"), ("x", "x"), ("exclamation_mark", "!")):
            await desk.press(key)
            await desk.until(f"! {name} does nothing here: ? shows the keys")
        await desk.press("h")
        await desk.until("HELD")
        await desk.press("slash", *"x?", "left")
        await desk.until("No running job has x?")
        assert "does nothing here" not in desk.text(), "what is typed is no key"

    driven(busy, (80, 24), drive)


def _bindings() -> list[Binding]:
    return [binding for binding in (*ConsoleView.BINDINGS, *Console.BINDINGS) if isinstance(binding, Binding)]


def test_a_job_s_details_log_and_result(busy: Path) -> None:
    async def drive(desk: Desk) -> None:
        await desk.press("3")
        await desk.until("b-full")
        await desk.press("s", "s")
        await desk.until("by code")
        await desk.press("home", "enter")
        await desk.until("x b-full: failed", "what to do: free space or raise the quota", "job_started")
        await desk.press("3")
        await desk.until('"result_version": "1.1"')
        await desk.press("2")
        await desk.until("INFO job_started")
        with (busy / "failed" / "b-full.log").open("a") as log:
            log.write("the encoder says more\n")
        await desk.until("the encoder says more")
        await desk.press("escape")
        await desk.until("[3 failed]")

    driven(busy, (80, 24), drive)


def test_a_search_finds_and_ends(busy: Path) -> None:
    async def drive(desk: Desk) -> None:
        await desk.press("3")
        await desk.until("b-full")
        await desk.press("slash", *"nowhere/d")
        await desk.until("d-gone")
        assert "b-full" not in desk.text()
        await desk.press("enter", "4")
        await desk.until("No done job has nowhere/d")
        await desk.press("escape", "3")
        await desk.until("b-full", "d-gone")

    driven(busy, (80, 24), drive)


def test_a_cancel_asks_and_drops_its_request(busy: Path) -> None:
    async def drive(desk: Desk) -> None:
        await desk.until("> A001C004")
        await desk.press("c")
        await desk.until("Cancel A001C004?", "proxx-worker cancel")
        await desk.press("n")
        await desk.press("c")
        await desk.until("Cancel A001C004?")
        await desk.press("y")
        await desk.until_true((busy / "inbox" / "A001C004.cancel").exists, "the request")
        await desk.until("$ proxx-worker cancel")

    app = driven(busy, (80, 24), drive)
    assert (busy / "inbox" / "A001C004.cancel").read_text().strip() == hashlib.sha256(spec_of("A001C004")).hexdigest()
    assert app.commands == [f"proxx-worker cancel {busy} A001C004"]


def test_another_job_that_gets_the_name_during_the_question_is_left_alone(busy: Path) -> None:
    async def drive(desk: Desk) -> None:
        await desk.press("2")
        await desk.until("> waits")
        await desk.press("c")
        await desk.until("Cancel waits?")
        (busy / "inbox" / "waits.json").unlink()
        dropped(busy, "waits", spec=b'{"n": 2}')
        await desk.press("y")
        await desk.until("! waits is no longer waiting or running; nothing was cancelled")

    driven(busy, (120, 40), drive)
    assert [path.name for path in (busy / "inbox").iterdir()] == ["waits.json"]


def test_a_job_that_is_gone_is_not_asked_about(busy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_workspace: Workspace, state: JobState, _stem: bytes) -> Target:
        raise NoSuchJobError(f"it is no longer {state}")

    monkeypatch.setattr("proxx_worker.desk.console.app.target_in", gone)

    async def drive(desk: Desk) -> None:
        await desk.press("c")
        await desk.until("! it is no longer running")

    driven(busy, (120, 40), drive)
    assert not (busy / "inbox" / "A001C004.cancel").exists()


def test_hold_and_release(busy: Path) -> None:
    async def drive(desk: Desk) -> None:
        await desk.press("h")
        await desk.until("HELD: worker alive")
        await desk.press("h")
        await desk.until_true(lambda: "HELD" not in desk.text(), "the release")

    app = driven(busy, (80, 24), drive)
    assert app.commands == [f"proxx-worker hold {busy}", f"proxx-worker release {busy}"]
    assert not (busy / "inbox" / ".hold").exists()


def test_failed_jobs_are_submitted_again(busy: Path) -> None:
    async def drive(desk: Desk) -> None:
        await desk.press("3", "s")
        await desk.until("by name", "b-full")
        await desk.press("home", "r")
        await desk.until_true((busy / "inbox" / "b-full.json").exists, "the spec")
        await desk.press("down", "r")
        await desk.until("its source has not changed, so")
        await desk.press("R")
        await desk.until("none of these can end differently yet")

    app = driven(busy, (120, 40), drive)
    assert app.commands == [f"proxx-worker resubmit {busy} b-full"]


def test_all_of_a_filter_are_submitted_again(root: Path) -> None:
    for number in range(3):
        finished(root, f"a{number}", ErrorCode.NO_SPACE)
    finished(root, "b", ErrorCode.SPEC_INVALID)

    async def drive(desk: Desk) -> None:
        await desk.press("3")
        await desk.until("a0", "a1", "a2")
        await desk.press("slash", *"a", "enter", "R")
        await desk.until("Submit 3 of 4 again?")
        await desk.press("y")
        await desk.until_true(lambda: len(list((root / "inbox").glob("*.json"))) == 3, "three specs")

    driven(root, (80, 24), drive)


def test_what_cannot_be_done_is_told(root: Path) -> None:
    finished(root, "bad", ErrorCode.SPEC_INVALID)

    async def drive(desk: Desk) -> None:
        await desk.until("No worker: run  proxx-worker watch", "No job is running.")
        for key, says in (
            ("c", "only a waiting or running job can be cancelled"),
            ("r", "only a failed job can be submitted again"),
            ("R", "only failed jobs can be submitted again"),
            ("d", "there is no worker on this host to drain"),
            ("o", "only a job that has ended can have a report"),
        ):
            await desk.press(key)
            await desk.until(says)
        await desk.press("3")
        await desk.until("bad")
        await desk.press("r")
        await desk.until("It would end the same way.")
        await desk.press("escape")

    app = driven(root, (120, 40), drive)
    assert app.commands == []
    assert list((root / "inbox").iterdir()) == []


def test_paths_and_commands_are_copied(busy: Path) -> None:
    async def drive(desk: Desk) -> None:
        await desk.press("4")
        await desk.until("good")
        await desk.press("y")
        assert desk.app.clipboard == str(busy / "done" / "good.result.json")
        await desk.press("o")
        await desk.until("copied: proxx-worker report")
        assert desk.app.clipboard == f"proxx-worker report {busy}/done/good.result.json --html {busy}/done/good.html"
        await desk.press("y", "Y")
        assert desk.app.clipboard.startswith("proxx-worker report ")
        await desk.press("enter")
        await desk.until("+ good: done")
        await desk.press("y")
        assert desk.app.clipboard == str(busy / "done" / "good.result.json")

    driven(busy, (80, 24), drive)


def test_a_report_that_is_there_is_pointed_to(busy: Path) -> None:
    page = busy / "failed" / "c-gone.html"
    page.write_text("<title>c-gone</title>")
    finished(busy, "e-torn", ErrorCode.NO_SPACE)
    (busy / "failed" / "e-torn.result.json").write_text("{")

    async def drive(desk: Desk) -> None:
        await desk.press("3", "slash", *"c-gone", "enter")
        await desk.until("> c-gone")
        await desk.press("o")
        await desk.until("the report exists, path copied")
        assert desk.app.clipboard == str(page)
        write = f"proxx-worker report {busy}/failed/c-gone.result.json --html {page}"
        assert desk.app.commands == [write]
        page.unlink()
        await desk.press("o")
        await desk.until("copied: proxx-worker report")
        assert desk.app.clipboard == write
        await desk.press("slash", *["backspace"] * 6, *"e-torn", "enter")
        await desk.until("> e-torn", "the result is not JSON")
        await desk.press("o")
        await desk.until("e-torn: its result cannot be read: the result is not JSON")

    driven(busy, (120, 40), drive)
    assert not page.exists()


def test_clips_are_submitted_after_a_look_at_what_would_be_written(busy: Path, tmp_path: Path) -> None:
    forms = Forms()

    async def drive(desk: Desk) -> None:
        await desk.press("n")
        await desk.until("Clips or folders")
        await desk.press(*("slash" if letter == "/" else letter for letter in str(tmp_path)))
        await desk.press("f5")
        await desk.until_true(lambda: "no profile is chosen" in _preview(desk), "a refusal")
        await desk.press("tab", "space", "f5")
        await desk.until_true(lambda: "1 spec to be written" in _preview(desk), "a preview")
        command = f"proxx-worker spec --recursive --profile proxy_h264_low --beside Proxy --submit {busy} -- {tmp_path}"
        assert command in _preview(desk)
        await desk.press("ctrl+s")
        await desk.until("1 spec written")
        await desk.press("n", "escape")

    app = driven(busy, (120, 40), drive, forms)
    (form,) = forms.submitted
    assert (form.sources, form.profiles, form.place, form.directory) == (
        (str(tmp_path),),
        ("proxy_h264_low",),
        Place.BESIDE,
        "Proxy",
    )
    assert app.commands[-1].startswith("proxx-worker spec --recursive")


def _preview(desk: Desk) -> str:
    return str(desk.app.screen.query_one("#preview", Static).content)


@pytest.mark.one_in(3)
@pytest.mark.parametrize("size", SIZES, ids=lambda it: f"{it[0]}x{it[1]}")
def test_hostile_names_are_text_and_nothing_else(root: Path, size: tuple[int, int]) -> None:
    for number, name in enumerate(HOSTILE):
        data = finished(root, f"h{number}", ErrorCode.NO_SPACE, message=f"{name} is [b]full[/b]")
        for suffix in (".json", ".result.json", ".log"):
            (root / "failed" / f"h{number}{suffix}").rename(root / "failed" / f"{name}{suffix}")
        assert (root / "failed" / f"{name}.json").read_bytes() == data
        (root / "failed" / f"{name}.html").touch()
    dropped(root, "[@click=app.quit]q")

    async def drive(desk: Desk) -> None:
        await desk.press("3", "s")
        await desk.until("by name", "[bold red]x", "a\\x1b[2Jb", "n\\x0al")
        await desk.press("home")
        seen: set[str] = set()
        for _ in HOSTILE:
            await desk.press("enter")
            await desk.until("failed", "NO_SPACE")
            await desk.press("y")
            desk.app.clear_notifications()
            await desk.press("escape")
            seen.add(await _copies(desk, root))
            await desk.press("down")
        assert seen == set(HOSTILE)
        assert not set("\x1b\u202e") & set(desk.text())
        await desk.press("2")
        await desk.until("[@click=app.quit]q")
        await desk.press("c")
        await desk.until("Cancel [@click=app.quit]q?")
        await desk.press("y")
        await desk.until("$ proxx-worker cancel")

    driven(root, size, drive)


async def _copies(desk: Desk, root: Path) -> str:
    """The path of the result and of the report are copied, or it is said that they cannot be. Returns the job's name."""
    job = desk.app.selected
    assert job is not None
    name = os.fsdecode(job.stem)
    result, page = (f"{root}/failed/{name}{suffix}" for suffix in (".result.json", ".html"))
    if "\udcff" in result:
        await desk.press("y")
        await desk.until("! the name is not UTF-8")
        await desk.press("o")
        await desk.until("! the report exists, the name is not UTF-8")
    else:
        await desk.press("y")
        assert desk.app.clipboard == result
        await desk.press("o")
        await desk.until_true(lambda: desk.app.clipboard == page, "the path of the report")
    return name


def test_a_worker_that_is_elsewhere_stale_or_gone_is_seen(root: Path) -> None:
    async def drive(desk: Desk) -> None:
        await desk.until("no worker is running")
        works(root, holder=Holder(1, "elsewhere", "2026-01-01T00:00:00Z", None))
        await desk.until("worker on another host")
        works(root, age_seconds=100)
        await desk.until("STALE HEARTBEAT, 10", "worker alive")
        works(root)
        await desk.until("encoding 1/2")
        await desk.until_true(lambda: "STALE" not in desk.text(), "a fresh heartbeat")
        (root / ".proxx" / "worker.lock").write_bytes(b"")
        await desk.until("No worker: run")

    driven(root, (80, 24), drive)


def test_a_folder_that_vanishes_shows_and_heals(busy: Path) -> None:
    async def drive(desk: Desk) -> None:
        await desk.press("3")
        await desk.until("b-full")
        (busy / "failed").rename(busy / "away")
        await desk.until("TROUBLE: ", "b-full")
        (busy / "away").rename(busy / "failed")
        await desk.until("worker alive")
        finished(busy, "later", ErrorCode.NO_SPACE)
        await desk.until("later", "4 failed")

    driven(busy, (80, 24), drive)


def test_the_cursor_stays_with_its_job_and_a_resize_keeps_it_in_sight(root: Path) -> None:
    for number in range(60):
        finished(root, f"job{number:02}", ErrorCode.NO_SPACE)

    async def drive(desk: Desk) -> None:
        await desk.press("3", "s", "home")
        await desk.until("by name", "job00")
        await desk.press("pagedown", "end", "up", "up")
        await desk.until("> job57")
        finished(root, "job000", ErrorCode.NO_SPACE)
        await desk.until("61 failed")
        assert "> job57" in desk.text()
        await desk.pilot.resize_terminal(120, 12)
        await desk.until("> job57")
        await desk.pilot.resize_terminal(50, 20)
        await desk.until("> job57")
        await desk.press("pageup", "home", "k", "j")
        await desk.until("> job000")
        await desk.press("tab", "shift+tab")
        await desk.until("[3 failed]")

    driven(root, (80, 24), drive)


def test_a_drain_reaches_the_worker_that_the_lock_names(root: Path) -> None:
    with subprocess.Popen(["sleep", "1000"]) as worker:
        seen = inspect_by_proc(worker.pid)
        assert seen is not None
        works(root, holder=Holder(worker.pid, socket.gethostname(), "2026-01-01T00:00:00Z", seen.start_token))

        async def drive(desk: Desk) -> None:
            await desk.until("worker alive (pid")
            status = (root / ".proxx" / "status.json").read_bytes()
            (root / ".proxx" / "status.json").unlink()
            await desk.until("it has not written a status yet")
            await desk.press("d")
            await desk.until("the worker has only just started")
            (root / ".proxx" / "status.json").write_bytes(status)
            await desk.until("worker alive (pid")
            await desk.press("d")
            await desk.until("Drain?", "kill -USR1")
            await desk.press("y")
            await desk.until_true(lambda: worker.poll() is not None, "the signal")
            await desk.until("no worker is running")

        driven(root, (80, 24), drive)
        assert worker.returncode == -signal.SIGUSR1


def test_a_worker_that_starts_during_the_question_is_not_drained(root: Path) -> None:
    with subprocess.Popen(["sleep", "1000"]) as first, subprocess.Popen(["sleep", "1000"]) as second:

        def at_work(worker: "subprocess.Popen[bytes]") -> None:
            seen = inspect_by_proc(worker.pid)
            assert seen is not None
            works(root, holder=Holder(worker.pid, socket.gethostname(), "2026-01-01T00:00:00Z", seen.start_token))

        at_work(first)

        async def drive(desk: Desk) -> None:
            await desk.until("worker alive (pid")
            await desk.press("d")
            await desk.until("Drain?", f"kill -USR1 {first.pid}")
            at_work(second)
            await desk.press("y")
            await desk.until(f"the worker (pid {first.pid}) has already ended; nothing was drained")

        driven(root, (120, 40), drive)
        assert (first.poll(), second.poll()) == (None, None)
        first.kill()
        second.kill()


def test_the_newest_comes_first_and_results_on_the_screen_are_read_first(root: Path) -> None:
    for number in range(200):
        finished(root, f"job{number:03}", ErrorCode.NO_SPACE)

    async def drive(desk: Desk) -> None:
        await desk.press("3")
        await desk.until("> job199", "NO_SPACE")
        await desk.until_true(lambda: desk.app.board.unread == 0, "all results")
        document = json.loads((root / "failed" / "job000.result.json").read_bytes())
        assert document["error"]["code"] == "NO_SPACE"

    driven(root, (80, 24), drive)
