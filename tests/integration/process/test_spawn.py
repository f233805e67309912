"""Where the guard of children is looked for."""

from pathlib import Path

import pytest

from proxx_worker.contract.errors import ErrorCode, ProxxError
from proxx_worker.process.spawn import locate_setpriv


def test_setpriv_must_be_there_on_linux(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    guard = tmp_path / "setpriv"
    guard.touch(0o755)
    monkeypatch.setattr("proxx_worker.process.spawn.sys.platform", "linux")
    assert locate_setpriv((f"{tmp_path}/none", str(guard))) == str(guard)
    with pytest.raises(ProxxError, match="util-linux") as caught:
        locate_setpriv((f"{tmp_path}/none",))
    assert caught.value.code is ErrorCode.IO_ERROR
    monkeypatch.setattr("proxx_worker.process.spawn.sys.platform", "darwin")
    assert locate_setpriv((f"{tmp_path}/none",)) is None
