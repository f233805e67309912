"""The feeder at real folders, its clock moved by hand."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from proxx_worker.contract.errors import ErrorCode, JsonValue, ProxxError
from proxx_worker.feeding.drops import drop
from proxx_worker.feeding.feeder import Feeder
from proxx_worker.feeding.orders import PlannedSpec
from proxx_worker.feeding.rules import read_rules
from proxx_worker.feeding.scan import Entry, sniff
from proxx_worker.workspace.layout import Workspace
from tests.integration.feeding.conftest import MOVIE

Put = Callable[..., Path]
Events = list[tuple[str, str]]


class Log:
    """The events as action and message."""

    def __init__(self) -> None:
        self.events: Events = []

    def event(self, action: str, message: str = "", *, level: str = "INFO", **fields: JsonValue) -> None:
        self.events.append((action, message))

    def take(self) -> Events:
        """What came since the last call."""
        taken, self.events = self.events, []
        return taken


class Desk:
    """A feeder, and what a test does to it."""

    def __init__(self, root: Path, workspace: Workspace) -> None:
        self.root = root
        self.workspace = workspace
        self.log = Log()
        self.now = 1000.0
        self.stopped = False
        (root / "in").mkdir(exist_ok=True)
        self.rules: list[dict[str, JsonValue]] = []
        self.rule()

    def rule(self, **changes: JsonValue) -> None:
        """The one rule: two profiles, beside, 30 seconds."""
        self.rules = [
            {
                "watch": str(self.root / "in"),
                "profiles": ["proxy_h264_low", "proxy_prores_proxy"],
                "output": "beside",
                "output_directory": "Proxy",
                "create_directories": True,
                **changes,
            }
        ]
        self.restart()

    def restart(self) -> None:
        """Another process: nothing is remembered."""
        text = "".join(
            "[[rule]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in rule.items()) for rule in self.rules
        )
        self.feeder = Feeder(self.workspace, read_rules(text.encode()), self.log, lambda: self.stopped)

    def look(self, seconds: float = 0.0) -> int:
        """Look `seconds` later; how many specs were dropped."""
        self.now += seconds
        return self.feeder.look(self.now).fed

    def settle(self) -> int:
        """Look, and again when what was seen has stood still."""
        return self.look() + self.look(30)

    def waiting(self) -> list[str]:
        """The specs in the inbox."""
        return sorted(path.name for path in Path(os.fsdecode(self.workspace.inbox)).iterdir())

    def move(self, folder: str) -> None:
        """All that waits goes to another folder of the workspace."""
        (self.workspace.root / folder).mkdir(exist_ok=True)
        for name in self.waiting():
            (self.workspace.root / "inbox" / name).rename(self.workspace.root / folder / name)


@pytest.fixture
def desk(tmp_path: Path, workspace: Workspace) -> Desk:
    return Desk(tmp_path, workspace)


def test_a_clip_that_stands_still_is_fed_once_per_profile(desk: Desk, put: Put) -> None:
    put("in/A/1.mov")
    assert [desk.look(), desk.look(29.9), desk.look(0.1), desk.look(1)] == [0, 0, 2, 0]
    assert desk.waiting() == ["in+A+1.mov+proxy_h264_low.json", "in+A+1.mov+proxy_prores_proxy.json"]
    assert (desk.root / "in" / "A" / "Proxy").is_dir()
    assert [action for action, _ in desk.log.take()] == ["fed", "fed"]


def test_a_clip_that_grows_is_not_taken(desk: Desk, put: Put) -> None:
    for length in range(10):
        put("in/1.mov", MOVIE + b"x" * length)
        assert desk.look(20) == 0
    assert [desk.look(29), desk.look(1)] == [0, 2]


def test_a_clip_that_is_written_over_in_place_is_not_taken(desk: Desk, put: Put) -> None:
    path = put("in/1.mov")
    desk.look()
    os.utime(path, ns=(1, 1))
    assert [desk.look(30), desk.look(30)] == [0, 2]


def test_it_says_when_to_look_again(desk: Desk, put: Put) -> None:
    put("in/1.mov")
    first = desk.feeder.look(1000.0)
    assert (first.settles_at, first.all_settle_at) == (1030.0, 1030.0)
    put("in/2.mov")
    second = desk.feeder.look(1010.0)
    assert (second.settles_at, second.all_settle_at) == (1030.0, 1040.0)
    assert desk.feeder.look(1050.0).settles_at is None


@pytest.mark.parametrize("folder", ["inbox", "running", "done", "failed"])
def test_a_restart_adds_nothing_wherever_the_jobs_are(desk: Desk, put: Put, folder: str) -> None:
    put("in/1.mov")
    desk.settle()
    if folder != "inbox":
        desk.move(folder)
    desk.restart()
    assert desk.settle() == 0


def test_a_failed_job_is_fed_again_when_somebody_takes_it_away(desk: Desk, put: Put) -> None:
    put("in/1.mov")
    desk.settle()
    desk.move("failed")
    assert desk.look(5) == 0
    shutil.rmtree(desk.workspace.root / "failed")
    assert desk.look(5) == 2


def test_outputs_without_a_job_are_told_and_left(desk: Desk, put: Put) -> None:
    put("in/1.mov")
    put("in/Proxy/1.mp4")
    assert desk.settle() == 1
    assert (
        "outputs_there",
        f"found 1 output without a known job of these rules; the first: {desk.root}/in/Proxy/1.mp4",
    ) in desk.log.take()
    assert desk.look(5) == 0
    assert desk.log.take() == []


def test_proxies_that_were_moved_away_are_not_made_again(desk: Desk, put: Put) -> None:
    put("in/1.mov")
    desk.settle()
    desk.move("done")
    desk.restart()
    assert desk.settle() == 0


def test_a_rename_before_the_clip_has_settled_begins_anew(desk: Desk, put: Put) -> None:
    path = put("in/1.mov.part")
    assert desk.settle() == 0
    path.rename(desk.root / "in" / "1.mov")
    assert [desk.look(), desk.look(30)] == [0, 2]


def test_a_clip_that_goes_while_it_is_looked_at_is_no_fault(desk: Desk, put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put("in/1.mov")

    def gone(entry: Entry) -> object:
        path.unlink()
        return sniff(entry)

    desk.look()
    monkeypatch.setattr("proxx_worker.feeding.feeder.sniff", gone)
    assert desk.look(30) == 0
    assert desk.log.take() == []


@pytest.mark.parametrize("change", ["grows", "goes"])
def test_a_clip_that_changes_after_it_was_looked_at_is_not_taken(
    desk: Desk, put: Put, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    path = put("in/1.mov")

    def then(entry: Entry) -> object:
        kind = sniff(entry)
        if change == "grows":
            put("in/1.mov", MOVIE + b"more")
        else:
            path.unlink()
        return kind

    desk.look()
    with monkeypatch.context() as patched:
        patched.setattr("proxx_worker.feeding.feeder.sniff", then)
        assert desk.look(30) == 0
    assert desk.settle() == (2 if change == "grows" else 0)


def test_what_is_no_clip_is_left_and_what_may_be_missed_is_told_once(desk: Desk, put: Put) -> None:
    put("in/notes.txt", b"notes")
    put("in/.DS_Store")
    put("in/empty.mov", b"")
    put("in/noise.mov", b"\0\1\2\3\4\5")
    put("in/A.R3D", b"\0\0\1\xe8RED2\0\2" + b"\0" * 50)
    assert desk.settle() == 0
    told = [message.removeprefix(f"{desk.root}/in/") for action, message in desk.log.take() if action == "left_alone"]
    assert sorted(told) == [
        "A.R3D: camera RAW without a _resolve profile (for machines with DaVinci Resolve Studio)",
        "empty.mov: empty",
        "noise.mov: unknown",
    ]
    assert desk.look(30) == 0
    assert desk.log.take() == []


def test_our_own_outputs_are_never_clips(desk: Desk, put: Put) -> None:
    desk.rule(output="mirror", output_directory=str(desk.root / "in" / "out"))
    put("in/A/1.mov")
    put("in/out/A/1.mov")
    put("in/ws/x.mov")
    assert desk.settle() == 3  # the ProRes of A/1.mov is there; ws/x.mov is nobody's
    assert {name.split("+")[1] for name in desk.waiting()} == {"A", "ws"}


@pytest.mark.parametrize(
    ("changes", "fed"),
    [
        ({"extensions": ["MXF"]}, ["in+1.mxf"]),
        ({"recursive": False}, ["in+1.mov", "in+1.mxf"]),
        ({"settle_seconds": 31}, []),
    ],
)
def test_the_rule_s_keys_are_followed(desk: Desk, put: Put, changes: dict[str, JsonValue], fed: list[str]) -> None:
    desk.rule(**changes, output="mirror", output_directory=str(desk.root / "{out}"), profiles=["proxy_dnxhr_lb"])
    put("in/A/2.mov")
    put("in/1.mxf")
    if "extensions" not in changes:
        (desk.root / "in" / "1.mxf").unlink()
        put("in/1.mov")
        put("in/3.mov")
        fed = [name.replace("1.mxf", "3.mov") for name in fed]
    desk.settle()
    assert sorted({name.rpartition("+")[0] for name in desk.waiting()}) == sorted(fed)


def test_a_missing_output_directory_is_told_and_waited_for(desk: Desk, put: Put) -> None:
    desk.rule(create_directories=False, profiles=["proxy_h264_low"])
    put("in/1.mov")
    assert desk.settle() == 0
    ((action, message),) = desk.log.take()
    assert action == "cannot_feed"
    assert message.endswith("in/Proxy does not: create it, or set `create_directories = true` in the rule")
    assert desk.feeder.look(desk.now).faults == [ErrorCode.OUTPUT_DIRECTORY_MISSING]
    (desk.root / "in" / "Proxy").mkdir()
    assert desk.look(5) == 1


def test_a_watched_folder_that_vanishes_is_told_and_found_again(desk: Desk, put: Put) -> None:
    put("in/1.mov")
    desk.settle()
    (desk.root / "in").rename(desk.root / "away")
    assert [desk.look(5), desk.look(5)] == [0, 0]
    assert [action for action, _ in desk.log.take()].count("cannot_feed") == 1
    (desk.root / "away").rename(desk.root / "in")
    put("in/2.mov")
    assert desk.settle() == 2


def test_two_clips_with_one_output_are_both_left_and_told(desk: Desk, put: Put) -> None:
    desk.rule(output="flat", output_directory=str(desk.root), profiles=["proxy_h264_low"])
    put("in/A/1.mov")
    put("in/B/1.mov")
    put("in/B/2.mov")
    look = [desk.feeder.look(now) for now in (1000.0, 1030.0)][1]
    assert (look.fed, look.faults) == (1, [ErrorCode.OUTPUT_NAME_COLLISION] * 2)
    told = desk.log.take()
    assert [action for action, _ in told] == ["not_fed", "fed"]
    assert told[0][1].endswith('set `output` to "beside" or "mirror", or give each rule another `output_directory`')


def test_a_clip_that_comes_later_is_not_silently_taken_for_one_that_has_its_proxy(desk: Desk, put: Put) -> None:
    desk.rule(output="flat", output_directory=str(desk.root / "out"), profiles=["proxy_h264_low"])
    put("in/A/1.mov")
    desk.settle()
    desk.move("done")
    put("out/1.mp4")
    put("in/B/1.mov")
    assert desk.settle() == 0
    assert any(action == "not_fed" and "B/1.mov" in message for action, message in desk.log.take())


def test_a_name_that_is_not_utf_8_is_told_and_the_others_are_fed(desk: Desk, put: Put) -> None:
    put("in/1.mov")
    Path(os.fsdecode(os.fsencode(desk.root) + b"/in/\xff.mov")).write_bytes(MOVIE)
    assert desk.settle() == 2
    assert any(action == "not_fed" and "is not UTF-8" in message for action, message in desk.log.take())


def test_a_file_that_may_not_be_read_is_told_and_the_others_are_fed(
    desk: Desk, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("in/1.mov")
    put("in/2.mov")

    def refuse(entry: Entry) -> object:
        if entry.relative == "1.mov":
            raise ProxxError(ErrorCode.IO_ERROR, "cannot read 1.mov", errno="EACCES")
        return sniff(entry)

    monkeypatch.setattr("proxx_worker.feeding.feeder.sniff", refuse)
    assert desk.settle() == 2
    assert ("cannot_feed", "cannot read 1.mov") in desk.log.take()


def test_a_stop_leaves_the_rest_for_the_next_start(desk: Desk, put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        put(f"in/{number}.mov")
    desk.look()

    def drop_and_stop(folder: bytes, specs: list[PlannedSpec]) -> list[bytes]:
        desk.stopped = True
        return drop(folder, specs)

    with monkeypatch.context() as patched:
        patched.setattr("proxx_worker.feeding.feeder.drop", drop_and_stop)
        assert desk.look(30) == 1
    assert desk.look(30) == 0
    desk.stopped = False
    desk.restart()
    assert desk.settle() == 9


def test_a_workspace_that_is_gone_ends_it(desk: Desk) -> None:
    desk.look()
    shutil.rmtree(desk.workspace.root)
    with pytest.raises(ProxxError) as caught:
        desk.look()
    assert caught.value.code is ErrorCode.WORKSPACE_INVALID


def test_media_is_never_touched(desk: Desk, put: Put) -> None:
    path = put("in/1.mov")
    before = path.stat()
    desk.settle()
    after = path.stat()
    assert (before.st_mtime_ns, before.st_ctime_ns, before.st_ino) == (after.st_mtime_ns, after.st_ctime_ns, after.st_ino)
