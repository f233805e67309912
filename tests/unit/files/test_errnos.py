"""errno to code, by value."""

import errno

import pytest

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.files.errnos import classify_os_error, translate_os_errors


@pytest.mark.parametrize(
    ("number", "code", "code_of_a_state_folder"),
    [
        (errno.ENOSPC, ErrorCode.NO_SPACE, ErrorCode.NO_SPACE),
        (errno.EDQUOT, ErrorCode.NO_SPACE, ErrorCode.NO_SPACE),
        (errno.EXDEV, ErrorCode.RENAME_NOT_ATOMIC, ErrorCode.RENAME_NOT_ATOMIC),
        (errno.EIO, ErrorCode.IO_ERROR, ErrorCode.IO_ERROR),
        (errno.EMFILE, ErrorCode.IO_ERROR, ErrorCode.IO_ERROR),
        (errno.ENOENT, ErrorCode.IO_ERROR, ErrorCode.WORKSPACE_INVALID),
        (errno.ENOTDIR, ErrorCode.IO_ERROR, ErrorCode.WORKSPACE_INVALID),
        (errno.ESTALE, ErrorCode.IO_ERROR, ErrorCode.WORKSPACE_INVALID),
        (errno.EACCES, ErrorCode.IO_ERROR, ErrorCode.WORKSPACE_INVALID),
        (errno.EPERM, ErrorCode.IO_ERROR, ErrorCode.WORKSPACE_INVALID),
        (errno.EROFS, ErrorCode.IO_ERROR, ErrorCode.WORKSPACE_INVALID),
        (9999, ErrorCode.IO_ERROR, ErrorCode.IO_ERROR),
    ],
)
def test_codes(number: int, code: ErrorCode, code_of_a_state_folder: ErrorCode) -> None:
    error = OSError(number, "the system's words")
    assert classify_os_error(error, "write", "/x").code is code
    assert classify_os_error(error, "write", "/x", state_folder=True).code is code_of_a_state_folder


def test_the_message_names_the_deed_the_path_the_reason_and_the_remedy() -> None:
    error = classify_os_error(OSError(errno.ENOSPC, "No space left on device"), "write", b"/srv/\xffx")
    assert str(error) == r"cannot write /srv/\xffx: No space left on device (ENOSPC); free some space, then start again"
    assert error.error.details == {"path": r"/srv/\xffx", "errno": "ENOSPC"}


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM])
def test_a_refusal_blames_whoever_was_refused(number: int) -> None:
    said = str(classify_os_error(OSError(number, "no"), "write", "/x"))
    assert said.endswith("; give the user that this runs as permission to read and write there, and to enter the folders above")


def test_an_error_without_a_number_is_told_in_its_own_words() -> None:
    assert "lost in space" in str(classify_os_error(OSError("lost in space"), "write", "/x"))


def test_errors_named_leaves_other_exceptions_alone() -> None:
    with pytest.raises(KeyError), translate_os_errors("read", "/x"):
        raise KeyError
    with pytest.raises(ProxxError) as caught, translate_os_errors("read", "/x"):
        raise OSError(errno.EIO, "bad disk")
    assert isinstance(caught.value.__cause__, OSError)
