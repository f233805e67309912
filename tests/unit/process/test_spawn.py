"""Telling the guard's own failure from the program's."""

import pytest

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.process.spawn import check_started, guard

EXEC = b"setpriv: failed to execute /proc/7/root/opt/ffmpeg: "


@pytest.fixture(autouse=True)
def _on_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proxx_worker.process.spawn.sys.platform", "linux")


@pytest.mark.parametrize(
    ("exit_code", "said", "code"),
    [
        (127, EXEC + b"No such file or directory\n", ErrorCode.FFPROBE_MISSING),
        (126, EXEC + b"Permission denied\n", ErrorCode.FFPROBE_MISSING),
        (126, EXEC + b"Exec format error\n", ErrorCode.FFPROBE_MISSING),
        (126, EXEC + b"Too many open files in system\n", ErrorCode.IO_ERROR),
        (126, EXEC + b"Cannot allocate memory\n", ErrorCode.IO_ERROR),
        (126, EXEC + b"Argument list too long\n", ErrorCode.IO_ERROR),
        (127, b"setpriv: set parent death signal failed: Operation not permitted\n", ErrorCode.IO_ERROR),
        (1, b"setpriv: unrecognized option '--pdeathsig'\n", ErrorCode.IO_ERROR),
    ],
)
def test_the_guard_failed(exit_code: int, said: bytes, code: ErrorCode) -> None:
    with pytest.raises(ProxxError) as caught:
        check_started("/opt/ffmpeg", exit_code, said, ErrorCode.FFPROBE_MISSING)
    assert caught.value.code is code
    assert "/opt/ffmpeg" in str(caught.value)


@pytest.mark.parametrize(
    ("exit_code", "said"),
    [(0, b""), (1, b"[error] no such file\n"), (127, b""), (-9, EXEC), (3, EXEC), (1, b"x setpriv: y")],
)
def test_the_program_spoke_for_itself(exit_code: int, said: bytes) -> None:
    check_started("/opt/ffmpeg", exit_code, said, ErrorCode.FFMPEG_MISSING)


def test_elsewhere_there_is_no_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proxx_worker.process.spawn.sys.platform", "darwin")
    assert guard("/opt/ffmpeg", 7) == ["/opt/ffmpeg"]
    check_started("/opt/ffmpeg", 127, EXEC, ErrorCode.FFMPEG_MISSING)
