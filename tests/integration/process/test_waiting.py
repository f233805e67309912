"""Waiting for descriptors, also for those beyond what select(2) takes."""

import fcntl
import os
import resource
from collections.abc import Iterator

import pytest

from proxx_worker.process.waiting import wait_readable

BEYOND_SELECT = 1024


@pytest.fixture
def pipe_beyond_select() -> Iterator[tuple[int, int]]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(before[0], BEYOND_SELECT + 100), before[1]))
    reader, writer = os.pipe()
    high = fcntl.fcntl(reader, fcntl.F_DUPFD_CLOEXEC, BEYOND_SELECT)
    yield high, writer
    for descriptor in (reader, writer, high):
        os.close(descriptor)
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_any_descriptor_ends_the_wait(pipe_beyond_select: tuple[int, int]) -> None:
    reader, writer = pipe_beyond_select
    wait_readable([reader], 0)
    os.write(writer, b"x")
    wait_readable([reader], 3600)
    assert os.read(reader, 2) == b"x"
