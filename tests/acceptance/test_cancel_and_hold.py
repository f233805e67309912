"""A real worker that is asked to cancel a job while it encodes, and to hold: what an operator sees."""

import hashlib
from pathlib import Path

from tests.acceptance.command import Command, is_running
from tests.acceptance.results import audit, names, read_result, stems
from tests.acceptance.specs import Workspace, explicit, jobspec
from tests.acceptance.stand_ins import Gate

NEVER_POLLS = ("--poll-seconds", "86400")


def _state(workspace: Workspace) -> object:
    return (workspace.status() or {}).get("state")


def test_a_cancel_ends_the_encoder_and_the_next_job_begins(
    proxx: Command, workspace: Workspace, clip: Path, long_clip: Path, proxies: Path
) -> None:
    running = workspace.drop("a", jobspec(long_clip, proxies, **explicit("prores_4444", "mov"))).read_bytes()
    waiting = workspace.drop("b", jobspec(clip, proxies, naming_template="b")).read_bytes()
    with proxx.start("watch", workspace, *NEVER_POLLS) as worker:
        worker.until(lambda: bool(((workspace.status() or {}).get("job") or {}).get("frames")), "frames")
        encoders = worker.children("A001C004")
        (workspace.inbox / "a.cancel").write_text(hashlib.sha256(running).hexdigest())
        worker.until(lambda: stems(workspace.done) == ["b"], "the next job")
        assert not any(is_running(encoder) for encoder in encoders)
    result = read_result(workspace.failed, "a")
    assert result["error"]["code"] == result["tasks"][0]["error"]["code"] == "CANCELLED"
    assert names(workspace.inbox) == []
    audit(workspace.root, [running, waiting], [proxies])


def test_a_spec_that_is_too_large_to_be_run_is_cancelled_by_its_hash(proxx: Command, workspace: Workspace) -> None:
    large = b" " * (1 << 20) + b"{}"
    (workspace.inbox / "a.json").write_bytes(large)
    assert proxx("cancel", workspace, "a").exit_code == 0
    assert proxx("watch", workspace, "--once").exit_code == 2
    result = read_result(workspace.failed, "a")
    assert (result["error"]["code"], result["jobspec"]["sha256"]) == ("CANCELLED", hashlib.sha256(large).hexdigest())
    assert names(workspace.inbox) == []


def test_a_hold_lets_the_job_end_and_a_release_is_heard_at_once(
    proxx: Command, workspace: Workspace, clip: Path, proxies: Path, tmp_path: Path
) -> None:
    gate, hold = Gate(tmp_path / "gate"), workspace.inbox / ".hold"
    for name in ("a", "b"):
        workspace.drop(name, jobspec(clip, proxies, naming_template=name))
    with proxx.start("watch", workspace, *NEVER_POLLS, "--ffmpeg", gate.program) as worker:
        worker.until(gate.reached, "the encoder")
        hold.touch()
        gate.open()
        worker.until(lambda: _state(workspace) == "held", "the hold")
        assert (stems(workspace.done), stems(workspace.inbox)) == (["a"], ["b"])
        assert (workspace.status() or {})["inbox"] == 1
        hold.unlink()
        gate.open()
        worker.until(lambda: stems(workspace.done) == ["a", "b"], "the second job")


def test_draining_ends_beside_what_is_no_request_and_no_job(
    proxx: Command, workspace: Workspace, clip: Path, proxies: Path
) -> None:
    """Folders and links of such names are left alone, held or not."""
    workspace.drop("a", jobspec(clip, proxies))
    for name in ("b.cancel", "c.json"):
        (workspace.inbox / name).mkdir()
    (workspace.inbox / "d.cancel").symlink_to("/etc/hostname")
    (workspace.inbox / "e.json").symlink_to("/etc/hostname")
    assert proxx("watch", workspace, "--once").exit_code == 0
    assert stems(workspace.done) == ["a"]
    assert proxx("hold", workspace).exit_code == 0
    assert proxx("watch", workspace, "--once").exit_code == 0
    assert names(workspace.inbox) == [".hold", "b.cancel", "c.json", "d.cancel", "e.json"]
    assert b'"waiting":0' in proxx("list", workspace, "--json").stdout.replace(b" ", b"")
    assert b"0 waiting" in proxx("status", workspace).stdout


def test_a_workspace_is_held_before_its_first_worker(proxx: Command, tmp_path: Path) -> None:
    folder = tmp_path / "new"
    folder.mkdir()
    assert proxx("hold", folder).exit_code == 0
    assert (folder / "inbox" / ".hold").exists()


def test_draining_a_held_workspace_ends_with_4_and_says_so(
    proxx: Command, workspace: Workspace, clip: Path, proxies: Path
) -> None:
    workspace.drop("a", jobspec(clip, proxies))
    (workspace.inbox / ".hold").touch()
    ended = proxx("watch", workspace, "--once")
    assert ended.exit_code == 4
    assert "WORKSPACE_HELD" in ended.stderr
    assert "proxx-worker release" in ended.stderr
    assert stems(workspace.inbox) == ["a"]
