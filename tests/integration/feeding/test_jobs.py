"""What a workspace's folders tell of a planned spec."""

from pathlib import Path

import pytest

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.feeding.jobs import Jobs, outputs_there
from proxx_worker.feeding.standing import Outputs, State
from proxx_worker.workspace.layout import Workspace

FOLDERS = ("inbox", "running", "done", "failed")


@pytest.fixture
def root(workspace: Workspace) -> Path:
    for folder in FOLDERS:
        (workspace.root / folder).mkdir()
    return workspace.root


def looked(workspace: Workspace) -> Jobs:
    jobs = Jobs.of_workspace(workspace)
    jobs.look()
    return jobs


def test_a_workspace_without_folders_has_no_jobs(workspace: Workspace) -> None:
    assert looked(workspace).states_of("a", b"{}") == frozenset()


@pytest.mark.parametrize(("folder", "state"), list(zip(FOLDERS, State, strict=True)))
@pytest.mark.parametrize("name", ["a.json", "a~2.json", "a~31.json", "a~2~2.json"])
def test_a_job_is_known_by_its_name_and_its_bytes(workspace: Workspace, root: Path, folder: str, state: State, name: str) -> None:
    (root / folder / name).write_bytes(b"{}")
    jobs = looked(workspace)
    assert jobs.states_of("a", b"{}") == {state}
    assert jobs.states_of("a", b"{ }") == frozenset()
    assert jobs.states_of("b", b"{}") == frozenset()
    assert jobs.is_taken("a") == (name == "a.json")


def test_a_job_whose_number_made_its_name_too_long_for_an_inbox_is_known(workspace: Workspace, root: Path) -> None:
    """Else whatever `feed` makes of a clip that failed would be made again without end."""
    stem = "x" * 235
    (root / "failed" / f"{stem}~2.json").write_bytes(b"{}")
    assert looked(workspace).states_of(stem, b"{}") == {State.FAILED}


def test_results_logs_and_hidden_files_are_no_jobs(workspace: Workspace, root: Path) -> None:
    for name in ("a.result.json", "a.log", ".a.json"):
        (root / "done" / name).write_bytes(b"{}")
    assert looked(workspace).states_of("a", b"{}") == frozenset()


def test_a_job_that_moves_on_after_the_listing_is_met_where_it_is(workspace: Workspace, root: Path) -> None:
    (root / "inbox" / "a.json").write_bytes(b"{}")
    jobs = looked(workspace)
    (root / "inbox" / "a.json").rename(root / "running" / "a~2.json")
    assert jobs.states_of("a", b"{}") == {State.RUNNING}


def test_a_job_that_was_taken_away_after_the_listing_is_none(workspace: Workspace, root: Path) -> None:
    (root / "failed" / "a.json").write_bytes(b"{}")
    jobs = looked(workspace)
    (root / "failed" / "a.json").unlink()
    assert jobs.states_of("a", b"{}") == frozenset()


def test_specs_are_read_from_the_folders_asked_for(workspace: Workspace, root: Path) -> None:
    for number, folder in enumerate(FOLDERS):
        (root / folder / f"{number}~2.json").write_bytes(b"{%d" % number)
    (root / "done" / "folder.json").mkdir()
    known = looked(workspace).known(State.RUNNING, State.WAITING, State.DONE)
    assert [(spec.name, spec.state, spec.data) for spec in known] == [
        ("1~2", State.RUNNING, b"{1"),
        ("0~2", State.WAITING, b"{0"),
        ("2~2", State.DONE, b"{2"),
    ]
    assert looked(workspace).known(State.DONE) == known[2:]


def test_a_spec_that_moves_on_while_all_are_read_is_read_where_it_is(workspace: Workspace, root: Path) -> None:
    (root / "inbox" / "a.json").write_bytes(b"{}")
    jobs = looked(workspace)
    (root / "inbox" / "a.json").rename(root / "running" / "a.json")
    assert [(spec.name, spec.state) for spec in jobs.known(State.RUNNING, State.WAITING)] == [("a", State.RUNNING)]


class Busy(Jobs):
    """A workspace in which a job moves on after each of the first listings, and `a` is another one each time."""

    def __init__(self, root: Path, moves: int) -> None:
        super().__init__({State.WAITING: bytes(root / "inbox"), State.RUNNING: bytes(root / "running")})
        self.root, self.left = root, moves

    def look(self) -> None:
        super().look()
        if self.left:
            self.left -= 1
            (self.root / "inbox" / "a.json").write_bytes(b"{%d" % self.left)
            (self.root / "inbox" / f"b{self.left}.json").rename(self.root / "running" / f"b{self.left}.json")


def test_on_a_busy_workspace_no_spec_is_read_twice(root: Path) -> None:
    (root / "inbox" / "a.json").write_bytes(b"{a")
    for number in range(5):
        (root / "inbox" / f"b{number}.json").write_bytes(b"{b")
    jobs = Busy(root, 5)
    jobs.look()
    known = jobs.known(State.RUNNING, State.WAITING)
    assert [(spec.name, spec.state) for spec in known] == [
        ("b4", State.RUNNING),
        ("a", State.WAITING),
        *((f"b{number}", State.WAITING) for number in range(4)),
    ]
    assert known[1].data == b"{4"
    assert jobs.left == 3


def test_what_is_no_file_is_no_job(workspace: Workspace, root: Path) -> None:
    (root / "done" / "a.json").mkdir()
    assert looked(workspace).states_of("a", b"{}") == frozenset()


def test_a_listing_that_fails_is_never_taken_for_no_jobs(workspace: Workspace, root: Path) -> None:
    (root / "done").rmdir()
    (root / "done").write_bytes(b"")
    with pytest.raises(ProxxError) as caught:
        looked(workspace)
    assert caught.value.code is ErrorCode.WORKSPACE_INVALID


def test_outputs_are_counted_whatever_they_are(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"")
    (tmp_path / "b").symlink_to(tmp_path / "nothing")
    a, b, none = (str(tmp_path / name) for name in ("a", "b", "c"))
    assert outputs_there([a, b]) is Outputs.ALL
    assert outputs_there([a, none]) is Outputs.SOME
    assert outputs_there([none, f"{none}/d", f"{a}/e"]) is Outputs.NONE
