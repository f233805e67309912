"""Failed jobs that can end otherwise, and those that are dropped anew."""

import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.desk.again import OtherJobs, digests_of, mark_resubmittable, resubmit
from proxx_worker.desk.folders import read_jobs, read_summary
from proxx_worker.desk.jobs import JobState
from proxx_worker.workspace.layout import Workspace
from tests.support.desks import dropped, finished


def can_be_submitted_again(workspace: Workspace) -> list[str]:
    failed = read_jobs(workspace, JobState.FAILED)
    return [job.name for job in mark_resubmittable(failed, OtherJobs.of(workspace)) if job.resubmittable]


def test_the_code_decides(root: Path, workspace: Workspace) -> None:
    for name, code in (("a", ErrorCode.NO_SPACE), ("b", ErrorCode.SPEC_INVALID), ("c", ErrorCode.OUTPUT_INVALID)):
        finished(root, name, code)
    assert can_be_submitted_again(workspace) == ["a"]


def test_a_source_must_be_there_and_must_have_changed(root: Path, workspace: Workspace, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mov"
    clip.touch()
    os.utime(clip, (0, 0))
    past, future = "2020-01-01T00:00:00Z", datetime(2100, 1, 1, tzinfo=UTC).isoformat()
    finished(root, "changed", ErrorCode.SOURCE_DAMAGED, at=past, source=str(clip))
    finished(root, "same", ErrorCode.SOURCE_DAMAGED, at=future, source=str(clip))
    finished(root, "gone", ErrorCode.SOURCE_MISSING, at=past, source=str(tmp_path / "none.mov"))
    finished(root, "odd", ErrorCode.SOURCE_MISSING, at=past, source="/nul\0")
    assert can_be_submitted_again(workspace) == ["changed"]


def test_a_source_that_was_missing_need_only_be_there(root: Path, workspace: Workspace, tmp_path: Path) -> None:
    """A volume that is mounted again brings files that nobody has changed."""
    clip = tmp_path / "clip.mov"
    clip.touch()
    finished(root, "mounted", ErrorCode.SOURCE_MISSING, at="2100-01-01T00:00:00Z", source=str(clip))
    assert can_be_submitted_again(workspace) == ["mounted"]


def test_a_source_is_looked_for_where_the_worker_read_it(root: Path, workspace: Workspace, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mov"
    clip.touch()
    finished(root, "mapped", ErrorCode.SOURCE_MISSING, source="/Volumes/SAN/clip.mov")
    result = root / "failed" / "mapped.result.json"
    result.write_text(result.read_text().replace('"source_path": null', f'"source_path": "{clip}"'))
    assert can_be_submitted_again(workspace) == ["mapped"]


def test_a_link_that_leads_elsewhere_is_a_change(root: Path, workspace: Workspace, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mov"
    clip.symlink_to("/usr/bin/env")
    past = datetime.fromtimestamp(clip.lstat().st_ctime - 60, UTC).isoformat()
    finished(root, "linked", ErrorCode.SOURCE_UNSUPPORTED, at=past, source=str(clip))
    assert can_be_submitted_again(workspace) == ["linked"]


@pytest.mark.parametrize("folder", ["inbox", "running"])
def test_what_is_under_way_is_not_submitted_again(root: Path, workspace: Workspace, folder: str) -> None:
    data = finished(root, "a", ErrorCode.NO_SPACE)
    dropped(root, "a~2", folder, spec=data)
    assert can_be_submitted_again(workspace) == []


@pytest.mark.parametrize(("done_at", "offered"), [("2026-01-01T12:00:00Z", []), ("2026-01-01T10:00:00Z", ["a"])])
def test_only_what_was_done_since_need_not_be_submitted_again(
    root: Path, workspace: Workspace, done_at: str, offered: list[str]
) -> None:
    data = finished(root, "a", ErrorCode.NO_SPACE, at="2026-01-01T11:00:00Z")
    finished(root, "a~2", at=done_at, spec=data)
    assert can_be_submitted_again(workspace) == offered


def test_of_several_failures_with_one_spec_the_last_is_meant(root: Path, workspace: Workspace) -> None:
    data = finished(root, "a", ErrorCode.NO_SPACE, at="2026-01-01T10:00:00Z")
    finished(root, "a~2", ErrorCode.IO_ERROR, at="2026-01-01T11:00:00Z", spec=data)
    assert can_be_submitted_again(workspace) == ["a~2"]


def test_specs_come_back_under_the_names_that_they_had(root: Path, workspace: Workspace) -> None:
    data = finished(root, "a~3", ErrorCode.NO_SPACE)
    done = resubmit(workspace, list(read_jobs(workspace, JobState.FAILED)))
    assert [Path(os.fsdecode(path)).name for path in done.made] == ["a.json"]
    assert (root / "inbox" / "a.json").read_bytes() == data
    again = resubmit(workspace, list(read_jobs(workspace, JobState.FAILED)))
    assert (again.made, [job.name for job in again.skipped]) == ((), ["a~3"])


def test_a_spec_that_is_gone_stops_it_and_what_was_dropped_is_told(root: Path, workspace: Workspace) -> None:
    finished(root, "a", ErrorCode.NO_SPACE)
    finished(root, "b", ErrorCode.NO_SPACE)
    jobs = list(read_jobs(workspace, JobState.FAILED))
    (root / "failed" / "b.json").unlink()
    with pytest.raises(ProxxError, match=r"cannot be submitted.*already submitted: a\.json"):
        resubmit(workspace, jobs)
    with pytest.raises(ProxxError, match=r"larger than 1 MiB; write the spec again, and submit that$"):
        resubmit(workspace, jobs[1:])


def test_another_that_failed_under_the_name_since_is_not_submitted(root: Path, workspace: Workspace) -> None:
    finished(root, "a", ErrorCode.NO_SPACE)
    jobs = list(read_jobs(workspace, JobState.FAILED))
    finished(root, "a", ErrorCode.NO_SPACE, spec=b'{"n": 2}')
    with pytest.raises(ProxxError, match=r"a\.json was not submitted: another job has failed under this name since; look at it"):
        resubmit(workspace, jobs)
    assert list((root / "inbox").iterdir()) == []


def test_what_cannot_be_read_is_told_or_passed_over(root: Path, workspace: Workspace) -> None:
    finished(root, "a", ErrorCode.NO_SPACE)
    (root / "failed" / "a.result.json").unlink()
    (root / "failed" / "a.result.json").mkdir()
    finished(root, "b", ErrorCode.NO_SPACE)
    (root / "failed" / "b.result.json").unlink()
    folder, without = read_jobs(workspace, JobState.FAILED)
    assert folder.unreadable == "Is a directory"
    assert without.unreadable == "there is no result beside the spec"
    assert read_summary(workspace, JobState.FAILED, b"c") is None
    assert can_be_submitted_again(workspace) == []


def test_a_job_whose_result_is_gone_since_is_submitted(root: Path, workspace: Workspace) -> None:
    finished(root, "a", ErrorCode.NO_SPACE)
    jobs = list(read_jobs(workspace, JobState.FAILED))
    (root / "failed" / "a.result.json").unlink()
    assert resubmit(workspace, jobs).made == (os.fsencode(root / "inbox" / "a.json"),)


def test_folders_that_no_worker_has_made_hold_none(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    assert list(read_jobs(workspace, *JobState)) == []
    assert digests_of(workspace, JobState.WAITING) == frozenset()


def test_digests_are_those_of_files(root: Path, workspace: Workspace) -> None:
    data = dropped(root, "a")
    (root / "inbox" / "b.json").mkdir()
    assert digests_of(workspace, JobState.WAITING) == {hashlib.sha256(data).hexdigest()}
