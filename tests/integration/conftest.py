"""What the tests of single packages share."""

from collections.abc import Iterator

import pytest

from proxx_worker.process.stop import StopFlag


@pytest.fixture
def stop() -> Iterator[StopFlag]:
    flag = StopFlag()
    yield flag
    flag.close()
