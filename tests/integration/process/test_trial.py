"""One start of a child, for real."""

import pytest

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.process import trial
from proxx_worker.process.spawn import SETPRIV_PLACES


def test_here_children_can_be_started() -> None:
    assert trial.try_start() in SETPRIV_PLACES


def test_where_there_is_no_guard_there_is_nothing_to_try(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proxx_worker.process.spawn.sys.platform", "darwin")
    assert trial.try_start() is None


@pytest.mark.parametrize(("program", "cause"), [("/usr/bin/false", "ended with 1"), ("/nowhere/setpriv", "No such file")])
def test_the_cause_is_named(monkeypatch: pytest.MonkeyPatch, program: str, cause: str) -> None:
    monkeypatch.setattr(trial, "locate_setpriv", lambda: program)
    with pytest.raises(ProxxError, match=cause) as caught:
        trial.try_start()
    assert caught.value.code is ErrorCode.IO_ERROR
    assert program in str(caught.value)
