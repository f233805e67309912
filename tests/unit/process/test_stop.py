"""The stop flag: a request is never lost, a false alarm never taken for one."""

import os
import select

import pytest

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.process.stop import BeatingStop, CancellableStop, StopFlag, checkpoint, raise_if_stopped


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


def test_whoever_asks_makes_the_heart_beat() -> None:
    flag, beats = StopFlag(), list[int]()
    stop = BeatingStop(flag, lambda: beats.append(1))
    assert stop.fileno() == flag.fileno()
    assert not stop.requested()
    flag.request()
    assert stop.requested()
    assert len(beats) == 2
    flag.close()


def test_a_checkpoint_raises_only_once_a_stop_is_requested() -> None:
    flag = StopFlag()
    checkpoint(flag, "it hashed a proxy")
    raise_if_stopped(flag, LookupError())
    flag.request()
    with pytest.raises(LookupError):
        raise_if_stopped(flag, LookupError())
    with pytest.raises(ProxxError, match=r"^stopped by a signal \(SIGTERM, or Ctrl-C\) while it hashed a proxy\. ") as caught:
        checkpoint(BeatingStop(flag), "it hashed a proxy", path="/proxy.mov")
    assert caught.value.code is ErrorCode.INTERRUPTED
    assert caught.value.error.details == {"path": "/proxy.mov"}
    flag.close()


def test_a_cancel_is_another_reason_to_stop() -> None:
    flag, answers = StopFlag(), [False, True]
    stop = CancellableStop(flag, lambda: answers.pop(0), lambda: False)
    assert stop.fileno() == flag.fileno()
    checkpoint(stop, "it hashed a proxy")
    with pytest.raises(ProxxError, match="cancelled while it hashed a proxy") as caught:
        checkpoint(stop, "it hashed a proxy", path="/proxy.mov")
    assert caught.value.code is ErrorCode.CANCELLED
    assert caught.value.error.details == {"path": "/proxy.mov"}
    flag.request()
    assert stop.requested()
    assert stop.error("it ended").code is ErrorCode.CANCELLED, "what was seen first stays the reason"
    flag.close()


def test_a_cancel_is_looked_for_once_more_before_the_job_is_decided() -> None:
    flag, answers = StopFlag(), [False, True]
    stop = CancellableStop(flag, lambda: False, lambda: answers.pop(0))
    assert not flag.cancelled()
    assert not BeatingStop(flag).cancelled()
    beating = BeatingStop(stop)
    assert [beating.cancelled(), beating.cancelled(), stop.cancelled()] == [False, True, True]
    assert stop.requested()
    assert stop.error("its result was about to be recorded").code is ErrorCode.CANCELLED
    flag.close()


def test_a_stop_that_was_seen_before_the_cancel_stays_the_reason() -> None:
    flag, beats = StopFlag(), list[int]()
    flag.request()
    stop = CancellableStop(BeatingStop(flag, lambda: beats.append(1)), lambda: True, lambda: True)
    assert stop.requested()
    assert stop.error("it ended").code is ErrorCode.INTERRUPTED
    assert beats == [1]
    flag.close()
