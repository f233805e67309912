"""The states of a job after a crash, and what the next start does about each, as one table.

The state is what the folders show, not what a dead process remembered. The record is the job's result file: once it is in
`running/`, the job is decided, and nothing is encoded again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from proxx_worker.contract.result import JobStatus


class RecordState(StrEnum):
    """The commit record of a job whose spec is in `running/`."""

    ABSENT = "absent"
    TORN = "torn"
    """A file with its name exists and is not a result of this spec."""
    COMPLETED = "completed"
    FAILED = "failed"


class RecordPlace(StrEnum):
    """Where the record was found."""

    RUNNING = "running"
    OUTBOX = "outbox"
    """In `done/` or `failed/`: the finish had begun."""


class Decision(StrEnum):
    """What the next start does with one job."""

    PUBLISH_AND_FINISH = "publish-and-finish"
    """Publish what is not published yet, then move result, log and spec."""
    FINISH = "finish"
    """Remove the job's staging, then move result, log and spec."""
    MOVE_SPEC = "move-spec"
    """The result is in the outbox: everything is published. Move the log if it is still here, then the spec."""
    INTERRUPT = "interrupt"
    """Remove the job's staging, record INTERRUPTED, then move result, log and spec. Never run it again."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What was found for a job whose spec is in `running/`."""

    record: RecordState
    place: RecordPlace | None
    """None exactly if there is no record that counts."""


RECOVERY: Final[Mapping[Standing, Decision]] = {
    Standing(RecordState.ABSENT, None): Decision.INTERRUPT,
    Standing(RecordState.TORN, RecordPlace.RUNNING): Decision.INTERRUPT,
    Standing(RecordState.COMPLETED, RecordPlace.RUNNING): Decision.PUBLISH_AND_FINISH,
    Standing(RecordState.FAILED, RecordPlace.RUNNING): Decision.FINISH,
    Standing(RecordState.COMPLETED, RecordPlace.OUTBOX): Decision.MOVE_SPEC,
    Standing(RecordState.FAILED, RecordPlace.OUTBOX): Decision.MOVE_SPEC,
}
"""The whole table. A torn file in the outbox is none of ours: the spec's record then is ABSENT."""


def decide(standing: Standing) -> Decision:
    """The table's answer. Raises `KeyError` for an impossible state."""
    return RECOVERY[standing]


def outbox_of(status: JobStatus) -> str:
    """The name of the folder that a job of this status ends in: `done` or `failed`."""
    return "done" if status is JobStatus.COMPLETED else "failed"
