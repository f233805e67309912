"""What the tests of children share."""

from collections.abc import Iterator

import pytest

from proxx_worker.engines.stop import StopFlag


@pytest.fixture
def stop() -> Iterator[StopFlag]:
    flag = StopFlag()
    yield flag
    flag.close()
