"""With `--slice` every sweep stays in, because it slices its own points; other tests are left out by their names."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

SWEEPS = {
    "tests/faults/fuzz/test_fuzz.py::test_inputs_guided_by_coverage",
    "tests/faults/test_error_sweep.py::test_every_error_point",
    "tests/faults/test_request_sweeps.py::test_a_worker_killed_at_every_call_while_it_cancels",
    "tests/faults/test_request_sweeps.py::test_a_request_at_every_moment",
    "tests/faults/test_full_disks.py::test_a_workspace_on_a_disk_that_is_too_small_for_it",
    "tests/faults/test_full_disks.py::test_outputs_on_a_disk_that_fills_up_at_thirty_places",
    "tests/faults/test_hostile_bytes.py::test_thousands_of_broken_clips",
    "tests/faults/test_hostile_bytes.py::test_broken_clips_where_a_wrong_access_ends_the_decoder",
    "tests/faults/test_kill_sweep.py::test_every_kill_point",
    "tests/faults/test_resolve_kills.py::test_a_worker_killed_at_every_place[attached]",
    "tests/faults/test_resolve_kills.py::test_a_worker_killed_at_every_place[started]",
    "tests/faults/test_lost_replies.py::test_every_lost_reply",
    "tests/faults/test_power_loss.py::TestSoundRuns::test_a_recovery",
    "tests/faults/test_power_loss.py::TestSoundRuns::test_two_jobs_of_three_tasks_and_one_refused",
    "tests/faults/test_run_sweeps.py::test_every_error_point",
    "tests/faults/test_run_sweeps.py::test_every_kill_point",
    "tests/faults/test_soak.py::test_soak",
    "tests/faults/test_three_at_once.py::test_a_hundred_rounds",
}


def collected(root: Path, *options: str) -> set[str]:
    """The tests that a session with these options would run; those of the recoveries without their parameters."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--collect-only", "-q", "-m", "heavy", "tests/faults"]
    shown = subprocess.run([*command, *options], cwd=root, capture_output=True, text=True, check=True).stdout
    return {re.sub(r"(?<=test_a_recovery)\[.*", "", line) for line in shown.splitlines() if "::" in line}


@pytest.mark.heavy
def test_every_sweep_is_in_every_slice(project_root: Path) -> None:
    slices = [collected(project_root, f"--slice={number}/2") for number in (1, 2)]
    assert all(part >= SWEEPS for part in slices)
    assert (slices[0] - SWEEPS) & (slices[1] - SWEEPS) == set()
