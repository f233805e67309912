"""The recovery table, whole and by value."""

import itertools

import pytest

from proxx_worker.contract.result import JobStatus
from proxx_worker.contract.states import RECOVERY, Decision, RecordPlace, RecordState, Standing, decide, outbox_of

RUNNING, OUTBOX = RecordPlace.RUNNING, RecordPlace.OUTBOX


@pytest.mark.parametrize(
    ("record", "place", "decision"),
    [
        (RecordState.ABSENT, None, Decision.INTERRUPT),
        (RecordState.TORN, RUNNING, Decision.INTERRUPT),
        (RecordState.COMPLETED, RUNNING, Decision.PUBLISH_AND_FINISH),
        (RecordState.FAILED, RUNNING, Decision.FINISH),
        (RecordState.COMPLETED, OUTBOX, Decision.MOVE_SPEC),
        (RecordState.FAILED, OUTBOX, Decision.MOVE_SPEC),
    ],
)
def test_each_standing_has_one_decision(record: RecordState, place: RecordPlace | None, decision: Decision) -> None:
    assert decide(Standing(record, place)) is decision


def test_no_other_standing_can_be() -> None:
    possible = {Standing(record, place) for record, place in itertools.product(RecordState, (None, *RecordPlace))}
    impossible = possible - RECOVERY.keys()
    assert {(standing.record, standing.place) for standing in impossible} == {
        (RecordState.ABSENT, RUNNING),
        (RecordState.ABSENT, OUTBOX),
        (RecordState.TORN, None),
        (RecordState.TORN, OUTBOX),
        (RecordState.COMPLETED, None),
        (RecordState.FAILED, None),
    }
    for standing in impossible:
        with pytest.raises(KeyError):
            decide(standing)


def test_only_a_job_without_a_decision_is_interrupted() -> None:
    interrupted = {standing.record for standing, decision in RECOVERY.items() if decision is Decision.INTERRUPT}
    assert interrupted == {RecordState.ABSENT, RecordState.TORN}


def test_only_completed_jobs_go_to_done() -> None:
    assert {status: outbox_of(status) for status in JobStatus} == {JobStatus.COMPLETED: "done", JobStatus.FAILED: "failed"}
