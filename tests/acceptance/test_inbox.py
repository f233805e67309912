"""The inbox as people treat it: strange entries, strange names, files half written, names used again. And the order of work."""

import json
import os
import signal
import sys
from functools import partial
from pathlib import Path

import pytest

from tests.acceptance.command import Command
from tests.acceptance.results import audit, names, read_result, snapshot, stems
from tests.acceptance.specs import Workspace, encode, jobspec
from tests.acceptance.stand_ins import Gate

REFUSED = {"jobspec_version": "0"}
"""A spec that fails at once: for tests that are about the way of a spec, not about encoding."""


def test_what_is_no_candidate_is_left_alone(proxx: Command, workspace: Workspace, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.json"
    elsewhere.write_bytes(encode(REFUSED))
    inbox = workspace.inbox
    (inbox / "a-link.json").symlink_to(elsewhere)
    (inbox / "b-link-to-nothing.json").symlink_to(tmp_path / "nothing")
    os.mkfifo(inbox / "c-fifo.json")
    (inbox / "d-folder.json").mkdir()
    (inbox / "d-folder.json" / "inside.json").write_bytes(encode(REFUSED))
    for name in (".hidden.json", "e.JSON", "f.json.part", "g.txt", "h.result.json", "i", ".json", "j" * 236 + ".json"):
        (inbox / name).write_bytes(encode(REFUSED))
    if os.geteuid() == 0:
        os.mknod(inbox / "k-device.json", 0o600 | 0o020000, os.makedev(1, 3))
    before = snapshot(inbox)
    workspace.drop("0-good", REFUSED)
    workspace.drop("z-good", REFUSED)
    ended = proxx("watch", workspace, "--once")
    assert ended.exit_code == 1
    assert stems(workspace.failed) == ["0-good", "z-good"]
    assert snapshot(inbox) == before
    long_name = "j" * 236
    assert long_name in ended.stderr
    assert long_name in proxx("status", workspace).stdout.decode()
    assert long_name in proxx("check", workspace).stdout.decode()


def test_the_longest_stem_is_taken(proxx: Command, workspace: Workspace) -> None:
    stem = "x" * 235
    workspace.drop(stem, REFUSED)
    assert proxx("watch", workspace, "--once").exit_code == 1
    assert read_result(workspace.failed, stem)["jobspec"]["name"] == stem


@pytest.mark.skipif(sys.platform == "darwin", reason="the system's folders take UTF-8 names only")
def test_names_that_are_not_utf_8(proxx: Command, workspace: Workspace) -> None:
    workspace.drop(b"clip\xff\xfe", REFUSED)
    workspace.drop("cl\u00efp \U0001f3ac\n\u202e", REFUSED)
    assert proxx("watch", workspace, "--once").exit_code == 1
    results = {json.loads(path.read_bytes())["jobspec"]["name"] for path in workspace.failed.glob("*.result.json")}
    assert r"clip\xff\xfe" in results
    assert (workspace.failed / os.fsdecode(b"clip\xff\xfe.json")).read_bytes() == encode(REFUSED)
    assert len(names(workspace.failed)) == 6
    assert names(workspace.inbox) == []


def test_the_order_is_by_bytes(proxx: Command, workspace: Workspace) -> None:
    wanted = ["!", "0", "10", "9", "A", "B", "Z", "a", "a b", "a.b", "aa", "b", "~", "\u00e9", "\U0001f3ac"]
    for name in sorted(wanted, reverse=True):
        workspace.drop(name, REFUSED)
    ended = proxx("watch", workspace, "--once", "--log-format", "json")
    claimed = [record["job"] for record in map(json.loads, ended.stderr.splitlines()) if record["action"] == "claimed"]
    assert claimed == sorted(wanted, key=lambda name: os.fsencode(f"{name}.json"))


def test_the_order_is_over_what_is_there_at_each_claim(
    proxx: Command, workspace: Workspace, clip: Path, proxies: Path, tmp_path: Path
) -> None:
    gate = Gate(tmp_path / "gate")
    workspace.drop("m", jobspec(clip, proxies))
    workspace.drop("x", REFUSED)
    with proxx.start("watch", workspace, "--once", "--ffmpeg", gate.program, "--log-format", "json") as worker:
        worker.until(gate.reached, "the first job's encoder")
        workspace.drop("b", REFUSED)
        workspace.drop("y", REFUSED)
        workspace.drop("a", REFUSED)
        gate.open()
        ended = worker.wait()
    claimed = [record["job"] for record in map(json.loads, ended.stderr.splitlines()) if record["action"] == "claimed"]
    assert claimed == ["m", "a", "b", "x", "y"]


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("leftovers", "claimed"),
    [
        (["done/clip.json"], "clip~2"),
        (["failed/clip.json"], "clip~2"),
        (["failed/clip.log"], "clip~2"),
        (["done/clip.result.json"], "clip~2"),
        (["done/clip.json", "failed/clip~2.json"], "clip~3"),
        (["done/clip.json", "failed/clip~3.json"], "clip~2"),
        (["done/clip~2.json"], "clip"),
        (["done/Clip.json"], "clip"),
    ],
    ids=" ".join,
)
def test_a_name_that_was_used_before(proxx: Command, workspace: Workspace, leftovers: list[str], claimed: str) -> None:
    for name in leftovers:
        (workspace.root / name).write_bytes(b"an earlier job's")
    before = snapshot(workspace.done) | snapshot(workspace.failed)
    workspace.drop("clip", REFUSED)
    proxx("watch", workspace, "--once")
    assert read_result(workspace.failed, claimed)["error"]["code"] == "SPEC_VERSION"
    after = snapshot(workspace.done) | snapshot(workspace.failed)
    assert after | before == after, "what was there is as it was"
    assert len(after) == len(before) + 3


def test_the_same_name_again_and_again(proxx: Command, workspace: Workspace) -> None:
    specs = []
    for number in range(3):
        specs.append(encode({**REFUSED, "job_id": str(number)}))
        workspace.drop("clip", specs[-1])
        proxx("watch", workspace, "--once")
    assert stems(workspace.failed) == ["clip", "clip~2", "clip~3"]
    assert [(workspace.failed / f"{stem}.json").read_bytes() for stem in ("clip", "clip~2", "clip~3")] == specs
    audit(workspace.root, specs)


def test_a_spec_still_being_written_holds_nobody_up(proxx: Command, workspace: Workspace, clip: Path, proxies: Path) -> None:
    whole = encode(jobspec(clip, proxies))
    with (
        (workspace.inbox / "a.json").open("wb") as file,
        proxx.start("watch", workspace, "--poll-seconds", "0.1", "--settle-seconds", "86400") as worker,
    ):
        for number in range(1, 4):
            file.write(whole[: len(whole) * number // 4])
            file.flush()
            file.seek(0)
            workspace.drop(f"b{number}", REFUSED)
            worker.until(partial(_has_failed, workspace, f"b{number}"), "a job behind the one that is written")
            assert names(workspace.inbox) == ["a.json"]
        file.write(whole)
        file.flush()
        worker.until(lambda: "a" in stems(workspace.done), "the spec, now whole")
        worker.signal(signal.SIGTERM)
        assert worker.wait().exit_code == 0
    assert (workspace.done / "a.json").read_bytes() == whole
    read_result(workspace.done, "a")


def _has_failed(workspace: Workspace, stem: str) -> bool:
    return stem in stems(workspace.failed)


def test_once_waits_for_one_that_does_not_parse_and_works_meanwhile(proxx: Command, workspace: Workspace) -> None:
    workspace.drop("a", b'{"jobspec_version": ')
    workspace.drop("b", REFUSED)
    ended = proxx("watch", workspace, "--once", "--settle-seconds", "0.5", "--poll-seconds", "0.1", "--log-format", "json")
    assert ended.exit_code == 1
    claimed = [record["job"] for record in map(json.loads, ended.stderr.splitlines()) if record["action"] == "claimed"]
    assert claimed == ["b", "a"]
    assert read_result(workspace.failed, "a")["error"]["code"] == "SPEC_NOT_JSON"


def test_a_spec_is_taken_by_rename_and_by_copy_while_the_worker_waits(
    proxx: Command, workspace: Workspace, tmp_path: Path
) -> None:
    with proxx.start("watch", workspace, "--poll-seconds", "0.1") as worker:
        worker.until(lambda: (workspace.status() or {}).get("state") == "idle", "an idle worker")
        (tmp_path / "moved.json").write_bytes(encode(REFUSED))
        (tmp_path / "moved.json").rename(workspace.inbox / "moved.json")
        worker.until(lambda: "moved" in stems(workspace.failed), "the spec that was moved in")
        workspace.drop("copied", REFUSED)
        worker.until(lambda: "copied" in stems(workspace.failed), "the spec that was copied in")
        (workspace.inbox / ".part").write_bytes(encode(REFUSED))
        (workspace.inbox / ".part").rename(workspace.inbox / "renamed.json")
        worker.until(lambda: "renamed" in stems(workspace.failed), "the spec that got its name when it was whole")
        proxx("submit", workspace, workspace.failed / "moved.json")
        worker.until(lambda: "moved~2" in stems(workspace.failed), "the spec that was submitted")
        worker.signal(signal.SIGTERM)
        assert worker.wait().exit_code == 0


def test_a_spec_taken_back_before_its_turn_is_no_fault(
    proxx: Command, workspace: Workspace, clip: Path, proxies: Path, tmp_path: Path
) -> None:
    gate = Gate(tmp_path / "gate")
    workspace.drop("a", jobspec(clip, proxies))
    back = workspace.drop("b", REFUSED)
    workspace.drop("c", REFUSED)
    with proxx.start("watch", workspace, "--once", "--ffmpeg", gate.program) as worker:
        worker.until(gate.reached, "the first job's encoder")
        back.unlink()
        gate.open()
        assert worker.wait().exit_code == 1
    assert stems(workspace.failed) == ["c"]


@pytest.mark.parametrize("folder", ["inbox", "running", "done", "failed"])
def test_a_folder_that_vanishes_ends_the_worker(proxx: Command, workspace: Workspace, folder: str) -> None:
    with proxx.start("watch", workspace, "--poll-seconds", "0.1") as worker:
        worker.until(lambda: (workspace.status() or {}).get("state") == "idle", "an idle worker")
        (workspace.root / folder).rename(workspace.root / "gone")
        if folder != "inbox":
            workspace.drop("clip", REFUSED)
        ended = worker.wait()
    assert ended.exit_code == 4
    assert folder in ended.stderr
    assert not (workspace.root / folder).exists(), "a folder that vanished is not recreated"


def test_folders_are_made_and_a_missing_workspace_is_not(proxx: Command, tmp_path: Path) -> None:
    (tmp_path / "workspace").mkdir()
    assert proxx("watch", tmp_path / "workspace", "--once").exit_code == 0
    assert names(tmp_path / "workspace") == [".proxx", "done", "failed", "inbox", "running"]
    ended = proxx("watch", tmp_path / "missing", "--once")
    assert ended.exit_code == 4
    assert "WORKSPACE_INVALID" in ended.stderr
    (tmp_path / "file").write_bytes(b"")
    assert proxx("watch", tmp_path / "file", "--once").exit_code == 4
    assert names(tmp_path) == ["file", "workspace"]
