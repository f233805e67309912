"""The stop flag: a request is never lost, a false alarm never taken for one."""

import os
import select

from proxx_worker.process.stop import StopFlag


def readable(flag: StopFlag) -> bool:
    return bool(select.select([flag.fileno()], [], [], 0)[0])


def test_a_new_flag_is_quiet() -> None:
    flag = StopFlag()
    assert not flag.requested()
    assert not readable(flag)
    flag.close()


def test_a_request_stays_and_stays_readable() -> None:
    flag = StopFlag()
    flag.request()
    assert flag.requested()
    assert flag.requested()
    assert readable(flag)
    flag.close()


def test_requests_without_end_do_not_block() -> None:
    flag = StopFlag()
    for _ in range(100_000):
        flag.request()
    assert flag.requested()
    flag.close()


def test_a_wakeup_without_a_request_is_a_false_alarm() -> None:
    flag = StopFlag()
    os.write(flag.wakeup_fileno(), b"\x0a")
    assert readable(flag)
    assert not flag.requested()
    assert not readable(flag)
    flag.request()
    assert flag.requested()
    flag.close()
