"""Errors as data: the contract's table, and the faults of a spec."""

import pytest

from proxx_worker.contract.errors import ErrorClass, ErrorCode, JobError, ProxxError, exit_code
from proxx_worker.contract.faults import Fault, fault_error

TABLE = {
    1: """SPEC_NOT_JSON SPEC_TOO_LARGE SPEC_VERSION SPEC_INVALID PROFILE_UNKNOWN OUTPUT_NAME_INVALID OUTPUT_NAME_COLLISION
        SOURCE_MISSING SOURCE_NOT_A_FILE SOURCE_UNREADABLE SOURCE_NO_VIDEO SOURCE_UNSUPPORTED PATH_NOT_ALLOWED ENGINE_MISMATCH
        MIXED_ENGINES""",
    2: """ENCODE_FAILED ENCODE_STALLED ENCODE_OUT_OF_MEMORY SOURCE_DAMAGED OUTPUT_INVALID RESOLVE_FAILED INTERRUPTED CANCELLED
        INTERNAL_ERROR""",
    4: """FFMPEG_MISSING FFPROBE_MISSING RESOLVE_UNAVAILABLE OUTPUT_DIRECTORY_MISSING OUTPUT_DIRECTORY_NOT_WRITABLE
        OUTPUT_DIRECTORY_BUSY OUTPUT_EXISTS SOURCE_CHANGED NO_SPACE WORKSPACE_INVALID WORKSPACE_BUSY WORKSPACE_HELD
        RENAME_NOT_ATOMIC UNSUPPORTED_FILESYSTEM SANDBOX_UNAVAILABLE IO_ERROR""",
}


def test_the_table_is_the_contracts() -> None:
    assert {code.value: int(code.error_class) for code in ErrorCode} == {
        name: number for number, names in TABLE.items() for name in names.split()
    }
    assert [str(code) for code in ErrorCode] == [code.value for code in ErrorCode] == list(ErrorCode.__members__)


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ([], 0),
        ([ErrorCode.SPEC_INVALID], 1),
        ([ErrorCode.SPEC_INVALID, ErrorCode.INTERRUPTED], 2),
        ([ErrorCode.NO_SPACE, ErrorCode.INTERRUPTED, ErrorCode.SPEC_INVALID], 4),
    ],
)
def test_the_highest_class_is_the_exit_code(codes: list[ErrorCode], expected: int) -> None:
    assert exit_code(codes) == expected


def test_an_exception_carries_its_error() -> None:
    error = ProxxError(ErrorCode.NO_SPACE, "the disk is full", path="/x")
    assert (error.code, str(error), error.error.details) == (ErrorCode.NO_SPACE, "the disk is full", {"path": "/x"})
    assert error.code.error_class is ErrorClass.ENVIRONMENT


def test_an_error_becomes_an_exception() -> None:
    error = JobError(ErrorCode.NO_SPACE, "the disk is full", {"path": "/x"})
    exception = ProxxError.of(error)
    assert (exception.error, exception.code, str(exception)) == (error, ErrorCode.NO_SPACE, "the disk is full")


def test_faults_are_told_in_words_and_as_data() -> None:
    faults = [Fault("a", "is wrong"), Fault("b[1]", "is odd", "even"), Fault("c", "is neither", ("x", "y"))]
    error = fault_error(ErrorCode.SPEC_INVALID, "refused", faults, more=1)
    assert error.code is ErrorCode.SPEC_INVALID
    assert str(error) == "refused: a: is wrong; b[1]: is odd (allowed: even); c: is neither (allowed: x, y)"
    assert error.error.details == {
        "faults": [
            {"path": "a", "message": "is wrong", "allowed": None},
            {"path": "b[1]", "message": "is odd", "allowed": "even"},
            {"path": "c", "message": "is neither", "allowed": ["x", "y"]},
        ],
        "more": 1,
    }


def test_only_the_first_thousand_faults_are_told() -> None:
    faults = [Fault("a", "b")] * 1001
    all_told = fault_error(ErrorCode.SPEC_INVALID, "refused", faults[1:])
    cut = fault_error(ErrorCode.SPEC_INVALID, "refused", faults)
    assert "faults_cut" not in all_told.error.details
    assert cut.error.details["faults_cut"] is True
    assert str(cut) == f"{all_told}; and more that are not listed"
